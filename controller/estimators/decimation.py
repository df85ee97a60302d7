"""The lower rate that local parts run at, and what its low-pass asks of their rows."""

import math

import numpy as np
import numpy.typing as npt
import scipy.fft

from controller.estimators.base import Brief, Decimation
from controller.estimators.truth import truth_filter
from controller.kernels.jit import ComplexArray, Float64Array

ALIAS_DB = 50.0
"""How far what folds into the band is held down.

Mains harmonics fold too: 240 Hz to 10 Hz, at a rate of 250.
"""

_RATE_HZ = 250.0
_RATE_TO_BAND = 8.0
_NEARLY = 0.01  # an amplifier's 499.9 Hz are 500


def decimation_for(
    sfreq_hz: float, highest_hz: float, *, least_hz: float = _RATE_HZ
) -> Decimation:
    """Choose the rate and the shortest low-pass that keeps aliases off the band.

    The rate becomes 250 Hz or a little more, or 8 times the highest frequency if that
    is more. The low-pass is a cascade of running means over `factor` samples, whose
    nulls lie just where 0 Hz folds from: every mean costs half a decimated sample of
    delay, so there are only as many as `ALIAS_DB` needs. Two of them, a triangle, do
    for alpha at most rates.

    Parameters
    ----------
    sfreq_hz : float
    highest_hz : float
        Nothing may fold to between 0 and this.
    least_hz : float
        The rate does not fall below this, where the stream's own does not.
    """
    rate_hz = max(least_hz, _RATE_TO_BAND * highest_hz)
    factor = max(1, math.floor(sfreq_hz / rate_hz + _NEARLY))
    box = np.full(factor, 1.0 / factor)
    decimation = Decimation(factor=factor, taps=np.ones(1))
    while not alias_db(decimation, sfreq_hz, highest_hz) <= -ALIAS_DB:
        decimation = Decimation(factor=factor, taps=np.convolve(decimation.taps, box))
    return decimation


def alias_db(decimation: Decimation, sfreq_hz: float, highest_hz: float) -> float:
    """Return the highest gain of what folds to between 0 and `highest_hz`."""
    rate_hz = sfreq_hz / decimation.factor
    offsets_hz = np.linspace(-highest_hz, highest_hz, 101)
    folds_hz = rate_hz * np.arange(1, decimation.factor // 2 + 1)
    frequencies_hz = (folds_hz[:, np.newaxis] + offsets_hz).ravel()
    gain = np.abs(gain_at(decimation, sfreq_hz, frequencies_hz))
    return float(20.0 * np.log10(gain.max(initial=1e-12)))


def gain_at(
    decimation: Decimation, sfreq_hz: float, frequencies_hz: npt.ArrayLike
) -> Float64Array:
    """Return the low-pass's gain; its taps are symmetric, so it is real."""
    turns = np.multiply.outer(
        np.asarray(frequencies_hz, np.float64) / sfreq_hz,
        np.arange(decimation.taps.size) - decimation.delay_samples,
    )
    return np.asarray(np.cos(2.0 * np.pi * turns) @ decimation.taps)


def rate_of(brief: Brief, decimation: Decimation) -> float:
    """Return the decimated rate, Hz."""
    return brief.sfreq_hz / decimation.factor


def order_at(rate_hz: float, order: int) -> int:
    """Return the order that looks as far back as `order` does at 250 Hz, or further."""
    return round(order * max(1.0, rate_hz / _RATE_HZ))


def steps_ahead(brief: Brief, decimation: Decimation) -> float:
    """Return the decimated samples from the newest one's own time to the horizon.

    What the newest one shows is older than the sample it came with, by the low-pass's
    delay.
    """
    ahead = brief.horizon_s * brief.sfreq_hz + decimation.delay_samples
    return ahead / decimation.factor


def filling_s(brief: Brief, decimation: Decimation, n_decimated: int) -> float:
    """Return how long it takes from a reset to so many decimated samples."""
    n_samples = decimation.taps.size + (n_decimated - 1) * decimation.factor
    return n_samples / brief.sfreq_hz


def forecast_row(
    brief: Brief, decimation: Decimation, *, n_back: int, n_data: int, n_ahead: int
) -> ComplexArray:
    """Return what the offline truth makes of data and forecast, as one row.

    The truth's band-pass forwards and backwards, twice its positive frequencies, and
    the horizon's distance are one linear functional of the series; the low-pass's gain
    is taken out in the same go. What the truth would weigh beyond the row is lost; the
    row's sum stays zero.

    Parameters
    ----------
    brief : Brief
    decimation : Decimation
    n_back, n_data, n_ahead : int
        Backcast, data and forecast, decimated samples.

    Returns
    -------
    row : complex array, shape (n_back + n_data + n_ahead,)
        Oldest first; the newest sample stands at n_back + n_data - 1.
    """
    rate_hz = rate_of(brief, decimation)
    taps = truth_filter(rate_hz, brief.band_hz)
    n_row = n_back + n_data + n_ahead
    n_fft = scipy.fft.next_fast_len(2 * (n_row + 2 * taps.size), real=True)
    frequencies_hz = scipy.fft.rfftfreq(n_fft, 1.0 / rate_hz)
    ahead = steps_ahead(brief, decimation) / rate_hz
    one_sided = np.zeros(n_fft, dtype=np.complex128)
    one_sided[: frequencies_hz.size] = (
        2.0
        * np.abs(scipy.fft.rfft(taps, n_fft)) ** 2
        / gain_at(decimation, brief.sfreq_hz, frequencies_hz)
        * np.exp(2j * np.pi * frequencies_hz * ahead)
    )
    one_sided[0] = 0.0
    response = scipy.fft.ifft(one_sided)
    row = response[(n_back + n_data - 1 - np.arange(n_row)) % n_fft]
    return np.asarray(row - row.mean())
