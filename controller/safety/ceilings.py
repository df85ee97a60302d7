"""Absolute ranges of every limit, by modality, each with where its figure comes from.

No configuration can lift them. A study's own limits lie within.
"""

import dataclasses
import enum


class Modality(enum.StrEnum):
    """What a trigger does to a person."""

    TMS = "tms"
    ELECTRICAL = "electrical"
    ULTRASOUND = "ultrasound"
    SENSORY = "sensory"
    MARKER = "marker"
    """A code for a recording: it reaches nobody."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ceiling:
    """Allowed range of one limit, and where the figure comes from."""

    lowest: float
    highest: float
    source: str


CEILINGS: dict[str, Ceiling] = {
    "min_interval_s": Ceiling(
        0.1,
        3600.0,
        "our choice: ten triggers a second is the fastest single-trigger study; "
        "trains have rules of their own",
    ),
    "max_pulses": Ceiling(
        1,
        3000,
        "our choice: five times the 600 pulses of a theta-burst session "
        "(Huang et al. 2005), reached by no single-pulse study",
    ),
    "max_per_minute": Ceiling(
        1, 1800, "our choice: three times the 600 that a continuous theta burst has"
    ),
    "max_lateness_s": Ceiling(
        1e-6,
        0.005,
        "our choice: 5 ms are 18 degrees of a 10 Hz rhythm, the size of the best "
        "estimator's own error",
    ),
    "max_data_age_s": Ceiling(
        1e-4,
        0.2,
        "our choice: two alpha cycles; an older sample says nothing about the phase",
    ),
    "max_gap_s": Ceiling(
        0.0, 5.0, "our choice: after 5 s the calibration may not hold any more"
    ),
    "max_silence_s": Ceiling(
        0.05, 5.0, "our choice: a stream silent for 5 s is not a stream"
    ),
    "max_artifact_s": Ceiling(
        0.1, 60.0, "our choice: a minute without one clean sample needs a person"
    ),
    "max_armed_s": Ceiling(
        1.0, 14_400.0, "our choice: after four hours a person looks at the rig again"
    ),
}
"""Of `[limits]`, whatever the modality; `ceilings_of` may be tighter."""

_TIGHTER: dict[Modality, dict[str, Ceiling]] = {
    Modality.TMS: {
        "min_interval_s": Ceiling(
            1.0,
            3600.0,
            "our choice: pulses above 1 Hz are repetitive stimulation "
            "(Rossi et al. 2009), which follows limits.train",
        ),
        "max_per_minute": Ceiling(
            1,
            900,
            "our choice: 15 pulses a second, the rate of a theta burst "
            "(Huang et al. 2005), for a whole minute",
        ),
    },
}

TRAIN_CEILINGS: dict[str, Ceiling] = {
    "max_pulses": Ceiling(2, 1800, "our choice: what a whole accelerated session has"),
    "max_train_s": Ceiling(
        0.0, 60.0, "our choice: half as long again as the 40 s of a continuous burst"
    ),
    "min_pulse_interval_s": Ceiling(
        0.001, 60.0, "our choice: the closest paired pulses are 1 ms apart"
    ),
    "min_inter_train_s": Ceiling(
        2.0,
        3600.0,
        "our choice: twice the pause of 1 s that was unsafe above the motor "
        "threshold (Chen et al. 1997); 5 s were safe",
    ),
}
"""Of `[limits.train]`."""

STIMULATOR_CEILINGS: dict[str, Ceiling] = {
    "max_intensity_pct_mso": Ceiling(
        0.0, 110.0, "the largest output of any stimulator that we drive"
    ),
    "max_intensity_step_pct": Ceiling(
        0.0, 110.0, "the largest output of any stimulator that we drive"
    ),
    "max_coil_c": Ceiling(
        10.0, 43.0, "IEC 60601-1: parts that touch a person stay below 43 degrees"
    ),
    "max_status_age_s": Ceiling(
        0.05, 5.0, "our choice: a stimulator silent for 5 s may have been switched off"
    ),
}
"""Of `[limits.stimulator]`."""

_A_DAY = "ten sessions of 1800 pulses (Cole et al. 2020)"
_A_COURSE = "fifty sessions of 1800 pulses (Cole et al. 2020)"

DOSE_CEILINGS: dict[str, Ceiling] = {
    "max_pulses_per_day": Ceiling(0, 18_000, _A_DAY),
    "max_pulses_total": Ceiling(0, 90_000, _A_COURSE),
    "max_trains_per_session": Ceiling(0, 1800, "our choice: each pulse of a session"),
    "max_trains_per_day": Ceiling(0, 18_000, _A_DAY),
    "max_trains_total": Ceiling(0, 90_000, _A_COURSE),
    "max_full_pulses_per_day": Ceiling(0.0, 18_000.0, _A_DAY),
}
"""Of `[limits.dose]`."""


def ceilings_of(modality: Modality) -> dict[str, Ceiling]:
    """Return the ranges of `[limits]` for a modality."""
    return CEILINGS | _TIGHTER.get(modality, {})
