"""A long course of values in few enough points for a figure."""

import dataclasses

import numpy as np

from controller.kernels.jit import Float64Array

N_BINS = 300


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Quantiles of values in stretches of equal duration.

    Parameters
    ----------
    t_s : array, shape (n_bins,)
        Middle of each stretch, from the beginning of the session.
    low, middle, high : array, shape (n_bins,)
        NaN where a stretch holds no finite value.
    """

    t_s: Float64Array
    low: Float64Array
    middle: Float64Array
    high: Float64Array


def course_of(
    t: Float64Array,
    values: Float64Array,
    *,
    t_start: float,
    t_stop: float,
    quantiles: tuple[float, float, float],
) -> Course:
    """Return the course of `values` from `t_start` to `t_stop` in `N_BINS` stretches.

    Parameters
    ----------
    t : array, shape (n,)
        Instants in order.
    values : array, shape (n,)
        Those that are not finite are left out.
    t_start, t_stop : float
    quantiles : tuple of float
        Which ones `low`, `middle` and `high` are.
    """
    edges = np.linspace(t_start, t_stop, N_BINS + 1)
    at = np.searchsorted(t, edges)
    at[-1] = len(t)
    found = np.full((N_BINS, 3), np.nan)
    for k in range(N_BINS):
        inside = values[at[k] : at[k + 1]]
        inside = inside[np.isfinite(inside)]
        if len(inside) > 0:
            found[k] = np.quantile(inside, quantiles)
    middle = (edges[:-1] + edges[1:]) / 2 - t_start
    return Course(t_s=middle, low=found[:, 0], middle=found[:, 1], high=found[:, 2])
