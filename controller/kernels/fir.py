"""Complex finite impulse response over one or several channels."""

from numba import types

from controller.kernels.jit import Float64Array, compiled, f8, f8_matrix, f8_vector, i8


@compiled(types.UniTuple(f8, 2)(f8_matrix, f8_matrix, f8_matrix, i8), reassociate=True)
def complex_dot(
    weights_re: Float64Array, weights_im: Float64Array, ring: Float64Array, start: int
) -> tuple[float, float]:
    """Return the complex-weighted sum of a window of every channel.

    Parameters
    ----------
    weights_re, weights_im : array, shape (n_rows, n_taps)
        Oldest sample first.
    ring : array, shape (n_rows, 2 * n_taps)
        A mirrored ring, see `controller.kernels.ring`.
    start : int
        First column of the window.
    """
    re = 0.0
    im = 0.0
    for row in range(weights_re.shape[0]):
        for tap in range(weights_re.shape[1]):
            sample = ring[row, start + tap]
            re += weights_re[row, tap] * sample
            im += weights_im[row, tap] * sample
    return re, im


@compiled(types.UniTuple(f8, 2)(f8_vector, f8_vector, f8_vector), reassociate=True)
def complex_sum(
    weights_re: Float64Array, weights_im: Float64Array, window: Float64Array
) -> tuple[float, float]:
    """Return the complex-weighted sum of one window, all of shape (n,)."""
    re = 0.0
    im = 0.0
    for k in range(weights_re.shape[0]):
        re += weights_re[k] * window[k]
        im += weights_im[k] * window[k]
    return re, im


@compiled(f8(f8_vector, f8_vector), reassociate=True)
def real_sum(weights: Float64Array, window: Float64Array) -> float:
    """Return the weighted sum of one window, both of shape (n,)."""
    total = 0.0
    for k in range(weights.shape[0]):
        total += weights[k] * window[k]
    return total
