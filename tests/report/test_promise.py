"""Promised against achieved: kept within chance, broken beyond it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.report.promise import (
    OWN_REST,
    reckoning,
    sd_interval_deg,
    wilson_interval,
)
from controller.session.pulses import PULSE


def pulses_with(errors_rad: np.ndarray) -> np.ndarray:
    pulses = np.zeros(len(errors_rad), PULSE)
    pulses["target_phase_rad"] = 1.0
    pulses["achieved_phase_rad"] = 1.0 + errors_rad
    return pulses


def summary_of(**expected: object) -> dict[str, object]:
    rhythm = {
        "band": "alpha",
        "expected_sd_deg": 20.0,
        "expected_bias_deg": 0.0,
        "expected_within_45": 0.97,
        "expected_per_minute": 18.0,
        "expected_n": 60,
        "profile": "profile v0002 of P07",
    }
    return {"rhythm": rhythm | expected, "duration_s": 120.0}


def errors_of(n: int, sd_deg: float, mean_deg: float = 0.0, seed: int = 3):
    rng = np.random.default_rng(seed)
    return np.radians(mean_deg + sd_deg * rng.standard_normal(n))


@pytest.mark.parametrize(
    ("sd_deg", "mean_deg", "outcome"),
    [
        (20.0, 0.0, "kept"),
        (40.0, 0.0, "worse"),
        (20.0, 25.0, "worse"),
        (8.0, 0.0, "better"),
    ],
)
def test_outcome(sd_deg: float, mean_deg: float, outcome: str) -> None:
    found = reckoning(summary_of(), pulses_with(errors_of(80, sd_deg, mean_deg)))
    assert found is not None
    assert found.outcome == outcome
    assert found.n == 80
    assert found.per_minute == (18.0, 40.0)
    assert "profile v0002 of P07 promised" in found.sentence


def test_broken_promise_names_what_broke() -> None:
    found = reckoning(summary_of(), pulses_with(errors_of(80, 20.0, 25.0)))
    assert found is not None
    assert "mean error" in found.sentence
    assert "circular SD" not in found.sentence


def test_few_pulses_are_not_judged() -> None:
    found = reckoning(summary_of(), pulses_with(errors_of(9, 80.0)))
    assert found is not None
    assert (found.outcome, found.rows, found.cells()) == ("open", (), [])
    assert found.sentence.startswith("Too few pulses to judge")


def test_few_pulses_of_a_promise_from_little_are_within_chance() -> None:
    wide = reckoning(summary_of(expected_n=5), pulses_with(errors_of(12, 12.0)))
    assert wide is not None
    assert wide.outcome == "kept"


@pytest.mark.parametrize("key", ["expected_sd_deg", "expected_n"])
def test_nothing_promised_is_nothing_reckoned(key: str) -> None:
    assert reckoning(summary_of(**{key: None}), pulses_with(np.zeros(20))) is None
    old = summary_of()
    del old["rhythm"][key]
    assert reckoning(old, pulses_with(np.zeros(20))) is None


def test_own_rest_is_named() -> None:
    summary = summary_of(profile=None, expected_per_minute=None)
    found = reckoning(summary, pulses_with(errors_of(40, 20.0)))
    assert found is not None
    assert (found.source, found.per_minute) == (OWN_REST, None)
    assert len(found.cells()) == 3


def test_pulses_without_a_known_phase_do_not_count() -> None:
    errors = np.concatenate([errors_of(40, 20.0), np.full(40, np.nan)])
    found = reckoning(summary_of(), pulses_with(errors))
    assert found is not None
    assert found.n == 40


def test_intervals_of_the_spread_cover_it_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(100):
        low, high = sd_interval_deg(errors_of(40, 20.0, seed=seed))
        covered += low <= 20.0 <= high
    assert 87 <= covered <= 100


@given(share=st.floats(0.0, 1.0), n=st.integers(1, 3000))
def test_interval_of_a_share_holds_it(share: float, n: int) -> None:
    low, high = wilson_interval(share, n)
    assert 0.0 <= low <= share <= high <= 1.0


def test_interval_of_a_share_is_wilsons() -> None:
    low, high = wilson_interval(0.9, 50)
    assert (round(low, 3), round(high, 3)) == (0.786, 0.957)
