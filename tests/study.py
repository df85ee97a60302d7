"""What a study allows, for tests: wide limits, some of them changed."""

from controller.safety.ceilings import Modality
from controller.safety.limits import Limits


def limits_of(**changed):
    """Return wide limits, some of them changed."""
    wide = {
        "modality": Modality.MARKER,
        "min_interval_s": 0.1,
        "max_pulses": 1000,
        "max_per_minute": 1800,
        "max_lateness_s": 0.001,
        "max_data_age_s": 0.05,
        "max_gap_s": 1.0,
        "max_silence_s": 1.0,
        "max_artifact_s": 5.0,
        "max_armed_s": 3600.0,
    }
    return Limits(**{**wide, **changed})
