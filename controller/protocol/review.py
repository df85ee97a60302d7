"""Every rule that a protocol breaks, each in a sentence that names the field."""

import math
from collections.abc import Iterator

from controller.protocol.arms import protocol_of_arm
from controller.protocol.ceilings import dose_ceilings
from controller.protocol.condition_forms import Condition
from controller.protocol.device_rules import Asked, DeviceRules, device_complaints
from controller.protocol.dose import PlannedDose, planned_dose
from controller.protocol.form import Protocol
from controller.protocol.pattern_forms import Paired
from controller.protocol.patterns import layout_of
from controller.protocol.rig_rules import (
    Rig,
    pattern_complaints,
    rig_complaints,
    strength_complaints,
)
from controller.protocol.stage_forms import Stimulating
from controller.protocol.train_rules import train_complaints
from controller.protocol.trial_list import most_trials, trial_list
from controller.safety.ceilings import Modality

SECONDS_A_DAY = 86_400.0


def broken_rules(
    protocol: Protocol,
    *,
    rig: Rig | None = None,
    device: DeviceRules | None = None,
    rmt_pct_mso: float | None = None,
) -> list[str]:
    """Return one sentence for each rule that a protocol breaks.

    Parameters
    ----------
    protocol : Protocol
        Without contradictions.
    rig : Rig, optional
        The configuration that it is to run in.
    device : DeviceRules, optional
        The stimulator.
    rmt_pct_mso : float, optional
        The participant's resting motor threshold.
    """
    dose = planned_dose(protocol, trial_list(protocol))
    found = [*_ceilings(protocol), *_totals(protocol, dose), *_days(protocol)]
    for place, stage in protocol.stimulating_stages():
        for condition in protocol.conditions_of(stage):
            if condition.gives_pulses:
                key = f"stages {place + 1} ({stage.name}), condition {condition.name}"
                pause_s = pause_after(protocol, stage, condition)
                found += _interval(protocol, key, pause_s)
                found += train_complaints(protocol, condition, key, pause_s)
                if rig is not None:
                    found += pattern_complaints(
                        protocol, rig, stage, condition, key=key, pause_s=pause_s
                    )
                found += _device(protocol, device, condition, key, pause_s, rmt_pct_mso)
    found += _strength(protocol, rmt_pct_mso)
    if rig is not None:
        found += rig_complaints(protocol, rig, dose)
        found += strength_complaints(protocol, rig, rmt_pct_mso)
    if protocol.blinding is not None:
        # The sham may be stronger than the conditions, or on another scale.
        sham = protocol_of_arm(protocol, protocol.blinding.sham)
        found += broken_rules(sham, rig=rig, device=device, rmt_pct_mso=rmt_pct_mso)
    return list(dict.fromkeys(found))


def pause_after(protocol: Protocol, stage: Stimulating, condition: Condition) -> float:
    """Return the shortest time from a condition's last pulse to the next pattern."""
    duration_s = layout_of(protocol.pattern_of(condition)).duration_s
    return _shortest_s(protocol, stage) - duration_s


def _shortest_s(protocol: Protocol, stage: Stimulating) -> float:
    iti_s, jitter_s = protocol.iti_of(stage)
    return iti_s - jitter_s


def _ceilings(protocol: Protocol) -> Iterator[str]:
    for name, ceiling in dose_ceilings(Modality(protocol.modality)).items():
        value = float(getattr(protocol.dose, name))
        if not ceiling.lowest <= value <= ceiling.highest:
            yield (
                f"dose.{name} is {value:g}, but must be from {ceiling.lowest:g} to "
                f"{ceiling.highest:g} ({ceiling.source})."
            )


def _totals(protocol: Protocol, dose: PlannedDose) -> Iterator[str]:
    for name, planned, what in (
        ("max_pulses_per_session", dose.per_session, "a session"),
        ("max_pulses_per_day", dose.per_day, "a day"),
        ("max_pulses_total", dose.total, "in all"),
    ):
        allowed = getattr(protocol.dose, name)
        if not planned <= allowed:
            yield (
                f"dose.{name} is {allowed}, but the trials give {planned} pulses "
                f"{what}; plan fewer, or raise it if the approval allows that."
            )


def _days(protocol: Protocol) -> Iterator[str]:
    schedule = protocol.schedule
    if schedule.sessions_per_day == 1:
        return
    session_s = least_duration_s(protocol)
    pauses_s = (schedule.sessions_per_day - 1) * schedule.min_pause_s
    day_s = schedule.sessions_per_day * session_s + pauses_s
    if not day_s <= SECONDS_A_DAY:
        yield (
            f"schedule.sessions_per_day: {schedule.sessions_per_day} sessions with "
            f"their pauses take at least {day_s / 3600.0:.1f} hours, more than a day "
            "has."
        )


def least_duration_s(protocol: Protocol) -> float:
    """Return how long a session lasts at least."""
    total_s = 0.0
    stimulating = dict(protocol.stimulating_stages())
    for place, stage in enumerate(protocol.stages):
        if stage.duration_s is not None:
            total_s += stage.duration_s
        elif place in stimulating:
            trials = stimulating[place]
            n = most_trials(protocol, trials)
            total_s += (n - 1) * _shortest_s(protocol, trials)
    return total_s


def _interval(protocol: Protocol, key: str, pause_s: float) -> Iterator[str]:
    if not pause_s >= protocol.dose.min_interval_s:
        yield (
            f"{key}: iti_s leaves {pause_s:.4g} s from its last pulse to the next "
            f"trial, less than dose.min_interval_s, "
            f"{protocol.dose.min_interval_s:g} s."
        )


def _device(
    protocol: Protocol,
    device: DeviceRules | None,
    condition: Condition,
    key: str,
    pause_s: float,
    rmt_pct_mso: float | None,
) -> Iterator[str]:
    if device is None:
        return
    pattern = protocol.pattern_of(condition)
    intensity = protocol.intensity_of(condition)
    pct = None if intensity is None else intensity.strongest_pct_mso(rmt_pct_mso)
    asked = Asked(
        layout=layout_of(pattern),
        pct_mso=pct,
        is_pair=isinstance(pattern, Paired),
        differs=intensity is not None and intensity.is_paired,
        pause_s=pause_s,
    )
    for complaint in device_complaints(device, asked):
        yield f"{key}: {complaint}"


def _strength(protocol: Protocol, rmt_pct_mso: float | None) -> Iterator[str]:
    if rmt_pct_mso is None:
        return
    for condition in protocol.conditions:
        intensity = protocol.intensity_of(condition)
        if intensity is None or not condition.gives_pulses:
            continue
        pct = intensity.strongest_pct_mso(rmt_pct_mso)
        assert pct is not None
        if not (math.isfinite(pct) and pct <= 100.0):
            yield (
                f"condition {condition.name}: intensity.pct_rmt is "
                f"{intensity.strongest()[0]:g}, at a threshold of {rmt_pct_mso:g} % "
                f"that is {pct:.1f} % of the stimulator's output, more than it has."
            )
