"""Powers of one window at given frequencies, and what stands out of them."""

from numba import types

from controller.kernels.fir import complex_sum
from controller.kernels.jit import Float64Array, compiled, f8, f8_matrix, f8_vector, i8


@compiled(types.void(f8_matrix, f8_matrix, f8_vector, f8_vector))
def write_powers(
    rows_re: Float64Array,
    rows_im: Float64Array,
    window: Float64Array,
    powers: Float64Array,
) -> None:
    """Write the squared size of each complex-weighted sum of the window.

    Parameters
    ----------
    rows_re, rows_im : array, shape (n_frequencies, n_window)
        Oldest sample first.
    window : array, shape (n_window,)
    powers : array, shape (n_frequencies,)
    """
    for row in range(rows_re.shape[0]):
        re, im = complex_sum(rows_re[row], rows_im[row], window)
        powers[row] = re * re + im * im


@compiled(f8(f8_vector, i8, i8))
def mean_between(values: Float64Array, first: int, end: int) -> float:
    """Return the mean of the entries from `first` up to `end`; NaN if there are none.

    NaN also where one of them is.
    """
    total = 0.0
    for k in range(first, end):
        total += values[k]
    return total / (end - first)


@compiled(f8(f8_vector, i8, i8))
def highest_between(values: Float64Array, first: int, end: int) -> float:
    """Return the highest entry from `first` up to `end`; 0 if there are none.

    For entries that are not negative; NaN where one is NaN.
    """
    highest = 0.0
    for k in range(first, end):
        if not values[k] <= highest:
            highest = values[k]
    return highest
