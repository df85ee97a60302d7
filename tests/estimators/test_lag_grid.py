import numpy as np
import pytest

from controller.estimators.base import Brief
from controller.estimators.lag_grid import LagGrid, expanded, lag_grid, lagged


def brief_at(sfreq_hz):
    return Brief(
        sfreq_hz=sfreq_hz, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.0
    )


@pytest.mark.parametrize("step", [1, 2, 3, 20])
@pytest.mark.parametrize("n_rows", [1, 3])
def test_taps_answer_what_the_weights_on_the_grid_answer(step, n_rows):
    """Twin: the regression's own features, at every grid point of a recording."""
    grid = LagGrid(step=step, n_lags=7)
    rng = np.random.default_rng(step)
    weights = rng.standard_normal((n_rows, 7)) + 1j * rng.standard_normal((n_rows, 7))
    weights -= weights.mean(axis=1, keepdims=True)
    rows = rng.standard_normal((n_rows, 40 * step + 5))
    at = np.arange(8, 40)
    by_features = np.einsum("nrl,rl->n", lagged(rows, grid, at), weights)
    taps = expanded(weights, grid)
    assert taps.shape == (n_rows, 7 * step)
    for point, answer in zip(at, by_features, strict=True):
        newest = point * step
        window = rows[:, newest - taps.shape[1] + 1 : newest + 1][:, ::-1]
        assert np.sum(taps * window) == pytest.approx(answer, abs=1e-12)


@pytest.mark.parametrize("step", [1, 2, 20])
def test_taps_are_piecewise_linear_between_the_corners(step):
    grid = LagGrid(step=step, n_lags=5)
    weights = np.array([[2.0, -1.0, 0.5, 0.5, -2.0]], dtype=np.complex128)
    taps = expanded(weights, grid)[0].real
    corners = weights[0].real / step
    # Half a triangle is as heavy as a whole one.
    corners[0] = weights[0, 0].real * 2.0 / (step + 1)
    expected = np.interp(
        np.arange(5 * step), np.arange(6) * step, np.append(corners, 0.0)
    )
    # The first corner's own fall and the second's rise do not meet at one slope.
    assert taps == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("step", [2, 4, 20])
def test_what_the_grid_would_alias_into_the_band_is_not_seen(step):
    """A rotation at the grid's rate looks like a constant to bare grid points."""
    grid = LagGrid(step=step, n_lags=30)
    weights = np.exp(2j * np.pi * np.arange(30) / 15.0)[np.newaxis]
    weights[:, 0] = 0.0
    weights -= weights[:, 1:].mean()
    weights[:, 0] = 0.0
    taps = expanded(weights, grid)[0]
    at = np.arange(taps.size)
    in_band = np.abs(taps @ np.exp(-2j * np.pi * at / 15.0 / step))
    alias = np.abs(taps @ np.exp(-2j * np.pi * at * (1.0 / 15.0 + 1.0) / step))
    assert alias < 0.02 * in_band


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
def test_the_grid_is_as_fine_as_asked_and_spans_the_same_time(sfreq_hz):
    grid = lag_grid(brief_at(sfreq_hz), 6.0, 25.0)
    assert grid.n_taps / sfreq_hz == pytest.approx(0.6, abs=0.5 * grid.step / sfreq_hz)
    assert sfreq_hz / grid.step >= min(sfreq_hz, 250.0)
    assert grid.n_lags <= 150


def test_each_row_sums_to_nothing_even_if_the_weights_do_not_quite():
    weights = np.ones((2, 4)) * (1.0 + 1e-12j)
    weights[:, 0] = -3.0
    taps = expanded(weights, LagGrid(step=6, n_lags=4))
    assert np.abs(taps.sum(axis=1)).max() < 1e-15
