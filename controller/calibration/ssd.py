"""Spatio-spectral decomposition: the mixtures in which a rhythm stands out most."""

import dataclasses

import numpy as np
import scipy.linalg

from controller.calibration.band_covariance import Stretches, band_covariances
from controller.calibration.positions import position_of
from controller.calibration.spatial_filter import SpatialFilter, check_once, index_of
from controller.errors import ChannelError, ConfigError, RhythmTooWeak, SignalFault
from controller.kernels.jit import Float64Array

SHRINKAGE = 0.01
"""Share of the flanks' covariance that is replaced by independent noise."""

_GAP_HZ = 1.0  # between the band and its flanks
_FLANK_HZ = 2.0  # width of each flank
_FEWEST_CHANNELS = 2
_BESIDE = 0.45  # head radii; the next electrode of the 10-20 system lies within


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decomposition:
    """Components in the order of their signal-to-noise ratio.

    Weights are scaled so that a component reads in microvolts of the channel where it
    is strongest.

    Parameters
    ----------
    labels : tuple of str
    weights : array, shape (n_components, n_channels)
    patterns : array, shape (n_components, n_channels)
        Of each component, 1 or -1 at its strongest channel.
    snr_db : array, shape (n_components,)
        Mean power per hertz in the band over that in the flanks, falling.
    """

    labels: tuple[str, ...]
    weights: Float64Array
    patterns: Float64Array
    snr_db: Float64Array

    def filter(self, component: int = 0, *, anchor: str | None = None) -> SpatialFilter:
        """Return one component as a filter.

        Parameters
        ----------
        component : int
        anchor : str, optional
            Channel at which the pattern is positive; the strongest one if absent.

        Raises
        ------
        ConfigError
            If there is no such component, or its pattern is zero at the anchor.
        ChannelError
            If there is no such channel.
        """
        if not 0 <= component < len(self.weights):
            raise ConfigError(
                f"There is no component {component} of spatio-spectral decomposition; "
                f"choose one from 0 to {len(self.weights) - 1}."
            )
        pattern = self.patterns[component]
        at = int(np.argmax(np.abs(pattern)))
        if anchor is not None:
            at = index_of(anchor, self.labels, what="The sign of the filter")
        sign = float(np.sign(pattern[at]))
        if sign == 0.0:
            raise ConfigError(
                f"The component does not reach {anchor}, so its sign cannot be fixed "
                "there; choose another anchor."
            )
        return SpatialFilter(
            kind="ssd",
            labels=self.labels,
            weights=sign * self.weights[component],
            pattern=sign * pattern,
        )

    def component_near(self, anchor: str) -> int:
        """Return the first component that is strongest at or beside a channel.

        Parameters
        ----------
        anchor : str

        Raises
        ------
        ChannelError
            If there is no such channel, or its position is not known.
        RhythmTooWeak
            If no component that stands out is strongest there.
        """
        index_of(anchor, self.labels, what="The choice of a component")
        centre = position_of(anchor)
        if centre is None:
            raise ChannelError(
                f"Where {anchor!r} sits is not known, so no component can be chosen by "
                "it; choose a component by its number."
            )
        peaks = []
        for component in np.flatnonzero(self.snr_db > 0.0):
            peak = self.labels[int(np.argmax(np.abs(self.patterns[component])))]
            place = position_of(peak)
            if place is not None and np.hypot(*np.subtract(place, centre)) <= _BESIDE:
                return int(component)
            peaks.append(peak)
        raise RhythmTooWeak(
            f"No component of the rhythm is strongest at or beside {anchor} (they are "
            f"at {', '.join(peaks) or 'no channel'}); choose another site or a Hjorth "
            "derivation."
        )


def decompose(
    rest: Float64Array,
    labels: tuple[str, ...],
    sfreq_hz: float,
    band_hz: tuple[float, float],
    *,
    stretches: Stretches | None = None,
    shrinkage: float = SHRINKAGE,
) -> Decomposition:
    """Find the mixtures of channels with most power in a band over its flanks.

    Parameters
    ----------
    rest : array, shape (n_channels, n_samples)
        Microvolts; bad channels left out.
    labels : tuple of str
    sfreq_hz : float
    band_hz : tuple of float
    stretches : tuple of (start, stop), optional
        Samples free of artifacts; all if absent.
    shrinkage : float
        Above 0, so that channels that depend on each other (an average reference)
        cannot cancel the flanks altogether; at most 1.

    Raises
    ------
    ConfigError
        Fewer than two channels, a shape or shrinkage that does not fit, or a band
        without room for flanks.
    SignalFault
        If samples are not finite, too short or flat.

    References
    ----------
    Nikulin, Nolte and Curio (2011), NeuroImage 55:1528.
    """
    _check(rest, labels, shrinkage)
    in_band, in_flanks = band_covariances(
        rest,
        sfreq_hz,
        ((band_hz,), _flanks(band_hz, sfreq_hz)),
        stretches=stretches,
    )
    n_channels = len(labels)
    level = float(np.trace(in_flanks)) / n_channels
    if not level > 0.0:
        raise SignalFault(
            "The channels are flat in the flanks of the band, so nothing can be "
            "decomposed; check that they are connected."
        )
    noise = (1.0 - shrinkage) * in_flanks + shrinkage * level * np.eye(n_channels)
    ratio, vectors = scipy.linalg.eigh(in_band, noise)
    ratio, weights = ratio[::-1], vectors[:, ::-1].T
    # Directions that an average reference has taken away carry nothing.
    alive = ratio > 1e-9 * ratio[0]
    ratio, weights = ratio[alive], weights[alive]
    patterns = weights @ in_band / np.sum(weights @ in_band * weights, axis=1)[:, None]
    reach = np.abs(patterns).max(axis=1)[:, None]
    widths_hz = band_hz[1] - band_hz[0], 2.0 * _FLANK_HZ
    return Decomposition(
        labels=labels,
        weights=weights * reach,
        patterns=patterns / reach,
        snr_db=10.0 * np.log10(ratio * widths_hz[1] / widths_hz[0]),
    )


def _flanks(
    band_hz: tuple[float, float], sfreq_hz: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    low_hz, high_hz = band_hz
    below = low_hz - _GAP_HZ - _FLANK_HZ, low_hz - _GAP_HZ
    above = high_hz + _GAP_HZ, high_hz + _GAP_HZ + _FLANK_HZ
    if not (low_hz < high_hz and below[0] > 0.0 and above[1] < sfreq_hz / 2.0):
        raise ConfigError(
            f"Spatio-spectral decomposition of {low_hz:g}-{high_hz:g} Hz compares with "
            f"{below[0]:g}-{below[1]:g} and {above[0]:g}-{above[1]:g} Hz, which do not "
            f"lie between 0 and {sfreq_hz / 2.0:g} Hz; choose another band or filter."
        )
    return below, above


def _check(rest: Float64Array, labels: tuple[str, ...], shrinkage: float) -> None:
    check_once("The recording", labels)
    if len(labels) < _FEWEST_CHANNELS:
        raise ConfigError(
            f"Spatio-spectral decomposition needs at least {_FEWEST_CHANNELS} "
            f"channels, not {len(labels)}; give weights instead."
        )
    if rest.ndim != 2 or rest.shape[0] != len(labels):
        raise ConfigError(
            f"The rest recording has the shape {rest.shape}, but {len(labels)} labels; "
            "give (n_channels, n_samples)."
        )
    if not 0.0 < shrinkage <= 1.0:
        raise ConfigError(
            f"The shrinkage is {shrinkage:g}, but must be above 0 and at most 1."
        )
