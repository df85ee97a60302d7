"""Quantiles of a running window that is kept in order of size."""

import math

from numba import types

from controller.kernels.jit import Float64Array, compiled, f8, f8_vector, i8


@compiled(i8(f8_vector, i8, f8))
def _first_not_below(ordered: Float64Array, n: int, value: float) -> int:
    low = 0
    high = n
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled(types.void(f8_vector, i8, f8))
def insert(ordered: Float64Array, n: int, value: float) -> None:
    """Put a finite `value` among the first `n` entries, which are in order of size."""
    place = _first_not_below(ordered, n, value)
    for k in range(n, place, -1):
        ordered[k] = ordered[k - 1]
    ordered[place] = value


@compiled(types.void(f8_vector, i8, f8))
def remove(ordered: Float64Array, n: int, value: float) -> None:
    """Take `value`, which must be there, out of the first `n` entries."""
    for k in range(_first_not_below(ordered, n, value), n - 1):
        ordered[k] = ordered[k + 1]


@compiled(f8(f8_vector, i8, f8))
def quantile(ordered: Float64Array, n: int, fraction: float) -> float:
    """Return the quantile of the first `n` entries, linear between neighbours.

    The rule is numpy's default (Hyndman and Fan 1996, type 7). NaN if `n` is 0.
    """
    if n < 1:
        return math.nan
    position = fraction * (n - 1)
    below = math.floor(position)
    above = min(below + 1, n - 1)
    weight = position - below
    value: float = ordered[below] + weight * (ordered[above] - ordered[below])
    return value
