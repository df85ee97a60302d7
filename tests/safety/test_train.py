"""Patterns before they are fired: each rule at its edge."""

import re

import pytest
from study import limits_of

from controller.safety.limits import TrainLimits
from controller.safety.train import pattern_complaint


def limits(**changed):
    train = {
        "max_pulses": 4,
        "max_train_s": 2.0,
        "min_pulse_interval_s": 0.25,
        "min_inter_train_s": 5.0,
    }
    mine = {k: changed.pop(k) for k in list(changed) if k in train}
    # Powers of two, so that sums of instants are exact.
    usual = {"max_lateness_s": 2.0**-10, **changed}
    return limits_of(train=TrainLimits(**(train | mine)), **usual)


LATE = 2.0**-10


@pytest.mark.parametrize("rises_s", [[], [0.0], [7.0]])
def test_a_single_pulse_needs_no_rules_of_trains(rises_s):
    assert pattern_complaint(limits_of(), rises_s) is None


def test_a_pair_is_a_train():
    said = pattern_complaint(limits_of(), [0.0, 1.0])
    assert said.startswith("The pattern has 2 pulses, but limits.train is missing")


@pytest.mark.parametrize(
    ("rises_s", "changed", "words"),
    [
        ([0.0, 0.5, 1.0, 1.5], {}, None),
        ([0.0, 0.3, 0.6, 0.9, 1.2], {}, "has 5 pulses, more than the 4 that"),
        ([0.0, 0.5, 1.0], {"max_pulses": 1000}, None),
        ([0.0, 0.25 + LATE], {}, None),
        ([0.0, 1.0, 1.25], {}, "0.25 s apart, closer than .* 0.251 s"),
        ([0.0, 2.0 - LATE], {}, None),
        ([0.0, 2.0], {}, "lasts 2 s, .*max_train_s = 2 s"),
        ([1.0, 3.0 - LATE], {}, None),
        ([0.0, 1.0, 2.0], {}, "lasts 2 s"),
        ([0.0, float("nan")], {}, "nan s apart"),
    ],
)
def test_each_rule_at_its_edge(rises_s, changed, words):
    said = pattern_complaint(limits(**changed), rises_s)
    if words is None:
        assert said is None
    else:
        assert said is not None
        assert re.search(words, said), said


def test_a_budget_below_the_trains_own_rules_it_out():
    said = pattern_complaint(limits_of(max_pulses=2, train=limits().train), [0, 0.5, 1])
    assert "more than the 2 that" in said


def test_pulses_are_counted_in_any_minute_of_the_pattern():
    wide = {"max_train_s": 60.0, "max_pulses": 100, "min_pulse_interval_s": 1.0}
    early = [0.0, 20.0, 40.0, 58.0]
    for most, fits in ((4, True), (3, False)):
        said = pattern_complaint(limits(max_per_minute=most, **wide), early)
        assert (said is None) is fits
    assert said == (
        "The pattern has 4 pulses within a minute, more than limits.max_per_minute = 3."
    )
