"""Conditions of a protocol file: when a pulse comes, which pattern, how strong."""

import math
from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field

from controller.config_fields import Degrees, Section
from controller.protocol.pattern_forms import Pattern

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$")]
Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
PercentOfThreshold = Annotated[float, Field(strict=True, ge=0, le=200)]


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, int | float) else value


Phases = Annotated[
    tuple[Degrees, ...],
    Field(min_length=1),
    pydantic.BeforeValidator(_as_list, json_schema_input_type=float | list[float]),
]
"""One phase, or a list."""


class Intensity(Section):
    """How strong: in percent of the stimulator's output or of the motor threshold."""

    pct_mso: Percent | None = Field(
        default=None, description="percent of maximum stimulator output"
    )
    pct_rmt: PercentOfThreshold | None = Field(
        default=None, description="percent of the resting motor threshold"
    )
    first_pct_mso: Percent | None = Field(
        default=None, description="of a pair's first pulse, where it differs"
    )
    first_pct_rmt: PercentOfThreshold | None = Field(
        default=None, description="of a pair's first pulse, where it differs"
    )

    @pydantic.model_validator(mode="after")
    def _one_scale(self) -> Self:
        if (self.pct_mso is None) == (self.pct_rmt is None):
            raise ValueError("give one of pct_mso and pct_rmt")
        mixed = (self.pct_mso is None and self.first_pct_mso is not None) or (
            self.pct_rmt is None and self.first_pct_rmt is not None
        )
        if mixed:
            raise ValueError("the first pulse is given on the scale of the other")
        return self

    @property
    def is_paired(self) -> bool:
        """Whether the first pulse of a pair differs."""
        return self.first_pct_mso is not None or self.first_pct_rmt is not None

    def strongest(self) -> tuple[float, str]:
        """Return the strongest pulse's intensity and its unit."""
        if self.pct_mso is not None:
            return max(self.pct_mso, self.first_pct_mso or 0.0), "pct_mso"
        assert self.pct_rmt is not None
        return max(self.pct_rmt, self.first_pct_rmt or 0.0), "pct_rmt"

    def strongest_pct_mso(self, rmt_pct_mso: float | None) -> float | None:
        """Return the strongest pulse in percent of output; None without a threshold."""
        value, unit = self.strongest()
        if unit == "pct_mso":
            return value
        return None if rmt_pct_mso is None else value / 100.0 * rmt_pct_mso


class PhaseTarget(Section):
    """At one phase of the rhythm, or at each of several as often as the others."""

    kind: Literal["phase"]
    phase_deg: Phases = Field(
        description="0 is the positive peak, 180 the trough; or a list"
    )

    @pydantic.model_validator(mode="after")
    def _different(self) -> Self:
        turned = [round(phase % 360.0, 9) for phase in self.phase_deg]
        if len(set(turned)) < len(turned):
            raise ValueError("phase_deg names one phase twice")
        return self


class RandomPhase(Section):
    """At phases drawn beforehand, evenly around the circle."""

    kind: Literal["random-phase"]


class OpenLoop(Section):
    """By the clock: as soon as the interval has passed, whatever the EEG does."""

    kind: Literal["open-loop"]


class Yoked(Section):
    """At the times of another session's trials, counted from the first one."""

    kind: Literal["yoked"]
    session: Annotated[str, Field(min_length=1)] = Field(
        description="its folder; a relative path counts from the protocol file"
    )


class PowerGate(Section):
    """While the rhythm is strong, or while it is weak."""

    kind: Literal["power"]
    level: Literal["high", "low"]
    percentile: Annotated[float, Field(strict=True, gt=0, lt=100)] = Field(
        description="of the running amplitude, above or below which pulses come"
    )
    phase_deg: Degrees | None = Field(
        default=None, description="of the pulse; any phase if absent"
    )


class Control(Section):
    """No pulse: by the clock, and recorded as if."""

    kind: Literal["control"]


When = Annotated[
    PhaseTarget | RandomPhase | OpenLoop | Yoked | PowerGate | Control,
    Field(discriminator="kind"),
]


class Condition(Section):
    """One experimental condition."""

    name: Name
    weight: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        default=1, description="trials of each target in a block"
    )
    when: When
    pattern: Pattern | None = Field(
        default=None, description="the protocol's pattern if absent"
    )
    intensity: Intensity | None = Field(
        default=None, description="the protocol's intensity if absent"
    )

    @property
    def gives_pulses(self) -> bool:
        """Whether it is no control."""
        return not isinstance(self.when, Control)

    @property
    def needs_phase(self) -> bool:
        """Whether it waits for the EEG."""
        return not isinstance(self.when, OpenLoop | Yoked | Control)

    def targets_rad(self) -> tuple[float | None, ...]:
        """Return the target phases; None where there is none, or none beforehand."""
        match self.when:
            case PhaseTarget():
                return tuple(math.radians(phase) for phase in self.when.phase_deg)
            case PowerGate(phase_deg=float() as phase):
                return (math.radians(phase),)
        return (None,)
