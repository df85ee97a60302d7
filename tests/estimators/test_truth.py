import numpy as np
import pytest
import scipy.signal

from controller.errors import ConfigError, SignalFault
from controller.estimators.truth import (
    advance,
    analytic_truth,
    truth_filter,
)


def slow_truth(samples, sfreq_hz, band_hz):
    """Twin: scipy's own forward-backward filter, then the Hilbert transform."""
    taps = truth_filter(sfreq_hz, band_hz)
    filtered = scipy.signal.filtfilt(taps, [1.0], samples, padlen=samples.size - 1)
    return scipy.signal.hilbert(filtered)


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 512.0, 1000.0])
def test_truth_is_filtfilt_and_hilbert_away_from_the_edges(pink, sfreq_hz):
    samples = 10.0 * pink(round(20 * sfreq_hz))
    fast = analytic_truth(samples, sfreq_hz, (8.0, 12.0))
    slow = slow_truth(samples, sfreq_hz, (8.0, 12.0))
    inside = slice(round(2 * 1.0 * sfreq_hz), -round(2 * 1.0 * sfreq_hz))
    scale = np.abs(slow).max()
    # The two continue the Hilbert transform differently beyond the ends.
    assert np.abs(fast - slow)[inside].max() < 5e-3 * scale
    assert np.abs(fast.real - slow.real).max() < 1e-9 * scale


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 1000.0, 5000.0])
def test_phase_of_a_cosine_is_zero_at_its_peaks(sfreq_hz):
    at = np.arange(round(10 * sfreq_hz)) / sfreq_hz
    truth = analytic_truth(3.0 * np.cos(2 * np.pi * 10.0 * at), sfreq_hz, (8.0, 12.0))
    inside = (at > 1.0) & (at < 10.0 - 1.0)
    expected = 3.0 * np.exp(2j * np.pi * 10.0 * at)
    assert np.abs(truth - expected)[inside].max() < 0.03


def test_other_bands_and_drift_are_left_out():
    at = np.arange(2500) / 250.0
    outside = 20_000.0 + 20.0 * at + np.cos(2 * np.pi * 20.0 * at)
    truth = analytic_truth(outside, 250.0, (8.0, 12.0))
    # 20 mV of offset leave less than a hundredth of a microvolt.
    assert np.abs(truth)[500:-500].max() < 1e-2


def test_truth_filter_is_symmetric_of_one_second():
    taps = truth_filter(250.0, (8.0, 12.0))
    assert taps.size == 251
    assert taps == pytest.approx(taps[::-1])


def test_shortest_recording_passes_and_one_sample_less_does_not():
    assert analytic_truth(np.ones(500), 250.0, (8.0, 12.0)).shape == (500,)
    with pytest.raises(SignalFault, match="at least 2 s"):
        analytic_truth(np.ones(499), 250.0, (8.0, 12.0))


def test_nan_is_refused():
    samples = np.ones(1000)
    samples[3] = np.nan
    with pytest.raises(SignalFault, match="sample 3"):
        analytic_truth(samples, 250.0, (8.0, 12.0))


@pytest.mark.parametrize(
    "band_hz", [(0.0, 12.0), (12.0, 8.0), (8.0, 125.0), (np.nan, 12.0)]
)
def test_impossible_bands_are_refused(band_hz):
    with pytest.raises(ConfigError, match="choose another band"):
        analytic_truth(np.ones(1000), 250.0, band_hz)


@pytest.mark.parametrize("horizon_s", [0.0, 0.004, 0.01, 0.0137])
def test_advance_turns_a_rhythm_to_the_horizon(horizon_s):
    at = np.arange(1000) / 250.0
    # 10.5 Hz, waxing, carried at a nominal 10 Hz.
    now = (1.0 + at) * np.exp(2j * np.pi * 10.5 * at)
    later = advance(now, 250.0, 10.0, horizon_s)
    then = at + horizon_s
    expected = (1.0 + then) * np.exp(2j * np.pi * 10.5 * then)
    known = ~np.isnan(later)
    # Linear between samples: the half hertz turns by 12.6 mrad from sample to sample.
    assert np.abs(later / expected - 1.0)[known].max() < 1e-4
    assert np.count_nonzero(~known) == np.ceil(horizon_s * 250.0)
