"""A mirrored ring: every sample is stored twice, so that a window is one slice."""

from controller.kernels.jit import Float64Array, compiled, f8, f8_matrix, f8_vector, i8


@compiled(i8(f8_matrix, i8, f8_vector))
def push(ring: Float64Array, at: int, values: Float64Array) -> int:
    """Store one sample of every row and return the next position.

    Parameters
    ----------
    ring : array, shape (n_rows, 2 * n_window)
    at : int
        Position to write, from 0 to `n_window` - 1.
    values : array, shape (n_rows,)

    Returns
    -------
    int
        Where the next sample goes. It is also where the window, oldest sample first,
        now begins: `ring[:, at:at + n_window]`.
    """
    n_window = ring.shape[1] // 2
    for row in range(ring.shape[0]):
        ring[row, at] = values[row]
        ring[row, at + n_window] = values[row]
    # A remainder would cost more than everything else here.
    return at + 1 if at + 1 < n_window else 0


@compiled(i8(f8_matrix, i8, f8))
def push_one(ring: Float64Array, at: int, value: float) -> int:
    """Store one sample in the first row and return the next position, as `push`."""
    n_window = ring.shape[1] // 2
    ring[0, at] = value
    ring[0, at + n_window] = value
    return at + 1 if at + 1 < n_window else 0
