import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.kernels.autoregressive import backcast, burg, forecast


def slow_burg(samples, order):
    """Twin: reflection by reflection, newest coefficient first."""
    ahead, behind = samples[1:].copy(), samples[:-1].copy()
    newest_first = np.zeros(0)
    mean_square = np.mean(samples**2)
    for _ in range(order):
        energy = ahead @ ahead + behind @ behind
        reflection = 2.0 * (ahead @ behind) / energy
        newest_first = np.append(
            newest_first - reflection * newest_first[::-1], reflection
        )
        ahead, behind = (
            (ahead - reflection * behind)[1:],
            (behind - reflection * ahead)[:-1],
        )
        mean_square *= 1.0 - reflection**2
    return newest_first[::-1], mean_square


def fit(samples, order, first=0, n=None):
    n = samples.size - first if n is None else n
    coefficients = np.full(order, 7.0)
    work = np.zeros((2, samples.size))
    mean_square = burg(samples, first, n, coefficients, work[0], work[1])
    return coefficients, mean_square


@given(n=st.integers(4, 300), order=st.integers(1, 45), seed=st.integers(0, 2**32 - 1))
def test_burg_is_the_slow_recursion(n, order, seed):
    samples = np.random.default_rng(seed).normal(size=n + order).cumsum()
    samples -= samples.mean()
    coefficients, mean_square = fit(samples, order)
    wanted, wanted_square = slow_burg(samples, order)
    scale = 1.0 + np.abs(wanted).max()
    np.testing.assert_allclose(coefficients, wanted, atol=1e-7 * scale)
    assert mean_square == pytest.approx(wanted_square, rel=1e-7)


def test_burg_finds_the_process_that_made_the_series():
    rng = np.random.default_rng(5)
    made = np.zeros(20_000)
    for t in range(2, made.size):
        made[t] = 1.6 * made[t - 1] - 0.9 * made[t - 2] + rng.normal()
    coefficients, mean_square = fit(made, 2)
    np.testing.assert_allclose(coefficients, [-0.9, 1.6], atol=0.02)
    assert mean_square == pytest.approx(1.0, abs=0.03)


def test_burg_looks_at_its_stretch_alone():
    samples = np.random.default_rng(0).normal(size=120)
    inside, square = fit(samples[30:90].copy(), 10)
    spoilt = np.full(120, np.nan)
    spoilt[30:90] = samples[30:90]
    again, again_square = fit(spoilt, 10, first=30, n=60)
    assert np.array_equal(inside, again)
    assert square == again_square


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_burg_has_no_answer_where_there_is_no_signal(bad):
    samples = np.zeros(50)
    samples[20] = bad
    coefficients, mean_square = fit(samples, 5)
    assert math.isnan(mean_square)
    assert not coefficients.any()


@given(
    order=st.integers(1, 40), n_ahead=st.integers(0, 60), seed=st.integers(0, 2**32 - 1)
)
def test_forecast_and_backcast_are_the_recursion(order, n_ahead, seed):
    rng = np.random.default_rng(seed)
    coefficients = rng.normal(size=order) / order
    known = rng.normal(size=order + 3)
    series = np.concatenate([known, np.full(n_ahead, np.nan)])
    forecast(series, known.size, n_ahead, coefficients)
    slow = list(known)
    for _ in range(n_ahead):
        slow.append(
            sum(c * x for c, x in zip(coefficients, slow[-order:], strict=True))
        )
    np.testing.assert_allclose(series, slow, atol=1e-12)
    mirrored = np.concatenate([np.full(n_ahead, np.nan), known[::-1]])
    backcast(mirrored, n_ahead, coefficients)
    np.testing.assert_allclose(mirrored[::-1], series, atol=1e-12)


def test_the_model_of_a_sine_continues_it_both_ways():
    sine = np.sin(0.25 * np.arange(400) + 0.3)
    series = sine.copy()
    series[:100] = series[300:] = np.nan
    coefficients = np.array([-1.0, 2.0 * math.cos(0.25)])
    forecast(series, 300, 100, coefficients)
    backcast(series, 100, coefficients)
    np.testing.assert_allclose(series, sine, atol=1e-9)


@pytest.mark.parametrize("order", [2, 3, 20, 40])
@pytest.mark.parametrize("turn", [0.1, 0.2513, 1.0])
@pytest.mark.parametrize("n", [250, 500, 1000])
def test_a_pure_sine_leaves_a_model_that_stays_bounded(order, turn, n):
    """All is explained by order 2; what rounding leaves must not be fitted."""
    sine = np.sin(turn * np.arange(n) + 0.3)
    coefficients, mean_square = fit(sine, order)
    assert 0.0 < mean_square < 0.01
    series = np.concatenate([sine, np.full(300, np.nan)])
    forecast(series, n, 300, coefficients)
    assert np.abs(series).max() < 1.2
