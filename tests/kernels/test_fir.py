import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.kernels.fir import complex_dot


@given(rows=st.integers(1, 4), taps=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_complex_dot_is_the_sum_over_rows_and_taps(rows, taps, seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(rows, taps)) + 1j * rng.normal(size=(rows, taps))
    ring = rng.normal(size=(rows, 2 * taps))
    for start in {0, taps // 2, taps}:
        wanted = sum(
            complex(weights[row, k]) * float(ring[row, start + k])
            for row in range(rows)
            for k in range(taps)
        )
        re, im = complex_dot(weights.real.copy(), weights.imag.copy(), ring, start)
        # Reordered sums of some hundred terms of size one.
        assert complex(re, im) == pytest.approx(wanted, abs=1e-11)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_bad_sample_in_the_window_shows(bad):
    ring = np.ones((1, 8))
    ring[0, 5] = bad
    inside = complex_dot(np.ones((1, 4)), np.ones((1, 4)), ring, 2)
    outside = complex_dot(np.ones((1, 4)), np.ones((1, 4)), ring, 1)
    assert not np.isfinite(inside).any()
    assert outside == (4.0, 4.0)


def test_the_same_window_gives_the_same_bits():
    rng = np.random.default_rng(1)
    weights, samples = rng.normal(size=(2, 3, 257)), rng.normal(size=(3, 257))
    ring = np.zeros((3, 514))
    answers = set()
    for start in range(258):
        ring[:, start : start + 257] = samples
        answers.add(complex_dot(weights[0].copy(), weights[1].copy(), ring, start))
    assert len(answers) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        np.ones((2, 4), np.float32),
        np.ones((2, 8))[:, ::2],
        np.ones((4, 2)).T,
        np.ones(4),
        np.ones((2, 4), complex),
    ],
    ids=["float32", "strided", "transposed", "vector", "complex"],
)
def test_another_layout_is_refused_and_compiles_nothing(wrong):
    with pytest.raises(TypeError):
        complex_dot(wrong, np.ones((2, 4)), np.ones((2, 8)), 0)
    with pytest.raises(TypeError):
        complex_dot(np.ones((2, 4)), wrong, np.ones((2, 8)), 0)
    assert len(complex_dot.signatures) == 1
