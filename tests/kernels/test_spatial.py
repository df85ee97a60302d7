import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.kernels.spatial import mix


@given(
    n_virtual=st.integers(1, 3),
    n_channels=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_mix_is_the_matrix_product(n_virtual, n_channels, seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(n_virtual, n_channels))
    weights[:, rng.random(n_channels) < 0.4] = 0.0
    used = np.flatnonzero(weights.any(axis=0)).astype(np.int64)
    raw = rng.normal(size=n_channels).astype(np.float32)
    mixed = np.full(n_virtual, 99.0)
    mix(weights, used, raw, mixed)
    for row in range(n_virtual):
        wanted = math.fsum(
            float(weights[row, c]) * float(raw[c]) for c in range(n_channels)
        )
        assert mixed[row] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_broken_channel_outside_the_montage_does_not_reach_it(bad):
    weights = np.array([[0.5, 0.0, -0.5]])
    mixed = np.zeros(1)
    mix(weights, np.array([0, 2]), np.array([3, bad, 1], np.float32), mixed)
    assert mixed[0] == 1.0


def test_a_broken_channel_of_the_montage_shows():
    mixed = np.zeros(1)
    raw = np.array([3, np.nan], np.float32)
    mix(np.array([[0.5, 0.5]]), np.array([0, 1]), raw, mixed)
    assert math.isnan(mixed[0])


def test_no_channels_give_zero():
    mixed = np.full(1, 7.0)
    mix(np.zeros((1, 2)), np.zeros(0, np.int64), np.ones(2, np.float32), mixed)
    assert mixed[0] == 0.0


@pytest.mark.parametrize(
    "raw", [np.ones(2), np.ones(4, np.float32)[::2], np.ones((1, 2), np.float32)]
)
def test_another_layout_is_refused(raw):
    with pytest.raises(TypeError):
        mix(np.ones((1, 2)), np.array([0, 1]), raw, np.zeros(1))
    assert len(mix.signatures) == 1
