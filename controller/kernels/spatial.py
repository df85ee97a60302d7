"""Channels to virtual channels."""

from numba import types

from controller.kernels.jit import (
    Float32Array,
    Float64Array,
    Int64Array,
    compiled,
    f4_vector,
    f8_matrix,
    f8_vector,
    i8_vector,
)


@compiled(types.void(f8_matrix, i8_vector, f4_vector, f8_vector))
def mix(
    weights: Float64Array, used: Int64Array, raw: Float32Array, mixed: Float64Array
) -> None:
    """Write the weighted sums of one sample to `mixed`.

    Parameters
    ----------
    weights : array, shape (n_virtual, n_channels)
    used : array of int
        Channels whose weights are not all zero; no other channel is read, so that a
        broken channel outside the montage cannot spoil it.
    raw : array, shape (n_channels,)
    mixed : array, shape (n_virtual,)
    """
    for row in range(weights.shape[0]):
        total = 0.0
        for k in range(used.shape[0]):
            channel = used[k]
            total += weights[row, channel] * raw[channel]
        mixed[row] = total
