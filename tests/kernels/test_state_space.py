import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.kernels.state_space import advance, read_out


@settings(max_examples=30)
@given(
    n_states=st.integers(1, 5), n_inputs=st.integers(1, 3), seed=st.integers(0, 10**9)
)
def test_steps_and_output_are_the_matrix_equations(n_states, n_inputs, seed):
    rng = np.random.default_rng(seed)
    transition = rng.normal(size=(n_states, n_states)) / n_states
    drive = rng.normal(size=(n_states, n_inputs))
    readout = rng.normal(size=n_states) + 1j * rng.normal(size=n_states)
    feed = rng.normal(size=n_inputs) + 1j * rng.normal(size=n_inputs)
    states, space, plain = np.zeros(n_states), np.zeros(n_states), np.zeros(n_states)
    for _ in range(20):
        inputs = rng.normal(size=n_inputs)
        advance(transition, drive, inputs, states, space)
        plain = transition @ plain + drive @ inputs
        np.testing.assert_allclose(states, plain, rtol=1e-11, atol=1e-12)
        re, im = read_out(
            np.stack([readout.real, readout.imag]),
            np.stack([feed.real, feed.imag]),
            states,
            inputs,
        )
        wanted = readout @ plain + feed @ inputs
        assert complex(re, im) == pytest.approx(wanted, rel=1e-10, abs=1e-11)


def test_every_new_state_comes_from_the_old_ones():
    states = np.array([1.0, 2.0])
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    advance(swap, np.zeros((2, 1)), np.zeros(1), states, np.zeros(2))
    assert states.tolist() == [2.0, 1.0]


def test_another_layout_is_refused():
    good = (np.eye(2), np.zeros((2, 1)), np.zeros(1), np.zeros(2), np.zeros(2))
    for place in range(5):
        wrong = list(good)
        wrong[place] = wrong[place].astype(np.float32)
        with pytest.raises(TypeError):
            advance(*wrong)
    with pytest.raises(TypeError):
        advance(np.eye(4)[::2, ::2], *good[1:])
    with pytest.raises(TypeError):
        read_out(np.zeros((2, 2), complex), np.zeros((2, 1)), np.zeros(2), np.zeros(1))
    assert len(advance.signatures) == len(read_out.signatures) == 1
