import math

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from controller.errors import NotArmed
from controller.safety.arming import CONFIRM_WITHIN_S, Arming
from controller.safety.interlock import State

T = 1000.0
MAX_ARMED_S = 600.0


@pytest.fixture
def arming():
    return Arming(MAX_ARMED_S)


def armed(arming, t=T):
    arming.request("ada", t)
    return arming.confirm("ada", t)


def test_nobody_has_armed_at_first(arming):
    assert arming.state(T) is State.SAFE
    assert math.isnan(arming.armed_until)
    assert arming.fault is None


def test_a_request_alone_arms_nothing(arming):
    arming.request("ada", T)
    assert arming.state(T) is State.SAFE
    assert math.isnan(arming.armed_until)


def test_request_and_confirmation_arm_until_the_time_is_up(arming):
    arming.request("ada", T - 1.0)
    assert arming.confirm("ada", T) == T + MAX_ARMED_S == arming.armed_until
    assert arming.state(T) is State.ARMED
    assert arming.state(T + MAX_ARMED_S) is State.ARMED
    assert arming.state(math.nextafter(T + MAX_ARMED_S, math.inf)) is State.SAFE


@pytest.mark.parametrize("t_now", [math.nextafter(T, 0.0), math.nan, math.inf, -1e9])
def test_a_clock_that_jumped_back_or_is_none_finds_it_safe(arming, t_now):
    armed(arming)
    assert arming.state(t_now) is State.SAFE


def test_a_confirmation_within_its_time_is_taken_and_a_later_one_is_not():
    assert CONFIRM_WITHIN_S == 30.0
    arming = Arming(MAX_ARMED_S)
    arming.request("ada", T)
    arming.confirm("ada", T + 30.0)
    arming = Arming(MAX_ARMED_S, confirm_within_s=5.0)
    arming.request("ada", T)
    with pytest.raises(NotArmed, match=r"not confirmed within 5 s"):
        arming.confirm("ada", math.nextafter(T + 5.0, math.inf))
    assert arming.state(T) is State.SAFE


@pytest.mark.parametrize("t_now", [math.nextafter(T, 0.0), math.nan, math.inf])
def test_a_confirmation_before_its_request_is_none(arming, t_now):
    arming.request("ada", T)
    with pytest.raises(NotArmed, match="not confirmed within"):
        arming.confirm("ada", t_now)
    assert arming.state(T) is State.SAFE


def test_somebody_else_cannot_confirm_and_voids_the_request(arming):
    arming.request("ada", T)
    with pytest.raises(NotArmed, match="not the one who asked"):
        arming.confirm("bob", T)
    with pytest.raises(NotArmed, match="nothing to confirm"):
        arming.confirm("ada", T)
    assert arming.state(T) is State.SAFE


def test_a_late_confirmation_voids_the_request(arming):
    arming.request("ada", T)
    with pytest.raises(NotArmed):
        arming.confirm("ada", T + 31.0)
    with pytest.raises(NotArmed, match="nothing to confirm"):
        arming.confirm("ada", T)


def test_one_request_arms_once(arming):
    armed(arming)
    arming.disarm()
    with pytest.raises(NotArmed, match="nothing to confirm"):
        arming.confirm("ada", T)


def test_a_later_request_takes_the_place_of_an_earlier_one(arming):
    arming.request("ada", T)
    arming.request("bob", T)
    with pytest.raises(NotArmed, match="not the one who asked"):
        arming.confirm("ada", T)


def test_a_request_while_armed_is_refused_and_changes_nothing(arming):
    armed(arming)
    with pytest.raises(NotArmed, match="armed already"):
        arming.request("ada", T + 1.0)
    assert arming.armed_until == T + MAX_ARMED_S


def test_after_its_time_it_can_be_armed_again(arming):
    armed(arming)
    later = T + MAX_ARMED_S + 1.0
    assert armed(arming, later) == later + MAX_ARMED_S
    assert arming.state(later) is State.ARMED


@pytest.mark.parametrize(
    ("token", "t_now"), [("", T), ("ada", math.nan), ("ada", math.inf)]
)
def test_a_request_says_who_and_when(arming, token, t_now):
    with pytest.raises(NotArmed, match="who makes it, and when"):
        arming.request(token, t_now)
    with pytest.raises(NotArmed, match="nothing to confirm"):
        arming.confirm(token, T)


def test_disarming_is_always_allowed(arming):
    arming.disarm()
    armed(arming)
    arming.disarm()
    assert arming.state(T) is State.SAFE
    assert math.isnan(arming.armed_until)
    arming.request("ada", T)
    arming.disarm()
    with pytest.raises(NotArmed, match="nothing to confirm"):
        arming.confirm("ada", T)


def test_a_fault_latches_and_the_first_one_stays(arming):
    armed(arming)
    arming.latch("the port is lost")
    arming.latch("the disk is full")
    assert arming.fault == "the port is lost"
    assert arming.state(T) is State.FAULT
    assert math.isnan(arming.armed_until)
    arming.disarm()
    assert arming.state(T) is State.FAULT


def test_a_fault_voids_a_request_and_refuses_new_ones(arming):
    arming.request("ada", T)
    arming.latch("the port is lost")
    with pytest.raises(NotArmed, match=r"\(the port is lost\)"):
        arming.confirm("ada", T)
    with pytest.raises(NotArmed, match=r"\(the port is lost\)"):
        arming.request("ada", T)
    arming.reset("ada")
    with pytest.raises(NotArmed, match="nothing to confirm"):
        arming.confirm("ada", T)


def test_only_a_person_resets_and_a_reset_arms_nothing(arming):
    armed(arming)
    arming.latch("the port is lost")
    with pytest.raises(NotArmed, match="the fault stays"):
        arming.reset("")
    assert arming.state(T) is State.FAULT
    arming.reset("ada")
    assert arming.state(T) is State.SAFE
    assert arming.fault is None
    assert armed(arming) == T + MAX_ARMED_S


def test_a_reset_without_a_fault_is_refused(arming):
    with pytest.raises(NotArmed, match="nothing to reset"):
        arming.reset("ada")


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_an_arming_without_an_end_cannot_be_made(bad):
    with pytest.raises(ValueError, match="max_armed_s"):
        Arming(bad)


class ArmingMachine(RuleBasedStateMachine):
    """Armed only within `max_armed_s` of two matching steps, with no fault between."""

    def __init__(self):
        super().__init__()
        self.arming = Arming(100.0, confirm_within_s=10.0)
        self.t = 0.0
        self.asked = None  # who, when
        self.t_armed = None
        self.fault = False

    @rule(step=st.floats(0.0, 60.0) | st.sampled_from([-50.0, -1.0, 10.0, 100.0]))
    def clock(self, step):
        self.t += step

    @rule(token=st.sampled_from(["ada", "bob", ""]))
    def request(self, token):
        allowed = bool(token) and not self.fault and not self.is_armed()
        try:
            self.arming.request(token, self.t)
            assert allowed
            self.asked = (token, self.t)
        except NotArmed:
            assert not allowed

    @rule(token=st.sampled_from(["ada", "bob", ""]))
    def confirm(self, token):
        asked = self.asked
        allowed = (
            not self.fault
            and asked is not None
            and asked[0] == token
            and asked[1] <= self.t <= asked[1] + 10.0
        )
        try:
            self.arming.confirm(token, self.t)
            assert allowed
            self.t_armed = self.t
        except NotArmed:
            assert not allowed
        if not self.fault:
            self.asked = None

    @rule()
    def disarm(self):
        self.arming.disarm()
        self.asked = self.t_armed = None

    @rule()
    def latch(self):
        self.arming.latch("a fault")
        self.fault = True
        self.asked = self.t_armed = None

    @rule(token=st.sampled_from(["ada", ""]))
    def reset(self, token):
        allowed = self.fault and bool(token)
        try:
            self.arming.reset(token)
            assert allowed
            self.fault = False
        except NotArmed:
            assert not allowed

    def is_armed(self):
        since = self.t_armed
        return since is not None and 0.0 <= self.t - since <= 100.0

    @invariant()
    def stands_where_the_model_says(self):
        state = self.arming.state(self.t)
        if self.fault:
            assert state is State.FAULT
        else:
            assert state is (State.ARMED if self.is_armed() else State.SAFE)


TestArmingMachine = ArmingMachine.TestCase


@pytest.mark.parametrize("max_armed_s", [1e-3, 0.5, 1.0, 1e6])
def test_an_arming_may_be_as_short_as_somebody_likes(max_armed_s):
    arming = Arming(max_armed_s)
    arming.request("me", 10.0)
    assert arming.confirm("me", 10.0) == 10.0 + max_armed_s
    assert arming.state(10.0) is State.ARMED
