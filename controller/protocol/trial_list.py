"""The whole list of trials, drawn before the session from protocol hash and seed."""

import dataclasses
import math

from controller.protocol.canonical import protocol_hash
from controller.protocol.condition_forms import Condition, Control, RandomPhase
from controller.protocol.draws import Draws
from controller.protocol.form import Protocol
from controller.protocol.randomise import (
    intervals_s,
    order_of,
    random_phases_rad,
    shadows_of,
)
from controller.protocol.stage_forms import Stimulating


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One intended stimulation.

    Parameters
    ----------
    number : int
        Counts through the session, from 0.
    stage : int
        Its place among the protocol's stages.
    condition : str
    target_phase_rad : float or None
        None where no phase is waited for.
    iti_s : float
        Earliest time from the trial before.
    shadow : bool
        Recorded as if, not fired.
    """

    number: int
    stage: int
    condition: str
    target_phase_rad: float | None
    iti_s: float
    shadow: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A condition at one of its targets: what is balanced against the others."""

    condition: Condition
    target_rad: float | None


def cells_of(protocol: Protocol, stage: Stimulating) -> tuple[Cell, ...]:
    """Return what is balanced within a stage."""
    return tuple(
        Cell(condition=condition, target_rad=target_rad)
        for condition in protocol.conditions_of(stage)
        for target_rad in condition.targets_rad()
    )


def most_trials(protocol: Protocol, stage: Stimulating) -> int:
    """Return how many trials a stage can have at the very most."""
    if stage.n_trials is not None:
        return stage.n_trials
    assert stage.duration_s is not None
    iti_s, jitter_s = protocol.iti_of(stage)
    return math.floor(stage.duration_s / (iti_s - jitter_s)) + 1


def session_seed(seed: int, participant: str, session: int) -> int:
    """Return the seed of one participant's session, out of the protocol's.

    Parameters
    ----------
    seed : int
        The protocol's.
    participant : str
    session : int
        Which of the participant's sessions it is, from 1.
    """
    return Draws(seed, "session", participant, session).below(2**53)


def trial_list(protocol: Protocol, seed: int | None = None) -> tuple[Trial, ...]:
    """Return every trial of one session.

    Parameters
    ----------
    protocol : Protocol
        Without complaints.
    seed : int, optional
        The protocol's if absent; give each participant and session one of their own.
    """
    named = protocol_hash(protocol)
    if seed is None:
        seed = protocol.randomisation.seed
    trials: list[Trial] = []
    for place, stage in protocol.stimulating_stages():
        draws = {
            what: Draws(named, seed, place, what)
            for what in ("order", "interval", "phase", "shadow")
        }
        trials += _stage_trials(protocol, place, stage, draws, first=len(trials))
    return tuple(trials)


def _stage_trials(
    protocol: Protocol,
    place: int,
    stage: Stimulating,
    draws: dict[str, Draws],
    *,
    first: int,
) -> list[Trial]:
    cells = cells_of(protocol, stage)
    n = most_trials(protocol, stage)
    weights = [cell.condition.weight for cell in cells]
    places = order_of(weights, n, protocol.randomisation.order, draws["order"])
    gaps_s = intervals_s(n, *protocol.iti_of(stage), draws["interval"])
    turns = iter(random_phases_rad(n, draws["phase"]))
    shadows = [
        iter(_shadows(protocol, cell, places.count(index), draws["shadow"]))
        for index, cell in enumerate(cells)
    ]
    return [
        Trial(
            number=first + index,
            stage=place,
            condition=cells[which].condition.name,
            target_phase_rad=(
                next(turns)
                if isinstance(cells[which].condition.when, RandomPhase)
                else cells[which].target_rad
            ),
            iti_s=gaps_s[index],
            shadow=next(shadows[which]),
        )
        for index, which in enumerate(places)
    ]


def _shadows(protocol: Protocol, cell: Cell, n: int, draws: Draws) -> list[bool]:
    # A control gives no pulse in any case, so a shadow of it would say nothing new.
    if isinstance(cell.condition.when, Control):
        return [False] * n
    return shadows_of(n, protocol.shadow.share, draws)
