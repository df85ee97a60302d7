"""The offline truth: the phase that a zero-phase filter sees with the future at hand.

A convention, not nature: it is undefined where the rhythm is absent, and noise inside
the band counts as signal. Never part of the loop.
"""

import numpy as np
import scipy.fft
import scipy.signal

from controller.errors import ConfigError, SignalFault
from controller.estimators.spectrum import require_finite
from controller.kernels.jit import ComplexArray, Float64Array

_FILTER_S = 1.0
_FILTER_BANDWIDTHS = 3.0  # a band of 3 Hz or more gets a second


def filter_s(band_hz: tuple[float, float]) -> float:
    """Return the length of the band-pass: 1 s, longer for a band too narrow for that.

    Used forwards and backwards, it reaches as far each way: closer than that to an end
    of a recording, do not score.
    """
    width_hz = band_hz[1] - band_hz[0]
    return max(_FILTER_S, _FILTER_BANDWIDTHS / width_hz)


def truth_filter(sfreq_hz: float, band_hz: tuple[float, float]) -> Float64Array:
    """Return the taps of the linear-phase band-pass, an odd number of them.

    Raises
    ------
    ConfigError
        If the band does not fit under half the rate.
    """
    low_hz, high_hz = band_hz
    if not 0.0 < low_hz < high_hz < sfreq_hz / 2.0:
        raise ConfigError(
            f"The band {low_hz:g}-{high_hz:g} Hz does not lie between 0 and "
            f"{sfreq_hz / 2.0:g} Hz, half the stream's rate; choose another band."
        )
    n_taps = 2 * round(filter_s(band_hz) * sfreq_hz / 2.0) + 1
    taps = scipy.signal.firwin(
        n_taps, [low_hz, high_hz], window="hamming", pass_zero=False, fs=sfreq_hz
    )
    return np.asarray(taps, dtype=np.float64)


def analytic_truth(
    samples: Float64Array, sfreq_hz: float, band_hz: tuple[float, float]
) -> ComplexArray:
    """Return the analytic signal of the band, zero-phase, for a whole recording.

    A Hamming FIR forwards and backwards, then the Hilbert transform. Beyond its ends
    the recording is continued by its mirror image through the end point; the first and
    last `filter_s` seconds depend on that continuation.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        At least twice as long as the filter.
    sfreq_hz : float
    band_hz : tuple of float

    Returns
    -------
    analytic : complex array, shape (n_samples,)
        In the unit of `samples`; its angle is 0 at the positive peak.

    Raises
    ------
    ConfigError
        If the band does not fit under half the rate.
    SignalFault
        If the recording is shorter than two filters or holds a sample that is not a
        number.
    """
    taps = truth_filter(sfreq_hz, band_hz)
    least_s = 2.0 * filter_s(band_hz)
    if not samples.size >= least_s * sfreq_hz:
        raise SignalFault(
            f"The recording lasts {samples.size / sfreq_hz:.2f} s, but the offline "
            f"phase needs at least {least_s:g} s; use a longer one."
        )
    require_finite(samples, "The recording")
    # The taps are symmetric: backwards is the same filter, and both are one, in one go.
    both_ways = np.convolve(taps, taps)
    n_edge = both_ways.size // 2
    n_pad = min(3 * n_edge, samples.size - 1)
    continued = _continue_by_mirror(samples, n_pad)
    # Only where the filter lies inside: an offset's step would ring through the
    # Hilbert transform into the middle.
    filtered = scipy.signal.oaconvolve(continued, both_ways, mode="valid")
    n_fast = scipy.fft.next_fast_len(filtered.size)
    analytic = scipy.signal.hilbert(filtered, N=n_fast)
    first = n_pad - n_edge
    return np.ascontiguousarray(analytic[first : first + samples.size])


def advance(
    analytic: ComplexArray, sfreq_hz: float, frequency_hz: float, horizon_s: float
) -> ComplexArray:
    """Return the analytic signal `horizon_s` later, at each sample.

    Between samples the signal is interpolated after its rotation at `frequency_hz` is
    taken out. Samples for which the future lies beyond the end are NaN.

    Parameters
    ----------
    analytic : complex array, shape (n_samples,)
    sfreq_hz : float
    frequency_hz : float
        The rhythm's individual frequency.
    horizon_s : float
        Not negative.
    """
    at = np.arange(analytic.size, dtype=np.float64)
    turn = 2.0 * np.pi * frequency_hz / sfreq_hz
    slow = analytic * np.exp(-1j * turn * at)
    later = at + horizon_s * sfreq_hz
    real = np.interp(later, at, slow.real, right=np.nan)
    imaginary = np.interp(later, at, slow.imag, right=np.nan)
    return np.asarray((real + 1j * imaginary) * np.exp(1j * turn * later))


def phase_at(
    truth: ComplexArray, instants: Float64Array, *, sfreq_hz: float, frequency_hz: float
) -> Float64Array:
    """Return the phase of an analytic signal between its samples, radians.

    Interpolated after the rotation at `frequency_hz` is taken out.

    Parameters
    ----------
    truth : complex array, shape (n_samples,)
    instants : array, shape (n,)
        In samples.
    sfreq_hz, frequency_hz : float
    """
    before = np.floor(instants).astype(np.int64)
    turn = 2.0 * np.pi * frequency_hz / sfreq_hz
    part = instants - before
    left, right = truth[before], truth[before + 1] * np.exp(-1j * turn)
    return np.asarray(np.angle((1.0 - part) * left + part * right) + turn * part)


def _continue_by_mirror(samples: Float64Array, n_pad: int) -> Float64Array:
    before = 2.0 * samples[0] - samples[n_pad:0:-1]
    after = 2.0 * samples[-1] - samples[-2 : -n_pad - 2 : -1]
    return np.concatenate((before, samples, after))
