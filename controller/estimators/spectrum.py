"""Power spectrum of a rest recording and the 1/f line that lies under its peaks."""

import dataclasses

import numpy as np
import scipy.signal

from controller.errors import SignalFault
from controller.kernels.jit import Float64Array

SEGMENT_S = 4.0
"""Length of a Welch segment: 0.25 Hz between lines resolves an individual peak."""

_LINE_RANGE_HZ = (2.0, 40.0)  # below: drift; above: muscle, line noise, filters
_ROBUST_PASSES = 20
_HUBER = 1.345  # residuals beyond so many robust deviations lose weight
_MAD_TO_SD = 1.4826


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """One-sided power spectral density.

    Parameters
    ----------
    frequencies_hz : array, shape (n_lines,)
        Evenly spaced from 0.
    power_uv2_per_hz : array, shape (n_lines,)
    """

    frequencies_hz: Float64Array
    power_uv2_per_hz: Float64Array


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """The line log10(power) = intercept - exponent * log10(frequency)."""

    intercept: float
    exponent: float

    def power_uv2_per_hz(self, frequencies_hz: Float64Array) -> Float64Array:
        """Return the line's power at frequencies above 0, shape as given."""
        return np.asarray(10.0**self.intercept * frequencies_hz**-self.exponent)


def require_finite(samples: Float64Array, what: str) -> None:
    """Refuse recordings with a sample that is not a number.

    Parameters
    ----------
    samples : array, shape (..., n_samples)
    what : str
        How the recording is called in the message.

    Raises
    ------
    SignalFault
        If a sample is NaN or infinite.
    """
    finite = np.isfinite(samples)
    if not finite.all():
        first = int(np.argmin(finite.reshape(-1, samples.shape[-1]).all(axis=0)))
        raise SignalFault(
            f"{what} holds {int((~finite).sum())} samples that are not finite numbers, "
            f"the first at sample {first}; cut them out or record again."
        )


def welch_spectrum(
    samples: Float64Array, sfreq_hz: float, *, segment_s: float = SEGMENT_S
) -> Spectrum:
    """Return the spectrum averaged over overlapping Hann segments.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Microvolts; segments are shortened where the recording is shorter than one.
    sfreq_hz : float
    segment_s : float

    References
    ----------
    Welch (1967), IEEE Trans. Audio Electroacoust. 15(2):70. Averaged by the mean: a
    median would not see a rhythm that comes in bursts.
    """
    n_segment = min(round(segment_s * sfreq_hz), samples.size)
    frequencies_hz, power = scipy.signal.welch(
        samples, sfreq_hz, nperseg=n_segment, noverlap=n_segment * 3 // 4
    )
    return Spectrum(
        frequencies_hz=np.asarray(frequencies_hz, dtype=np.float64),
        power_uv2_per_hz=np.asarray(power, dtype=np.float64),
    )


def smoothed(spectrum: Spectrum) -> Spectrum:
    """Return the spectrum smoothed over neighbouring lines, by binomial weights.

    The weights' standard deviation is one line; this takes the scatter out of the peak
    that a short recording shows.
    """
    weights = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
    padded = np.pad(spectrum.power_uv2_per_hz, 2, mode="reflect")
    return Spectrum(
        frequencies_hz=spectrum.frequencies_hz,
        power_uv2_per_hz=np.convolve(padded, weights, mode="valid"),
    )


def fit_background(
    spectrum: Spectrum, *, without_hz: tuple[tuple[float, float], ...]
) -> Background:
    """Fit the 1/f line to the spectrum outside the given ranges.

    The fit is robust: every octave counts the same, and what stands out of the line by
    more than the rest does (a beta peak, line noise) loses weight.

    Parameters
    ----------
    spectrum : Spectrum
    without_hz : tuple of (low, high)
        Ranges left out, where rhythms are expected.

    Raises
    ------
    SignalFault
        If there is no power outside those ranges.

    References
    ----------
    Huber (1981), Robust Statistics: iteratively reweighted least squares.
    """
    frequencies_hz = spectrum.frequencies_hz
    # An anti-aliasing filter bends the top tenth of the spectrum.
    highest_hz = min(_LINE_RANGE_HZ[1], 0.9 * frequencies_hz[-1])
    keep = (frequencies_hz >= _LINE_RANGE_HZ[0]) & (frequencies_hz <= highest_hz)
    for low, high in without_hz:
        keep &= (frequencies_hz < low) | (frequencies_hz > high)
    keep &= spectrum.power_uv2_per_hz > 0.0
    if np.count_nonzero(keep) < 3:
        raise SignalFault(
            "The spectrum of the rest recording is empty outside the rhythm's band, so "
            "there is nothing to measure the rhythm against; check that the channels "
            "are connected and not flat."
        )
    x = np.log10(frequencies_hz[keep])
    y = np.log10(spectrum.power_uv2_per_hz[keep])
    slope, intercept = _robust_line(x, y, octave_weight=1.0 / frequencies_hz[keep])
    return Background(intercept=float(intercept), exponent=float(-slope))


def _robust_line(
    x: Float64Array, y: Float64Array, *, octave_weight: Float64Array
) -> tuple[float, float]:
    weight = octave_weight.copy()
    slope = intercept = 0.0
    for _ in range(_ROBUST_PASSES):
        slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(weight))
        residual = np.abs(y - slope * x - intercept)
        scale = _MAD_TO_SD * float(np.median(residual))
        if scale == 0.0:
            break
        weight = octave_weight / np.maximum(1.0, residual / (_HUBER * scale))
    return float(slope), float(intercept)
