"""How sure a phase is: recovered from drawn errors, right about what it promises."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from controller.errors import RhythmTooWeak
from controller.estimators.confidence import (
    SLOW_S,
    Confidence,
    circular_sd_of,
    fit_confidence,
    slow_amplitude,
    within,
)
from controller.kernels.circular import circular_sd

SFREQ_HZ = 250.0
TOLERANCE_RAD = math.radians(45.0)


def drawn(n, *, constant, exponent, slow_exponent, seed=1):
    """Return estimates and errors whose concentration follows the model exactly."""
    rng = np.random.default_rng(seed)
    amplitude_uv = rng.lognormal(2.0, 0.6, n)
    slow_uv = rng.lognormal(2.0, 0.4, n)
    kappa = np.exp(
        constant + exponent * np.log(amplitude_uv) + slow_exponent * np.log(slow_uv)
    )
    error_rad = rng.vonmises(0.0, kappa)
    return amplitude_uv.astype(complex), slow_uv, error_rad


def fitted(estimate, slow_uv, error_rad):
    return fit_confidence(
        estimate, slow_uv, error_rad, SFREQ_HZ, tolerance_rad=TOLERANCE_RAD
    )


def test_the_model_that_errors_were_drawn_from_is_found():
    found = fitted(*drawn(200_000, constant=-1.0, exponent=1.3, slow_exponent=-0.4))
    assert found.constant == pytest.approx(-1.0, abs=0.1)
    assert found.exponent == pytest.approx(1.3, abs=0.05)
    assert found.slow_exponent == pytest.approx(-0.4, abs=0.05)
    assert found.tolerance_rad == TOLERANCE_RAD


def test_nine_of_ten_promised_nine_of_ten_land():
    learnt = fitted(*drawn(100_000, constant=-1.0, exponent=1.3, slow_exponent=-0.4))
    estimate, slow_uv, error_rad = drawn(
        100_000, constant=-1.0, exponent=1.3, slow_exponent=-0.4, seed=2
    )
    kappa = np.exp(learnt.log_kappa(np.abs(estimate), slow_uv))
    promised = within(kappa, TOLERANCE_RAD)
    landed = np.abs(error_rad) <= TOLERANCE_RAD
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1.0)):
        among = (promised >= low) & (promised < high)
        assert landed[among].mean() == pytest.approx(promised[among].mean(), abs=0.02)


def test_the_unit_does_not_matter():
    estimate, slow_uv, error_rad = drawn(
        20_000, constant=-1.0, exponent=1.3, slow_exponent=-0.4
    )
    one = fitted(estimate, slow_uv, error_rad)
    two = fitted(1e3 * estimate, 1e3 * slow_uv, error_rad)
    amplitude_uv = np.abs(estimate[:9])
    np.testing.assert_allclose(
        one.log_kappa(amplitude_uv, slow_uv[:9]),
        two.log_kappa(1e3 * amplitude_uv, 1e3 * slow_uv[:9]),
        atol=1e-3,
    )


@pytest.mark.parametrize("kappa", [0.01, 0.5, 2.0, 30.0, 2000.0])
def test_spread_and_share_are_those_of_the_distribution(kappa):
    # Twin: the density itself, integrated.
    def density(angle):
        return math.exp(kappa * (math.cos(angle) - 1.0))

    def integral(function, reach):
        return 2.0 * quad(function, 0.0, reach, points=[min(reach, 0.1)], limit=200)[0]

    whole = integral(density, math.pi)
    resultant = integral(lambda a: math.cos(a) * density(a), math.pi) / whole
    at = np.array([kappa])
    assert circular_sd_of(at)[0] == pytest.approx(
        math.sqrt(-2.0 * math.log(resultant)), rel=1e-6
    )
    share = integral(density, TOLERANCE_RAD) / whole
    assert within(at, TOLERANCE_RAD)[0] == pytest.approx(share, abs=2e-3)


def test_drawn_errors_spread_as_told():
    errors = np.random.default_rng(3).vonmises(0.0, 4.0, 200_000)
    assert circular_sd(errors) == pytest.approx(
        float(circular_sd_of(np.array([4.0]))[0]), rel=0.01
    )


def test_slow_amplitude_begins_anew_after_what_is_unknown():
    amplitude_uv = np.array([np.nan, 4.0, 8.0, np.nan, 2.0, 2.0])
    slow = slow_amplitude(amplitude_uv, SFREQ_HZ)
    follow = 1.0 / (SFREQ_HZ * SLOW_S)
    np.testing.assert_allclose(
        slow, [np.nan, 4.0, 4.0 + 4.0 * follow, np.nan, 2.0, 2.0]
    )


def test_tables_rise_and_fall_with_sureness():
    arrays = Confidence(
        constant=0.0, exponent=1.0, slow_exponent=0.0, tolerance_rad=TOLERANCE_RAD
    ).arrays()
    assert np.all(np.diff(arrays["log_kappas"]) > 0.0)
    assert np.all(np.diff(arrays["sd_table"]) < 0.0)
    assert np.all(np.diff(arrays["within_table"]) >= -1e-12)
    assert arrays["within_table"][0] == pytest.approx(0.25, abs=0.01)
    assert arrays["within_table"][-1] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("spoil", ["few", "silent", "unknown"])
def test_too_little_is_refused(spoil):
    estimate, slow_uv, error_rad = drawn(
        2000, constant=0.0, exponent=1.0, slow_exponent=0.0
    )
    if spoil == "few":
        estimate, slow_uv, error_rad = estimate[:90], slow_uv[:90], error_rad[:90]
    if spoil == "silent":
        estimate[:] = 0.0
    if spoil == "unknown":
        slow_uv[:] = np.nan
    with pytest.raises(RhythmTooWeak, match="record more rest"):
        fitted(estimate, slow_uv, error_rad)
