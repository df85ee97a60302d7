import numpy as np
import pytest

from controller.errors import SignalFault
from controller.estimators.spectrum import (
    Spectrum,
    fit_background,
    require_finite,
    smoothed,
    welch_spectrum,
)


def power_law(exponent, *, level=2.0, highest_hz=125.0):
    frequencies_hz = np.arange(0.0, highest_hz + 0.1, 0.25)
    power = np.full(frequencies_hz.size, 10.0**level)
    power[1:] *= frequencies_hz[1:] ** -exponent
    return Spectrum(frequencies_hz=frequencies_hz, power_uv2_per_hz=power)


def test_welch_keeps_the_power_of_white_noise():
    samples = np.random.default_rng(1).normal(0.0, 3.0, 60 * 250)
    spectrum = welch_spectrum(samples, 250.0)
    assert spectrum.frequencies_hz[1] == 0.25
    # 9 uV^2 over 125 Hz
    assert np.mean(spectrum.power_uv2_per_hz[4:-4]) == pytest.approx(0.072, rel=0.05)


def test_welch_density_does_not_depend_on_the_rate(pink):
    slow = welch_spectrum(np.repeat(pink(40 * 100), 1), 100.0)
    assert np.trapezoid(slow.power_uv2_per_hz, slow.frequencies_hz) == pytest.approx(
        1.0, rel=0.3
    )


@pytest.mark.parametrize("exponent", [0.0, 1.0, 1.9])
def test_background_finds_the_line(exponent):
    background = fit_background(power_law(exponent), without_hz=())
    assert background.exponent == pytest.approx(exponent, abs=1e-9)
    assert background.intercept == pytest.approx(2.0, abs=1e-9)
    assert background.power_uv2_per_hz(np.array([10.0]))[0] == pytest.approx(
        10.0 ** (2.0 - exponent)
    )


def test_background_ignores_ranges_left_out():
    spectrum = power_law(1.0)
    spectrum.power_uv2_per_hz[32:53] *= 1000.0
    background = fit_background(spectrum, without_hz=((8.0, 13.0),))
    assert background.exponent == pytest.approx(1.0, abs=1e-9)


def test_background_is_robust_against_a_peak_elsewhere():
    spectrum = power_law(1.0)
    scatter = np.random.default_rng(2).normal(0.0, 0.05, spectrum.frequencies_hz.size)
    spectrum.power_uv2_per_hz[:] *= 10.0**scatter
    spectrum.power_uv2_per_hz[72:88] *= 30.0  # beta, 18-22 Hz
    background = fit_background(spectrum, without_hz=((7.0, 14.0),))
    plain = np.polyfit(
        np.log10(spectrum.frequencies_hz[8:161]),
        np.log10(spectrum.power_uv2_per_hz[8:161]),
        1,
    )
    assert background.exponent == pytest.approx(1.0, abs=0.1)
    assert abs(background.exponent - 1.0) < 0.5 * abs(-plain[0] - 1.0)


def test_background_of_a_flat_channel_is_refused():
    flat = welch_spectrum(np.zeros(5000), 250.0)
    with pytest.raises(SignalFault, match="flat"):
        fit_background(flat, without_hz=())


def test_smoothing_keeps_the_sum_and_a_constant():
    spectrum = Spectrum(frequencies_hz=np.arange(21.0), power_uv2_per_hz=np.zeros(21))
    spectrum.power_uv2_per_hz[10] = 16.0
    power = smoothed(spectrum).power_uv2_per_hz
    assert list(power[7:14]) == [0.0, 1.0, 4.0, 6.0, 4.0, 1.0, 0.0]
    level = Spectrum(frequencies_hz=np.arange(21.0), power_uv2_per_hz=np.ones(21))
    assert smoothed(level).power_uv2_per_hz == pytest.approx(np.ones(21))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_numbers_are_refused_with_their_place(bad):
    samples = np.zeros((2, 10))
    samples[1, 7] = bad
    with pytest.raises(SignalFault, match="at sample 7"):
        require_finite(samples, "The rest recording")


def test_finite_samples_pass():
    require_finite(np.zeros((2, 10)), "The rest recording")
