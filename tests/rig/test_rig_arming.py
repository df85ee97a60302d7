"""A session's two steps of arming, and what the loop may do of it."""

import math

import pytest

from controller.engine.control import ControlWords
from controller.errors import NotArmed
from controller.rig.arming import ANSWER_WITHIN_S, SessionArming, vouch_for_absent
from controller.safety.interlock import Permit

BOX = "box at /dev/ttyX"


@pytest.fixture
def words() -> ControlWords:
    return ControlWords()


@pytest.fixture
def arming(words: ControlWords) -> SessionArming:
    return SessionArming(words, max_armed_s=60.0)


def test_both_steps_arm_until_the_arming_ends(
    words: ControlWords, arming: SessionArming
) -> None:
    arming.request(BOX, 100.0)
    arming.confirm(BOX, 110.0)
    assert words.permits_at(110.0) == Permit.NONE
    assert arming.give(BOX, 115.0) == 170.0
    assert words.permits_at(170.0) == Permit.ARMED
    assert words.permits_at(math.nextafter(170.0, 171.0)) == Permit.NONE


@pytest.mark.parametrize("t_confirmed", [None, 100.0 + ANSWER_WITHIN_S + 0.1, 99.0])
def test_without_a_confirmation_in_time_nothing_is_armed(
    words: ControlWords, arming: SessionArming, t_confirmed: float | None
) -> None:
    arming.request(BOX, 100.0)
    if t_confirmed is not None:
        with pytest.raises(NotArmed, match="not confirmed"):
            arming.confirm(BOX, t_confirmed)
    with pytest.raises(NotArmed, match=r"The box at /dev/ttyX was not armed.*--arm"):
        arming.give(BOX, 101.0)
    assert words.permits == Permit.NONE


def test_a_confirmation_that_has_run_out_arms_nothing(
    words: ControlWords, arming: SessionArming
) -> None:
    arming.request(BOX, 100.0)
    arming.confirm(BOX, 100.0)
    with pytest.raises(NotArmed):
        arming.give(BOX, 160.5)
    assert words.permits == Permit.NONE


def test_a_fault_latches(words: ControlWords, arming: SessionArming) -> None:
    vouch_for_absent(words, console=False, stimulator=False)
    arming.request(BOX, 100.0)
    arming.confirm(BOX, 100.0)
    arming.give(BOX, 100.0)
    arming.latch("The port is gone.")
    assert words.permits_at(100.0) == Permit.NONE
    with pytest.raises(NotArmed, match=r"The port is gone\."):
        arming.request(BOX, 101.0)


@pytest.mark.parametrize("console", [True, False])
@pytest.mark.parametrize("stimulator", [True, False])
def test_only_what_is_not_there_is_vouched_for(
    words: ControlWords, console: bool, stimulator: bool
) -> None:
    vouch_for_absent(words, console=console, stimulator=stimulator)
    held = words.permits_at(1e12)
    assert bool(held & Permit.CONSOLE) is not console
    assert bool(held & Permit.DEVICE) is not stimulator
