import numpy as np
import pytest
import scipy.signal

from controller.errors import ConfigError, SignalFault
from controller.estimators.burg import Autoregression, fit_burg


def resonance(n_samples, *, sfreq_hz=250.0, frequency_hz=10.0, radius=0.97, seed=0):
    """Make a noisy resonance: an AR(2) process of known coefficients."""
    angle = 2.0 * np.pi * frequency_hz / sfreq_hz
    coefficients = np.array([2.0 * radius * np.cos(angle), -(radius**2)])
    noise = np.random.default_rng(seed).standard_normal(n_samples + 500)
    return scipy.signal.lfilter([1.0], [1.0, *-coefficients], noise)[500:], coefficients


def literal_burg(samples, order):
    """Twin: one stage after the other, sample by sample."""
    n = samples.size
    forward, backward = list(samples), list(samples)
    predictor = [1.0]
    noise = sum(x * x for x in samples) / n
    for stage in range(1, order + 1):
        above = sum(forward[k] * backward[k - 1] for k in range(stage, n))
        below = sum(forward[k] ** 2 + backward[k - 1] ** 2 for k in range(stage, n))
        reflection = 2.0 * above / below
        longer = [*predictor, 0.0]
        predictor = [
            a - reflection * b for a, b in zip(longer, longer[::-1], strict=True)
        ]
        for k in range(n - 1, stage - 1, -1):
            ahead, behind = forward[k], backward[k - 1]
            forward[k] = ahead - reflection * behind
            backward[k] = behind - reflection * ahead
        noise *= 1.0 - reflection**2
    return -np.array(predictor[1:]), noise


@pytest.mark.parametrize("order", [1, 2, 7, 20])
def test_coefficients_are_those_of_the_literal_stages(order):
    samples, _ = resonance(300)
    model = fit_burg(samples, 250.0, order)
    coefficients, noise = literal_burg(samples - samples.mean(), order)
    assert model.coefficients == pytest.approx(coefficients, abs=1e-10)
    assert model.noise_uv2 == pytest.approx(noise)


def test_a_known_process_is_found():
    samples, coefficients = resonance(50_000)
    model = fit_burg(samples, 250.0, 2)
    assert model.coefficients == pytest.approx(coefficients, abs=0.005)
    assert model.noise_uv2 == pytest.approx(1.0, rel=0.02)


def test_density_is_that_of_scipy_and_integrates_to_the_variance():
    samples, _ = resonance(20_000)
    model = fit_burg(samples, 250.0, 20)
    lines_hz = np.linspace(0.0, 125.0, 4001)
    density = model.power_uv2_per_hz(lines_hz)
    _, response = scipy.signal.freqz(
        [1.0], [1.0, *-model.coefficients], worN=lines_hz, fs=250.0
    )
    twin = 2.0 * model.noise_uv2 / 250.0 * np.abs(response) ** 2
    assert density == pytest.approx(twin)
    assert np.trapezoid(density, lines_hz) == pytest.approx(samples.var(), rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_every_model_is_stable(seed):
    samples = np.random.default_rng(seed).standard_normal(60).cumsum()
    coefficients = fit_burg(samples, 250.0, 30).coefficients
    assert np.abs(np.roots([1.0, *-coefficients])).max() < 1.0


def test_offset_and_unit_change_only_the_noise():
    samples, _ = resonance(1000)
    one = fit_burg(samples, 250.0, 10)
    other = fit_burg(1e-6 * samples + 5.0, 250.0, 10)
    assert other.coefficients == pytest.approx(one.coefficients, abs=1e-6)
    assert other.noise_uv2 == pytest.approx(1e-12 * one.noise_uv2, rel=1e-6)


def test_white_noise_without_coefficients_has_a_flat_density():
    model = Autoregression(coefficients=np.zeros(3), noise_uv2=5.0, sfreq_hz=200.0)
    assert model.power_uv2_per_hz(np.array([0.0, 3.0, 100.0])) == pytest.approx(0.05)


@pytest.mark.parametrize("order", [0, 51])
def test_an_order_that_cannot_be_fitted_is_refused(order):
    samples = np.random.default_rng(0).standard_normal(100)
    fit_burg(samples, 250.0, 50)
    with pytest.raises(ConfigError, match="cannot be fitted"):
        fit_burg(samples, 250.0, order)


def test_a_flat_recording_is_refused():
    with pytest.raises(SignalFault, match="flat"):
        fit_burg(np.full(100, 4000.0), 250.0, 4)


def test_a_recording_that_is_not_finite_is_refused():
    samples, _ = resonance(100)
    samples[17] = np.nan
    with pytest.raises(SignalFault, match="sample 17"):
        fit_burg(samples, 250.0, 4)
