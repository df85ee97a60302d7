import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import limits_of

from controller.kernels.jit import new_records
from controller.safety.interlock import (
    LEDGER,
    REFUSAL_SENTENCES,
    Permit,
    Refusal,
    State,
    review,
    state_of,
)

LIMITS = limits_of(min_interval_s=1.0, max_pulses=3).to_record()


def interpreted(*arguments):
    """Return what the uncompiled review answers; it counts with numpy's scalars."""
    with np.errstate(invalid="ignore"):
        return review.py_func(*arguments)


BOTH = pytest.mark.parametrize("ask", [review, interpreted], ids=["compiled", "plain"])


def ledger_of(pulses=0, t_last_pulse=-math.inf, fault=0):
    ledger = new_records(LEDGER)
    ledger.pulses, ledger.t_last_pulse, ledger.fault = pulses, t_last_pulse, fault
    return ledger[0]


def just_below(value):
    return math.nextafter(value, -math.inf)


def just_above(value):
    return math.nextafter(value, math.inf)


def ask_with(ask, *, ledger=None, permits=Permit.ALL, fire=100.0, now=100.0, age=0.0):
    answer = ask(LIMITS[0], ledger or ledger_of(), int(permits), fire, now, now - age)
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
    ],
)
def test_each_missing_permit_refuses_by_its_name(ask, missing, refusal):
    assert ask_with(ask, permits=Permit.ALL & ~missing) is refusal
    # Bits beyond the three grant nothing.
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
    inside = ask(LIMITS[0], ledger_of(), permits, limit, limit, 0.0)
    beyond = ask(LIMITS[0], ledger_of(), permits, limit, just_above(limit), 0.0)
    assert Refusal(inside) is Refusal.NONE
    assert Refusal(beyond) is Refusal.DATA_TOO_OLD


@BOTH
def test_the_limiting_lateness_is_allowed_and_later_is_not(ask):
    limit = float(LIMITS.max_lateness_s[0])
    permits = int(Permit.ALL)
    inside = ask(LIMITS[0], ledger_of(), permits, 0.0, limit, 0.0)
    beyond = ask(LIMITS[0], ledger_of(), permits, 0.0, just_above(limit), 0.0)
    assert Refusal(inside) is Refusal.NONE
    assert Refusal(beyond) is Refusal.TOO_LATE


@BOTH
@pytest.mark.parametrize("place", [3, 4, 5], ids=["t_fire", "t_now", "t_sample"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("t_last_pulse", [-math.inf, 50.0])
def test_an_instant_that_is_not_finite_refuses(ask, place, bad, t_last_pulse):
    arguments = [
        LIMITS[0],
        ledger_of(1, t_last_pulse),
        int(Permit.ALL),
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
    answer = ask(limits[0], ledger_of(), int(Permit.ALL), 9.0, 9.0, 9.0)
    assert answer != Refusal.NONE


@BOTH
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_last_pulse_that_is_not_an_instant_refuses(ask, bad):
    assert ask_with(ask, ledger=ledger_of(1, bad)) is Refusal.INTERVAL_TOO_SHORT


INSTANTS = st.floats(-10.0, 10.0) | st.sampled_from(
    [math.nan, math.inf, -math.inf, 0.0, 1.0, 0.05, 0.001]
)


@given(
    permits=st.integers(0, 15),
    pulses=st.integers(0, 5),
    fault=st.sampled_from([0, 0, 0, 7]),
    t_last_pulse=INSTANTS,
    t_fire=INSTANTS,
    t_now=INSTANTS,
    t_sample=INSTANTS,
)
def test_compiled_and_plain_review_agree(
    permits, pulses, fault, t_last_pulse, t_fire, t_now, t_sample
):
    arguments = (
        LIMITS[0],
        ledger_of(pulses, t_last_pulse, fault),
        permits,
        t_fire,
        t_now,
        t_sample,
    )
    assert review(*arguments) == interpreted(*arguments)


@given(
    st.lists(
        st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 0.002), st.integers(0, 7)),
        max_size=60,
    )
)
def test_no_sequence_of_requests_passes_interval_or_budget(requests):
    ledger = ledger_of()
    fired, t = [], 0.0
    for pause, lateness, permits in requests:
        t += pause
        answer = review(LIMITS[0], ledger, permits, t, t + lateness, t)
        if answer == Refusal.NONE:
            assert permits & Permit.ALL == Permit.ALL
            assert lateness <= 0.001 + 1e-12
            fired.append(t + lateness)
            ledger.pulses += 1
            ledger.t_last_pulse = fired[-1]
    assert len(fired) <= 3
    assert all(later - sooner >= 1.0 for sooner, later in itertools.pairwise(fired))


def test_every_refusal_has_its_sentence():
    assert set(REFUSAL_SENTENCES) == set(Refusal) - {Refusal.NONE}


def test_nobody_is_armed_by_default():
    assert state_of(ledger_of(), 0) is State.SAFE
    assert state_of(ledger_of(), int(Permit.ALL & ~Permit.ARMED)) is State.SAFE
    assert state_of(ledger_of(), int(Permit.ARMED)) is State.ARMED
    assert state_of(ledger_of(fault=3), int(Permit.ALL)) is State.FAULT


def test_another_type_of_argument_is_refused():
    with pytest.raises(TypeError):
        review(LIMITS, ledger_of(), 7, 0.0, 0.0, 0.0)
    assert len(review.signatures) == 1
