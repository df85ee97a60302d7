"""A causal band-pass with a complex output: two equal resonators behind a difference.

The difference takes direct current out, each resonator is one complex pole. At the
pole's own frequency the output turns with the input, scaled by a constant.
"""

from numba import types

from controller.kernels.jit import Float64Array, compiled, f8, f8_matrix, i8


@compiled(types.UniTuple(f8, 2)(f8_matrix, i8, f8, f8, f8))
def advance(
    states: Float64Array, row: int, value: float, pole_re: float, pole_im: float
) -> tuple[float, float]:
    """Take one sample in; return the output's real and imaginary part, unscaled.

    Parameters
    ----------
    states : array, shape (n_filters, 5)
        Input before, first and second resonator; all 0 at the start.
    row : int
        The filter.
    value : float
    pole_re, pole_im : float
    """
    step = value - states[row, 0]
    states[row, 0] = value
    re = states[row, 1] * pole_re - states[row, 2] * pole_im + step
    im = states[row, 1] * pole_im + states[row, 2] * pole_re
    states[row, 1] = re
    states[row, 2] = im
    out_re = states[row, 3] * pole_re - states[row, 4] * pole_im + re
    out_im = states[row, 3] * pole_im + states[row, 4] * pole_re + im
    states[row, 3] = out_re
    states[row, 4] = out_im
    return out_re, out_im
