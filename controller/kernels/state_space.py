"""One step of a small linear state-space system with a complex output."""

from numba import types

from controller.kernels.jit import Float64Array, compiled, f8, f8_matrix, f8_vector


@compiled(types.void(f8_matrix, f8_matrix, f8_vector, f8_vector, f8_vector))
def advance(
    transition: Float64Array,
    drive: Float64Array,
    inputs: Float64Array,
    states: Float64Array,
    states_next: Float64Array,
) -> None:
    """Replace `states` by `transition @ states + drive @ inputs`.

    `states_next`, of the same shape (n_states,), is working space.
    """
    n_states = states.shape[0]
    for row in range(n_states):
        total = 0.0
        for column in range(n_states):
            total += transition[row, column] * states[column]
        for column in range(inputs.shape[0]):
            total += drive[row, column] * inputs[column]
        states_next[row] = total
    for row in range(n_states):
        states[row] = states_next[row]


@compiled(types.UniTuple(f8, 2)(f8_matrix, f8_matrix, f8_vector, f8_vector))
def read_out(
    readout: Float64Array,
    feedthrough: Float64Array,
    states: Float64Array,
    inputs: Float64Array,
) -> tuple[float, float]:
    """Return `readout @ states + feedthrough @ inputs`, two rows: real, imaginary."""
    re = 0.0
    im = 0.0
    for column in range(states.shape[0]):
        re += readout[0, column] * states[column]
        im += readout[1, column] * states[column]
    for column in range(inputs.shape[0]):
        re += feedthrough[0, column] * inputs[column]
        im += feedthrough[1, column] * inputs[column]
    return re, im
