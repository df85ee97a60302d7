"""Complex finite impulse response over one or several channels."""

from numba import types

from controller.kernels.jit import Float64Array, compiled, f8, f8_matrix, i8


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
