"""Lags on a grid: regressors at a low rate that expand to taps at the stream's.

The weights are the corners of a piecewise linear function of the lag. Expanded to the
stream's rate, each corner is a triangle, whose response has its nulls where the grid's
rate would alias into the band; so a fit stays small at any rate and the filter needs no
other anti-aliasing. Only the newest corner is half a triangle, as there is no future.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import scipy.signal

from controller.estimators.base import Brief
from controller.kernels.jit import ComplexArray, Float64Array


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LagGrid:
    """Lags that weights are fitted at.

    Parameters
    ----------
    step : int
        Samples of the stream from lag to lag.
    n_lags : int
    """

    step: int
    n_lags: int

    @property
    def n_taps(self) -> int:
        """Samples of the stream that the expanded weights reach over."""
        return self.step * self.n_lags


def lag_grid(brief: Brief, cycles: float, lags_per_cycle: float) -> LagGrid:
    """Return a grid over so many cycles, with at least so many lags in each.

    A stream too slow for that has a lag for each of its samples.
    """
    cycle = brief.sfreq_hz / brief.frequency_hz
    step = max(1, math.floor(cycle / lags_per_cycle))
    return LagGrid(step=step, n_lags=max(2, round(cycles * cycle / step)))


def expanded(weights: ComplexArray, grid: LagGrid) -> ComplexArray:
    """Return weights on a grid of lags as taps at the stream's rate.

    Parameters
    ----------
    weights : complex array, shape (n_rows, n_lags)
        Each row sums to zero.
    grid : LagGrid

    Returns
    -------
    taps : complex array, shape (n_rows, n_taps)
        Newest sample first; each row sums to zero.
    """
    newest, triangle = _corners(grid.step)
    taps = np.zeros((weights.shape[0], grid.n_taps), dtype=np.complex128)
    taps[:, : grid.step] = weights[:, :1] * newest
    first = 1  # the triangle around the lag `step` begins at the lag 1
    spread = scipy.signal.upfirdn(triangle, weights[:, 1:], up=grid.step)
    taps[:, first : first + spread.shape[1]] += spread
    return np.asarray(taps - taps.mean(axis=1, keepdims=True))


def lagged(
    rows: Float64Array, grid: LagGrid, at: npt.NDArray[np.int64]
) -> Float64Array:
    """Return what the corners see of each row.

    Parameters
    ----------
    rows : array, shape (n_rows, n_samples)
    grid : LagGrid
    at : int array, shape (n,)
        Grid points, each `grid.step` samples from the one before; the first one is
        sample 0. None below `grid.n_lags + 1`, where the oldest triangle would reach
        back beyond the recording.

    Returns
    -------
    features : array, shape (n, n_rows, n_lags)
        Newest lag first.
    """
    newest, triangle = _corners(grid.step)
    # The triangle is centred on its grid point: begin half of it later.
    centred = scipy.signal.upfirdn(triangle, rows[:, grid.step - 1 :], down=grid.step)
    ending = scipy.signal.upfirdn(newest, rows, down=grid.step)
    features = np.empty((at.size, rows.shape[0], grid.n_lags))
    features[:, :, 0] = ending[:, at].T
    for lag in range(1, grid.n_lags):
        features[:, :, lag] = centred[:, at - lag].T
    return features


def _corners(step: int) -> tuple[Float64Array, Float64Array]:
    """Return the falling half for the newest lag, and the triangle for all others."""
    falling = np.arange(step, 0, -1.0)
    triangle = np.concatenate((falling[:0:-1], falling))
    return falling / falling.sum(), triangle / triangle.sum()
