import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from controller.errors import ConfigError
from controller.protocol.threshold import Hunt, HuntRules, Verdict

RULES = HuntRules(highest_pct=100)


def hunted(true_pct: float, spread: float, seed: int, rules=RULES) -> Hunt:
    """Return the hunt of a participant who answers by chance, as muscles do."""
    rng = np.random.default_rng(seed)
    hunt = Hunt(rules=rules)
    while (pct := hunt.next_pct_mso()) is not None:
        chance = norm.cdf(pct, true_pct, spread * true_pct)
        hunt = hunt.with_answer(pct, responded=bool(rng.random() < chance))
    return hunt


@pytest.mark.parametrize("true_pct", [25.0, 40.0, 55.0, 75.0])
def test_thresholds_are_found_in_few_pulses(true_pct) -> None:
    hunts = [hunted(true_pct, 0.07, seed) for seed in range(12)]
    assert {hunt.verdict() for hunt in hunts} == {Verdict.FOUND}
    found = np.array([hunt.estimate().pct_mso for hunt in hunts])
    # 3.5 standard errors of what a hunt scatters, 2.7 % of the threshold.
    assert abs(found.mean() - true_pct) < 0.028 * true_pct
    # 1 in 25 hunts misses by more than 5 %.
    assert np.mean(np.abs(found - true_pct) < 0.05 * true_pct) >= 0.75
    assert np.mean([len(hunt.answers) for hunt in hunts]) <= 20


def slow_likelihood(hunt: Hunt, threshold: float) -> float:
    """The obvious twin of the estimate."""
    logs = norm.logcdf((0.0 - threshold) / (0.07 * threshold) * -1.0)
    logs += norm.logcdf((130.0 - threshold) / (0.07 * threshold))
    for answer in hunt.answers:
        z = (answer.pct_mso - threshold) / (0.07 * threshold)
        logs += norm.logcdf(z if answer.responded else -z)
    return float(logs)


@settings(max_examples=20)
@given(
    answers=st.lists(
        st.tuples(st.integers(1, 100), st.booleans()), min_size=1, max_size=12
    )
)
def test_no_threshold_is_likelier_than_the_estimate(answers) -> None:
    hunt = Hunt(rules=RULES)
    for pct, responded in answers:
        hunt = hunt.with_answer(float(pct), responded=responded)
    found = hunt.estimate()
    best = slow_likelihood(hunt, found.pct_mso)
    for other in np.arange(1.0, 130.0, 3.0):
        assert slow_likelihood(hunt, float(other)) <= best + 1e-6
    assert found.low_pct_mso <= found.pct_mso <= found.high_pct_mso


@given(
    highest=st.floats(20, 100),
    rise=st.floats(1, 30),
    step=st.sampled_from([0.5, 1.0, 2.0]),
    answers=st.lists(st.booleans(), max_size=30),
)
def test_nothing_stronger_than_allowed_is_ever_asked_for(
    highest, rise, step, answers
) -> None:
    rules = HuntRules(
        highest_pct=highest,
        start_pct=min(45.0, highest),
        step_pct=step,
        max_rise_pct=max(rise, step),
    )
    hunt = Hunt(rules=rules)
    before = None
    for responded in answers:
        pct = hunt.next_pct_mso()
        if pct is None:
            break
        assert 0.0 < pct <= highest
        assert math.isclose(pct / step, round(pct / step), abs_tol=1e-9)
        if before is not None:
            assert pct <= before + max(rise, step) + step / 2
        before = pct
        hunt = hunt.with_answer(pct, responded=responded)


def test_a_threshold_above_what_is_allowed_is_told() -> None:
    rules = HuntRules(highest_pct=60)
    hunt = hunted(90.0, 0.07, 3, rules)
    assert hunt.verdict() is Verdict.ABOVE
    assert len(hunt.answers) <= 12


def test_answers_that_contradict_each_other_end_unsteady() -> None:
    hunt = Hunt(rules=HuntRules(highest_pct=100, n_most=12, precision=0.02))
    for count in range(12):
        hunt = hunt.with_answer(50.0, responded=count % 2 == 0)
    assert hunt.verdict() is Verdict.UNSTEADY
    assert hunt.next_pct_mso() is None


def test_an_answer_can_be_turned_round() -> None:
    hunt = Hunt(rules=RULES)
    assert hunt.corrected() == hunt
    hunt = hunt.with_answer(45.0, responded=True)
    assert hunt.corrected() == Hunt(rules=RULES).with_answer(45.0, responded=False)


@pytest.mark.parametrize("pct", [0.0, -1.0, 100.1, math.nan])
def test_a_pulse_beyond_the_hunt_is_refused(pct) -> None:
    with pytest.raises(ConfigError, match="no part of this hunt"):
        Hunt(rules=RULES).with_answer(pct, responded=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"highest_pct": 101.0},
        {"highest_pct": math.nan},
        {"start_pct": 101.0},
        {"step_pct": 0.0},
        {"max_rise_pct": 0.5},
        {"n_least": 3},
        {"n_most": 9},
        {"precision": math.nan},
    ],
)
def test_rules_without_sense_are_refused(changes) -> None:
    name = next(iter(changes))
    with pytest.raises(ConfigError, match=rf"threshold\.({name}|start_pct)"):
        HuntRules(**({"highest_pct": 100.0} | changes))
