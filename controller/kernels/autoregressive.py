"""Autoregressive models of a short window: fit and forecast.

The model is x[t] = a[0] x[t-p] + ... + a[p-1] x[t-1] + innovation: coefficients stand
oldest first, like every window here.
"""

import math

from numba import types

from controller.kernels.jit import Float64Array, compiled, f8, f8_vector, i8

# A share of the energy this small is rounding: a pure sine is all explained by order 2.
_EXPLAINED = 1e-10


@compiled(f8(f8_vector, f8_vector), reassociate=True)
def _dot(a: Float64Array, b: Float64Array) -> float:
    total = 0.0
    for k in range(a.shape[0]):
        total += a[k] * b[k]
    return total


@compiled(types.void(f8_vector, f8_vector, f8), reassociate=True)
def _cross(forward: Float64Array, backward: Float64Array, factor: float) -> None:
    for k in range(forward.shape[0]):
        ahead = forward[k]
        behind = backward[k]
        forward[k] = ahead - factor * behind
        backward[k] = behind - factor * ahead


@compiled(f8(f8_vector, i8, i8, f8_vector, f8_vector, f8_vector))
def burg(
    samples: Float64Array,
    first: int,
    n: int,
    coefficients: Float64Array,
    forward: Float64Array,
    backward: Float64Array,
) -> float:
    """Fit by Burg's method; return the innovations' mean square.

    Parameters
    ----------
    samples : array, shape (at least first + n,)
        Without mean.
    first, n : int
        The stretch that is fitted; `n` is more than the order.
    coefficients : array, shape (order,)
        Written.
    forward, backward : array, shape (at least n,)
        Working space.

    Returns
    -------
    float
        NaN, and coefficients of 0, where the stretch is all zeros or not finite.

    References
    ----------
    Burg (1975), Maximum Entropy Spectral Analysis, PhD thesis, Stanford University.
    """
    order = coefficients.shape[0]
    energy = 0.0
    for k in range(n):
        value = samples[first + k]
        energy += value * value
        forward[k] = value
        backward[k] = value
    for k in range(order):
        coefficients[k] = 0.0
    if not (energy > 0.0 and energy < math.inf):
        return math.nan
    mean_square = energy / n
    # Entry k of `backward` is always paired with entry k + lag of `forward`.
    both = 2.0 * energy - forward[0] * forward[0] - backward[n - 1] * backward[n - 1]
    for stage in range(order):
        pairs = n - stage - 1
        reflection = 0.0
        if both > _EXPLAINED * energy:
            numerator = _dot(forward[stage + 1 : n], backward[:pairs])
            reflection = 2.0 * numerator / both
        # Rounding may carry it there, and the model would grow without bound.
        if not abs(reflection) < 1.0:
            reflection = 0.0
        for k in range((stage + 1) // 2):
            low = coefficients[k]
            high = coefficients[stage - 1 - k]
            coefficients[k] = low - reflection * high
            if k != stage - 1 - k:
                coefficients[stage - 1 - k] = high - reflection * low
        coefficients[stage] = reflection
        _cross(forward[stage + 1 : n], backward[:pairs], reflection)
        mean_square *= 1.0 - reflection * reflection
        first_forward = forward[stage + 1]
        last_backward = backward[pairs - 1]
        both = (
            (1.0 - reflection * reflection) * both
            - first_forward * first_forward
            - last_backward * last_backward
        )
    for k in range(order // 2):
        low = coefficients[k]
        coefficients[k] = coefficients[order - 1 - k]
        coefficients[order - 1 - k] = low
    return mean_square


@compiled(types.void(f8_vector, i8, i8, f8_vector), reassociate=True)
def forecast(
    series: Float64Array, n_known: int, n_ahead: int, coefficients: Float64Array
) -> None:
    """Continue a series by what the model expects.

    Parameters
    ----------
    series : array, shape (at least n_known + n_ahead,)
        The first `n_known` entries, at least as many as the order, are given; the next
        `n_ahead` are written.
    n_known, n_ahead : int
    coefficients : array, shape (order,)
    """
    order = coefficients.shape[0]
    for at in range(n_known, n_known + n_ahead):
        # Views, and every index counted up from 0: only such sums become vectors.
        recent = series[at - order : at]
        total = 0.0
        for k in range(order):
            total += coefficients[k] * recent[k]
        series[at] = total


@compiled(types.void(f8_vector, i8, f8_vector), reassociate=True)
def backcast(series: Float64Array, n_back: int, coefficients: Float64Array) -> None:
    """Continue a series into the past: a stationary model runs both ways alike.

    Parameters
    ----------
    series : array
        Entries from `n_back` on, at least as many as the order, are given; those before
        are written.
    n_back : int
    coefficients : array, shape (order,)
    """
    order = coefficients.shape[0]
    for at in range(n_back - 1, -1, -1):
        coming = series[at + 1 : at + 1 + order]
        total = 0.0
        for k in range(order):
            total += coefficients[order - 1 - k] * coming[k]
        series[at] = total


@compiled(types.void(f8_vector, f8_vector, f8_vector, f8_vector), reassociate=True)
def fold(
    ahead: Float64Array,
    coefficients: Float64Array,
    working: Float64Array,
    weights: Float64Array,
) -> None:
    """Turn weights on a forecast into weights on the samples it goes out from.

    The sum of `weights` times the last samples is that of `ahead` times what `forecast`
    writes after them.

    Parameters
    ----------
    ahead : array, shape (n_ahead,)
    coefficients : array, shape (order,)
    working : array, shape (at least order + n_ahead,)
    weights : array, shape (order,)
        Written; oldest sample first.
    """
    order = coefficients.shape[0]
    n_ahead = ahead.shape[0]
    for k in range(order):
        working[k] = 0.0
    for k in range(n_ahead):
        working[order + k] = ahead[k]
    for at in range(n_ahead - 1, -1, -1):
        share = working[order + at]
        recent = working[at : at + order]
        for k in range(order):
            recent[k] += share * coefficients[k]
    for k in range(order):
        weights[k] = working[k]
