import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from controller.kernels.peak_timing import continued, last_peak


def slow_last_peak(series):
    """Twin: every peak, the last positive one, and a parabola fitted to three."""
    places, _ = scipy.signal.find_peaks(series, height=1e-300)
    if places.size == 0:
        return math.nan
    at = places[-1]
    square, slope, _ = np.polyfit([-1.0, 0.0, 1.0], series[at - 1 : at + 2], 2)
    return at - slope / (2.0 * square)


@given(n=st.integers(0, 60), seed=st.integers(0, 2**32 - 1))
def test_it_is_the_last_of_all_peaks(n, seed):
    series = np.random.default_rng(seed).normal(size=n)
    wanted = slow_last_peak(series)
    assert last_peak(series, n) == pytest.approx(wanted, abs=1e-9, nan_ok=True)


@given(place=st.floats(55.0, 74.0))
def test_a_cosines_peak_is_found_between_the_samples(place):
    series = np.cos(2.0 * np.pi * (np.arange(80) - place) / 25.0)
    # A parabola is not a cosine: a hundredth of a sample is left.
    assert last_peak(series, 80) == pytest.approx(place, abs=0.01)


@pytest.mark.parametrize(
    "series",
    [
        np.zeros(10),
        np.arange(10.0),
        -np.arange(10.0),
        np.array([-3.0, -1.0, -3.0]),
        np.full(10, np.nan),
        np.ones(2),
    ],
    ids=["zeros", "rising", "falling", "below zero", "nan", "two samples"],
)
def test_without_a_positive_peak_there_is_none(series):
    assert math.isnan(last_peak(series, series.size))


def test_entries_behind_the_end_do_not_count():
    series = np.array([0.0, 2.0, 0.0, 5.0, 0.0])
    assert last_peak(series, 5) == 3.0
    assert last_peak(series, 4) == 1.0


def test_phase_is_zero_at_the_peak_and_a_turn_later():
    assert continued(8.0, 0.0, 25.0) == (8.0, 0.0)
    for since, phase in ((25.0, 0.0), (6.25, 0.5 * math.pi), (12.5, math.pi)):
        re, im = continued(8.0, since, 25.0)
        away = complex(re, im) - 8.0 * np.exp(1j * phase)
        assert abs(away) < 1e-12


def test_no_peak_gives_no_phase():
    assert all(map(math.isnan, continued(1.0, math.nan, 25.0)))
