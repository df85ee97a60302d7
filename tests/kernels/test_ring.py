import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.kernels.ring import push


@given(
    n_window=st.integers(1, 9),
    samples=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40),
)
def test_window_holds_the_newest_samples_oldest_first(n_window, samples):
    ring = np.zeros((2, 2 * n_window))
    at = 0
    history = [0.0] * n_window
    for sample in samples:
        at = push(ring, at, np.array([sample, -sample]))
        history = [*history[1:], sample]
        assert 0 <= at < n_window
        assert ring[0, at : at + n_window].tolist() == history
        assert ring[1, at : at + n_window].tolist() == [-value for value in history]


@pytest.mark.parametrize(
    ("ring", "values"),
    [
        (np.zeros((1, 8), np.float32), np.zeros(1)),
        (np.zeros((1, 8)), np.zeros(1, np.float32)),
        (np.zeros((2, 16))[:, ::2], np.zeros(2)),
        (np.zeros((2, 8)), np.zeros(4)[::2]),
        (np.zeros(8), np.zeros(1)),
    ],
)
def test_another_layout_is_refused(ring, values):
    with pytest.raises(TypeError):
        push(ring, 0, values)
    assert len(push.signatures) == 1
