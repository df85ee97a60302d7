import dataclasses

import numpy as np
import pytest
import scipy.signal

from controller.core.records import Kernel
from controller.errors import ConfigError, RhythmTooWeak, SignalFault
from controller.estimators.align import compare
from controller.estimators.base import Brief
from controller.estimators.cfir import ComplexFir, WeightedComplexFir, ideal_weights
from controller.estimators.offline import run_design
from controller.kernels.circular import circular_mean, circular_sd

SFREQ_HZ = 250.0
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


@pytest.fixture
def rest(rhythm_in_noise):
    samples, _ = rhythm_in_noise(SFREQ_HZ, 10.0, 30.0)
    return samples[np.newaxis]


def dense_least_squares(brief, n_taps, weight, n_lines):
    """Twin: a row for each frequency of the circle, the ideal beside it."""
    lines_hz = (np.arange(n_lines) + 0.5) / n_lines * brief.sfreq_hz
    lines_hz[lines_hz > brief.sfreq_hz / 2.0] -= brief.sfreq_hz
    low_hz, high_hz = brief.band_hz
    ideal = np.where((lines_hz > low_hz) & (lines_hz < high_hz), 2.0 + 0.0j, 0.0)
    ideal *= np.exp(2j * np.pi * lines_hz * brief.horizon_s)
    lags_s = np.arange(n_taps) / brief.sfreq_hz
    rows = np.exp(-2j * np.pi * lines_hz[:, np.newaxis] * lags_s)
    root = np.sqrt(weight(np.abs(lines_hz)))
    # A heavy row more keeps the answer at 0 Hz at nothing.
    rows = np.vstack((root[:, np.newaxis] * rows, 1e6 * root.max() * np.ones(n_taps)))
    return np.linalg.lstsq(rows, np.append(root * ideal, 0.0))[0]


@pytest.mark.parametrize("horizon_s", [0.0, 0.01, 0.2])
def test_ideal_weights_are_those_of_the_dense_fit(horizon_s):
    brief = dataclasses.replace(BRIEF, sfreq_hz=128.0, horizon_s=horizon_s)
    weights = ideal_weights(brief, 64)
    slow = dense_least_squares(brief, 64, np.ones_like, 12_800)
    assert np.abs(weights - weights.mean() - slow).max() < 1e-3 * np.abs(slow).max()


@pytest.mark.slow
def test_weighted_weights_are_those_of_the_dense_fit(rest):
    brief = dataclasses.replace(BRIEF, frequency_hz=9.9)
    lines_hz, power = scipy.signal.welch(rest[0], SFREQ_HZ, nperseg=1000, noverlap=750)
    in_band = (lines_hz >= 8.0) & (lines_hz <= 12.0)

    def weight(frequencies_hz):
        density = np.interp(frequencies_hz, lines_hz[1:], power[1:])
        return density + 1e-3 * power[in_band].max()

    fast = WeightedComplexFir().design(brief, rest).fir[0]
    slow = dense_least_squares(brief, fast.size, weight, 2000)
    # The design's bias and amplitude are set right afterwards, by one factor.
    factor = np.vdot(slow, fast) / np.vdot(slow, slow)
    assert np.abs(fast - factor * slow).max() < 0.02 * np.abs(fast).max()
    assert abs(np.angle(factor)) < 0.3


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
@pytest.mark.parametrize("horizon_s", [0.0, 0.03])
def test_a_cosine_comes_out_at_the_horizon(sfreq_hz, horizon_s):
    brief = dataclasses.replace(
        BRIEF, sfreq_hz=sfreq_hz, frequency_hz=9.4, horizon_s=horizon_s
    )
    at_s = np.arange(round(2 * sfreq_hz)) / sfreq_hz
    cosine = np.cos(2 * np.pi * 9.4 * at_s)[np.newaxis]
    ratio = run_design(ComplexFir().design(brief), cosine) / np.exp(
        2j * np.pi * 9.4 * (at_s + horizon_s)
    )
    settled = ratio[round(sfreq_hz) :]
    assert abs(np.angle(settled)).max() < np.radians(10.0)
    assert np.abs(settled.mean() - 1.0) < 0.03


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
def test_weights_sum_to_nothing(rhythm_in_noise, sfreq_hz):
    brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz)
    rest = rhythm_in_noise(sfreq_hz, 10.0, 15.0)[0][np.newaxis]
    for designer in (ComplexFir(), WeightedComplexFir()):
        fir = designer.design(brief, rest).fir
        assert abs(fir.sum()) < 1e-12 * np.abs(fir).sum()


def test_windows_are_half_a_second_and_one_at_10_hz(rest):
    for designer, n_taps in ((ComplexFir(), 125), (WeightedComplexFir(), 250)):
        design = designer.design(BRIEF, rest)
        assert design.kernel is Kernel.FIR
        assert design.fir.shape == (1, n_taps)
        assert design.fir.flags.c_contiguous
        assert design.warm_up_s == n_taps / SFREQ_HZ


def test_the_weighted_filter_has_no_bias_on_its_rest(rest):
    sides = compare(WeightedComplexFir().design(BRIEF, rest), rest)
    assert circular_mean(sides.error_rad) == pytest.approx(0.0, abs=1e-9)


def test_weighting_pays_where_the_phase_is_known(rhythm_in_noise, rest):
    later, analytic = rhythm_in_noise(SFREQ_HZ, 10.0, 30.0, seed=9)
    expected = analytic * np.exp(2j * np.pi * 10.0 * BRIEF.horizon_s)
    spread = []
    for designer in (WeightedComplexFir(), ComplexFir()):
        estimate = run_design(designer.design(BRIEF, rest), later[np.newaxis])
        spread.append(circular_sd(np.angle(estimate * expected.conj())[250:]))
    assert spread[0] < spread[1]


def test_the_slowest_rate_for_a_rhythm_still_holds_a_window():
    brief = Brief(sfreq_hz=2.1, frequency_hz=1.04, band_hz=(0.2, 1.045), horizon_s=0.0)
    assert ComplexFir().design(brief).fir.shape == (1, 10)


def test_missing_short_or_broken_rest_is_refused(rest):
    with pytest.raises(ConfigError, match="wcfir"):
        WeightedComplexFir().design(BRIEF, None)
    with pytest.raises(RhythmTooWeak, match="wcfir needs at least 15 s"):
        WeightedComplexFir().design(BRIEF, rest[:, :3000])
    with pytest.raises(SignalFault, match="flat"):
        WeightedComplexFir().design(BRIEF, np.zeros((1, 5000)))
