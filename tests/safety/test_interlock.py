import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study import limits_of

from controller.safety.interlock import (
    REFUSAL_SENTENCES,
    Permit,
    Refusal,
    State,
    review,
    state_of,
)
from controller.safety.ledger import count_pulse, new_ledger, new_rate_ring
from controller.safety.limits import TrainLimits

LIMITS = limits_of(min_interval_s=1.0, max_pulses=3).to_record()


TRAINS = limits_of(
    min_interval_s=1.0,
    max_pulses=20,
    max_per_minute=12,
    train=TrainLimits(
        max_pulses=5,
        max_train_s=0.25,
        min_pulse_interval_s=0.05,
        min_inter_train_s=2.0,
    ),
).to_record()


def interpreted(*arguments):
    """Return what the uncompiled review answers; it counts with numpy's scalars."""
    with np.errstate(invalid="ignore"):
        return getattr(review, "py_func", review)(*arguments)


BOTH = pytest.mark.parametrize("ask", [review, interpreted], ids=["compiled", "plain"])


def ledger_of(pulses=0, t_last_pulse=-math.inf, fault=0, **more):
    ledger = new_ledger()
    ledger.pulses, ledger.t_last_pulse, ledger.fault = pulses, t_last_pulse, fault
    for name, value in more.items():
        ledger[name] = value
    return ledger[0]


def just_below(value):
    return math.nextafter(value, -math.inf)


def just_above(value):
    return math.nextafter(value, math.inf)


def ask_with(
    ask,
    *,
    limits=LIMITS,
    ledger=None,
    permits=Permit.ALL,
    rise=0,
    left=1,
    fire=100.0,
    now=None,
    age=0.0,
):
    now = fire if now is None else now
    ledger = ledger_of() if ledger is None else ledger
    answer = ask(limits[0], ledger, int(permits), rise, left, fire, now, now - age)
    return Refusal(answer)


@BOTH
def test_a_pulse_with_every_permit_and_within_every_limit_may_leave(ask):
    assert ask_with(ask) is Refusal.NONE
    assert ask_with(ask, ledger=ledger_of(2, 50.0)) is Refusal.NONE


@BOTH
@pytest.mark.parametrize(
    ("missing", "refusal"),
    [
        (Permit.ARMED, Refusal.NOT_ARMED),
        (Permit.SUPERVISED, Refusal.NOT_SUPERVISED),
        (Permit.RECORDING, Refusal.NOT_RECORDING),
        (Permit.CONSOLE, Refusal.CONSOLE_SILENT),
        (Permit.DEVICE, Refusal.DEVICE_NOT_READY),
    ],
)
def test_each_missing_permit_refuses_by_its_name(ask, missing, refusal):
    assert ask_with(ask, permits=Permit.ALL & ~missing) is refusal
    # Bits beyond those grant nothing.
    assert ask_with(ask, permits=(Permit.ALL & ~missing) | (1 << 40)) is refusal


@BOTH
@pytest.mark.parametrize("fault", [1, 9, -1])
def test_a_fault_refuses_before_anything_else(ask, fault):
    assert ask_with(ask, ledger=ledger_of(fault=fault)) is Refusal.FAULTED
    assert ask_with(ask, ledger=ledger_of(99, 100.0, fault), permits=0) is (
        Refusal.FAULTED
    )


@BOTH
def test_the_minimum_interval_is_allowed_and_a_hair_less_is_not(ask):
    ledger = ledger_of(1, 99.0)
    assert ask_with(ask, ledger=ledger, fire=100.0) is Refusal.NONE
    assert ask_with(ask, ledger=ledger, fire=just_below(100.0)) is (
        Refusal.INTERVAL_TOO_SHORT
    )


@BOTH
@pytest.mark.parametrize("fire", [98.999, 0.0, -1e9])
def test_a_pulse_before_the_last_one_is_refused(ask, fire):
    assert ask_with(ask, ledger=ledger_of(1, 99.0), fire=fire) is (
        Refusal.INTERVAL_TOO_SHORT
    )


@BOTH
def test_the_last_pulse_of_the_budget_is_allowed_and_the_next_is_not(ask):
    assert ask_with(ask, ledger=ledger_of(2)) is Refusal.NONE
    assert ask_with(ask, ledger=ledger_of(3)) is Refusal.BUDGET_SPENT
    assert ask_with(ask, ledger=ledger_of(4)) is Refusal.BUDGET_SPENT


@BOTH
def test_data_of_the_limiting_age_is_allowed_and_older_is_not(ask):
    limit = float(LIMITS.max_data_age_s[0])
    permits = int(Permit.ALL)
    inside = ask(LIMITS[0], ledger_of(), permits, 0, 1, limit, limit, 0.0)
    beyond = ask(LIMITS[0], ledger_of(), permits, 0, 1, limit, just_above(limit), 0.0)
    assert Refusal(inside) is Refusal.NONE
    assert Refusal(beyond) is Refusal.DATA_TOO_OLD


@BOTH
def test_a_stamp_a_hair_too_far_ahead_of_the_clock_is_refused(ask):
    assert ask_with(ask, age=-0.0049) is Refusal.NONE
    assert ask_with(ask, fire=0.0, age=-0.005) is Refusal.NONE
    assert ask_with(ask, age=-0.0051) is Refusal.DATA_TOO_OLD


@BOTH
def test_the_limiting_lateness_is_allowed_and_later_is_not(ask):
    limit = float(LIMITS.max_lateness_s[0])
    permits = int(Permit.ALL)
    inside = ask(LIMITS[0], ledger_of(), permits, 0, 1, 0.0, limit, 0.0)
    beyond = ask(LIMITS[0], ledger_of(), permits, 0, 1, 0.0, just_above(limit), 0.0)
    assert Refusal(inside) is Refusal.NONE
    assert Refusal(beyond) is Refusal.TOO_LATE


@BOTH
@pytest.mark.parametrize("place", [5, 6, 7], ids=["t_fire", "t_now", "t_sample"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("t_last_pulse", [-math.inf, 50.0])
def test_an_instant_that_is_not_finite_refuses(ask, place, bad, t_last_pulse):
    arguments = [
        LIMITS[0],
        ledger_of(1, t_last_pulse),
        int(Permit.ALL),
        0,
        1,
        99.0,
        99.0,
        99.0,
    ]
    arguments[place] = bad
    assert ask(*arguments) != Refusal.NONE


@BOTH
@pytest.mark.parametrize(
    "field", ["min_interval_s", "max_lateness_s", "max_data_age_s"]
)
def test_a_limit_that_is_not_a_number_refuses(ask, field):
    limits = LIMITS.copy()
    limits[field] = math.nan
    answer = ask(limits[0], ledger_of(), int(Permit.ALL), 0, 1, 9.0, 9.0, 9.0)
    assert answer != Refusal.NONE


@BOTH
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_last_pulse_that_is_not_an_instant_refuses(ask, bad):
    assert ask_with(ask, ledger=ledger_of(1, bad)) is Refusal.INTERVAL_TOO_SHORT


INSTANTS = st.floats(-10.0, 10.0) | st.sampled_from(
    [math.nan, math.inf, -math.inf, 0.0, 1.0, 0.05, 0.001]
)


@given(
    permits=st.sampled_from([int(Permit.ALL)]) | st.integers(0, 63),
    rise=st.integers(-1, 4),
    left=st.integers(-1, 6),
    train_pulses=st.integers(0, 5),
    t_train_first=INSTANTS,
    t_rate=INSTANTS,
    pulses=st.integers(0, 5),
    fault=st.sampled_from([0, 0, 0, 7]),
    t_last_pulse=INSTANTS,
    t_fire=INSTANTS,
    t_now=INSTANTS,
    t_sample=INSTANTS,
)
def test_compiled_and_plain_review_agree(
    permits,
    rise,
    left,
    train_pulses,
    t_train_first,
    t_rate,
    pulses,
    fault,
    t_last_pulse,
    t_fire,
    t_now,
    t_sample,
):
    ledger = ledger_of(
        pulses,
        t_last_pulse,
        fault,
        train_pulses=train_pulses,
        t_train_first=t_train_first,
        t_rate=t_rate,
    )
    arguments = (
        TRAINS[0],
        ledger,
        permits,
        rise,
        left,
        t_fire,
        t_now,
        t_sample,
    )
    assert review(*arguments) == interpreted(*arguments)


@BOTH
def test_a_minute_may_have_so_many_pulses_and_not_one_more(ask):
    limits = limits_of(max_per_minute=2).to_record()
    ledger, ring = ledger_of(), new_rate_ring(2)
    for t in (100.0, 120.0):
        assert ask_with(ask, limits=limits, ledger=ledger, fire=t) is Refusal.NONE
        count_pulse(ledger, ring, 0, t)
    soonest = 160.0
    for t in (120.2, just_below(soonest)):
        assert ask_with(ask, limits=limits, ledger=ledger, fire=t) is (
            Refusal.RATE_TOO_HIGH
        )
    assert ask_with(ask, limits=limits, ledger=ledger, fire=soonest) is Refusal.NONE
    count_pulse(ledger, ring, 0, soonest)
    # The window slides: now the pulse at 120 s is the one that counts.
    assert ask_with(ask, limits=limits, ledger=ledger, fire=just_below(180.0)) is (
        Refusal.RATE_TOO_HIGH
    )
    assert ask_with(ask, limits=limits, ledger=ledger, fire=180.0) is Refusal.NONE


class TestTrains:
    """A first pulse at 10 s, then others of the same pattern."""

    def asked(self, ask, fire, *, fired=(10.0,), rise=None, left=1, limits=TRAINS):
        ledger, ring = ledger_of(), new_rate_ring(12)
        for place, t in enumerate(fired):
            count_pulse(ledger, ring, place, t)
        rise = len(fired) if rise is None else rise
        return ask_with(
            ask, limits=limits, ledger=ledger, rise=rise, left=left, fire=fire
        )

    @BOTH
    def test_are_forbidden_where_the_study_says_nothing(self, ask):
        assert self.asked(ask, 100.0, fired=(), left=2, limits=LIMITS) is (
            Refusal.TRAIN_TOO_LONG
        )
        assert self.asked(ask, 100.0, limits=LIMITS) is (
            Refusal.TRAIN_INTERVAL_TOO_SHORT
        )

    @BOTH
    def test_pulses_inside_follow_the_interval_of_trains(self, ask):
        assert self.asked(ask, 10.0 + 0.0501) is Refusal.NONE
        assert self.asked(ask, 10.0 + 0.0499) is Refusal.TRAIN_INTERVAL_TOO_SHORT
        assert self.asked(ask, 0.05, fired=(0.0,)) is Refusal.NONE
        assert self.asked(ask, just_below(0.05), fired=(0.0,)) is (
            Refusal.TRAIN_INTERVAL_TOO_SHORT
        )
        # The same instants, as another pattern's first pulse.
        assert self.asked(ask, 10.0 + 0.0501, rise=0) is Refusal.INTERVAL_TOO_SHORT

    @BOTH
    def test_a_train_of_the_most_pulses_is_allowed_and_of_more_is_not(self, ask):
        for left, answer in ((5, Refusal.NONE), (6, Refusal.TRAIN_TOO_LONG)):
            assert self.asked(ask, 10.0, fired=(), left=left) is answer
        for left, answer in ((4, Refusal.NONE), (5, Refusal.TRAIN_TOO_LONG)):
            assert self.asked(ask, 10.1, left=left) is answer

    @BOTH
    @pytest.mark.parametrize("left", [0, -1, -(2**40)])
    def test_a_pulse_that_is_not_of_its_pattern_is_refused(self, ask, left):
        assert self.asked(ask, 10.0, fired=(), left=left) is Refusal.TRAIN_TOO_LONG
        assert self.asked(ask, 10.1, left=left) is Refusal.TRAIN_TOO_LONG

    @BOTH
    def test_a_train_of_the_longest_time_is_allowed_and_of_a_longer_is_not(self, ask):
        fired = (10.0, 10.1)
        assert self.asked(ask, 10.25, fired=fired) is Refusal.NONE
        assert self.asked(ask, just_above(10.25), fired=fired) is (
            Refusal.TRAIN_TOO_LONG
        )

    @BOTH
    @pytest.mark.parametrize("rise", [-1, 2, 3])
    def test_a_pulse_whose_predecessor_was_not_fired_is_refused(self, ask, rise):
        assert self.asked(ask, 10.1, rise=rise) is Refusal.TRAIN_BROKEN

    @BOTH
    def test_a_train_has_a_pause_before_and_after(self, ask):
        pair = (10.0, 10.1)
        assert self.asked(ask, 12.0, fired=pair, rise=0) is Refusal.TRAIN_TOO_SOON
        assert self.asked(ask, 12.11, fired=pair, rise=0) is Refusal.NONE
        assert self.asked(ask, 11.5, rise=0, left=2) is Refusal.TRAIN_TOO_SOON
        assert self.asked(ask, 12.0, rise=0, left=2) is Refusal.NONE
        assert self.asked(ask, 11.0, rise=0, left=1) is Refusal.NONE

    @BOTH
    def test_a_train_that_would_pass_the_budget_is_refused_whole(self, ask):
        for left, answer in ((3, Refusal.NONE), (4, Refusal.BUDGET_SPENT)):
            said = ask_with(ask, limits=TRAINS, ledger=ledger_of(17), left=left)
            assert said is answer


def test_a_ledger_counts_pulses_trains_and_the_newest_instants():
    ledger, ring = ledger_of(), new_rate_ring(3)
    for place, t in ((0, 1.0), (0, 3.0), (1, 3.1), (2, 3.2), (0, 9.0)):
        count_pulse(ledger, ring, place, t)
    assert (ledger.pulses, ledger.trains, ledger.train_pulses) == (5, 1, 1)
    assert (ledger.t_last_pulse, ledger.t_train_first, ledger.t_rate) == (9.0, 9.0, 3.1)
    assert sorted(ring.tolist()) == [3.1, 3.2, 9.0]


def test_a_train_is_counted_once_with_its_second_pulse():
    ledger, ring = ledger_of(), new_rate_ring(9)
    counted = []
    for place, t in enumerate((1.0, 1.1, 1.2, 1.3)):
        count_pulse(ledger, ring, place, t)
        counted.append(int(ledger.trains))
    assert counted == [0, 1, 1, 1]


@pytest.mark.parametrize(("most", "length"), [(0, 1), (1, 1), (2, 2), (60, 60)])
def test_the_ring_is_as_long_as_a_minutes_pulses(most, length):
    assert new_rate_ring(most).tolist() == [-math.inf] * length


def test_every_refusal_has_its_sentence():
    assert set(REFUSAL_SENTENCES) == set(Refusal) - {Refusal.NONE}


def test_nobody_is_armed_by_default():
    assert state_of(ledger_of(), 0) is State.SAFE
    assert state_of(ledger_of(), int(Permit.ALL & ~Permit.ARMED)) is State.SAFE
    assert state_of(ledger_of(), int(Permit.ARMED)) is State.ARMED
    assert state_of(ledger_of(fault=3), int(Permit.ALL)) is State.FAULT


@pytest.mark.skipif(not hasattr(review, "signatures"), reason="not compiled")
def test_another_type_of_argument_is_refused():
    with pytest.raises(TypeError):
        review(LIMITS, ledger_of(), 7, 0, 1, 0.0, 0.0, 0.0)
    assert len(review.signatures) == 1
