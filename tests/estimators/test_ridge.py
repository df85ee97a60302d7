import dataclasses

import numpy as np
import pytest

from controller.core.records import Kernel
from controller.errors import ConfigError, RhythmTooWeak, SignalFault
from controller.estimators.align import compare
from controller.estimators.base import Brief
from controller.estimators.echt import EndpointCorrectedHilbert
from controller.estimators.offline import run_design
from controller.estimators.ridge import (
    PersonalRidge,
    fit_residual_ridge,
    truth_at_horizon,
)
from controller.kernels.circular import circular_mean, circular_sd

SFREQ_HZ = 125.0
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


@pytest.fixture
def rest(rhythm_in_noise):
    samples, _ = rhythm_in_noise(SFREQ_HZ, 10.0, 20.0)
    return samples[np.newaxis]


@pytest.fixture
def montage(pink):
    """Make a target of white complex noise in the band that only row 3 knows."""

    def make(seconds=70.0, *, n_rows=8, strength=1.0, sfreq_hz=SFREQ_HZ):
        n_samples = round(seconds * sfreq_hz)
        rows = np.array([pink(n_samples, seed=k) for k in range(n_rows)])
        brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz)
        target = strength * truth_at_horizon(brief, rows[3])
        own = truth_at_horizon(brief, pink(n_samples, seed=99))
        return brief, target + (1.0 - strength) * own, rows

    return make


def dense_ridge(brief, samples, n_taps, penalty):
    """Twin: a window for each sample and the textbook's formula."""
    truth = truth_at_horizon(brief, samples)
    known = [k for k in range(n_taps + 1, samples.size) if np.isfinite(truth[k])]
    windows = np.array([samples[k - n_taps + 1 : k + 1][::-1] for k in known])
    windows -= windows.mean(axis=1, keepdims=True)
    windows /= np.sqrt(np.mean(windows**2))
    size = penalty * np.mean(np.sum(windows**2, axis=0))
    inverse = np.linalg.inv(windows.T @ windows + size * np.eye(n_taps))
    return inverse @ windows.T @ truth[known]


def test_weights_are_those_of_the_dense_ridge_at_one_of_the_penalties(rest):
    fir = PersonalRidge().design(BRIEF, rest).fir[0]
    assert fir.size == 75
    apart = []
    for exponent in np.arange(-6.0, 0.5, 0.5):
        dense = dense_ridge(BRIEF, rest[0], 75, 10.0**exponent)
        dense -= dense.mean()
        # Bias and amplitude are set right afterwards, by one factor.
        dense *= np.vdot(dense, fir) / np.vdot(dense, dense)
        apart.append(np.abs(dense - fir).max() / np.abs(fir).max())
    assert min(apart) < 1e-9
    assert np.sum(np.array(apart) < 1e-3) == 1


def test_bias_is_gone_and_the_design_is_declared(rest):
    design = PersonalRidge().design(BRIEF, rest)
    assert design.kernel is Kernel.FIR
    assert design.warm_up_s == 0.6
    assert design.fir.flags.c_contiguous
    sides = compare(design, rest)
    assert circular_mean(sides.error_rad) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 1000.0, 5000.0])
def test_it_beats_echt_at_every_rate_where_the_phase_is_known(
    rhythm_in_noise, sfreq_hz
):
    brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz)
    rest, _ = rhythm_in_noise(sfreq_hz, 10.0, 30.0)
    later, analytic = rhythm_in_noise(sfreq_hz, 10.0, 20.0, seed=9)
    expected = analytic * np.exp(2j * np.pi * 10.0 * brief.horizon_s)
    spread = []
    for designer in (PersonalRidge(), EndpointCorrectedHilbert()):
        design = designer.design(brief, rest[np.newaxis])
        assert np.abs(design.fir.sum()) < 1e-12
        estimate = run_design(design, later[np.newaxis])
        error = np.angle(estimate * expected.conj())[round(sfreq_hz) :]
        spread.append(circular_sd(error))
    assert spread[0] < 0.95 * spread[1]


def test_short_missing_flat_or_broken_rest_is_refused(rest):
    with pytest.raises(ConfigError, match="ridge"):
        PersonalRidge().design(BRIEF, None)
    with pytest.raises(ConfigError, match="one virtual channel"):
        PersonalRidge().design(BRIEF, np.vstack((rest, rest)))
    with pytest.raises(RhythmTooWeak, match="at least 15 s"):
        PersonalRidge().design(BRIEF, rest[:, :1800])
    with pytest.raises(SignalFault, match="flat"):
        PersonalRidge().design(BRIEF, np.full((1, 2500), 4000.1))
    rest[0, 77] = np.nan
    with pytest.raises(SignalFault, match="sample 77"):
        PersonalRidge().design(BRIEF, rest)


def test_residual_weights_find_the_channel_that_knows(montage):
    brief, target, rows = montage()
    weights = fit_residual_ridge(brief, target, rows)
    assert weights.shape[0] == 8
    assert 0.25 <= weights.shape[1] / SFREQ_HZ <= 0.35
    norms = np.linalg.norm(weights, axis=1)
    assert np.argmax(norms) == 3
    assert norms[3] > 3.0 * np.delete(norms, 3).max()
    assert np.abs(weights.sum(axis=1)).max() < 1e-14


@pytest.mark.parametrize(
    "sfreq_hz",
    [128.0, 500.0, pytest.param(5000.0, marks=pytest.mark.slow)],
)
def test_residual_weights_explain_later_samples_at_every_rate(montage, sfreq_hz):
    brief, target, rows = montage(90.0, sfreq_hz=sfreq_hz)
    half = round(65.0 * sfreq_hz)
    weights = fit_residual_ridge(brief, target[:half], rows[:, :half])
    explained = sum(
        np.convolve(row, row_weights)[: row.size]
        for row, row_weights in zip(rows, weights, strict=True)
    )
    later = slice(half + round(sfreq_hz), target.size - round(2.0 * sfreq_hz))
    left = target[later] - explained[later]
    assert np.mean(np.abs(left) ** 2) < 0.7 * np.mean(np.abs(target[later]) ** 2)


def test_nothing_is_fitted_where_no_channel_knows_anything(montage):
    brief, target, rows = montage(strength=0.0)
    assert fit_residual_ridge(brief, target, rows) is None


def test_little_rest_or_few_channels_are_not_tried(montage):
    brief, target, rows = montage(60.0)
    assert fit_residual_ridge(brief, target, rows) is not None
    assert fit_residual_ridge(brief, target[:7000], rows[:, :7000]) is None
    assert fit_residual_ridge(brief, target, rows[:7]) is None
    assert fit_residual_ridge(brief, target, rows[:7], minimum_rows=7) is not None


def test_a_flat_channel_gets_no_weight_and_an_offset_changes_nothing(montage):
    brief, target, rows = montage()
    rows[5] = 123.4
    weights = fit_residual_ridge(brief, target, rows)
    assert not weights[5].any()
    other = fit_residual_ridge(brief, target, rows + 4000.0)
    assert np.abs(other - weights).max() < 1e-6 * np.abs(weights).max()


def test_unit_of_a_channel_does_not_matter(montage):
    brief, target, rows = montage()
    weights = fit_residual_ridge(brief, target, rows)
    unit = 10.0 ** np.arange(-4.0, 4.0)[:, np.newaxis]
    other = fit_residual_ridge(brief, target, unit * rows)
    assert unit * other == pytest.approx(weights, abs=1e-9 * np.abs(weights).max())


def test_samples_without_a_target_are_left_out(montage):
    brief, target, rows = montage(80.0)
    target[2000:3000] = np.nan
    assert np.isfinite(fit_residual_ridge(brief, target, rows)).all()
