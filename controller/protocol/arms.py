"""What an arm changes: intensity, phase or coil, and nothing that the operator sees."""

import dataclasses
from collections.abc import Sequence

from controller.errors import SealError
from controller.protocol.draws import Draws
from controller.protocol.form import Protocol
from controller.protocol.randomise import random_phases_rad
from controller.protocol.trial_list import Trial


def protocol_of_arm(protocol: Protocol, arm: str) -> Protocol:
    """Return the protocol as an arm gives it: with the sham's intensity, if it is one.

    Trials are drawn from the protocol as it was written, so that their order is the
    same in every arm.

    Raises
    ------
    SealError
        There is no such arm.
    """
    blinding = protocol.blinding
    if blinding is None or arm not in blinding.arms:
        raise SealError(f"The protocol has no arm {arm!r} in its [blinding].")
    open_label = protocol.model_copy(update={"blinding": None})
    if arm != blinding.sham or blinding.sham_by != "intensity":
        return open_label
    conditions = tuple(
        condition.model_copy(update={"intensity": None})
        for condition in protocol.conditions
    )
    return open_label.model_copy(
        update={"intensity": blinding.sham_intensity, "conditions": conditions}
    )


def trials_of_arm(
    protocol: Protocol, trials: Sequence[Trial], arm: str, seed: int
) -> tuple[Trial, ...]:
    """Return the trials as an arm gives them: at random phases, if it is such a sham.

    Parameters
    ----------
    protocol : Protocol
        With its `[blinding]`.
    trials : sequence of Trial
        As drawn.
    arm : str
    seed : int
        As the trials' own.

    Raises
    ------
    SealError
        There is no such arm.
    """
    blinding = protocol.blinding
    if blinding is None or arm not in blinding.arms:
        raise SealError(f"The protocol has no arm {arm!r} in its [blinding].")
    if arm != blinding.sham or blinding.sham_by != "random-phase":
        return tuple(trials)
    phases = random_phases_rad(len(trials), Draws(seed, "sham by random phase"))
    return tuple(
        trial
        if trial.target_phase_rad is None
        else dataclasses.replace(trial, target_phase_rad=phase)
        for trial, phase in zip(trials, phases, strict=True)
    )
