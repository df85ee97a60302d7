import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from controller.kernels.band_window import end_amplitude, extend, filter_window

TAPS = scipy.signal.firwin(25, (8.0, 12.0), pass_zero=False, fs=250.0)


def filtered(window, taps, n_trim=0):
    """Filter a window forwards and backwards as the local parts do."""
    both = np.convolve(taps, taps)
    n_edge = both.size // 2
    padded = np.full(window.size + 2 * n_edge, np.nan)
    padded[n_edge : n_edge + window.size] = window
    extend(padded, n_edge, window.size)
    n_kept = window.size - 2 * n_trim
    out = np.full(n_kept, np.nan)
    filter_window(padded[n_trim:], both, n_kept, out)
    return out


@given(n=st.integers(80, 300), seed=st.integers(0, 2**32 - 1))
def test_it_is_filtfilt(n, seed):
    window = np.random.default_rng(seed).normal(size=n).cumsum()
    wanted = scipy.signal.filtfilt(TAPS, 1.0, window)
    np.testing.assert_allclose(filtered(window, TAPS), wanted, atol=1e-10)


def test_a_trimmed_window_is_the_middle_of_the_whole():
    window = np.random.default_rng(1).normal(size=180)
    whole = filtered(window, TAPS)
    for n_trim in (1, 16, 60):
        assert np.array_equal(filtered(window, TAPS, n_trim), whole[n_trim:-n_trim])


def test_a_window_just_longer_than_the_filters_reach_is_enough():
    window = np.random.default_rng(1).normal(size=25)
    assert np.isfinite(filtered(window, TAPS)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_bad_sample_shows_as_far_as_the_filter_reaches(bad):
    window = np.ones(180)
    window[90] = bad
    assert not np.isfinite(filtered(window, TAPS)[90 - 24 : 90 + 25]).any()


@pytest.mark.parametrize("phase", [0.0, 0.4, 2.0])
def test_the_amplitude_of_a_cosine_is_its_own_at_any_phase(phase):
    series = np.full(120, 99.0)
    series[:100] = 7.0 * np.cos(2.0 * np.pi * np.arange(100) / 25.0 + phase)
    series[:75] = -99.0
    assert end_amplitude(series, 100, 25) == pytest.approx(7.0, rel=1e-12)
