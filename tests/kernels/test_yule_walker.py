import math

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from controller.kernels.yule_walker import yule_walker


def slow_fit(samples, order):
    """Twin: biased autocorrelation, and a dense solve of the normal equations."""
    n = samples.size
    lags = np.array([samples[: n - k] @ samples[k:] / n for k in range(order + 1)])
    newest_first = np.linalg.solve(scipy.linalg.toeplitz(lags[:order]), lags[1:])
    return newest_first[::-1], lags[0] - newest_first @ lags[1:]


def fit(samples, order, n=None):
    coefficients = np.full(order, 7.0)
    mean_square = yule_walker(
        samples, samples.size if n is None else n, coefficients, np.zeros(order + 1)
    )
    return coefficients, mean_square


@given(n=st.integers(20, 300), order=st.integers(1, 30), seed=st.integers(0, 2**32 - 1))
def test_it_is_the_dense_solve(n, order, seed):
    samples = np.random.default_rng(seed).normal(size=n + order)
    coefficients, mean_square = fit(samples, order)
    wanted, wanted_square = slow_fit(samples, order)
    np.testing.assert_allclose(coefficients, wanted, atol=1e-10)
    assert mean_square == pytest.approx(wanted_square, rel=1e-10)


def test_a_narrow_rhythm_gives_a_stable_model_of_its_frequency():
    sine = np.cos(0.25 * np.arange(180))
    coefficients, mean_square = fit(sine, 8)
    poles = np.roots(np.concatenate([[1.0], -coefficients[::-1]]))
    assert np.abs(poles).max() < 1.0
    strongest = poles[np.argmax(np.abs(poles))]
    assert abs(np.angle(strongest)) == pytest.approx(0.25, abs=0.02)
    assert 0.0 < mean_square < 0.5


def test_what_lies_behind_the_stretch_is_not_looked_at():
    samples = np.random.default_rng(0).normal(size=90)
    inside = fit(samples[:60].copy(), 10)
    samples[60:] = np.nan
    outside = fit(samples, 10, n=60)
    assert np.array_equal(inside[0], outside[0])


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_there_is_no_model_where_there_is_no_signal(bad):
    samples = np.zeros(50)
    samples[20] = bad
    coefficients, mean_square = fit(samples, 5)
    assert math.isnan(mean_square)
    assert not coefficients.any()
