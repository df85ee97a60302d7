"""Offline truths: the house's own, and two others that rank the estimators again."""

from collections.abc import Callable

import numpy as np
import scipy.fft
import scipy.signal

from controller.estimators.truth import analytic_truth
from controller.kernels.jit import ComplexArray, Float64Array

_BUTTERWORTH_ORDER = 4
_LONG_FILTER_S = 2.0
_EDGE_S = 1.0

Truth = Callable[[Float64Array, float, tuple[float, float]], ComplexArray]


def butterworth_truth(
    samples: Float64Array, sfreq_hz: float, band_hz: tuple[float, float]
) -> ComplexArray:
    """Return the analytic signal of a Butterworth of order 4 run both ways.

    Parameters
    ----------
    samples : array, shape (n_samples,)
    sfreq_hz : float
    band_hz : tuple of float
    """
    sections = scipy.signal.butter(
        _BUTTERWORTH_ORDER, band_hz, "bandpass", fs=sfreq_hz, output="sos"
    )
    n_pad = min(round(3.0 * sfreq_hz), samples.size - 1)
    filtered = scipy.signal.sosfiltfilt(sections, samples, padlen=n_pad)
    return _analytic(filtered)


def long_truth(
    samples: Float64Array, sfreq_hz: float, band_hz: tuple[float, float]
) -> ComplexArray:
    """Return the analytic signal of a Hamming FIR of 2 s run both ways.

    Parameters
    ----------
    samples : array, shape (n_samples,)
    sfreq_hz : float
    band_hz : tuple of float
    """
    n_taps = 2 * round(_LONG_FILTER_S * sfreq_hz / 2.0) + 1
    taps = scipy.signal.firwin(
        n_taps, band_hz, window="hamming", pass_zero=False, fs=sfreq_hz
    )
    # Symmetric, so both ways are one filter of twice the length, and faster as one.
    filtered = scipy.signal.oaconvolve(samples, np.convolve(taps, taps), mode="same")
    return _analytic(filtered)


TRUTHS: dict[str, Truth] = {
    "fir": analytic_truth,
    "butterworth": butterworth_truth,
    "fir-2s": long_truth,
}

EDGES_S: dict[str, float] = {
    "fir": _EDGE_S,
    "butterworth": _EDGE_S,
    "fir-2s": _LONG_FILTER_S,
}
"""How far from the recording's end a truth can be scored."""


def _analytic(filtered: Float64Array) -> ComplexArray:
    n_fast = scipy.fft.next_fast_len(filtered.size)
    return np.asarray(scipy.signal.hilbert(filtered, N=n_fast)[: filtered.size])
