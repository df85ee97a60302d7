import math

import numpy as np
import pytest

from controller.core.records import Kernel
from controller.estimators.base import Brief
from controller.estimators.conformance import check_designer
from controller.estimators.iir import state_response
from controller.estimators.offline import run_design
from controller.estimators.oscillators import NonResonantOscillator, ResonantOscillator

RATES_HZ = [128.0, 250.0, 500.0, 1000.0, 5000.0]
DESIGNERS = [ResonantOscillator(), NonResonantOscillator()]
each = pytest.mark.parametrize("designer", DESIGNERS, ids=lambda d: d.name)

# Eigenfrequency over the rhythm's, and damping per angular eigenfrequency.
MOTION = {"resonant": (1.0, 0.3), "non-resonant": (5.0, math.sqrt(2.0))}


def brief_at(sfreq_hz, *, frequency_hz=10.0, horizon_s=0.01):
    return Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - 2.0, frequency_hz + 2.0),
        horizon_s=horizon_s,
    )


def response(design, frequency_hz):
    system = design.state_space
    omega = 2.0 * np.pi * frequency_hz / design.brief.sfreq_hz
    return system.readout @ state_response(system.transition, system.drive[:, 0], omega)


def swing(name, brief, samples, n_small=400):
    """Twin: the equation of motion in small steps (Runge, Kutta), input held."""
    ratio, damping = MOTION[name]
    eigen = ratio * 2.0 * math.pi * brief.frequency_hz
    small_s = 1.0 / brief.sfreq_hz / n_small
    keep = math.exp(-2.0 * math.pi * 0.1 * brief.frequency_hz / brief.sfreq_hz)
    slow, motion, path = 0.0, np.zeros(2), []

    def slope(motion, push):
        position, velocity = motion
        return eigen * np.array([velocity, push - position - damping * velocity])

    for sample in samples:
        slow = keep * slow + (1.0 - keep) * sample
        push = sample - slow
        for _ in range(n_small):
            k1 = slope(motion, push)
            k2 = slope(motion + 0.5 * small_s * k1, push)
            k3 = slope(motion + 0.5 * small_s * k2, push)
            k4 = slope(motion + small_s * k3, push)
            motion = motion + small_s / 6.0 * (k1 + 2 * k2 + 2 * k3 + k4)
        path.append(motion)
    return np.array(path)


@each
def test_oscillators_conform_at_every_rate(designer):
    assert check_designer(designer) == ()


@each
def test_oscillators_conform_for_theta(designer):
    found = check_designer(
        designer, frequency_hz=5.6, half_width_hz=1.5, horizon_s=0.004
    )
    assert found == ()


@each
@pytest.mark.parametrize("sfreq_hz", [128.0, 1000.0])
def test_states_are_those_of_the_equation_of_motion(designer, sfreq_hz):
    brief = brief_at(sfreq_hz)
    design = designer.design(brief)
    samples = np.random.default_rng(1).standard_normal(25)
    path = swing(designer.name, brief, samples, n_small=60)
    estimate = run_design(design, samples[np.newaxis])
    # Steps of some 0.04 rad: the fourth-order scheme is good to 1e-7.
    assert estimate == pytest.approx(path @ design.state_space.readout[1:], abs=1e-6)


@each
@pytest.mark.parametrize("sfreq_hz", RATES_HZ)
@pytest.mark.parametrize("frequency_hz", [5.3, 10.0, 12.4])
def test_gain_is_two_at_the_rhythm_and_nothing_at_its_image(
    designer, sfreq_hz, frequency_hz
):
    design = designer.design(brief_at(sfreq_hz, frequency_hz=frequency_hz))
    ahead = np.exp(2j * np.pi * frequency_hz * 0.01)
    assert abs(response(design, frequency_hz) - 2.0 * ahead) < 1e-9
    assert abs(response(design, -frequency_hz)) < 1e-9
    assert abs(response(design, 0.0)) < 1e-9


def test_the_resonant_one_is_a_band_pass_of_three_hertz():
    design = ResonantOscillator().design(brief_at(500.0))
    for frequency_hz in (8.6, 11.6):
        gain = abs(response(design, frequency_hz))
        assert gain == pytest.approx(np.sqrt(2.0), rel=0.1)
    assert abs(response(design, 40.0)) < 0.35
    assert abs(response(design, 2.0)) < 0.5


def test_the_non_resonant_one_follows_within_a_few_milliseconds():
    # A burst out of silence: half a cycle later the phase is there.
    brief = brief_at(1000.0, horizon_s=0.0)
    design = NonResonantOscillator().design(brief)
    at = np.arange(1000) / 1000.0
    burst = np.where(at >= 0.5, np.sin(2 * np.pi * 10.0 * at), 0.0)
    expected = -1j * np.exp(2j * np.pi * 10.0 * at)
    off = np.degrees(np.abs(np.angle(run_design(design, burst[np.newaxis]) / expected)))
    assert off[550:].max() < 20.0
    slow = run_design(ResonantOscillator().design(brief), burst[np.newaxis])
    assert np.abs(slow[550]) < 0.7


@each
@pytest.mark.parametrize("sfreq_hz", RATES_HZ)
def test_the_response_in_the_band_hardly_depends_on_the_rate(designer, sfreq_hz):
    design = designer.design(brief_at(sfreq_hz))
    fine = designer.design(brief_at(20_000.0))
    for frequency_hz in (8.0, 9.0, 11.0, 12.0):
        difference = response(design, frequency_hz) - response(fine, frequency_hz)
        assert abs(difference) < 0.1


@each
def test_a_later_horizon_turns_the_estimate(designer):
    now = designer.design(brief_at(250.0, horizon_s=0.0)).state_space.readout
    later = designer.design(brief_at(250.0, horizon_s=0.025)).state_space.readout
    assert later == pytest.approx(1j * now)
    assert designer.design(brief_at(250.0)).kernel is Kernel.STATE_SPACE
    assert not designer.needs_rest
    assert not designer.reads_others
