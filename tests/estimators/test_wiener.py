import dataclasses

import numpy as np
import pytest
import scipy.linalg

from controller.errors import ConfigError, RhythmTooWeak, SignalFault
from controller.estimators.align import compare
from controller.estimators.base import Brief
from controller.estimators.burg import fit_burg
from controller.estimators.echt import EndpointCorrectedHilbert
from controller.estimators.offline import run_design
from controller.estimators.rest import MINIMUM_REST_S
from controller.estimators.wiener import (
    AutoregressiveWiener,
    GenericWiener,
    PersonalWiener,
    autoregressive_density,
    generic_density,
    predictor_weights,
)
from controller.kernels.circular import circular_mean, circular_sd

SFREQ_HZ = 250.0
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


@pytest.fixture
def rest(rhythm_in_noise):
    samples, _ = rhythm_in_noise(SFREQ_HZ, 10.0, 30.0)
    return samples[np.newaxis]


def welch(samples, lines_hz):
    found_hz, power = scipy.signal.welch(samples, SFREQ_HZ, nperseg=1000, noverlap=750)
    return np.interp(lines_hz, found_hz[1:], power[1:])


def slow_weights(brief, density_at, n_taps):
    """Twin: covariances as sums over the lines, and a dense constrained solve."""
    lines_hz = np.arange(0.0, brief.sfreq_hz / 2.0, 0.125)
    density = density_at(lines_hz)
    density = density + 1e-3 * density[(lines_hz >= 8.0) & (lines_hz <= 12.0)].max()
    taps = scipy.signal.firwin(251, brief.band_hz, pass_zero=False, fs=brief.sfreq_hz)
    _, truth = scipy.signal.freqz(taps, worN=lines_hz, fs=brief.sfreq_hz)
    lags = np.arange(n_taps)[:, np.newaxis] / brief.sfreq_hz
    covariance = (density * np.cos(2 * np.pi * lines_hz * lags)).sum(axis=1)
    ahead = np.exp(2j * np.pi * lines_hz * (lags + brief.horizon_s))
    cross = (np.abs(truth) ** 2 * density * ahead).sum(axis=1)
    bordered = np.ones((n_taps + 1, n_taps + 1), dtype=np.complex128)
    bordered[:-1, :-1] = scipy.linalg.toeplitz(covariance)
    bordered[-1, -1] = 0.0
    return np.linalg.solve(bordered, np.append(cross, 0.0))[:-1]


def test_weights_are_those_of_the_dense_solve(rest):
    fast = predictor_weights(BRIEF, rest[0], 125)
    slow = slow_weights(BRIEF, lambda lines_hz: welch(rest[0], lines_hz), 125)
    # The two sum over different grids of lines.
    assert np.abs(fast - slow).max() < 0.01 * np.abs(slow).max()


def test_autoregressive_weights_are_those_of_the_dense_solve(rest):
    model = fit_burg(rest[0], SFREQ_HZ, 20)
    fast = AutoregressiveWiener().design(BRIEF, rest).fir[0]
    slow = slow_weights(BRIEF, model.power_uv2_per_hz, 125)
    # One factor takes out bias and shrinkage.
    slow *= np.vdot(slow, fast) / np.vdot(slow, slow)
    assert np.abs(fast - slow).max() < 0.02 * np.abs(slow).max()


def test_generic_weights_are_those_of_the_dense_solve():
    def density_at(lines_hz):
        away = np.exp(-0.5 * (lines_hz - 10.0) ** 2)
        return 10.0 / np.maximum(lines_hz, 0.125) + 9.0 * away

    fast = GenericWiener().design(BRIEF).fir[0]
    slow = slow_weights(BRIEF, density_at, 125)
    slow *= np.vdot(slow, fast) / np.vdot(slow, slow)
    # The line at 0 Hz, where 1/f ends, lies elsewhere.
    assert np.abs(fast - slow).max() < 0.03 * np.abs(slow).max()


@pytest.mark.parametrize("sfreq_hz", [250.0, 256.0, 500.0, 1000.0, 5000.0])
def test_the_models_density_is_that_of_the_recording(rhythm_in_noise, sfreq_hz):
    samples, _ = rhythm_in_noise(sfreq_hz, 10.0, 30.0, noise_uv=6.0)
    lines_hz = np.arange(4.0, 45.0, 0.25)
    model = autoregressive_density(samples, sfreq_hz, lines_hz)
    n_segment = round(4 * sfreq_hz)
    found_hz, power = scipy.signal.welch(samples, sfreq_hz, nperseg=n_segment)
    for low_hz, high_hz in ((4.0, 7.0), (8.0, 12.0), (15.0, 25.0), (25.0, 44.0)):
        in_model = (lines_hz >= low_hz) & (lines_hz <= high_hz)
        in_welch = (found_hz >= low_hz) & (found_hz <= high_hz)
        ratio = model[in_model].mean() / power[in_welch].mean()
        assert 0.5 < ratio < 2.0
    peak_hz = lines_hz[6:][np.argmax(model[6:])]
    assert peak_hz == pytest.approx(10.0, abs=0.5)


def test_the_models_density_is_held_where_decimation_bends_it(rhythm_in_noise):
    samples, _ = rhythm_in_noise(1000.0, 10.0, 20.0)
    density = autoregressive_density(samples, 1000.0, np.array([100.0, 120.0, 500.0]))
    assert density[0] == density[1] == density[2] > 0.0


def test_generic_peak_stands_ten_over_the_background():
    lines_hz = np.arange(0.0, 60.0, 0.5)
    density = generic_density(BRIEF, lines_hz)
    assert density[20] == pytest.approx(10.0)
    assert density[40] == pytest.approx(0.5)
    assert density[0] == pytest.approx(density[1], rel=1e-6)


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 1000.0, 5000.0])
@pytest.mark.parametrize("horizon_s", [0.0, 0.02])
def test_the_generic_predictor_is_right_for_a_cosine(sfreq_hz, horizon_s):
    brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz, horizon_s=horizon_s)
    at_s = np.arange(round(2 * sfreq_hz)) / sfreq_hz
    cosine = np.cos(2 * np.pi * 10.0 * at_s)[np.newaxis]
    ratio = run_design(GenericWiener().design(brief), cosine) / np.exp(
        2j * np.pi * 10.0 * (at_s + horizon_s)
    )
    assert abs(ratio[round(sfreq_hz) :].mean() - 1.0) < 0.02


def test_the_personal_predictors_agree_and_the_generic_one_is_close(
    rhythm_in_noise, rest
):
    later, analytic = rhythm_in_noise(SFREQ_HZ, 10.0, 60.0, seed=9)
    expected = analytic * np.exp(2j * np.pi * 10.0 * BRIEF.horizon_s)
    spread = {}
    for designer in (PersonalWiener(), AutoregressiveWiener(), GenericWiener()):
        estimate = run_design(designer.design(BRIEF, rest), later[np.newaxis])
        spread[designer.name] = circular_sd(np.angle(estimate * expected.conj())[250:])
    assert spread["wiener-ar"] == pytest.approx(spread["wiener"], rel=0.05)
    assert spread["wiener-generic"] < 1.2 * spread["wiener"]


def test_no_other_weights_predict_the_rest_better(rest):
    design = PersonalWiener().design(BRIEF, rest)
    sides = compare(design, rest)
    best = np.mean(np.abs(fitted_scale(sides) * sides.estimate - sides.truth) ** 2)
    rng = np.random.default_rng(0)
    for _ in range(5):
        nudge = rng.standard_normal(design.fir.shape) * np.abs(design.fir).mean()
        worse = dataclasses.replace(design, fir=design.fir + nudge - nudge.mean())
        other = compare(worse, rest)
        error = np.mean(np.abs(fitted_scale(other) * other.estimate - other.truth) ** 2)
        assert error > best


def fitted_scale(sides):
    return np.vdot(sides.estimate, sides.truth) / np.vdot(
        sides.estimate, sides.estimate
    )


def test_it_beats_echt_where_the_phase_is_known(rhythm_in_noise, rest):
    later, analytic = rhythm_in_noise(SFREQ_HZ, 10.0, 30.0, seed=9)
    expected = analytic * np.exp(2j * np.pi * 10.0 * BRIEF.horizon_s)
    spread = {}
    for designer in (PersonalWiener(), EndpointCorrectedHilbert()):
        estimate = run_design(designer.design(BRIEF, rest), later[np.newaxis])
        error = np.angle(estimate * expected.conj())[250:]
        spread[designer.name] = circular_sd(error)
    assert spread["wiener"] < 0.95 * spread["echt"]


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0])
def test_bias_is_gone_and_the_median_amplitude_is_right(rhythm_in_noise, sfreq_hz):
    samples, _ = rhythm_in_noise(sfreq_hz, 10.0, 20.0)
    brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz)
    sides = compare(
        PersonalWiener().design(brief, samples[np.newaxis]), samples[np.newaxis]
    )
    assert circular_mean(sides.error_rad) == pytest.approx(0.0, abs=1e-9)
    assert np.median(np.abs(sides.estimate)) == pytest.approx(
        np.median(np.abs(sides.truth))
    )


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 1000.0, 5000.0])
def test_gain_at_zero_is_nothing(pink, sfreq_hz):
    n_samples = round(16 * sfreq_hz)
    at = np.arange(n_samples) / sfreq_hz
    rest = 5.0 * pink(n_samples) + np.cos(2 * np.pi * 10.0 * at) + 4000.0
    brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz)
    for designer in (PersonalWiener(), AutoregressiveWiener(), GenericWiener()):
        fir = designer.design(brief, rest[np.newaxis]).fir
        assert abs(fir.sum()) < 1e-13 * np.abs(fir).sum() * fir.size


def test_window_is_five_cycles(rhythm_in_noise, rest):
    assert PersonalWiener().design(BRIEF, rest).fir.shape == (1, 125)
    theta, _ = rhythm_in_noise(SFREQ_HZ, 5.0, 30.0)
    brief = dataclasses.replace(BRIEF, frequency_hz=5.0, band_hz=(3.5, 6.5))
    design = PersonalWiener().design(brief, theta[np.newaxis])
    assert design.fir.shape == (1, 250)
    assert design.warm_up_s == 1.0


def test_a_low_passed_recording_is_not_trusted_where_it_is_empty(rest):
    """What the rest does not hold must not be amplified when it comes later."""
    sections = scipy.signal.butter(10, 45.0, fs=SFREQ_HZ, output="sos")
    empty = scipy.signal.sosfiltfilt(sections, rest)
    design = PersonalWiener().design(BRIEF, empty)
    at = np.arange(round(2 * SFREQ_HZ)) / SFREQ_HZ
    for line_hz in (50.0, 60.0, 100.0):
        line = run_design(design, np.cos(2 * np.pi * line_hz * at)[np.newaxis])
        assert np.abs(line[250:]).max() < 1.0


def test_rest_of_the_minimum_passes_and_one_sample_less_does_not(rest):
    n_least = round(MINIMUM_REST_S * SFREQ_HZ)
    PersonalWiener().design(BRIEF, rest[:, :n_least])
    with pytest.raises(RhythmTooWeak, match="at least 15 s"):
        PersonalWiener().design(BRIEF, rest[:, : n_least - 1])


def test_missing_rest_is_refused():
    with pytest.raises(ConfigError, match=r"run\.rest_s"):
        PersonalWiener().design(BRIEF, None)


def test_rest_of_several_channels_is_refused(rest):
    with pytest.raises(ConfigError, match="one virtual channel"):
        PersonalWiener().design(BRIEF, np.vstack((rest, rest)))
    with pytest.raises(ConfigError, match="one virtual channel"):
        PersonalWiener().design(BRIEF, rest[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rest_that_is_not_finite_is_refused(rest, bad):
    rest[0, 4321] = bad
    with pytest.raises(SignalFault, match="sample 4321"):
        PersonalWiener().design(BRIEF, rest)


def test_flat_rest_is_refused():
    with pytest.raises(SignalFault, match="flat"):
        PersonalWiener().design(BRIEF, np.full((1, 5000), 7.0))


def test_rest_is_left_as_it_was(rest):
    before = rest.copy()
    PersonalWiener().design(BRIEF, rest)
    assert np.array_equal(rest, before)
