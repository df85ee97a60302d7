"""Least-squares filters from a spectrum: the normal equations and their solution."""

import numpy as np
import scipy.fft
import scipy.linalg

from controller.errors import SignalFault
from controller.estimators.base import Brief
from controller.estimators.spectrum import Spectrum
from controller.estimators.truth import truth_filter
from controller.kernels.jit import ComplexArray, Float64Array

LOADING_DB = -30.0
"""White noise added to the spectrum, relative to the rhythm's own peak density.

A design trusts the rest spectrum down to this floor. Without one, it leans on
frequencies where a recording is empty (above an offline low-pass, say) and amplifies
whatever appears there later. On twelve occipital recordings that end at 45 Hz, at 250,
500 and 1000 Hz alike, the median circular SD is 48 deg at -30 dB and 47 at -60, but
3 uV of new line noise cost 1 deg at -30, 7 at -40 and 41 at -60. Being a density, the
floor means the same at every rate.
"""

_LINES_PER_WINDOW = 4  # as many as keep window and truth filter from wrapping around


def design_lines(brief: Brief, n_taps: int) -> tuple[int, Float64Array]:
    """Return the length of the transform and the frequencies of its lines.

    Parameters
    ----------
    brief : Brief
    n_taps : int
        Samples in the window.

    Returns
    -------
    n_fft : int
    frequencies_hz : array, shape (n_fft // 2 + 1,)
        Evenly spaced from 0.
    """
    n_truth = truth_filter(brief.sfreq_hz, brief.band_hz).size
    n_fft = scipy.fft.next_fast_len(_LINES_PER_WINDOW * max(n_taps, n_truth), real=True)
    return n_fft, np.asarray(scipy.fft.rfftfreq(n_fft, 1.0 / brief.sfreq_hz))


def truth_gain(brief: Brief, n_fft: int) -> Float64Array:
    """Return the response of the offline truth, shape (n_fft // 2 + 1,).

    Both ways through its band-pass, and twice the positive frequencies.
    """
    taps = truth_filter(brief.sfreq_hz, brief.band_hz)
    return np.asarray(2.0 * np.abs(scipy.fft.rfft(taps, n_fft)) ** 2)


def band_gain(brief: Brief, n_fft: int) -> Float64Array:
    """Return the response 2 inside the band and 0 outside, shape (n_fft // 2 + 1,).

    A line that an edge of the band divides has the share that lies inside.
    """
    spacing_hz = brief.sfreq_hz / n_fft
    frequencies_hz = scipy.fft.rfftfreq(n_fft, 1.0 / brief.sfreq_hz)
    low_hz, high_hz = brief.band_hz
    upper = np.minimum(high_hz, frequencies_hz + spacing_hz / 2.0)
    lower = np.maximum(low_hz, frequencies_hz - spacing_hz / 2.0)
    return np.asarray(2.0 * np.clip((upper - lower) / spacing_hz, 0.0, 1.0))


def density_at(spectrum: Spectrum, frequencies_hz: Float64Array) -> Float64Array:
    """Return a Welch spectrum between its lines, shape as `frequencies_hz`."""
    # The mean is taken out of every segment, so the line at 0 Hz says nothing.
    return np.asarray(
        np.interp(
            frequencies_hz, spectrum.frequencies_hz[1:], spectrum.power_uv2_per_hz[1:]
        )
    )


def loaded(
    brief: Brief, frequencies_hz: Float64Array, density: Float64Array
) -> Float64Array:
    """Return the spectrum on its floor of white noise.

    Raises
    ------
    SignalFault
        If there is no power in the band.
    """
    low_hz, high_hz = brief.band_hz
    in_band = (frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)
    peak = float(density[in_band].max())
    if not peak > 0.0:
        raise SignalFault(
            f"The rest recording is flat between {low_hz:g} and {high_hz:g} Hz; check "
            "that the channels of the montage are connected."
        )
    return np.asarray(density + peak * 10.0 ** (LOADING_DB / 10.0))


def least_squares_weights(
    brief: Brief, density: Float64Array, gain: Float64Array, n_fft: int, n_taps: int
) -> ComplexArray:
    """Solve for the filter that comes closest to a response, under a spectrum.

    The squared distance between the filter's response and `gain`, carried to the
    horizon, is weighted by the density and least under the constraint that the weights
    sum to zero. For the spectrum of a stationary signal it is the mean squared error of
    predicting the output of `gain`: the filter is Wiener's.

    Parameters
    ----------
    brief : Brief
    density, gain : array, shape (n_fft // 2 + 1,)
        Power and wanted response at the lines of `design_lines`.
    n_fft, n_taps : int

    Returns
    -------
    weights : complex array, shape (n_taps,)
        Newest sample first.
    """
    frequencies_hz = scipy.fft.rfftfreq(n_fft, 1.0 / brief.sfreq_hz)
    ahead = np.exp(2j * np.pi * frequencies_hz * brief.horizon_s)
    one_sided = np.zeros(n_fft, dtype=np.complex128)
    one_sided[: density.size] = gain * density * ahead
    one_sided[0] = 0.0
    cross = scipy.fft.ifft(one_sided)[:n_taps]
    covariance = scipy.fft.irfft(density, n_fft)[:n_taps]
    right_hand = np.column_stack((cross.real, cross.imag, np.ones(n_taps)))
    real, imaginary, flat = scipy.linalg.solve_toeplitz(covariance, right_hand).T
    weights = real + 1j * imaginary
    # Lagrange's multiplier for a zero sum, then the sum's own rounding.
    weights -= flat * (weights.sum() / flat.sum())
    return np.asarray(weights - weights.mean())
