"""What one pulse of a stimulator does to a simulated participant, as functions of time.

The figures are of the order that the literature on single-pulse TMS gives; they make a
signal to test against, no model of a brain.
"""

import dataclasses
import math
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.config_source import SyntheticSource
from controller.sources.synthetic.scalp import electrode_positions, reach

Float64Array = npt.NDArray[np.float64]

MEP_CRITERION_UV: Final = 50.0
"""Peak to peak; half of the pulses at motor threshold reach it."""

# Under the coil's rim the artifact is some tenths of what it is at its middle, and
# it reaches every lead.
_ARTIFACT_REACH: Final = 0.35
_ARTIFACT_EVERYWHERE: Final = 0.1
_EVOKED_REACH: Final = 0.4
_VERTEX: Final = (0.0, 0.0)
_VERTEX_REACH: Final = 0.7
# Latency, width and size, relative to the largest, of the deflections near the coil
# and at the vertex.
_NEAR: Final = ((0.030, 0.006, 0.5), (0.045, 0.008, -0.7), (0.060, 0.010, 0.6))
_WIDE: Final = ((0.100, 0.022, -1.0), (0.180, 0.035, 0.9))
_SLOPE: Final = 0.07
_VARIABILITY: Final = 0.6
_MEP_LATENCY_S: Final = 0.022
_MEP_S: Final = 0.012
_MUSCLE_ARTIFACT: Final = 0.2
# After the last deflection, and after so many decays of the artifact, nothing is left.
_LONGEST_S: Final = 0.35
_DECAYS: Final = 12


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evoked:
    """What is drawn once for a pulse.

    Parameters
    ----------
    at_s : float
        Its instant, seconds from the start.
    intensity_pct_mso : float
    mep_uv : float
        Peak to peak of the motor response.
    """

    at_s: float
    intensity_pct_mso: float
    mep_uv: float


class PulseResponse:
    """How this participant responds to a pulse.

    Parameters
    ----------
    config : SyntheticSource

    Raises
    ------
    ConfigError
        The coil is over no electrode of the 10-10 system.
    """

    def __init__(self, config: SyntheticSource) -> None:
        self._config = config
        ((x, y),) = electrode_positions((config.coil_at,), where="source.coil_at")
        positions = electrode_positions(config.channels)
        coil = (float(x), float(y))
        near = reach(positions, coil, _ARTIFACT_REACH)
        artifact = _ARTIFACT_EVERYWHERE + (1 - _ARTIFACT_EVERYWHERE) * near
        self._artifact_gain = config.pulse_artifact_uv / 100 * artifact
        evoked_uv = config.evoked_uv / config.motor_threshold_pct_mso
        self._near_gain = evoked_uv * reach(positions, coil, _EVOKED_REACH)
        self._wide_gain = evoked_uv * reach(positions, _VERTEX, _VERTEX_REACH)
        self._decay_s = config.pulse_artifact_decay_ms / 1e3
        slope = _SLOPE * config.motor_threshold_pct_mso
        self._slope_pct = slope
        self._half_pct = config.motor_threshold_pct_mso + slope * math.log(
            config.mep_uv / MEP_CRITERION_UV - 1
        )

    @property
    def longest_s(self) -> float:
        """After it nothing of a pulse is left."""
        return max(_LONGEST_S, _DECAYS * self._decay_s)

    def median_mep_uv(self, intensity_pct_mso: float) -> float:
        """Return the median motor response, peak to peak, whatever the phase."""
        if not intensity_pct_mso > 0:
            return 0.0
        above = (intensity_pct_mso - self._half_pct) / self._slope_pct
        return self._config.mep_uv / (1 + math.exp(-above))

    def evoke(
        self, at_s: float, intensity_pct_mso: float, phase_rad: float, normal: float
    ) -> Evoked:
        """Return what a pulse evokes.

        Parameters
        ----------
        at_s, intensity_pct_mso : float
        phase_rad : float
            Of the rhythm that matters, at the pulse; 0 at its positive peak.
        normal : float
            A draw of the standard normal distribution.
        """
        excitability = 1 + self._config.mep_phase_gain * math.cos(phase_rad)
        size = self.median_mep_uv(intensity_pct_mso) * excitability
        return Evoked(
            at_s=at_s,
            intensity_pct_mso=intensity_pct_mso,
            mep_uv=size * math.exp(_VARIABILITY * normal),
        )

    def eeg_uv(self, evoked: Evoked, at_s: Float64Array) -> Float64Array:
        """Return the artifact and the evoked potential.

        Parameters
        ----------
        evoked : Evoked
        at_s : array, shape (n,)
            Instants, none before the pulse.

        Returns
        -------
        array, shape (n, n_eeg_channels)
        """
        since_s = at_s - evoked.at_s
        strength = evoked.intensity_pct_mso
        artifact = strength * np.exp(-since_s / self._decay_s)
        near, wide = (
            strength * _bumps(since_s, _NEAR),
            strength * _bumps(since_s, _WIDE),
        )
        eeg: Float64Array = artifact[:, np.newaxis] * self._artifact_gain
        eeg += near[:, np.newaxis] * self._near_gain
        eeg += wide[:, np.newaxis] * self._wide_gain
        return eeg

    def muscle_uv(self, evoked: Evoked, at_s: Float64Array) -> Float64Array:
        """Return the artifact and the motor response in the muscle, shape (n,)."""
        since_s = at_s - evoked.at_s
        share = _MUSCLE_ARTIFACT * _ARTIFACT_EVERYWHERE
        peak_uv = (
            share * self._config.pulse_artifact_uv * evoked.intensity_pct_mso / 100
        )
        artifact: Float64Array = peak_uv * np.exp(-since_s / self._decay_s)
        return artifact + evoked.mep_uv * mep_shape(since_s)


def mep_shape(since_s: Float64Array) -> Float64Array:
    """Return a motor response of 1 from peak to peak, seconds after its pulse."""
    cycle = (since_s - _MEP_LATENCY_S) / _MEP_S
    inside = (cycle > 0) & (cycle < 1)
    # One period of a sine has its peaks at plus and minus one half.
    return np.where(inside, 0.5 * np.sin(2 * np.pi * cycle), 0.0)


def _bumps(
    since_s: Float64Array, shapes: tuple[tuple[float, float, float], ...]
) -> Float64Array:
    total = np.zeros_like(since_s)
    for latency_s, width_s, size in shapes:
        total += size * np.exp(-0.5 * ((since_s - latency_s) / width_s) ** 2)
    return total
