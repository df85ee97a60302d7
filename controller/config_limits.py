"""The configuration's `[limits]`: what the study allows, in the units of the file.

No key has a default. The tables below it forbid what they speak of while they are
absent: trains, a stimulator's intensity, pulses that reach a person.
"""

from collections.abc import Mapping
from typing import ClassVar

import pydantic
from pydantic import Field

from controller.config_fields import Number, Section, Whole
from controller.safety.ceilings import (
    CEILINGS,
    DOSE_CEILINGS,
    STIMULATOR_CEILINGS,
    TRAIN_CEILINGS,
    Ceiling,
    Modality,
    ceilings_of,
)
from controller.safety.device import DeviceRules
from controller.safety.dose import DoseLimits
from controller.safety.limits import Limits, TrainLimits

_IN_MILLISECONDS = ("max_lateness_s", "max_data_age_s")


def key_in_file(name: str) -> str:
    """Return what a limit is called in the file."""
    return name.removesuffix("_s") + "_ms" if name in _IN_MILLISECONDS else name


def units_in_file(name: str) -> float:
    """Return how many of the file's units one of the limit's own has."""
    return 1e3 if name in _IN_MILLISECONDS else 1.0


_NAMES = {key_in_file(name): name for name in CEILINGS}


def _within(ceiling: Ceiling, value: float, unit: float = 1.0) -> float:
    """Return a value of the file, or raise a sentence on its absolute range."""
    if not ceiling.lowest <= value / unit <= ceiling.highest:
        raise ValueError(
            f"must be from {ceiling.lowest * unit:g} to {ceiling.highest * unit:g}, "
            f"not {value:g} ({ceiling.source})"
        )
    return value


class _Table(Section):
    """A table all of whose figures have absolute ranges."""

    ceilings: ClassVar[Mapping[str, Ceiling]]

    @pydantic.field_validator("*")
    @classmethod
    def _below_ceiling(cls, value: float, field: pydantic.ValidationInfo) -> float:
        return _within(cls.ceilings[str(field.field_name)], value)


class TrainSection(_Table):
    """Which trains may be fired, pairs included; without this table there are none."""

    ceilings = TRAIN_CEILINGS

    max_pulses: Whole = Field(description="most pulses in one train")
    max_train_s: Number = Field(description="longest time from its first to its last")
    min_pulse_interval_s: Number = Field(description="shortest time between two inside")
    min_inter_train_s: Number = Field(
        description="shortest pause before and after a train"
    )

    def to_limits(self) -> TrainLimits:
        """Return the rules of trains."""
        return TrainLimits(**self.model_dump())


class StimulatorLimitsSection(_Table):
    """What a stimulator may be told, and what state it must be in."""

    ceilings = STIMULATOR_CEILINGS

    max_intensity_pct_mso: Number = Field(description="percent of maximum output")
    max_intensity_step_pct: Number = Field(description="largest rise at once")
    max_coil_c: Number = Field(description="the coil's temperature")
    max_status_age_s: Number = Field(description="how old its last word may be")

    def to_rules(self) -> DeviceRules:
        """Return the rules that its state is reviewed by."""
        return DeviceRules(**self.model_dump())


class DoseSection(_Table):
    """What one participant may be given; a real output needs this table."""

    ceilings = DOSE_CEILINGS

    max_pulses_per_day: Whole = Field(description="in any 24 hours")
    max_pulses_total: Whole = Field(description="ever, by this dose book")
    max_trains_per_session: Whole
    max_trains_per_day: Whole
    max_trains_total: Whole
    max_full_pulses_per_day: Number = Field(
        description="pulses in any 24 hours, each times its share of maximum output"
    )

    def to_limits(self) -> DoseLimits:
        """Return the limits that a plan is reviewed by."""
        return DoseLimits(**self.model_dump())


class LimitsSection(Section):
    """What the study allows; every line must be there, the tables are optional."""

    modality: Modality
    min_interval_s: Number
    max_pulses: Whole
    max_per_minute: Whole
    max_lateness_ms: Number
    max_data_age_ms: Number
    max_gap_s: Number
    max_silence_s: Number
    max_artifact_s: Number
    max_armed_s: Number
    train: TrainSection | None = None
    stimulator: StimulatorLimitsSection | None = None
    dose: DoseSection | None = None

    @pydantic.field_validator(*_NAMES)
    @classmethod
    def _below_ceiling(cls, value: float, field: pydantic.ValidationInfo) -> float:
        name = _NAMES[str(field.field_name)]
        modality = field.data.get("modality")
        ceilings = CEILINGS if modality is None else ceilings_of(modality)
        return _within(ceilings[name], value, units_in_file(name))

    def to_limits(self) -> Limits:
        """Return the limits in seconds, checked against the absolute ceilings."""
        return Limits(
            modality=self.modality,
            min_interval_s=self.min_interval_s,
            max_pulses=self.max_pulses,
            max_per_minute=self.max_per_minute,
            max_lateness_s=self.max_lateness_ms / 1e3,
            max_data_age_s=self.max_data_age_ms / 1e3,
            max_gap_s=self.max_gap_s,
            max_silence_s=self.max_silence_s,
            max_artifact_s=self.max_artifact_s,
            max_armed_s=self.max_armed_s,
            train=None if self.train is None else self.train.to_limits(),
        )
