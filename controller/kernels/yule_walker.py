"""Autoregressive fit from the autocorrelation, as Phastimate uses it."""

import math

from numba import types

from controller.kernels.jit import Float64Array, compiled, f8, f8_vector, i8


@compiled(types.void(f8_vector, i8, f8_vector, i8), reassociate=True)
def _autocorrelate(
    samples: Float64Array, n: int, lags: Float64Array, n_lags: int
) -> None:
    for lag in range(n_lags):
        later = samples[lag:]
        total = 0.0
        for k in range(n - lag):
            total += samples[k] * later[k]
        lags[lag] = total / n


@compiled(f8(f8_vector, i8, f8_vector, f8_vector))
def yule_walker(
    samples: Float64Array, n: int, coefficients: Float64Array, lags: Float64Array
) -> float:
    """Fit by the Yule-Walker equations; return the innovations' mean square.

    The autocorrelation is the biased one, which makes the model stable; Levinson's
    recursion solves for it.

    Parameters
    ----------
    samples : array, shape (at least n,)
        Without mean.
    n : int
        Samples that are fitted, more than the order.
    coefficients : array, shape (order,)
        Written, oldest sample first as in `controller.kernels.autoregressive`.
    lags : array, shape (at least order + 1,)
        Working space.

    Returns
    -------
    float
        NaN, and coefficients of 0, where the stretch is all zeros or not finite.

    References
    ----------
    Levinson (1947), J. Math. Phys. 25:261.
    """
    order = coefficients.shape[0]
    for k in range(order):
        coefficients[k] = 0.0
    _autocorrelate(samples, n, lags, order + 1)
    mean_square = lags[0]
    if not (mean_square > 0.0 and mean_square < math.inf):
        return math.nan
    for stage in range(order):
        # The coefficient of lag k stands at order - k.
        missing = lags[stage + 1]
        for lag in range(1, stage + 1):
            missing -= coefficients[order - lag] * lags[stage + 1 - lag]
        reflection = missing / mean_square
        for lag in range(1, stage // 2 + 1):
            near = coefficients[order - lag]
            far = coefficients[order - stage - 1 + lag]
            coefficients[order - lag] = near - reflection * far
            coefficients[order - stage - 1 + lag] = far - reflection * near
        if stage % 2 == 1:
            coefficients[order - (stage + 1) // 2] *= 1.0 - reflection
        coefficients[order - stage - 1] = reflection
        mean_square *= 1.0 - reflection * reflection
    return mean_square
