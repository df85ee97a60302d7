"""The `[source]` table of the configuration file: where the EEG comes from."""

from pathlib import Path
from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field

from controller.config_fields import NotNegative, Positive, Section, Seed, Share

Label = Annotated[str, Field(min_length=1)]
Gain = Annotated[float, Field(strict=True, ge=-1, le=1)]
Percent = Annotated[float, Field(strict=True, gt=0, le=100)]
MotorResponse = Annotated[float, Field(strict=True, gt=50, le=20_000)]


class LslSource(Section):
    """A stream that is already on the network, found by any of three marks."""

    kind: Literal["lsl"]
    name: str | None = None
    type: str | None = None
    source_id: str | None = None
    unit: Literal["uV", "mV", "V"] | None = Field(
        None, description="unit of the samples, where the stream does not say it"
    )
    rail_uv: Positive | None = Field(
        None, description="the amplifier's largest output; at it a sample is saturated"
    )
    resolve_timeout_s: Positive = 10.0

    @pydantic.model_validator(mode="after")
    def _named(self) -> Self:
        if self.name is None and self.type is None and self.source_id is None:
            raise ValueError("give at least one of name, type and source_id")
        return self


class SyntheticSource(Section):
    """A simulated participant in a process of its own, streaming over LSL."""

    kind: Literal["synthetic"]
    sfreq_hz: Positive = 1000.0
    channels: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "Fz",
        "C3",
        "Cz",
        "C4",
        "Pz",
        "O1",
        "Oz",
        "O2",
    )
    alpha_hz: Positive = 10.2
    alpha_uv: NotNegative = 12.0
    theta_hz: Positive = 5.8
    theta_uv: NotNegative = 4.0
    rhythm_hz: Positive | None = Field(None, description="a third rhythm, if any")
    rhythm_uv: Positive | None = None
    rhythm_at: str | None = Field(None, description="the electrode that it is under")
    noise_uv: NotNegative = 5.0
    line_hz: NotNegative = 50.0
    line_uv: NotNegative = 2.0
    blinks_per_minute: NotNegative = 6.0
    seed: Seed = 1
    rail_uv: Positive | None = None
    transport_ms: Annotated[float, Field(strict=True, ge=0, le=200)] = Field(
        0.0, description="from a sample's instant to when the amplifier sends it"
    )
    trigger_channel: Label | None = Field(
        None, description="label of a channel that shows the trigger input's code"
    )
    emg_channel: Label | None = Field(
        None, description="label of a channel that shows the target muscle"
    )
    coil_at: str = Field("C3", description="the electrode that the coil is over")
    pulse_artifact_uv: NotNegative = Field(
        2000.0, description="under the coil, at 100 % of maximum stimulator output"
    )
    pulse_artifact_decay_ms: Positive = 3.0
    saturation_ms: NotNegative = Field(
        0.0, description="how long a pulse holds the amplifier at its rail"
    )
    evoked_uv: NotNegative = Field(
        6.0, description="largest deflection of the evoked response, at threshold"
    )
    motor_threshold_pct_mso: Percent = Field(
        45.0, description="intensity at which half of the pulses move 50 uV or more"
    )
    mep_uv: MotorResponse = Field(
        2000.0, description="peak to peak at high intensity, in the median"
    )
    mep_phase_gain: Gain = Field(
        0.0, description="share by which a pulse at the peak makes a larger response"
    )
    phase_reset: Share = Field(
        0.0, description="share of the way to its peak that a pulse moves the rhythm"
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of all channels, those of muscle and trigger last."""
        further = (self.emg_channel, self.trigger_channel)
        return self.channels + tuple(label for label in further if label is not None)

    @pydantic.model_validator(mode="after")
    def _whole_rhythm(self) -> Self:
        keys = (self.rhythm_hz, self.rhythm_uv, self.rhythm_at)
        if len({key is None for key in keys}) > 1:
            raise ValueError("give rhythm_hz, rhythm_uv and rhythm_at together")
        return self

    @pydantic.model_validator(mode="after")
    def _further_labels(self) -> Self:
        taken = list(self.channels)
        for label in (self.emg_channel, self.trigger_channel):
            if label is not None and label in taken:
                raise ValueError(f"{label} is the label of another channel; change it")
            taken.append(label or "")
        return self


class FileSource(Section):
    """A recording, replayed over LSL by a process of its own."""

    kind: Literal["file"]
    path: Path
    stream: Label | None = Field(
        None, description="name of the stream, where an XDF file has several of EEG"
    )
    unit: Literal["uV", "mV", "V"] | None = Field(
        None, description="unit of the samples, where an XDF file does not say it"
    )
    speed: Positive = 1.0
    rail_uv: Positive | None = None


Source = Annotated[
    LslSource | SyntheticSource | FileSource, Field(discriminator="kind")
]
