"""A zero-phase filter inside one short window, and the rhythm's size at its end.

Forwards and backwards with a symmetric filter is one pass with that filter convolved
with itself: half the work, and only where the result is wanted.
"""

import math

from numba import types

from controller.kernels.jit import Float64Array, compiled, f8, f8_vector, i8


@compiled(types.void(f8_vector, i8, i8))
def extend(padded: Float64Array, n_edge: int, n: int) -> None:
    """Continue a window at either end by its mirror image through the end point.

    Parameters
    ----------
    padded : array, shape (at least n + 2 * n_edge,)
        The window stands from `n_edge` on; what lies before and after is written.
    n_edge : int
        Less than `n`.
    n : int
        Samples in the window.
    """
    first = 2.0 * padded[n_edge]
    last = 2.0 * padded[n_edge + n - 1]
    after = padded[n_edge + n :]
    for k in range(n_edge):
        padded[k] = first - padded[2 * n_edge - k]
        after[k] = last - padded[n_edge + n - 2 - k]


@compiled(types.void(f8_vector, f8_vector, i8, f8_vector), reassociate=True)
def filter_window(
    padded: Float64Array, taps: Float64Array, n: int, filtered: Float64Array
) -> None:
    """Filter a stretch, each sample with as many neighbours on either side.

    Parameters
    ----------
    padded : array, shape (at least n + n_taps - 1,)
    taps : array, shape (n_taps,)
        Symmetric, an odd number.
    n : int
    filtered : array, shape (at least n,)
        Written: entry k belongs to `padded[k + n_taps // 2]`.
    """
    n_taps = taps.shape[0]
    for at in range(n):
        # A view counted up from 0: only such sums become vectors.
        around = padded[at : at + n_taps]
        total = 0.0
        for k in range(n_taps):
            total += taps[k] * around[k]
        filtered[at] = total


@compiled(f8(f8_vector, i8, i8), reassociate=True)
def end_amplitude(series: Float64Array, n: int, n_cycle: int) -> float:
    """Return the amplitude of the sine with the power of a series' last cycle.

    Parameters
    ----------
    series : array, shape (at least n,)
    n : int
        Entries that count.
    n_cycle : int
        Samples of one cycle, from 1 to `n`.
    """
    cycle = series[n - n_cycle : n]
    total = 0.0
    for k in range(n_cycle):
        total += cycle[k] * cycle[k]
    return math.sqrt(2.0 * total / n_cycle)
