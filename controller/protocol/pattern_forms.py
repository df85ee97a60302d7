"""What a pattern of pulses may look like in a protocol file."""

from typing import Annotated, Literal

from pydantic import Field

from controller.config_fields import Section

Milliseconds = Annotated[float, Field(strict=True, ge=1, le=10_000)]
PulseCount = Annotated[int, Field(strict=True, ge=1, le=3000)]
Frequency = Annotated[float, Field(strict=True, ge=0.1, le=100)]
Lock = Literal["first", "each"]


class Single(Section):
    """One pulse."""

    kind: Literal["single"] = "single"


class Paired(Section):
    """Two pulses, which may differ in intensity where the device can do that."""

    kind: Literal["paired"]
    interval_ms: Milliseconds = Field(description="first pulse to second")


class Burst(Section):
    """A few pulses at one interval."""

    kind: Literal["burst"]
    n_pulses: Annotated[int, Field(strict=True, ge=2, le=100)]
    interval_ms: Milliseconds


class Sequence(Section):
    """Pulses at intervals that need not be equal."""

    kind: Literal["sequence"]
    intervals_ms: Annotated[
        tuple[Milliseconds, ...], Field(min_length=1, max_length=1000)
    ] = Field(description="from each pulse to the next")


class Train(Section):
    """Repetitive stimulation at one frequency."""

    kind: Literal["train"]
    frequency_hz: Annotated[float, Field(strict=True, ge=1, le=50)]
    n_pulses: Annotated[int, Field(strict=True, ge=2, le=3000)]


class IntermittentThetaBurst(Section):
    """Bursts at the theta rhythm for a while, then a pause; one such train."""

    kind: Literal["itbs"]
    n_bursts: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        default=10, description="in one train"
    )
    pulses_per_burst: Annotated[int, Field(strict=True, ge=2, le=10)] = 3
    frequency_hz: Frequency = Field(default=50.0, description="inside a burst")
    bursts_per_s: Annotated[float, Field(strict=True, ge=1, le=10)] = 5.0
    lock: Lock = Field(
        default="first",
        description="phase is met by the first pulse of the train, or of each burst",
    )


class ContinuousThetaBurst(Section):
    """Bursts at the theta rhythm without a pause."""

    kind: Literal["ctbs"]
    n_bursts: Annotated[int, Field(strict=True, ge=2, le=600)] = 200
    pulses_per_burst: Annotated[int, Field(strict=True, ge=2, le=10)] = 3
    frequency_hz: Frequency = Field(default=50.0, description="inside a burst")
    bursts_per_s: Annotated[float, Field(strict=True, ge=1, le=10)] = 5.0
    lock: Lock = Field(
        default="first",
        description="phase is met by the first pulse of all, or of each burst",
    )


class Custom(Section):
    """Pulses wherever they are wanted."""

    kind: Literal["custom"]
    offsets_ms: Annotated[
        tuple[Annotated[float, Field(strict=True, ge=0, le=600_000)], ...],
        Field(min_length=1, max_length=3000),
    ] = Field(description="of each pulse from the first, which is 0")


Pattern = Annotated[
    Single
    | Paired
    | Burst
    | Sequence
    | Train
    | IntermittentThetaBurst
    | ContinuousThetaBurst
    | Custom,
    Field(discriminator="kind"),
]
ThetaBurst = IntermittentThetaBurst | ContinuousThetaBurst
REPETITIVE = (Train, IntermittentThetaBurst, ContinuousThetaBurst)
"""Kinds that count as repetitive stimulation, whatever their length."""
