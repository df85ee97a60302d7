import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.accuracy.triggers import REFRACTORY_S, due_instants
from controller.estimators.truth import phase_at

SFREQ_HZ = 200.0
FREQUENCY_HZ = 10.0
PLACE = {"sfreq_hz": SFREQ_HZ, "frequency_hz": FREQUENCY_HZ}


def slow_twin(estimate, allowed, horizon_s, target_rad):
    """Walk from sample to sample, as a loop would."""
    found = []
    for n, value in enumerate(estimate):
        phase = math.atan2(value.imag, value.real)
        rotation = (target_rad - phase) % (2.0 * math.pi)
        seconds = rotation / (2.0 * math.pi * FREQUENCY_HZ)
        if not allowed[n] or seconds >= 1.0 / SFREQ_HZ:
            continue
        t_due = n / SFREQ_HZ + horizon_s + seconds
        if not found or t_due - found[-1] >= REFRACTORY_S:
            found.append(t_due)
    return np.array(found) * SFREQ_HZ


@given(
    seed=st.integers(0, 2**32 - 1),
    target_rad=st.floats(-7.0, 7.0),
    horizon_s=st.sampled_from([0.0, 0.005, 0.01, 0.2]),
)
def test_triggers_are_those_of_a_slow_loop(seed, target_rad, horizon_s):
    rng = np.random.default_rng(seed)
    steps = 2.0 * np.pi * FREQUENCY_HZ / SFREQ_HZ * (1.0 + rng.standard_normal(900))
    estimate = np.exp(1j * np.cumsum(steps))
    allowed = rng.random(900) < 0.8
    fast = due_instants(
        estimate, allowed, horizon_s=horizon_s, target_rad=target_rad, **PLACE
    )
    slow = slow_twin(estimate, allowed, horizon_s, target_rad)
    np.testing.assert_allclose(fast, slow, atol=1e-6)


@pytest.mark.parametrize("target_deg", [0.0, 90.0, 180.0, -90.0, 33.0])
def test_perfect_estimate_gives_perfect_triggers(target_deg):
    """Also at targets that fall on samples exactly, and at the wrap."""
    at = np.arange(2000)
    turn = 2.0 * np.pi * FREQUENCY_HZ / SFREQ_HZ
    truth = np.exp(1j * turn * at)
    estimate = np.exp(1j * (turn * at + 2.0 * np.pi * FREQUENCY_HZ * 0.01))
    target_rad = math.radians(target_deg)
    due = due_instants(
        estimate,
        np.ones(2000, dtype=bool),
        horizon_s=0.01,
        target_rad=target_rad,
        **PLACE,
    )
    due = due[due < 1999]
    # Every fifth cycle: the sixth begins after the refractory time.
    assert due.size == pytest.approx(2000 / SFREQ_HZ / 0.5, abs=1)
    error = np.angle(np.exp(1j * (phase_at(truth, due, **PLACE) - target_rad)))
    assert np.abs(error).max() < 1e-9


def test_phase_between_samples_is_interpolated_with_its_rotation():
    turn = 2.0 * np.pi * FREQUENCY_HZ / SFREQ_HZ
    truth = np.exp(1j * turn * np.arange(50))
    instants = np.array([0.0, 3.25, 17.5, 48.75])
    expected = np.exp(1j * turn * instants)
    found = np.exp(1j * phase_at(truth, instants, **PLACE))
    np.testing.assert_allclose(found, expected, atol=1e-12)
