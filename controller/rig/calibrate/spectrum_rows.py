"""The windowed Fourier rows that the spectral gates look through."""

import dataclasses
import math

import numpy as np
import scipy.signal

from controller.errors import ConfigError
from controller.estimators.base import Brief
from controller.kernels.jit import ComplexArray, Float64Array

CYCLES = 10.0
"""Length of the window in cycles of the rhythm: one second at 10 Hz."""

# Twice as fine as the window resolves: a peak between two rows loses little.
_ROWS_PER_RESOLUTION = 2.0

# A spectrum of ten cycles changes little within half a cycle.
_EVERY_CYCLES = 0.5

_FROM_HZ, _TO_HZ = 2.0, 40.0
_TO_HARMONIC = 8.0

# Of what folds into the looked-at range, this much is left.
_STOP_DB = 50.0

# So many multiplications take the loop about a millisecond.
_MOST_WEIGHTS = 2_000_000
_ROOM = 2.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpectrumRows:
    """A spectrum that runs in the loop; lengths in decimated samples.

    Parameters
    ----------
    rows : complex array, shape (n_frequencies, n_window)
        Oldest sample first, without gain for a constant.
    frequencies_hz : array, shape (n_frequencies,)
    taps : array, shape (n_taps,)
        Low-pass before the decimation.
    decimation : int
    stride : int
        From one spectrum to the next.
    inside, lower, upper : tuple of int
        First row and end of the band and of its flanks.
    below_end, above_first : int
        Rows before and from here on lie outside band and guard.
    """

    rows: ComplexArray
    frequencies_hz: Float64Array
    taps: Float64Array
    decimation: int
    stride: int
    inside: tuple[int, int]
    lower: tuple[int, int]
    upper: tuple[int, int]
    below_end: int
    above_first: int


def spectrum_rows(brief: Brief, window_s: float | None = None) -> SpectrumRows:
    """Return the rows for a rhythm, from 2 to 40 Hz (lower for slow rhythms).

    Between the band and its flanks a guard as wide as the window's resolution is left
    out. Each flank is half as wide as the band.

    Parameters
    ----------
    brief : Brief
    window_s : float, optional
        Ten cycles if absent.

    Raises
    ------
    ConfigError
        The window cannot tell the band from its flanks, or the stream is too slow.
    """
    window_s = CYCLES / brief.frequency_hz if window_s is None else window_s
    low_hz, high_hz = brief.band_hz
    guard_hz, half_hz = 1.0 / window_s, 0.5 * (high_hz - low_hz)
    first_hz = min(_FROM_HZ, 0.5 * low_hz)
    last_hz = max(
        min(_TO_HZ, _TO_HARMONIC * brief.frequency_hz), high_hz + guard_hz + half_hz
    )
    last_hz = min(last_hz, 0.45 * brief.sfreq_hz)
    step_hz = guard_hz / _ROWS_PER_RESOLUTION
    steps = range(math.ceil(first_hz / step_hz), math.floor(last_hz / step_hz) + 1)
    grid: Float64Array = np.array([step * step_hz for step in steps], np.float64)
    decimation = max(1, math.floor(brief.sfreq_hz / (2.0 * _ROOM * last_hz)))
    rate_hz = brief.sfreq_hz / decimation
    n_window = max(2, round(window_s * rate_hz))
    if not grid.size * n_window <= _MOST_WEIGHTS:
        raise ConfigError(
            f"A spectrum of {window_s:g} s would hold up the loop; give a "
            "gate.spectrum_s of some ten cycles of the rhythm."
        )

    def between(from_hz: float, to_hz: float) -> tuple[int, int]:
        first, end = np.searchsorted(grid, [from_hz - 1e-9, to_hz + 1e-9])
        return int(first), int(end)

    inside = between(low_hz, high_hz)
    lower = between(low_hz - guard_hz - half_hz, low_hz - guard_hz)
    upper = between(high_hz + guard_hz, high_hz + guard_hz + half_hz)
    if min(end - first for first, end in (inside, lower, upper)) < 1:
        raise ConfigError(
            f"A spectrum of {window_s:g} s at {brief.sfreq_hz:g} Hz cannot tell the "
            f"band {low_hz:g}-{high_hz:g} Hz from its flanks; give a longer "
            "gate.spectrum_s, a faster stream, or leave min_snr_db and min_peak_ratio "
            "out."
        )
    return SpectrumRows(
        rows=_rows(grid, rate_hz, n_window),
        frequencies_hz=grid,
        taps=_low_pass(decimation, last_hz, brief.sfreq_hz),
        decimation=decimation,
        stride=max(1, round(_EVERY_CYCLES / brief.frequency_hz * rate_hz)),
        inside=inside,
        lower=lower,
        upper=upper,
        below_end=lower[1],
        above_first=upper[0],
    )


def _rows(grid: Float64Array, rate_hz: float, n_window: int) -> ComplexArray:
    window = np.hanning(n_window + 2)[1:-1]
    window /= window.sum()
    turn = np.exp(-2j * np.pi * np.outer(grid / rate_hz, np.arange(n_window)))
    rows = window * turn
    # Without gain for a constant, which an electrode's slow drift nearly is.
    return np.asarray(rows - np.outer(rows.sum(axis=1), window))


def _low_pass(decimation: int, last_hz: float, sfreq_hz: float) -> Float64Array:
    if decimation == 1:
        return np.ones(1)
    rate_hz = sfreq_hz / decimation
    width = (rate_hz - 2.0 * last_hz) / (0.5 * sfreq_hz)
    n_taps, beta = scipy.signal.kaiserord(_STOP_DB, width)
    taps: Float64Array = scipy.signal.firwin(
        n_taps | 1, 0.5 * rate_hz, window=("kaiser", beta), fs=sfreq_hz
    )
    return taps
