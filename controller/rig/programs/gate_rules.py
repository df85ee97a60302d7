"""Optional gates, from the configuration's words to numbers and channels."""

import dataclasses
import math

import numpy as np

from controller.config import Config
from controller.config_gate import Coupling, SecondBand, Veto
from controller.errors import ChannelError
from controller.kernels.jit import Float64Array
from controller.sources.description import StreamDescription
from controller.sources.montage import channel_index

Arc = tuple[float, float]
"""Where an arc of phases begins, and how wide it is, in radians."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VetoRule:
    """One channel that may forbid a pulse; infinite where nothing is asked.

    Parameters
    ----------
    channel : int
        Of the stream.
    amplitude_uv, rms_uv, hold_s : float
    """

    channel: int
    amplitude_uv: float = math.inf
    rms_uv: float = math.inf
    hold_s: float = 0.3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CouplingRule:
    """What two sites must have to do with each other.

    Parameters
    ----------
    weights : tuple of float
        Of every channel of the stream: microvolts of the second site per stream unit.
    coherence : tuple of float or None
        Lowest and highest.
    phase_lag : Arc or None
        How far the montage's site is ahead.
    smoothing_s : float
    """

    weights: tuple[float, ...]
    coherence: tuple[float, float] | None = None
    phase_lag: Arc | None = None
    smoothing_s: float = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SecondBandRule:
    """What another rhythm of the same virtual channel must do.

    Parameters
    ----------
    frequency_hz, bandwidth_hz : float
    phase : Arc or None
        Of this rhythm at the deadline.
    min_amplitude_uv : float or None
    """

    frequency_hz: float
    bandwidth_hz: float
    phase: Arc | None = None
    min_amplitude_uv: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """The gates that a study adds; None where one is not asked for.

    Parameters
    ----------
    min_snr_db, min_peak_ratio : float or None
    spectrum_s : float or None
        Window of both; ten cycles of the rhythm if absent.
    max_frequency_sd_hz, max_frequency_offset_hz : float or None
    min_probability : float or None
    tolerance_rad : float
        That the probability speaks of.
    vetoes : tuple of VetoRule
    coupling : CouplingRule or None
    second_band : SecondBandRule or None
    marker : bool
        Only while the marker permit is given.
    """

    min_snr_db: float | None = None
    min_peak_ratio: float | None = None
    spectrum_s: float | None = None
    max_frequency_sd_hz: float | None = None
    max_frequency_offset_hz: float | None = None
    min_probability: float | None = None
    tolerance_rad: float = math.pi / 4.0
    vetoes: tuple[VetoRule, ...] = ()
    coupling: CouplingRule | None = None
    second_band: SecondBandRule | None = None
    marker: bool = False


def gate_rules(config: Config, stream: StreamDescription) -> GateRules:
    """Return the optional gates with the stream's channels.

    Raises
    ------
    ChannelError
        A channel that the stream does not have, or that is no voltage.
    """
    gate = config.gate
    return GateRules(
        min_snr_db=gate.min_snr_db,
        min_peak_ratio=gate.min_peak_ratio,
        spectrum_s=gate.spectrum_s,
        max_frequency_sd_hz=gate.max_frequency_sd_hz,
        max_frequency_offset_hz=gate.max_frequency_offset_hz,
        min_probability=gate.min_probability,
        tolerance_rad=math.radians(gate.tolerance_deg),
        vetoes=tuple(_veto(veto, stream) for veto in gate.veto),
        coupling=_coupling(gate.coupling, stream),
        second_band=_second_band(gate.second_band),
        marker=gate.marker is not None,
    )


def with_second_site(mixing: Float64Array, rules: GateRules | None) -> Float64Array:
    """Return the mixing with the second site, if any, below its virtual channels.

    The last row, so that it takes no place from what a design reads.

    Parameters
    ----------
    mixing : array, shape (n_virtual, n_channels)
    rules : GateRules or None
    """
    if rules is None or rules.coupling is None:
        return mixing
    return np.vstack([mixing, rules.coupling.weights])


def arc(range_deg: tuple[float, float]) -> Arc:
    """Return an arc in radians from two angles in degrees, first to last, forwards."""
    first, last = range_deg
    width = last - first
    if not 0.0 < width <= 360.0:
        width %= 360.0
    return math.radians(first), math.radians(width)


def _veto(veto: Veto, stream: StreamDescription) -> VetoRule:
    channel = channel_index(veto.channel, stream.labels, where="gate.veto.channel")
    _scale(stream, channel, "gate.veto")
    return VetoRule(
        channel=channel,
        amplitude_uv=math.inf if veto.amplitude_uv is None else veto.amplitude_uv,
        rms_uv=math.inf if veto.rms_uv is None else veto.rms_uv,
        hold_s=veto.hold_s,
    )


def _coupling(
    coupling: Coupling | None, stream: StreamDescription
) -> CouplingRule | None:
    if coupling is None:
        return None
    where = "gate.coupling.weights"
    weights = [0.0] * stream.n_channels
    for label, weight in coupling.weights.items():
        channel = channel_index(label, stream.labels, where=where)
        weights[channel] = weight * _scale(stream, channel, where)
    lag_deg = coupling.phase_lag_deg
    return CouplingRule(
        weights=tuple(weights),
        coherence=coupling.coherence,
        phase_lag=None if lag_deg is None else arc(lag_deg),
        smoothing_s=coupling.smoothing_s,
    )


def _second_band(band: SecondBand | None) -> SecondBandRule | None:
    if band is None:
        return None
    return SecondBandRule(
        frequency_hz=band.frequency_hz,
        bandwidth_hz=band.bandwidth_hz or 0.5 * band.frequency_hz,
        phase=None if band.phase_deg is None else arc(band.phase_deg),
        min_amplitude_uv=band.min_amplitude_uv,
    )


def _scale(stream: StreamDescription, channel: int, where: str) -> float:
    scale = float(stream.scale_uv[channel])
    if not math.isfinite(scale):
        raise ChannelError(
            f"{where}: channel {stream.labels[channel]} (type "
            f"{stream.channel_types[channel]!r}, unit {stream.units[channel]!r}) is no "
            "voltage; name a channel in volts, or in a part of them."
        )
    return scale
