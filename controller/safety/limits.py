"""Study limits: frozen, without defaults, below ceilings that stand in code."""

import dataclasses
import math
from typing import Any

import numpy as np

from controller.errors import ConfigError
from controller.kernels.jit import new_records

LIMITS = np.dtype(
    [
        ("min_interval_s", "f8"),
        ("max_pulses", "i8"),
        ("max_lateness_s", "f8"),
        ("max_data_age_s", "f8"),
        ("max_gap_s", "f8"),
        ("max_silence_s", "f8"),
        ("max_artifact_s", "f8"),
    ],
    align=True,
)


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
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a study allows; every field must be given.

    Parameters
    ----------
    min_interval_s : float
        Shortest time from one pulse to the next.
    max_pulses : int
        Most pulses in the session.
    max_lateness_s : float
        How late a trigger may leave and still be fired.
    max_data_age_s : float
        How old the newest sample may be when a pulse is decided or fired.
    max_gap_s : float
        Longest stretch of lost samples after which the loop goes on, once the estimator
        has filled up again; a longer one is a fault.
    max_silence_s : float
        How long the stream may send nothing before that is a fault.
    max_artifact_s : float
        How long an artifact may last before that is a fault.

    Raises
    ------
    ConfigError
        If a value is not finite or lies beyond its absolute ceiling, or if `max_pulses`
        is not a whole number.
    """

    min_interval_s: float
    max_pulses: int
    max_lateness_s: float
    max_data_age_s: float
    max_gap_s: float
    max_silence_s: float
    max_artifact_s: float

    def __post_init__(self) -> None:
        for name, ceiling in CEILINGS.items():
            value = float(getattr(self, name))
            if not (
                math.isfinite(value) and ceiling.lowest <= value <= ceiling.highest
            ):
                raise ConfigError(
                    f"limits.{name} is {value:g}, but must be from {ceiling.lowest:g} "
                    f"to {ceiling.highest:g} ({ceiling.source})."
                )
        if self.max_pulses != int(self.max_pulses):
            raise ConfigError(
                f"limits.max_pulses is {self.max_pulses:g}, but must be a whole number."
            )

    def to_record(self) -> Any:
        """Return the limits as one record for the compiled review."""
        records = new_records(LIMITS)
        for field in dataclasses.fields(self):
            records[field.name] = getattr(self, field.name)
        return records
