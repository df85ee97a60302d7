"""Absolute ceilings of a protocol's `[dose]`, which no file can lift."""

from controller.safety.ceilings import CEILINGS, Ceiling, Modality, ceilings_of
from controller.safety.ceilings import DOSE_CEILINGS as PARTICIPANT_CEILINGS


def dose_ceilings(modality: Modality) -> dict[str, Ceiling]:
    """Return the ranges of `[dose]` for a modality."""
    most = CEILINGS["max_pulses"]
    return {
        "min_interval_s": ceilings_of(modality)["min_interval_s"],
        "max_pulses_per_session": Ceiling(0, most.highest, most.source),
        "max_pulses_per_day": PARTICIPANT_CEILINGS["max_pulses_per_day"],
        "max_pulses_total": PARTICIPANT_CEILINGS["max_pulses_total"],
    }


TRAIN_CEILINGS: dict[str, Ceiling] = {
    "max_frequency_hz": Ceiling(
        0.1, 100.0, "our choice: twice the 50 Hz inside a theta burst"
    ),
    "max_pulses": Ceiling(2, 1800, "our choice: what a whole accelerated session has"),
    "max_duration_s": Ceiling(
        0.0, 60.0, "our choice: half as long again as the 40 s of a cTBS"
    ),
}

HIGHEST_TRAIN_PCT_RMT = 130.0
"""Our choice: published tables of safe trains go no further."""

UNSAFE_PAUSE_S = 1.0
"""Pauses up to 1 s were unsafe above the motor threshold (Chen et al. 1997)."""
