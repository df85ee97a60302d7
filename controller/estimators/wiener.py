"""The best linear predictor of a rhythm, given a spectrum."""

import math

import numpy as np
import scipy.signal

from controller.core.records import Kernel
from controller.estimators.align import aligned
from controller.estimators.base import Brief, Design
from controller.estimators.burg import fit_burg
from controller.estimators.endpoint import calibrated
from controller.estimators.rest import require_rest
from controller.estimators.spectral import (
    density_at,
    design_lines,
    least_squares_weights,
    loaded,
    truth_gain,
)
from controller.estimators.spectrum import SEGMENT_S, welch_spectrum
from controller.kernels.jit import ComplexArray, Float64Array

_SEGMENT_CYCLES = 10.0
_FEWEST_SEGMENTS = 4

_WINDOW_CYCLES = 5.0
"""Half a second at 10 Hz; longer windows predict no better."""

_ORDER = 20
_FITTED_AT_HZ = 250.0  # the model's rate, at most
_TRUSTED_SHARE = 0.8  # of half that rate; above, the anti-alias filter bends it

_PEAK_RATIO = 10.0  # of the generic rhythm over its 1/f background: 10 dB
_PEAK_SD_HZ = 1.0


class PersonalWiener:
    """Wiener predictor of the analytic signal that the offline truth will show.

    The rest recording's Welch spectrum gives the covariance of the samples in a window,
    and, through the truth's own filter, their covariance with its analytic signal at
    the horizon; a Toeplitz system gives the weights, under the constraint that their
    sum is zero. The constant bias that is left against the truth on the rest itself is
    taken out, and the median amplitude made the truth's.

    References
    ----------
    Wiener (1949), Extrapolation, Interpolation, and Smoothing of Stationary Time
    Series. Welch (1967), IEEE Trans. Audio Electroacoust. 15(2):70.
    """

    name = "wiener"
    needs_rest = True
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return the filter for a brief and the rest of this person.

        Parameters
        ----------
        brief : Brief
        rest : array, shape (1, n_samples)
            At least 15 s in microvolts, without gaps.

        Raises
        ------
        ConfigError
            If there is no rest recording, or not of one virtual channel.
        RhythmTooWeak
            If the rest recording is too short.
        SignalFault
            If it is flat or holds a sample that is not a number.
        """
        samples = require_rest(self.name, brief, rest)
        weights = predictor_weights(brief, samples, window_samples(brief))
        return aligned(_fir_design(self.name, brief, weights), samples[np.newaxis])


class AutoregressiveWiener:
    """Wiener predictor from the spectrum of an autoregressive model.

    As `PersonalWiener`, but the spectrum is that of an AR(20) model of the rest, fitted
    by Burg's method at 125 to 250 Hz: smoother than Welch's, and steadier on a short
    recording.

    References
    ----------
    Wiener (1949), Extrapolation, Interpolation, and Smoothing of Stationary Time
    Series. Burg (1975), Maximum Entropy Spectral Analysis.
    """

    name = "wiener-ar"
    needs_rest = True
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return the filter for a brief and the rest of this person.

        Parameters
        ----------
        brief : Brief
        rest : array, shape (1, n_samples)
            At least 15 s in microvolts, without gaps.

        Raises
        ------
        ConfigError
            If there is no rest recording, or not of one virtual channel.
        RhythmTooWeak
            If the rest recording is too short.
        SignalFault
            If it is flat or holds a sample that is not a number.
        """
        samples = require_rest(self.name, brief, rest)
        weights = autoregressive_weights(brief, samples)
        return aligned(_fir_design(self.name, brief, weights), samples[np.newaxis])


class GenericWiener:
    """Wiener predictor for anyone with a rhythm at the brief's frequency.

    The spectrum is assumed: a 1/f background and a Gaussian peak of 1 Hz standard
    deviation that rises to ten times the background. A cosine at the individual
    frequency comes out right.

    References
    ----------
    Wiener (1949), Extrapolation, Interpolation, and Smoothing of Stationary Time
    Series. Donoghue et al. (2020), Nat. Neurosci. 23:1655: the shape of spectra.
    """

    name = "wiener-generic"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the filter for a brief; a rest recording is not looked at."""
        n_taps = window_samples(brief)
        n_fft, frequencies_hz = design_lines(brief, n_taps)
        density = generic_density(brief, frequencies_hz)
        weights = _predictor(brief, frequencies_hz, density, n_fft, n_taps)
        return _fir_design(self.name, brief, calibrated(weights, brief))


def window_samples(brief: Brief) -> int:
    """Return how many samples the predictors look at: five cycles of the rhythm."""
    return round(_WINDOW_CYCLES / brief.frequency_hz * brief.sfreq_hz)


def predictor_weights(brief: Brief, samples: Float64Array, n_taps: int) -> ComplexArray:
    """Solve for the weights, newest sample first, that sum to zero.

    Parameters
    ----------
    brief : Brief
    samples : array, shape (n_samples,)
        Rest recording.
    n_taps : int

    Raises
    ------
    SignalFault
        If the recording has no power in the band.
    """
    n_fft, frequencies_hz = design_lines(brief, n_taps)
    spectrum = welch_spectrum(
        samples, brief.sfreq_hz, segment_s=_segment_s(brief, samples.size)
    )
    density = density_at(spectrum, frequencies_hz)
    return _predictor(brief, frequencies_hz, density, n_fft, n_taps)


def _segment_s(brief: Brief, n_samples: int) -> float:
    """Return segments that resolve a slow rhythm, four of them at least."""
    longest_s = n_samples / brief.sfreq_hz / _FEWEST_SEGMENTS
    return max(SEGMENT_S, min(_SEGMENT_CYCLES / brief.frequency_hz, longest_s))


def autoregressive_weights(brief: Brief, samples: Float64Array) -> ComplexArray:
    """Solve for the predictor's weights with the spectrum of an AR(20) model.

    Parameters
    ----------
    brief : Brief
    samples : array, shape (n_samples,)
        Rest recording.

    Returns
    -------
    weights : complex array, shape (n_taps,)
        Newest sample first, summing to zero.

    Raises
    ------
    SignalFault
        If the recording is flat.
    """
    n_taps = window_samples(brief)
    n_fft, frequencies_hz = design_lines(brief, n_taps)
    density = autoregressive_density(samples, brief.sfreq_hz, frequencies_hz)
    return _predictor(brief, frequencies_hz, density, n_fft, n_taps)


def autoregressive_density(
    samples: Float64Array, sfreq_hz: float, frequencies_hz: Float64Array
) -> Float64Array:
    """Return the spectral density of an AR(20) model, in microvolts squared per hertz.

    The model describes the recording decimated to 125 to 250 Hz; beyond what the
    decimation leaves intact, the density is held.

    Parameters
    ----------
    samples : array, shape (n_samples,)
    sfreq_hz : float
    frequencies_hz : array, shape (n_lines,)

    Raises
    ------
    SignalFault
        If the recording is flat or holds a sample that is not a number.
    """
    factor = math.ceil(sfreq_hz / _FITTED_AT_HZ)
    fitted_hz = sfreq_hz / factor
    highest_hz = fitted_hz / 2.0
    if factor > 1:
        highest_hz *= _TRUSTED_SHARE
        samples = scipy.signal.resample_poly(samples - samples.mean(), 1, factor)
    model = fit_burg(samples, fitted_hz, _ORDER)
    return model.power_uv2_per_hz(np.minimum(frequencies_hz, highest_hz))


def generic_density(brief: Brief, frequencies_hz: Float64Array) -> Float64Array:
    """Return 1/f with a peak at the brief's frequency, 1 under the peak.

    Parameters
    ----------
    brief : Brief
    frequencies_hz : array, shape (n_lines,)
        Evenly spaced from 0; the line at 0 has the power of the next.
    """
    share = np.maximum(frequencies_hz, frequencies_hz[1]) / brief.frequency_hz
    away = (frequencies_hz - brief.frequency_hz) / _PEAK_SD_HZ
    return np.asarray(1.0 / share + (_PEAK_RATIO - 1.0) * np.exp(-0.5 * away**2))


def _predictor(
    brief: Brief,
    frequencies_hz: Float64Array,
    density: Float64Array,
    n_fft: int,
    n_taps: int,
) -> ComplexArray:
    return least_squares_weights(
        brief,
        loaded(brief, frequencies_hz, density),
        truth_gain(brief, n_fft),
        n_fft,
        n_taps,
    )


def _fir_design(name: str, brief: Brief, weights: ComplexArray) -> Design:
    return Design(
        name=name,
        brief=brief,
        kernel=Kernel.FIR,
        fir=np.ascontiguousarray(weights[np.newaxis]),
        warm_up_s=weights.size / brief.sfreq_hz,
    )
