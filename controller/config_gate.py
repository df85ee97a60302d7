"""The configuration's `[gate]`: all that must hold when a pulse is to leave."""

from typing import Annotated, Literal, Self

import pydantic
from pydantic import Field

from controller.config_fields import (
    Degrees,
    NotNegative,
    Number,
    Positive,
    Section,
    Share,
)

Label = Annotated[str, Field(min_length=1)]


class Veto(Section):
    """A channel that forbids pulses while it is active."""

    channel: Label
    amplitude_uv: Positive | None = Field(
        default=None, description="largest distance from the channel's slow baseline"
    )
    rms_uv: Positive | None = Field(
        default=None,
        description="largest running RMS above 20 Hz, over a tenth of a second",
    )
    hold_s: NotNegative = Field(
        default=0.3, description="how long a veto lasts afterwards"
    )

    @pydantic.model_validator(mode="after")
    def _asked(self) -> Self:
        if self.amplitude_uv is None and self.rms_uv is None:
            raise ValueError("give amplitude_uv, rms_uv, or both")
        return self


class Coupling(Section):
    """A second site, and what it must have to do with the montage's."""

    weights: dict[str, Number] = Field(
        description="channels of the second site, by label"
    )
    coherence: tuple[Share, Share] | None = Field(
        default=None,
        description="lowest and highest magnitude of the running coherence",
    )
    phase_lag_deg: tuple[Degrees, Degrees] | None = Field(
        default=None, description="how far the montage's site is ahead, from and to"
    )
    smoothing_s: Annotated[float, Field(strict=True, ge=0.1, le=60)] = Field(
        default=1.0, description="time constant of the running mean"
    )

    @pydantic.model_validator(mode="after")
    def _asked(self) -> Self:
        if not any(self.weights.values()):
            raise ValueError("give at least one weight that is not zero")
        if self.coherence is None and self.phase_lag_deg is None:
            raise ValueError("give coherence, phase_lag_deg, or both")
        if self.coherence is not None and not self.coherence[0] <= self.coherence[1]:
            raise ValueError("coherence goes from the lowest to the highest")
        _require_arc("phase_lag_deg", self.phase_lag_deg)
        return self


class SecondBand(Section):
    """Another rhythm of the same virtual channel."""

    frequency_hz: Positive
    bandwidth_hz: Positive | None = Field(
        default=None, description="half the frequency if absent; wider follows faster"
    )
    phase_deg: tuple[Degrees, Degrees] | None = Field(
        default=None, description="its phase when the pulse leaves, from and to"
    )
    min_amplitude_uv: Positive | None = None

    @pydantic.model_validator(mode="after")
    def _asked(self) -> Self:
        if self.phase_deg is None and self.min_amplitude_uv is None:
            raise ValueError("give phase_deg, min_amplitude_uv, or both")
        if self.bandwidth_hz is not None and not self.bandwidth_hz < 2.0 * (
            self.frequency_hz
        ):
            raise ValueError("bandwidth_hz must be less than twice frequency_hz")
        _require_arc("phase_deg", self.phase_deg)
        return self


class Marker(Section):
    """An LSL marker stream that opens and closes the gate."""

    stream: Label | None = Field(default=None, description="name of the marker stream")
    type: Label | None = Field(default=None, description="its type, such as Markers")
    open: Annotated[tuple[Label, ...], Field(min_length=1)] = Field(
        description="markers that open the gate"
    )
    close: tuple[Label, ...] = Field(default=(), description="markers that close it")
    timeout_s: Positive | None = Field(
        default=None,
        description="the gate closes so long after the marker that opened it",
    )

    @pydantic.model_validator(mode="after")
    def _named(self) -> Self:
        if self.stream is None and self.type is None:
            raise ValueError("give at least one of stream and type")
        both = sorted(set(self.open) & set(self.close))
        if both:
            raise ValueError(f"{', '.join(both)} stands in open and in close")
        if not self.close and self.timeout_s is None:
            raise ValueError("nothing ever closes the gate: give close or timeout_s")
        return self


class Gate(Section):
    """When a pulse makes sense: all that is given must hold at once."""

    amplitude: Literal["open", "absolute", "percentile"] = "percentile"
    threshold_uv: Positive | None = None
    percentile: Annotated[float, Field(strict=True, ge=0, lt=100)] = 60.0
    window_s: Annotated[float, Field(strict=True, ge=10, le=600)] = 60.0
    min_snr_db: Number | None = Field(
        default=None, description="power of the band over that of its flanks"
    )
    min_peak_ratio: Positive | None = Field(
        default=None,
        description="highest power inside the band over the highest outside",
    )
    spectrum_s: Annotated[float, Field(strict=True, ge=0.2, le=60)] | None = Field(
        default=None, description="window of the two above; ten cycles if absent"
    )
    max_frequency_sd_hz: Positive | None = Field(
        default=None, description="spread of the frequency over the last cycles"
    )
    max_frequency_offset_hz: Positive | None = Field(
        default=None, description="distance of their mean from the individual frequency"
    )
    min_probability: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = Field(
        default=None, description="of a phase within tolerance_deg of the target"
    )
    tolerance_deg: Annotated[float, Field(strict=True, gt=0, le=180)] = 45.0
    veto: tuple[Veto, ...] = ()
    coupling: Coupling | None = None
    second_band: SecondBand | None = None
    marker: Marker | None = None

    @property
    def closed_below(self) -> float:
        """Percentile of the amplitude that opens the gate, 0 for another kind."""
        return self.percentile if self.amplitude == "percentile" else 0.0

    @pydantic.model_validator(mode="after")
    def _threshold(self) -> Self:
        if (self.amplitude == "absolute") != (self.threshold_uv is not None):
            raise ValueError('threshold_uv goes with amplitude = "absolute", only')
        spectral = self.min_snr_db is not None or self.min_peak_ratio is not None
        if self.spectrum_s is not None and not spectral:
            raise ValueError("spectrum_s goes with min_snr_db or min_peak_ratio, only")
        return self


def _require_arc(name: str, range_deg: tuple[float, float] | None) -> None:
    if range_deg is not None and (range_deg[1] - range_deg[0]) % 360.0 == 0.0:
        raise ValueError(f"{name} names no part of the circle: give two other angles")
