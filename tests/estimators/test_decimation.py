import math

import numpy as np
import pytest
import scipy.signal

from controller.estimators.base import Brief, Decimation
from controller.estimators.decimation import (
    alias_db,
    decimation_for,
    filling_s,
    forecast_row,
    gain_at,
    order_at,
    rate_of,
    steps_ahead,
)
from controller.estimators.truth import analytic_truth

RATES = {
    128.0: 1,
    160.0: 1,
    200.0: 1,
    250.0: 1,
    499.0: 2,
    499.95: 2,
    500.0: 2,
    512.0: 2,
    1000.0: 4,
    1024.0: 4,
    2048.0: 8,
    5000.0: 20,
}


def brief_at(sfreq_hz, horizon_s=0.01, frequency_hz=10.0):
    return Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - 2.0, frequency_hz + 2.0),
        horizon_s=horizon_s,
    )


@pytest.mark.parametrize(("sfreq_hz", "factor"), RATES.items())
def test_the_rate_is_about_250_hz(sfreq_hz, factor):
    assert decimation_for(sfreq_hz, 12.0).factor == factor


def test_a_fast_rhythm_keeps_a_higher_rate():
    assert decimation_for(1000.0, 40.0).factor == 3
    assert decimation_for(1000.0, 100.0).factor == 1


@pytest.mark.parametrize("sfreq_hz", RATES)
@pytest.mark.parametrize("highest_hz", [7.5, 12.0, 15.0, 30.0])
def test_what_folds_into_the_band_is_held_down_by_50_db(sfreq_hz, highest_hz):
    decimation = decimation_for(sfreq_hz, highest_hz)
    rate_hz = sfreq_hz / decimation.factor
    every_hz = np.linspace(rate_hz / 2.0, sfreq_hz / 2.0, 20_001)
    folded_hz = np.abs(every_hz - rate_hz * np.round(every_hz / rate_hz))
    # Above half the rate only: what lies in the band itself stays.
    folding = (every_hz > rate_hz / 2.0) & (folded_hz <= highest_hz)
    if decimation.factor == 1:
        assert decimation.taps.tolist() == [1.0]
        return
    _, response = scipy.signal.freqz(
        decimation.taps, worN=every_hz[folding], fs=sfreq_hz
    )
    assert 20.0 * np.log10(np.abs(response).max()) <= -50.0


def test_no_running_mean_is_spent_in_vain():
    decimation = decimation_for(1000.0, 12.0)
    triangle = np.convolve(np.ones(4), np.ones(4)) / 16.0
    np.testing.assert_allclose(decimation.taps, triangle)
    single = Decimation(factor=4, taps=np.full(4, 0.25))
    assert alias_db(single, 1000.0, 12.0) > -50.0


@pytest.mark.parametrize("sfreq_hz", RATES)
def test_a_constant_passes_whole_and_the_delay_is_the_filters(sfreq_hz):
    decimation = decimation_for(sfreq_hz, 12.0)
    assert gain_at(decimation, sfreq_hz, 0.0) == pytest.approx(1.0)
    _, response = scipy.signal.freqz(decimation.taps, worN=[10.0], fs=sfreq_hz)
    turn = 2.0 * np.pi * 10.0 / sfreq_hz * decimation.delay_samples
    gain = gain_at(decimation, sfreq_hz, 10.0)
    assert response[0] == pytest.approx(gain * np.exp(-1j * turn))


def test_steps_to_the_horizon_count_the_delay():
    triangle = Decimation(factor=2, taps=np.array([0.25, 0.5, 0.25]))
    assert steps_ahead(brief_at(500.0), triangle) == pytest.approx(3.0)
    plain = Decimation(factor=1, taps=np.ones(1))
    assert steps_ahead(brief_at(250.0, horizon_s=0.0), plain) == 0.0


def test_filling_takes_the_low_pass_first():
    triangle = Decimation(factor=2, taps=np.array([0.25, 0.5, 0.25]))
    assert filling_s(brief_at(500.0), triangle, 1) == pytest.approx(3 / 500)
    assert filling_s(brief_at(500.0), triangle, 250) == pytest.approx(501 / 500)


def test_orders_look_as_far_back_at_higher_rates():
    assert [order_at(rate, 20) for rate in (128.0, 250.0, 320.0)] == [20, 20, 26]


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
@pytest.mark.parametrize("horizon_s", [0.0, 0.0123])
def test_a_full_row_is_the_truths_own_answer(sfreq_hz, horizon_s):
    """On a sum of rhythms, with the true future in place of the forecast."""
    brief = brief_at(sfreq_hz, horizon_s)
    decimation = decimation_for(sfreq_hz, 12.0)
    rate_hz = rate_of(brief, decimation)
    n_side = math.ceil(1.1 * rate_hz)
    row = forecast_row(brief, decimation, n_back=0, n_data=n_side, n_ahead=n_side)
    parts = [(9.0, 8.0, 0.3), (10.3, 5.0, 2.0), (11.4, 2.0, 4.0), (25.0, 9.0, 1.0)]
    at = np.arange(round(6.0 * sfreq_hz)) / sfreq_hz
    samples = sum(a * np.cos(2 * np.pi * f * at + p) for f, a, p in parts)
    smooth = np.convolve(samples, decimation.taps)
    newest = round(3.0 * sfreq_hz)
    places = newest + decimation.factor * np.arange(1 - n_side, n_side + 1)
    # Filtering beside the sum of cosines: those of the band, at the horizon.
    exact = analytic_truth(samples, sfreq_hz, brief.band_hz)
    slow = exact * np.exp(-2j * np.pi * 10.0 * at)
    t_later = at[newest] + horizon_s
    wanted = complex(
        np.interp(t_later, at, slow.real), np.interp(t_later, at, slow.imag)
    ) * np.exp(2j * np.pi * 10.0 * t_later)
    # The truth's filter is designed anew at the lower rate.
    assert abs(row @ smooth[places] - wanted) < 0.05


@pytest.mark.parametrize("shape", [(0, 250, 253), (100, 150, 100), (0, 60, 20)])
def test_a_constant_weighs_nothing_however_short_the_row(shape):
    n_back, n_data, n_ahead = shape
    brief = brief_at(250.0)
    row = forecast_row(
        brief,
        decimation_for(250.0, 12.0),
        n_back=n_back,
        n_data=n_data,
        n_ahead=n_ahead,
    )
    assert row.shape == (sum(shape),)
    assert abs(row.sum()) < 1e-12


def test_rows_of_other_splits_are_the_same_weights_elsewhere():
    brief, decimation = brief_at(500.0), decimation_for(500.0, 12.0)
    whole = forecast_row(brief, decimation, n_back=0, n_data=300, n_ahead=300)
    split = forecast_row(brief, decimation, n_back=120, n_data=180, n_ahead=300)
    np.testing.assert_allclose(whole, split, atol=1e-15)
