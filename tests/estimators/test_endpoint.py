import numpy as np
import pytest

from controller.estimators.base import Brief
from controller.estimators.endpoint import calibrated, response_at

BRIEF = Brief(sfreq_hz=250.0, frequency_hz=10.3, band_hz=(8.0, 12.0), horizon_s=0.013)


@pytest.fixture
def weights():
    rng = np.random.default_rng(3)
    taper = np.hanning(80) * np.exp(2j * np.pi * 9.0 * np.arange(80) / 250.0)
    return taper + 0.2 * (rng.standard_normal(80) + 1j * rng.standard_normal(80))


def answers(weights, phases):
    """Twin: what the filter says of a cosine at each phase, over the truth."""
    at_s = -np.arange(weights.size) / BRIEF.sfreq_hz
    turn = 2.0 * np.pi * BRIEF.frequency_hz
    windows = np.cos(turn * at_s + phases[:, np.newaxis])
    truth = np.exp(1j * (phases + turn * BRIEF.horizon_s))
    return windows @ weights, truth


@pytest.mark.parametrize("frequency_hz", [10.3, -10.3, 0.0])
def test_response_is_the_sum_over_a_rotation(weights, frequency_hz):
    at_s = -np.arange(weights.size) / 250.0
    twin = sum(
        weight * np.exp(2j * np.pi * frequency_hz * t)
        for weight, t in zip(weights, at_s, strict=True)
    )
    assert response_at(weights, frequency_hz, 250.0) == pytest.approx(twin)


def test_no_other_factor_is_closer_to_the_truth(weights):
    phases = np.arange(360) * 2.0 * np.pi / 360.0
    estimate, truth = answers(weights, phases)
    best = np.vdot(estimate, truth) / np.vdot(estimate, estimate)
    assert calibrated(weights, BRIEF) == pytest.approx(best * weights)


def test_the_mean_phase_error_of_a_cosine_is_nothing(weights):
    phases = np.arange(360) * 2.0 * np.pi / 360.0
    estimate, truth = answers(calibrated(weights, BRIEF), phases)
    assert abs(np.angle(np.mean(estimate / truth))) < 1e-12


def test_without_a_leak_the_cosine_is_exact():
    at = np.arange(100)  # four cycles of 10 Hz
    brief = Brief(sfreq_hz=250.0, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.0)
    weights = calibrated(7j * np.exp(2j * np.pi * 10.0 * at / 250.0), brief)
    assert weights @ np.cos(2 * np.pi * 10.0 * at / 250.0) == pytest.approx(1.0)
    assert weights @ np.sin(-2 * np.pi * 10.0 * at / 250.0) == pytest.approx(-1j)
