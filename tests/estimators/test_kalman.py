import numpy as np
import pytest

from controller.core.records import Kernel
from controller.errors import ConfigError, RhythmTooWeak, SignalFault
from controller.estimators.base import Brief
from controller.estimators.conformance import check_designer, simulated_rest
from controller.estimators.echt import EndpointCorrectedHilbert
from controller.estimators.iir import state_response
from controller.estimators.kalman import (
    KalmanOscillator,
    KalmanOscillators,
    oscillator_design,
)
from controller.estimators.offline import run_design
from controller.estimators.oscillator_fit import (
    _expected_spectrum,
    _spectrum_slopes,
    _task,
    fit_oscillators,
)
from controller.estimators.oscillator_model import (
    Oscillator,
    OscillatorModel,
    density,
    state_equations,
)
from controller.kernels.circular import circular_mean, resultant_length

DESIGNERS = [KalmanOscillators(), KalmanOscillator()]
each = pytest.mark.parametrize("designer", DESIGNERS, ids=lambda d: d.name)

MODEL = OscillatorModel(
    target=Oscillator(variance_uv2=40.0, decay_per_s=4.0, frequency_hz=10.3),
    others=(
        Oscillator(variance_uv2=30.0, decay_per_s=9.0, frequency_hz=3.0),
        Oscillator(variance_uv2=15.0, decay_per_s=20.0, frequency_hz=19.0),
    ),
    noise=Oscillator(variance_uv2=20.0, decay_per_s=40.0, frequency_hz=0.0),
    white_uv2_per_hz=0.05,
    drift_uv2_per_s=100.0,
)
EVERY_PART = (MODEL.target, *MODEL.others, MODEL.noise)


def brief_at(sfreq_hz, *, frequency_hz=10.0, horizon_s=0.01):
    return Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - 2.0, frequency_hz + 2.0),
        horizon_s=horizon_s,
    )


def simulate(model, sfreq_hz, seconds, seed):
    """Draw a recording without drift, and the target's phasor in it."""
    rng = np.random.default_rng(seed)
    n = round(seconds * sfreq_hz)
    samples = rng.standard_normal(n) * np.sqrt(model.white_uv2_per_hz * sfreq_hz / 2.0)
    phasors = []
    for part in (model.target, *model.others, model.noise):
        step = part.step(1.0 / sfreq_hz)
        kicks = rng.standard_normal((n, 2)) @ np.array([1.0, 1j])
        kicks *= np.sqrt(part.variance_uv2)
        kicks[1:] *= np.sqrt(1.0 - abs(step) ** 2)
        phasor = np.empty(n, dtype=np.complex128)
        value = 0.0
        for k in range(n):
            value = step * value + kicks[k]
            phasor[k] = value
        phasors.append(phasor)
        samples += phasor.real
    return samples, phasors[0]


def textbook_filter(model, sfreq_hz, horizon_s, samples):
    """Twin: predict, compare, correct, with a covariance that is kept sample by sample.

    Offset and white noise as in the model; the target's phasor is read at the horizon.
    """
    parts = (model.target, *model.others)
    n_states = 2 * len(parts) + 2
    step, kicks = np.zeros((n_states, n_states)), np.zeros(n_states)
    seen = np.zeros(n_states)
    for k, part in enumerate(parts):
        turn = 2 * np.pi * part.frequency_hz / sfreq_hz
        keep = np.exp(-part.decay_per_s / sfreq_hz)
        cosine, sine = keep * np.cos(turn), keep * np.sin(turn)
        step[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = [[cosine, -sine], [sine, cosine]]
        kicks[2 * k : 2 * k + 2] = part.variance_uv2 * (1 - keep**2)
        seen[2 * k] = 1.0
    keep = np.exp(-model.noise.decay_per_s / sfreq_hz)
    step[-2, -2], step[-1, -1] = keep, 1.0
    kicks[-2] = model.noise.variance_uv2 * (1 - keep**2)
    kicks[-1] = model.drift_uv2_per_s / sfreq_hz
    seen[-2:] = 1.0
    state, covariance = np.zeros(n_states), 100.0 * np.eye(n_states)
    later = np.exp((2j * np.pi * model.target.frequency_hz) * horizon_s)
    later *= np.exp(-model.target.decay_per_s * horizon_s)
    answers = []
    for sample in samples:
        state = step @ state
        covariance = step @ covariance @ step.T + np.diag(kicks)
        spread = seen @ covariance @ seen + model.white_uv2_per_hz * sfreq_hz / 2
        gain = covariance @ seen / spread
        state = state + gain * (sample - seen @ state)
        covariance = covariance - np.outer(gain, seen @ covariance)
        answers.append(later * (state[0] + 1j * state[1]))
    return np.array(answers)


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 1000.0])
@pytest.mark.parametrize("horizon_s", [0.0, 0.035])
def test_the_steady_filter_is_what_the_textbooks_comes_to(sfreq_hz, horizon_s, pink):
    design = oscillator_design("k", brief_at(sfreq_hz, horizon_s=horizon_s), MODEL)
    samples = 50.0 + 10.0 * pink(round(4.0 * sfreq_hz))
    twin = textbook_filter(MODEL, sfreq_hz, horizon_s, samples)
    estimate = run_design(design, samples[np.newaxis])
    late = np.arange(samples.size) > 3.0 * sfreq_hz
    assert np.abs(twin[late]).max() > 1.0
    # They start differently; three seconds later nothing of that is left.
    assert estimate[late] == pytest.approx(twin[late], abs=1e-4)


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 1000.0, 5000.0])
def test_the_model_means_the_same_at_every_rate(sfreq_hz):
    step, kicks, seen = state_equations(MODEL, sfreq_hz)
    parts = slice(0, -1)  # the offset's walk has no variance to settle at
    step, kicks, seen = step[parts, parts], kicks[parts], seen[parts]
    variances = np.repeat([40.0, 30.0, 15.0, 20.0], [2, 2, 2, 1])
    settled = np.diag(variances)
    np.testing.assert_allclose(
        step @ settled @ step.T + np.diag(kicks), settled, atol=1e-12
    )
    n_later = round(0.1 * sfreq_hz)
    seconds = n_later / sfreq_hz
    expected = sum(
        part.variance_uv2
        * np.exp(-part.decay_per_s * seconds)
        * np.cos(2 * np.pi * part.frequency_hz * seconds)
        for part in EVERY_PART
    )
    found = seen @ np.linalg.matrix_power(step, n_later) @ settled @ seen
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("part", EVERY_PART)
def test_density_holds_the_variance(part):
    angular_rad_s = 2 * np.pi * np.arange(0.005, 3000.0, 0.01)
    total = sum(density(part, angular_rad_s)) * 0.01
    # The skirts beyond 3 kHz.
    assert total == pytest.approx(part.variance_uv2, rel=5e-3)


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 1000.0, 5000.0])
def test_gain_is_nothing_at_zero_and_phase_right_at_the_rhythm(sfreq_hz):
    design = oscillator_design("k", brief_at(sfreq_hz, horizon_s=0.0), MODEL)
    system = design.state_space

    def response(frequency_hz):
        omega = 2 * np.pi * frequency_hz / sfreq_hz
        return system.readout @ state_response(
            system.transition, system.drive[:, 0], omega
        )

    assert abs(response(0.0)) < 1e-9
    # An offset as a state costs no phase: a blocker at 1 Hz would lead by 6 degrees.
    assert abs(np.degrees(np.angle(response(10.3)))) < 4.0
    assert 1.0 < abs(response(10.3)) < 2.0
    assert abs(response(-10.3)) < 0.25
    assert abs(response(3.0)) < 0.3
    assert abs(response(19.0)) < 0.5


def test_a_later_horizon_turns_and_fades():
    now, later = (
        oscillator_design("k", brief_at(250.0, horizon_s=horizon_s), MODEL)
        for horizon_s in (0.0, 0.05)
    )
    factor = later.state_space.readout[0] / now.state_space.readout[0]
    assert factor == pytest.approx(np.exp(-0.05 * 4.0) * np.exp(2j * np.pi * 0.515))


def test_expected_lines_are_those_of_the_window_sum_by_sum():
    task = _task(brief_at(256.0), simulated_rest(brief_at(256.0))[0])
    values = [np.log(3.0), np.log(2.0), 65.0, np.log(0.7), np.log(9.0), np.log(0.02)]
    lines = _expected_spectrum(np.array(values), task)
    at = np.arange(1024) / 256.0
    window = np.sin(np.pi * at / 4.0) ** 2
    apart = np.abs(at[:, np.newaxis] - at)
    covariance = 3.0 * np.exp(-2.0 * apart) * np.cos(65.0 * apart)
    covariance += 0.7 * np.exp(-9.0 * apart) + 0.02 * 128.0 * np.eye(1024)
    for k in (0, 30, 37, 100):
        wave = window * np.exp(-2j * np.pi * task.frequencies_hz[k] * at)
        power = (wave.conj() @ covariance @ wave).real * 2.0 / 256.0
        assert lines[k] == pytest.approx(power / np.sum(window**2), rel=1e-6)


def test_slopes_are_those_of_small_steps():
    task = _task(brief_at(250.0), simulated_rest(brief_at(250.0))[0])
    values = np.array([0.5, 0.7, 62.0, -1.0, 2.0, 130.0, -0.5, 2.5, -4.0])
    slopes = _spectrum_slopes(values, task)
    for k in range(values.size):
        aside = np.zeros(values.size)
        aside[k] = 1e-5
        up, down = (_expected_spectrum(values + s * aside, task) for s in (1, -1))
        # The scatter of a difference of numbers of size one over 2e-5.
        np.testing.assert_allclose(slopes[:, k], (up - down) / 2e-5, atol=1e-7)


def test_the_fit_finds_the_model_that_made_the_recording():
    samples, _ = simulate(MODEL, 128.0, 240.0, seed=3)
    found = fit_oscillators(brief_at(128.0), samples, n_others=2)
    assert found.target.frequency_hz == pytest.approx(10.3, abs=0.15)
    assert found.target.decay_per_s == pytest.approx(4.0, rel=0.3)
    assert found.target.variance_uv2 == pytest.approx(40.0, rel=0.3)
    assert found.others[0].frequency_hz == pytest.approx(3.0, abs=0.5)
    assert found.others[1].frequency_hz == pytest.approx(19.0, abs=1.5)


@pytest.mark.parametrize("n_others", [0, 2])
def test_the_fit_does_not_depend_on_the_rate_of_the_stream(n_others):
    found = [
        fit_oscillators(brief, simulated_rest(brief)[0], n_others=n_others)
        for brief in (brief_at(128.0), brief_at(1000.0))
    ]
    assert found[0].target.frequency_hz == pytest.approx(
        found[1].target.frequency_hz, abs=1e-3
    )
    assert found[0].target.decay_per_s == pytest.approx(
        found[1].target.decay_per_s, rel=1e-2
    )
    assert found[0].noise.variance_uv2 == pytest.approx(
        found[1].noise.variance_uv2, rel=2e-2
    )


def test_a_recording_that_is_empty_above_a_low_pass_keeps_a_white_floor():
    rest = simulated_rest(brief_at(250.0))[0]
    lines = np.fft.rfft(rest)
    lines[np.fft.rfftfreq(rest.size, 1 / 250.0) > 25.0] *= 1e-6
    model = fit_oscillators(brief_at(250.0), np.fft.irfft(lines, rest.size), n_others=2)
    peak = density(model.target, 2 * np.pi * model.target.frequency_hz)
    assert model.white_uv2_per_hz > 3e-4 * peak


@each
@pytest.mark.slow
def test_kalman_designers_conform_at_every_rate(designer):
    assert check_designer(designer) == ()


@each
def test_kalman_designers_conform_for_theta_and_beta(designer):
    for frequency_hz, half_width_hz in ((5.6, 1.5), (20.0, 3.0)):
        found = check_designer(
            designer,
            frequency_hz=frequency_hz,
            half_width_hz=half_width_hz,
            horizon_s=0.004,
            rates_hz=(250.0,),
        )
        assert found == ()


@pytest.mark.parametrize("sfreq_hz", [128.0, 500.0])
def test_known_phase_is_followed_closer_than_by_a_fixed_filter(sfreq_hz):
    samples, phasor = simulate(MODEL, sfreq_hz, 120.0, seed=5)
    half = samples.size // 2
    brief = brief_at(sfreq_hz, frequency_hz=10.3)
    rest = samples[np.newaxis, :half]
    lengths = {}
    for designer in (*DESIGNERS, EndpointCorrectedHilbert()):
        estimate = run_design(designer.design(brief, rest), samples[np.newaxis])
        late = phasor[half:] * np.exp(2j * np.pi * 10.3 * brief.horizon_s)
        error = np.angle(estimate[half:] / late)
        lengths[designer.name] = resultant_length(error)
        if designer.name == "kalman":
            assert abs(np.degrees(circular_mean(error))) < 5.0
    assert lengths["kalman"] > lengths["kalman1"] - 0.01
    assert lengths["kalman1"] > lengths["echt"] + 0.03


@each
def test_states_are_as_many_as_the_model_has(designer):
    brief = brief_at(250.0)
    design = designer.design(brief, simulated_rest(brief))
    n_oscillators = {"kalman": 3, "kalman1": 1}[designer.name]
    assert design.state_space.readout.size == 2 * n_oscillators + 2
    assert design.kernel is Kernel.STATE_SPACE
    assert designer.needs_rest
    assert not designer.reads_others
    assert 0.1 < design.warm_up_s < 2.0


@each
def test_what_cannot_carry_a_design_is_refused(designer):
    brief = brief_at(128.0)
    rest = simulated_rest(brief)
    with pytest.raises(ConfigError, match=f"{designer.name} is designed from a rest"):
        designer.design(brief, None)
    with pytest.raises(ConfigError, match="one virtual channel"):
        designer.design(brief, np.vstack((rest, rest)))
    with pytest.raises(RhythmTooWeak, match="at least 15 s"):
        designer.design(brief, rest[:, : 15 * 128 - 1])
    designer.design(brief, rest[:, : 15 * 128])
    with pytest.raises(SignalFault, match="flat"):
        designer.design(brief, np.zeros_like(rest))
    rest[0, 77] = np.nan
    with pytest.raises(SignalFault, match="sample 77"):
        designer.design(brief, rest)


@each
def test_a_band_without_a_rhythm_beside_a_strong_one_still_gets_a_filter(
    designer, rhythm_in_noise
):
    samples, _ = rhythm_in_noise(250.0, 10.0, 60.0, amplitude_uv=30.0)
    brief = Brief(sfreq_hz=250.0, frequency_hz=5.7, band_hz=(4.2, 7.2), horizon_s=0.0)
    rest = samples[np.newaxis]
    one, other = (designer.design(brief, unit * rest) for unit in (1.0, 1000.0))
    for design in (one, other):
        assert abs(run_design(design, np.ones((1, 8000)))[-1]) < 1e-9
    estimate = run_design(one, rest)
    assert np.median(np.abs(estimate)) < 5.0
    np.testing.assert_allclose(run_design(other, rest), estimate, atol=1e-6)
