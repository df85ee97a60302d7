import math

import numpy as np
import pytest

from controller.report.statistics import (
    mean_direction_interval,
    p_words,
    rayleigh_p,
    v_test_p,
)


def gathered(n, spread, seed=1, mean=0.0):
    return mean + np.random.default_rng(seed).normal(0, spread, n)


def rayleigh_by_series(phase):
    """The series of Greenwood and Durand (1955), another road to the same p."""
    n = len(phase)
    z = n * abs(np.mean(np.exp(1j * phase))) ** 2
    first = (2 * z - z**2) / (4 * n)
    second = (24 * z - 132 * z**2 + 76 * z**3 - 9 * z**4) / (288 * n**2)
    return math.exp(-z) * (1 + first - second)


@pytest.mark.parametrize("spread", [0.9, 1.5, 2.0, 4.0])
@pytest.mark.parametrize("n", [30, 40, 200])
def test_rayleigh_agrees_with_the_series(n, spread):
    phase = gathered(n, spread)
    p = rayleigh_p(phase)
    # Both are approximations; they part where p is too small to matter.
    assert p == pytest.approx(rayleigh_by_series(phase), rel=0.02, abs=1e-5)


@pytest.mark.parametrize("n", [10, 40])
def test_p_values_of_uniform_directions_are_uniform(n):
    rng = np.random.default_rng(2)
    phases = rng.uniform(-math.pi, math.pi, (2000, n))
    for test in (rayleigh_p, lambda phase: v_test_p(phase, 1.0)):
        p = np.array([test(phase) for phase in phases])
        for level in (0.05, 0.25, 0.5, 0.9):
            # Five standard errors of a share of 2000, and the approximation's own.
            assert np.mean(p <= level) == pytest.approx(level, abs=0.06)


def test_tests_agree_with_astropy():
    oracle = pytest.importorskip("astropy.stats")
    for n, spread in ((30, 1.9), (40, 2.5)):
        phase = gathered(n, spread)
        assert rayleigh_p(phase) == pytest.approx(
            float(oracle.rayleightest(phase)), abs=2e-3
        )
        assert v_test_p(phase, 0.5) == pytest.approx(
            float(oracle.vtest(phase, mu=0.5)), abs=3e-3
        )


def test_v_test_knows_the_target():
    phase = gathered(40, 0.5, mean=math.pi)
    assert v_test_p(phase, math.pi) < 1e-10
    assert v_test_p(phase, 0.0) > 1 - 1e-10
    assert v_test_p(phase, math.pi / 2) == pytest.approx(0.5, abs=0.3)


def test_many_concentrated_directions_do_not_overflow():
    phase = gathered(3000, 0.1)
    assert rayleigh_p(phase) == 0.0
    assert p_words(rayleigh_p(phase)) == "p < 1e-16"


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0, "p < 1e-16"),
        (9e-17, "p < 1e-16"),
        (1e-16, "p = 1e-16"),
        (0.0123, "p = 0.012"),
        (0.5, "p = 0.50"),
        (1.0, "p = 1.00"),
    ],
)
def test_words_of_p(p, words):
    assert p_words(p) == words


def test_interval_of_the_mean_covers_it_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        interval = mean_direction_interval(gathered(30, 0.5, seed, mean=0.2))
        covered += interval.low <= 0.2 <= interval.high
    # Percentile intervals of 30 fall a little short of 95 %; five standard errors.
    assert 0.86 <= covered / 200 <= 0.99


def test_interval_does_not_break_at_the_trough():
    interval = mean_direction_interval(gathered(100, 0.3, mean=math.pi))
    assert interval.high - interval.low == pytest.approx(4 * 0.3 / 10, rel=0.3)


def test_interval_is_the_same_at_every_call():
    phase = gathered(50, 0.5)
    assert mean_direction_interval(phase) == mean_direction_interval(phase)


def test_no_interval_of_four_directions():
    assert mean_direction_interval(gathered(4, 0.5)) is None
    assert mean_direction_interval(gathered(5, 0.5)) is not None
