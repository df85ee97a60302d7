import numpy as np
import pytest
import scipy.signal

from controller.core.records import Kernel
from controller.estimators.base import Brief
from controller.estimators.iir import CausalQuadrature, state_response
from controller.estimators.offline import run_design

RATES_HZ = [128.0, 250.0, 500.0, 1000.0, 5000.0]


def design_at(sfreq_hz, *, frequency_hz=10.0, half_width_hz=2.0, horizon_s=0.01):
    brief = Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - half_width_hz, frequency_hz + half_width_hz),
        horizon_s=horizon_s,
    )
    return CausalQuadrature().design(brief)


def response(design, frequency_hz):
    system = design.state_space
    omega = 2.0 * np.pi * frequency_hz / design.brief.sfreq_hz
    return system.readout @ state_response(system.transition, system.drive[:, 0], omega)


def step_by_step(design, samples):
    """Twin: the recursion as it is written in the books."""
    system = design.state_space
    states = np.zeros(system.readout.size)
    estimate = np.empty(samples.size, dtype=np.complex128)
    for n, sample in enumerate(samples):
        states = system.transition @ states + system.drive[:, 0] * sample
        estimate[n] = system.readout @ states + system.feedthrough[0] * sample
    return estimate


@pytest.mark.parametrize("sfreq_hz", RATES_HZ)
@pytest.mark.parametrize("frequency_hz", [5.3, 10.0, 12.4])
def test_gain_is_two_at_the_rhythm_and_nothing_at_its_image(sfreq_hz, frequency_hz):
    design = design_at(sfreq_hz, frequency_hz=frequency_hz)
    ahead = np.exp(2j * np.pi * frequency_hz * 0.01)
    assert abs(response(design, frequency_hz) - 2.0 * ahead) < 1e-9
    assert abs(response(design, -frequency_hz)) < 1e-9


@pytest.mark.parametrize("sfreq_hz", RATES_HZ)
def test_gain_is_nothing_at_zero(sfreq_hz):
    assert abs(response(design_at(sfreq_hz), 0.0)) < 1e-9


def test_band_pass_falls_off_on_both_sides():
    design = design_at(500.0)
    assert abs(response(design, 2.0)) < 0.4
    assert abs(response(design, 40.0)) < 0.4
    # Half the power about two hertz off, as the band says.
    assert abs(response(design, 8.0)) == pytest.approx(np.sqrt(2.0), rel=0.15)
    assert abs(response(design, 12.0)) == pytest.approx(np.sqrt(2.0), rel=0.15)


def test_poles_are_those_of_the_butterworth_band_pass():
    design = design_at(250.0)
    _, denominator = scipy.signal.butter(1, (8.0, 12.0), "bandpass", fs=250.0)
    band = np.linalg.eigvals(design.state_space.transition[1:, 1:])
    assert np.poly(band) == pytest.approx(denominator)


def test_a_cosine_comes_out_as_its_analytic_signal_after_the_warm_up():
    design = design_at(250.0, horizon_s=0.02)
    at = np.arange(1000) / 250.0
    estimate = run_design(design, 7.0 * np.cos(2 * np.pi * 10.0 * at)[np.newaxis])
    expected = 7.0 * np.exp(2j * np.pi * 10.0 * (at + 0.02))
    late = at >= design.warm_up_s
    off = np.abs(estimate - expected) / 7.0
    assert off[at > 2.0].max() < 1e-6
    # One per cent of each pole's share is left; several poles share the start.
    assert off[late].max() < 0.05
    assert off[at < 0.25 * design.warm_up_s].max() > 0.2


def test_offline_runner_is_the_recursion(pink):
    design = design_at(250.0)
    samples = 10.0 * pink(2000)
    twin = step_by_step(design, samples)
    assert run_design(design, samples[np.newaxis]) == pytest.approx(twin, abs=1e-11)


def test_scipys_simulation_of_the_system_agrees(pink):
    design = design_at(250.0)
    system = design.state_space
    samples = pink(500)
    # scipy reads the states before the newest sample is taken in.
    for part in (np.real, np.imag):
        readout = part(system.readout)[np.newaxis]
        _, twin, _ = scipy.signal.dlsim(
            (
                system.transition,
                system.drive,
                readout @ system.transition,
                readout @ system.drive,
                1.0 / 250.0,
            ),
            samples,
        )
        own = part(run_design(design, samples[np.newaxis]))
        assert own == pytest.approx(twin[:, 0], abs=1e-11)


def test_design_names_its_kernel_and_needs_no_rest():
    design = design_at(250.0)
    assert design.kernel is Kernel.STATE_SPACE
    assert not CausalQuadrature.needs_rest
    assert design.state_space.transition.shape == (3, 3)


def test_warm_up_does_not_depend_on_the_rate():
    warm_ups = [design_at(sfreq_hz).warm_up_s for sfreq_hz in RATES_HZ]
    assert max(warm_ups) == pytest.approx(min(warm_ups), rel=0.05)
    assert 0.3 < warm_ups[0] < 0.5
