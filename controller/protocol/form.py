"""The protocol file: all that a study does to a participant, in one readable text."""

from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field

from controller.config_fields import NotNegative, Positive, Section, Seed
from controller.protocol.condition_forms import Condition, Intensity, Name
from controller.protocol.pattern_forms import Pattern, Single
from controller.protocol.randomise import SMALLEST_SHARE
from controller.protocol.stage_forms import Run, Stage, Stimulating, Task, Text

PulseTotal = Annotated[int, Field(strict=True, ge=0)]


class Intervals(Section):
    """From the first pulse of a trial to the first of the next, at the earliest."""

    iti_s: Positive
    iti_jitter_s: NotNegative = Field(
        default=0.0, description="drawn beforehand, evenly within iti_s +- this"
    )


class Randomisation(Section):
    """In which order conditions come."""

    order: Literal["blocked", "independent", "listed"] = Field(
        default="blocked",
        description="permuted blocks, balanced wherever a run is cut short; or each "
        "trial drawn for itself, without memory; or as listed, over and over",
    )
    seed: Seed = 1


class Shadow(Section):
    """Moments that are not fired but recorded as if."""

    share: Annotated[float, Field(strict=True, ge=0, le=0.999)] = 0.0

    @pydantic.model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.share == 0.0 or self.share >= SMALLEST_SHARE):
            raise ValueError(f"share must be 0, or at least {SMALLEST_SHARE:g}")
        return self


class Attempts(Section):
    """What becomes of a trial that cannot be given."""

    max_attempts: Annotated[int, Field(strict=True, ge=1, le=10_000)] = Field(
        default=20, description="tries that were planned and then refused"
    )
    timeout_s: Positive = Field(
        default=60.0, description="from the trial's earliest moment"
    )
    then: Literal["skip", "repeat", "pause"] = Field(
        default="skip",
        description="leave it out, put it at the stage's end, or wait for the operator",
    )
    max_repeats: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        default=3, description='with then = "repeat"; after that it is left out'
    )


class Blinding(Section):
    """Arms that the operator knows by code only."""

    arms: Annotated[tuple[Name, ...], Field(min_length=2)]
    sham: Name = Field(description="which arm is the sham")
    sham_by: Literal["intensity", "coil-code", "random-phase"]
    sham_intensity: Intensity | None = Field(
        default=None, description='goes with sham_by = "intensity"'
    )
    coil_codes: tuple[Text, ...] = Field(
        default=(),
        description="on the coils, one for each arm; which is which is drawn when the "
        "allocation is sealed",
    )


class Schedule(Section):
    """Sessions of one participant."""

    sessions_per_day: Annotated[int, Field(strict=True, ge=1, le=24)] = 1
    min_pause_s: NotNegative = Field(
        default=0.0, description="end of a session to the beginning of the next"
    )
    days: Annotated[int, Field(strict=True, ge=1, le=365)] = 1


class TrainRule(Section):
    """Repetitive stimulation that the study's approval allows, and who says so."""

    max_frequency_hz: Positive = Field(description="pulses a second where closest")
    max_pulses: Annotated[int, Field(strict=True, ge=2)] = Field(
        description="in one train"
    )
    max_duration_s: Positive
    min_pause_s: NotNegative = Field(
        description="last pulse of a train to the first of the next"
    )
    max_intensity: Intensity
    source: Text


class Dose(Section):
    """The most that may be given; nothing here has a default."""

    min_interval_s: Positive = Field(
        description="last pulse of a trial to the first of the next"
    )
    max_pulses_per_session: PulseTotal
    max_pulses_per_day: PulseTotal
    max_pulses_total: PulseTotal
    trains: tuple[TrainRule, ...] = Field(
        default=(), description="repetitive patterns are refused without one"
    )


class Criteria(Section):
    """When a session counts as one that did what it set out to do."""

    max_bias_deg: Positive | None = Field(
        default=None, description="mean phase error of each condition, either way"
    )
    max_circular_sd_deg: Positive | None = Field(
        default=None, description="spread of the phase errors of each condition"
    )
    min_pulses: Annotated[int, Field(strict=True, ge=1)] | None = Field(
        default=None, description="trials fired of each condition that gives pulses"
    )
    max_refused_share: Annotated[float, Field(strict=True, ge=0, le=1)] | None = Field(
        default=None, description="of all planned pulses"
    )

    @pydantic.model_validator(mode="after")
    def _some(self) -> Self:
        if all(value is None for value in self.model_dump().values()):
            raise ValueError("give at least one criterion, or leave the table out")
        return self


class MarkerStreams(Section):
    """LSL marker streams, in and out."""

    listen_to: Text | None = Field(default=None, description="name of the task's")
    send_as: Text = Field(default="phasegate", description="name of ours")


class Protocol(Section):
    """What a study does, as a file."""

    title: Text
    version: Text
    citation: tuple[Text, ...] = ()
    modality: Literal["tms", "electrical", "ultrasound", "sensory"]
    simulation_only: bool = Field(
        default=False, description="refuse to run it on a real output"
    )
    pattern: Pattern = Single()
    intensity: Intensity | None = None
    intervals: Intervals
    randomisation: Randomisation = Randomisation()
    shadow: Shadow = Shadow()
    attempts: Attempts = Attempts()
    blinding: Blinding | None = None
    schedule: Schedule = Schedule()
    dose: Dose
    marker_streams: MarkerStreams = MarkerStreams()
    criteria: Criteria | None = None
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]

    def condition(self, name: str) -> Condition:
        """Return the condition of this name."""
        return next(each for each in self.conditions if each.name == name)

    def pattern_of(self, condition: Condition) -> Pattern:
        """Return a condition's pattern, or the protocol's."""
        return self.pattern if condition.pattern is None else condition.pattern

    def intensity_of(self, condition: Condition) -> Intensity | None:
        """Return a condition's intensity, or the protocol's."""
        return self.intensity if condition.intensity is None else condition.intensity

    def conditions_of(self, stage: Stimulating) -> tuple[Condition, ...]:
        """Return the conditions of a stage, in the protocol's order."""
        if stage.conditions is None:
            return self.conditions
        return tuple(self.condition(name) for name in stage.conditions)

    def iti_of(self, stage: Stimulating) -> tuple[float, float]:
        """Return a stage's interval and its jitter, seconds."""
        iti_s = self.intervals.iti_s if stage.iti_s is None else stage.iti_s
        if stage.iti_jitter_s is not None:
            return iti_s, stage.iti_jitter_s
        # A stage with an interval of its own has no jitter but its own.
        return iti_s, self.intervals.iti_jitter_s if stage.iti_s is None else 0.0

    def stimulating_stages(self) -> tuple[tuple[int, Stimulating], ...]:
        """Return the stages with trials, with their places."""
        return tuple(
            (place, stage)
            for place, stage in enumerate(self.stages)
            if isinstance(stage, Run | Task)
        )
