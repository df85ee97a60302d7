"""Stages of a protocol file: what happens one after the other."""

from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field

from controller.config_fields import NotNegative, Number, Positive, Section
from controller.protocol.condition_forms import Name

Text = Annotated[str, Field(min_length=1)]
TrialCount = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class Wait(Section):
    """What a stage waits for before it begins, or what ends it early."""

    operator: bool = Field(default=False, description="a key at the terminal")
    marker: Text | None = Field(default=None, description="an LSL marker")
    timeout_s: Positive | None = Field(
        default=None, description="give up waiting for the marker after so long"
    )

    @pydantic.model_validator(mode="after")
    def _asked(self) -> Self:
        if not self.operator and self.marker is None:
            raise ValueError("give operator = true, marker, or both")
        if self.timeout_s is not None and self.marker is None:
            raise ValueError("timeout_s goes with marker, only")
        return self


class StageMarkers(Section):
    """LSL markers sent."""

    start: Text | None = None
    end: Text | None = None
    trial: Text | None = Field(
        default=None, description="with every pulse or shadow, condition added"
    )


class Window(Section):
    """When pulses may come around a marker of the task."""

    marker: Text
    from_s: Number = Field(description="after the marker; at least 0")
    to_s: Positive

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0.0 <= self.from_s < self.to_s:
            raise ValueError(
                "from_s must be at least 0, for no one knows a marker beforehand, and "
                "below to_s"
            )
        return self


class _Stage(Section):
    name: Name
    participant: str = Field(default="", description="said to the participant")
    operator: str = Field(default="", description="said to the operator")
    enter: Wait | None = Field(default=None, description="at once if absent")
    leave: Wait | None = Field(
        default=None, description="beside duration or trials, what ends the stage"
    )
    markers: StageMarkers = StageMarkers()


class Rest(_Stage):
    """EEG without pulses, that the estimator may be designed from."""

    kind: Literal["rest"]
    duration_s: Positive


class Calibration(_Stage):
    """Rest whose purpose is to design the estimator and to say what to expect."""

    kind: Literal["calibration"]
    duration_s: Positive


class Break(_Stage):
    """A pause of fixed length, or until somebody ends it."""

    kind: Literal["break"]
    duration_s: Positive | None = None

    @pydantic.model_validator(mode="after")
    def _ends(self) -> Self:
        if self.duration_s is None and self.leave is None:
            raise ValueError("nothing ever ends it: give duration_s or leave")
        return self


class _Stimulating(_Stage):
    n_trials: TrialCount | None = None
    duration_s: Positive | None = None
    conditions: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        default=None, description="by name; all if absent"
    )
    iti_s: Positive | None = Field(default=None, description="the protocol's if absent")
    iti_jitter_s: NotNegative | None = None

    @pydantic.model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.n_trials is None) == (self.duration_s is None):
            raise ValueError("give one of n_trials and duration_s")
        return self


class Run(_Stimulating):
    """Trials, one after the other."""

    kind: Literal["run"]


class Task(_Stimulating):
    """Trials that a task of another program leads through, by LSL markers."""

    kind: Literal["task"]
    window: Window | None = Field(
        default=None, description="when pulses may come around a marker"
    )
    condition_markers: dict[Text, Name] = Field(
        default_factory=dict,
        description="markers that say which condition comes; drawn if absent",
    )


Stage = Annotated[Rest | Calibration | Break | Run | Task, Field(discriminator="kind")]
Stimulating = Run | Task
