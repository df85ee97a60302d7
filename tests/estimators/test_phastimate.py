import dataclasses

import numpy as np
import pytest
import scipy.linalg
import scipy.signal

from controller.estimators.base import Brief
from controller.estimators.offline import run_design
from controller.estimators.phastimate import (
    PUBLISHED,
    Phastimate,
    TunedPhastimate,
    hilbert_row,
)

SFREQ_HZ = 250.0
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.0)


def slow_phastimate(samples, at):
    """Twin of the published order of steps, at 250 Hz and no horizon."""
    window = samples[at - 179 : at + 1]
    taps = scipy.signal.firwin(49, (8.0, 12.0), pass_zero=False, fs=SFREQ_HZ)
    kept = scipy.signal.filtfilt(taps, 1.0, window - window.mean())[16:-16]
    lags = np.array([kept[: kept.size - k] @ kept[k:] for k in range(9)])
    model = scipy.linalg.solve_toeplitz(lags[:8], lags[1:])
    series = list(kept)
    for _ in range(16 + 16):
        series.append(model @ series[:-9:-1])
    analytic = scipy.signal.hilbert(series[-32:])
    return np.angle(analytic[-17])


def test_it_is_the_published_order_of_steps(rhythm_in_noise):
    samples, _ = rhythm_in_noise(SFREQ_HZ, 10.0, 4.0)
    estimate = run_design(Phastimate().design(BRIEF), samples[np.newaxis])
    for at in (179, 300, 531, 999):
        away = np.angle(estimate[at] * np.exp(-1j * slow_phastimate(samples, at)))
        assert abs(away) < 1e-9


@pytest.mark.parametrize("place", range(16))
def test_a_hilbert_row_is_one_sample_of_the_transform(place):
    samples = np.random.default_rng(place).normal(size=16)
    wanted = scipy.signal.hilbert(samples)[place]
    assert hilbert_row(16, place) @ samples == pytest.approx(wanted)


def test_between_the_samples_a_hilbert_row_goes_on_turning():
    sine = np.cos(2.0 * np.pi * 3.0 * np.arange(32) / 32.0)
    wanted = np.exp(2j * np.pi * 3.0 * 10.4 / 32.0)
    assert hilbert_row(32, 10.4) @ sine == pytest.approx(wanted)


@pytest.mark.parametrize("designer", [Phastimate(), TunedPhastimate()])
@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
@pytest.mark.parametrize("horizon_s", [0.0, 0.02])
def test_a_cosine_is_followed_to_the_horizon(designer, sfreq_hz, horizon_s):
    brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz, horizon_s=horizon_s)
    design = designer.design(brief)
    at = np.arange(round((design.warm_up_s + 0.5) * sfreq_hz)) / sfreq_hz
    estimate = run_design(design, 10.0 * np.cos(20.0 * np.pi * at)[np.newaxis])
    answer = estimate * np.exp(-20j * np.pi * (at + horizon_s))
    late = answer[round(design.warm_up_s * sfreq_hz) :]
    assert np.abs(np.angle(late.mean())) < np.radians(10.0)
    # The trimmed end is not free of the edge; no forecast fades it.
    assert np.abs(np.angle(late)).max() < np.radians(30.0)
    assert 8.0 < np.abs(late).min() <= np.abs(late).max() < 11.0


def test_settings_can_be_changed():
    longer = dataclasses.replace(PUBLISHED, window_s=1.5, order=12)
    part = Phastimate(longer).design(BRIEF).local[0]
    assert (part.n_fit, part.order) == (375, 12)


def test_slower_rhythms_have_longer_windows():
    brief = dataclasses.replace(BRIEF, frequency_hz=5.0, band_hz=(3.5, 6.5))
    theta, alpha = (Phastimate().design(b).local[0] for b in (brief, BRIEF))
    assert (theta.n_fit, theta.n_trim) == (2 * alpha.n_fit, 2 * alpha.n_trim)
    assert theta.period == 2.0 * alpha.period
