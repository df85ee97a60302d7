"""The last peak of a band-passed window, between the samples."""

import math

from numba import types

from controller.kernels.jit import Float64Array, compiled, f8, f8_vector, i8


@compiled(f8(f8_vector, i8))
def last_peak(series: Float64Array, n: int) -> float:
    """Return where the last positive peak stands, NaN if there is none.

    A parabola through the highest sample and its neighbours places it between them.

    Parameters
    ----------
    series : array, shape (at least n,)
    n : int
        Entries that count; the first and the last cannot be peaks.
    """
    for at in range(n - 2, 0, -1):
        left = series[at - 1]
        top = series[at]
        right = series[at + 1]
        if top > 0.0 and top > left and top >= right:
            return at + 0.5 * (left - right) / (left - 2.0 * top + right)
    return math.nan


@compiled(types.UniTuple(f8, 2)(f8, f8, f8))
def continued(
    amplitude: float, since_peak: float, period: float
) -> tuple[float, float]:
    """Return the analytic signal of a cosine so long after its peak."""
    phase = 2.0 * math.pi * since_peak / period
    return amplitude * math.cos(phase), amplitude * math.sin(phase)
