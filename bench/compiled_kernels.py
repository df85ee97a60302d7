"""The loop's per-sample kernels, each turned many times inside one compiled function.

A call from Python costs more than a kernel, so a kernel can only be timed from within.
"""

from controller.kernels import autoregressive, fir, ring, spatial, state_space
from controller.kernels.borrow import borrow
from controller.kernels.jit import (
    Float32Array,
    Float64Array,
    Int64Array,
    compiled,
    f4_matrix,
    f4_vector,
    f8,
    f8_matrix,
    f8_vector,
    i8,
    i8_vector,
)


@compiled(
    f8(
        f4_matrix,
        f4_vector,
        f8_matrix,
        i8_vector,
        f8_matrix,
        f8_matrix,
        f8_matrix,
        f8_matrix,
        f8_vector,
    )
)
def mix_and_recurse(
    tape: Float32Array,
    raw: Float32Array,
    weights: Float64Array,
    used: Int64Array,
    transition: Float64Array,
    drive: Float64Array,
    readout: Float64Array,
    feedthrough: Float64Array,
    working: Float64Array,
) -> float:
    """Mix and run the state-space kernel over a tape; return the sum of its outputs.

    Parameters
    ----------
    tape : array, shape (n_samples, n_channels)
    raw : array, shape (n_channels,)
        Working space, as the loop's own sample buffer.
    weights, used
        See `spatial.mix`.
    transition, drive, readout, feedthrough
        See `state_space`.
    working : array, shape (1 + 2 * n_states,)
    """
    n_states = transition.shape[0]
    own_raw = borrow(raw)
    held = borrow(working[:1])
    states = borrow(working[1 : 1 + n_states])
    states_next = borrow(working[1 + n_states :])
    total = 0.0
    for row in range(tape.shape[0]):
        for channel in range(own_raw.shape[0]):
            own_raw[channel] = tape[row, channel]
        spatial.mix(borrow(weights), borrow(used), own_raw, held)
        state_space.advance(
            borrow(transition), borrow(drive), held, states, states_next
        )
        re, im = state_space.read_out(
            borrow(readout), borrow(feedthrough), states, held
        )
        total += re + im
    return total


@compiled(
    f8(
        f4_matrix,
        f4_vector,
        f8_matrix,
        i8_vector,
        f8_matrix,
        f8_matrix,
        f8_matrix,
        f8_vector,
        i8,
    )
)
def mix_and_filter(
    tape: Float32Array,
    raw: Float32Array,
    weights: Float64Array,
    used: Int64Array,
    fir_re: Float64Array,
    fir_im: Float64Array,
    window: Float64Array,
    held: Float64Array,
    at: int,
) -> float:
    """Mix and run the complex FIR kernel over a tape; return the sum of its outputs.

    Parameters
    ----------
    tape, raw, weights, used
        As in `mix_and_recurse`.
    fir_re, fir_im : array, shape (1, n_taps)
    window : array, shape (1, 2 * n_taps)
        A mirrored ring.
    held : array, shape (1,)
        Working space.
    at : int
        Where the ring's next sample goes.
    """
    own_raw = borrow(raw)
    own_held = borrow(held)
    own_window = borrow(window)
    total = 0.0
    for row in range(tape.shape[0]):
        for channel in range(own_raw.shape[0]):
            own_raw[channel] = tape[row, channel]
        spatial.mix(borrow(weights), borrow(used), own_raw, own_held)
        at = ring.push(own_window, at, own_held)
        re, im = fir.complex_dot(borrow(fir_re), borrow(fir_im), own_window, at)
        total += re + im
    return total


@compiled(f8(f8_vector, i8, f8_vector, i8, f8_vector, f8_vector, i8))
def fit_and_forecast(
    series: Float64Array,
    n_fit: int,
    coefficients: Float64Array,
    n_ahead: int,
    forward: Float64Array,
    backward: Float64Array,
    n_times: int,
) -> float:
    """Fit by Burg's method and forecast, so many times; return the last entry's sum.

    Parameters
    ----------
    series : array, shape (n_fit + n_ahead,)
    n_fit, n_ahead : int
    coefficients : array, shape (order,)
    forward, backward : array, shape (n_fit,)
        Working space.
    n_times : int
    """
    own_series = borrow(series)
    own_coefficients = borrow(coefficients)
    own_forward = borrow(forward)
    own_backward = borrow(backward)
    total = 0.0
    for _ in range(n_times):
        autoregressive.burg(
            own_series, 0, n_fit, own_coefficients, own_forward, own_backward
        )
        autoregressive.forecast(own_series, n_fit, n_ahead, own_coefficients)
        total += own_series[n_fit + n_ahead - 1]
    return total
