"""What a configuration's `[limits]` say to a protocol that is to run in it."""

import dataclasses
import math
from collections.abc import Iterator

from controller.protocol.condition_forms import Condition
from controller.protocol.dose import PlannedDose
from controller.protocol.form import Protocol
from controller.protocol.patterns import layout_of
from controller.protocol.stage_forms import Stimulating
from controller.safety.dose import DoseLimits
from controller.safety.interlock import RATE_WINDOW_S
from controller.safety.limits import Limits
from controller.safety.train import pattern_complaint


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What the protocol is checked against beside itself.

    Parameters
    ----------
    limits : Limits
        The study's, in the configuration.
    pulse_s : float
        From rise to fall of the trigger line.
    simulated : bool
        Whether the output is.
    max_intensity_pct_mso : float or None
        `limits.stimulator`'s; None where it is absent.
    dose : DoseLimits or None
        `limits.dose`.
    """

    limits: Limits
    pulse_s: float
    simulated: bool
    max_intensity_pct_mso: float | None = None
    dose: DoseLimits | None = None


def pattern_complaints(
    protocol: Protocol,
    rig: Rig,
    stage: Stimulating,
    condition: Condition,
    *,
    key: str,
    pause_s: float,
) -> Iterator[str]:
    """Yield what stands against a condition of a stage.

    Parameters
    ----------
    protocol : Protocol
    rig : Rig
    stage : Stimulating
    condition : Condition
        Of the stage; gives pulses.
    key : str
        What it is called in sentences.
    pause_s : float
        Shortest time from its last pulse to the next pattern.
    """
    limits, layout = rig.limits, layout_of(protocol.pattern_of(condition))
    complaint = pattern_complaint(limits, layout.pulses_s)
    if complaint is not None:
        yield f"{key}: {complaint}"
    if not rig.pulse_s < layout.min_gap_s:
        yield (
            f"{key}: its pulses are {layout.min_gap_s * 1e3:g} ms apart, but the "
            f"configuration's output.pulse_ms is {rig.pulse_s * 1e3:g}, and the line "
            "must come down between them."
        )
    if not pause_s >= limits.min_interval_s:
        yield (
            f"{key}: iti_s leaves {pause_s:.4g} s from its last pulse to the next "
            f"trial, less than the configuration's limits.min_interval_s, "
            f"{limits.min_interval_s:g} s."
        )
    # A train asks for its pause before and after it, whatever comes there.
    beside_train = any(
        layout_of(protocol.pattern_of(each)).n_pulses > 1
        for each in protocol.conditions_of(stage)
        if each.gives_pulses
    )
    if (
        limits.train is not None
        and beside_train
        and not pause_s >= limits.train.min_inter_train_s
    ):
        yield (
            f"{key}: iti_s leaves {pause_s:.4g} s from its last pulse to the next "
            "trial, less than the configuration's limits.train.min_inter_train_s, "
            f"{limits.train.min_inter_train_s:g} s."
        )
    iti_s, _ = protocol.iti_of(stage)
    a_minute = math.ceil(RATE_WINDOW_S / iti_s - 1e-9) * layout.n_pulses
    if stage.n_trials is not None:
        a_minute = min(a_minute, stage.n_trials * layout.n_pulses)
    if not a_minute <= limits.max_per_minute:
        yield (
            f"{key}: iti_s lets {a_minute} pulses come within a minute, more than the "
            f"configuration's limits.max_per_minute, {limits.max_per_minute}."
        )


def rig_complaints(protocol: Protocol, rig: Rig, dose: PlannedDose) -> Iterator[str]:
    """Yield what stands against the protocol as a whole."""
    limits = rig.limits
    if protocol.modality != limits.modality:
        yield (
            f"modality is {protocol.modality!r}, but the configuration's "
            f"limits.modality is {str(limits.modality)!r}; use a configuration for it."
        )
    if not dose.per_session <= limits.max_pulses:
        yield (
            f"stages: the trials give {dose.per_session} pulses, more than the "
            f"configuration's limits.max_pulses, {limits.max_pulses}."
        )
    if protocol.simulation_only and not rig.simulated:
        yield (
            "simulation_only is true, but the configuration's output is real; take a "
            "simulated output."
        )
    if rig.dose is not None:
        yield from _dose(rig.dose, dose)


def strength_complaints(
    protocol: Protocol, rig: Rig, rmt_pct_mso: float | None
) -> Iterator[str]:
    """Yield which intensities are above what the configuration allows."""
    highest = rig.max_intensity_pct_mso
    if highest is None:
        return
    for condition in protocol.conditions:
        intensity = protocol.intensity_of(condition)
        if intensity is None or not condition.gives_pulses:
            continue
        pct = intensity.strongest_pct_mso(rmt_pct_mso)
        # Where the threshold is unknown, the session itself will have to say.
        if pct is not None and not pct <= highest:
            yield (
                f"condition {condition.name}: intensity is {pct:.1f} % of the "
                "stimulator's output, more than the configuration's "
                f"limits.stimulator.max_intensity_pct_mso, {highest:g} %."
            )


def _dose(allowed: DoseLimits, dose: PlannedDose) -> Iterator[str]:
    trains = dose.trains_per_session
    a_day = trains * dose.sessions_per_day
    for name, planned, what in (
        ("max_pulses_per_day", dose.per_day, "pulses a day"),
        ("max_pulses_total", dose.total, "pulses in all"),
        ("max_trains_per_session", trains, "trains a session"),
        ("max_trains_per_day", a_day, "trains a day"),
        ("max_trains_total", a_day * dose.days, "trains in all"),
    ):
        most = getattr(allowed, name)
        if not planned <= most:
            yield (
                f"stages and schedule: the plan gives {planned} {what}, more than the "
                f"configuration's limits.dose.{name}, {most}."
            )
