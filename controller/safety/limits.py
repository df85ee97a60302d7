"""Study limits: frozen, without defaults, below ceilings that stand in code."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from controller.errors import ConfigError
from controller.kernels.jit import new_records
from controller.safety.ceilings import (
    CEILINGS,
    TRAIN_CEILINGS,
    Ceiling,
    Modality,
    ceilings_of,
)

LIMITS = np.dtype(
    [
        ("min_interval_s", "f8"),
        ("max_pulses", "i8"),
        ("max_per_minute", "i8"),
        ("max_lateness_s", "f8"),
        ("max_data_age_s", "f8"),
        ("max_gap_s", "f8"),
        ("max_silence_s", "f8"),
        ("max_artifact_s", "f8"),
        ("max_armed_s", "f8"),
        ("train_pulses", "i8"),  # 1 where trains are forbidden
        ("train_s", "f8"),
        ("train_interval_s", "f8"),
        ("inter_train_s", "f8"),
    ],
    align=True,
)

_WHOLE = ("max_pulses", "max_per_minute")


def check_range(
    table: str, ceilings: Mapping[str, Ceiling], values: Mapping[str, float]
) -> None:
    """Refuse a value that is not finite or beyond its absolute range.

    Raises
    ------
    ConfigError
        Names the table and the key, the value, the range and its source.
    """
    for name, ceiling in ceilings.items():
        value = float(values[name])
        if not (math.isfinite(value) and ceiling.lowest <= value <= ceiling.highest):
            raise ConfigError(
                f"{table}.{name} is {value:g}, but must be from {ceiling.lowest:g} "
                f"to {ceiling.highest:g} ({ceiling.source})."
            )


def check_whole(table: str, values: Mapping[str, float]) -> None:
    """Refuse a count that is not a whole number.

    Raises
    ------
    ConfigError
    """
    for name, value in values.items():
        if value != int(value):
            raise ConfigError(
                f"{table}.{name} is {value:g}, but must be a whole number."
            )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainLimits:
    """Which trains a study allows; without this there are none.

    A train is a pattern with more than one pulse, a pair included.

    Parameters
    ----------
    max_pulses : int
        Most pulses in one train.
    max_train_s : float
        Longest time from its first pulse to its last.
    min_pulse_interval_s : float
        Shortest time between two pulses inside.
    min_inter_train_s : float
        Shortest time from the last pulse before a train to its first, and from its
        last to the next pulse.

    Raises
    ------
    ConfigError
    """

    max_pulses: int
    max_train_s: float
    min_pulse_interval_s: float
    min_inter_train_s: float

    def __post_init__(self) -> None:
        """Check every figure."""
        values = dataclasses.asdict(self)
        check_range("limits.train", TRAIN_CEILINGS, values)
        check_whole("limits.train", {"max_pulses": self.max_pulses})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a study allows; every field but `train` must be given.

    Parameters
    ----------
    modality : Modality
        What a trigger does to a person; the absolute ranges depend on it.
    min_interval_s : float
        Shortest time from one pulse to the next, except inside a train.
    max_pulses : int
        Most pulses in the session.
    max_per_minute : int
        Most pulses in any sixty seconds.
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
    max_armed_s : float
        How long an arming lasts before a person has to arm again.
    train : TrainLimits, optional
        None forbids every pattern of more than one pulse.

    Raises
    ------
    ConfigError
        If a value is not finite or lies beyond its absolute ceiling, or a count is not
        a whole number.
    """

    modality: Modality
    min_interval_s: float
    max_pulses: int
    max_per_minute: int
    max_lateness_s: float
    max_data_age_s: float
    max_gap_s: float
    max_silence_s: float
    max_artifact_s: float
    max_armed_s: float
    train: TrainLimits | None = None

    def __post_init__(self) -> None:
        """Check every figure."""
        values = {name: getattr(self, name) for name in CEILINGS}
        check_range("limits", ceilings_of(Modality(self.modality)), values)
        check_whole("limits", {name: values[name] for name in _WHOLE})

    def to_record(self) -> Any:
        """Return the limits as one record for the compiled review."""
        records = new_records(LIMITS)
        for name in CEILINGS:
            records[name] = getattr(self, name)
        records.train_pulses, records.train_interval_s = 1, math.inf
        if self.train is not None:
            records.train_pulses = self.train.max_pulses
            records.train_s = self.train.max_train_s
            records.train_interval_s = self.train.min_pulse_interval_s
            records.inter_train_s = self.train.min_inter_train_s
        return records
