import dataclasses

import numpy as np
import pytest

from controller.errors import SignalFault
from controller.estimators.base import Brief
from controller.estimators.etp import (
    PUBLISHED,
    EducatedTemporalPrediction,
    typical_cycle_s,
)
from controller.estimators.offline import run_design

SFREQ_HZ = 250.0
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


def cosine(frequency_hz, seconds, sfreq_hz=SFREQ_HZ):
    at = np.arange(round(seconds * sfreq_hz)) / sfreq_hz
    return at, 10.0 * np.cos(2.0 * np.pi * frequency_hz * at)


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
@pytest.mark.parametrize("horizon_s", [0.0, 0.02])
def test_a_cosine_is_followed_to_the_horizon(sfreq_hz, horizon_s):
    brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz, horizon_s=horizon_s)
    design = EducatedTemporalPrediction().design(brief)
    at, samples = cosine(10.0, design.warm_up_s + 0.5, sfreq_hz)
    estimate = run_design(design, samples[np.newaxis])
    answer = estimate * np.exp(-20j * np.pi * (at + horizon_s))
    late = answer[round(design.warm_up_s * sfreq_hz) :]
    assert np.abs(np.angle(late.mean())) < np.radians(5.0)
    # The trimmed end is not free of the edge.
    assert np.abs(np.angle(late)).max() < np.radians(25.0)
    assert 6.0 < np.abs(late).min() <= np.abs(late).max() < 11.0


@pytest.mark.parametrize("frequency_hz", [9.0, 10.0, 10.7])
def test_rest_teaches_the_cycle(frequency_hz):
    _, rest = cosine(frequency_hz, 10.0)
    assert typical_cycle_s(BRIEF, rest) == pytest.approx(1.0 / frequency_hz, rel=1e-3)
    part = EducatedTemporalPrediction().design(BRIEF, rest[np.newaxis]).local[0]
    assert part.period == pytest.approx(SFREQ_HZ / frequency_hz, rel=1e-3)


def test_a_cycle_in_noise_is_near_the_rhythms(rhythm_in_noise):
    rest, _ = rhythm_in_noise(SFREQ_HZ, 10.6, 30.0)
    assert 1.0 / typical_cycle_s(BRIEF, rest) == pytest.approx(10.6, abs=0.3)


def test_without_rest_the_cycle_is_that_of_the_frequency():
    part = EducatedTemporalPrediction().design(BRIEF).local[0]
    assert part.period == 25.0


def test_rest_too_short_or_not_finite_is_refused():
    _, rest = cosine(10.0, 1.9)
    with pytest.raises(SignalFault, match="at least 2 s"):
        EducatedTemporalPrediction().design(BRIEF, rest[np.newaxis])
    _, rest = cosine(10.0, 5.0)
    rest[77] = np.nan
    with pytest.raises(SignalFault, match="sample 77"):
        EducatedTemporalPrediction().design(BRIEF, rest[np.newaxis])


def test_settings_and_slow_rhythms_change_the_window():
    longer = dataclasses.replace(PUBLISHED, window_s=1.0)
    part = EducatedTemporalPrediction(longer).design(BRIEF).local[0]
    assert part.n_fit == 250
    brief = dataclasses.replace(BRIEF, frequency_hz=5.0, band_hz=(3.5, 6.5))
    assert EducatedTemporalPrediction(longer).design(brief).local[0].n_fit == 500
