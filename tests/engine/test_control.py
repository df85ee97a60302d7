import math
import sys
import threading

import numpy as np
import pytest

from controller.engine.control import (
    N_WORDS,
    SUPERVISOR_SILENCE_S,
    UNTIL,
    ControlWords,
    Word,
)
from controller.engine.loop import permits_now
from controller.engine.ports import PORTS
from controller.kernels.jit import new_records
from controller.safety.interlock import TIMED, Permit

OTHERS = Permit.ALL & ~Permit.SUPERVISED


@pytest.fixture
def words():
    return ControlWords()


def give_all(words):
    words.permit(Permit.ALL)
    words.vouch_until(TIMED, math.inf)


def seen_by_loop(words, t_now):
    ports = new_records(PORTS)
    ports.words = words.address
    seen = Permit(permits_now(ports, t_now))
    assert words.permits_at(t_now) == seen
    return seen


def test_fresh_words_permit_nothing(words):
    assert words.permits == Permit.NONE
    assert words.clock_offset_s == 0.0
    assert words.supervisor_beat == -math.inf
    assert not words.stop_requested
    assert seen_by_loop(words, 0.0) == Permit.NONE


def test_permits_are_given_and_taken_one_by_one(words):
    words.permit(Permit.ARMED | Permit.RECORDING)
    words.withdraw(Permit.ARMED)
    assert words.permits == Permit.RECORDING
    words.withdraw(Permit.ALL)
    assert words.permits == Permit.NONE


def test_stop_flag_goes_up_and_down(words):
    words.request_stop()
    assert words.stop_requested
    words.clear_stop()
    assert not words.stop_requested


@pytest.mark.parametrize("offset_s", [0.0, -1.5, 3e-7, 1.7e9])
def test_offset_and_beat_come_back_exactly(words, offset_s):
    words.set_clock_offset(offset_s)
    words.beat(offset_s + 1.0)
    assert words.clock_offset_s == offset_s
    assert words.supervisor_beat == offset_s + 1.0


def test_every_word_has_a_place_of_its_own(words):
    assert words.address % 8 == 0
    assert len(words.words) == N_WORDS == len(Word)
    words.permit(Permit.ALL)
    words.request_stop()
    words.set_clock_offset(2.0)
    words.beat(3.0)
    words.count_turn()
    assert words.loop_beats == 1
    assert (words.permits, words.stop_requested) == (Permit.ALL, True)
    assert (words.clock_offset_s, words.supervisor_beat) == (2.0, 3.0)


def test_the_loop_sees_the_supervisor_by_its_beat_alone(words):
    give_all(words)
    # A bit that nobody backs with a beat is worth nothing.
    assert seen_by_loop(words, 100.0) == OTHERS
    words.withdraw(Permit.SUPERVISED)
    words.beat(100.0)
    assert seen_by_loop(words, 100.0) == Permit.ALL


def test_the_longest_silence_is_allowed_and_a_longer_one_is_not(words):
    give_all(words)
    words.beat(0.0)
    assert seen_by_loop(words, SUPERVISOR_SILENCE_S) == Permit.ALL
    later = math.nextafter(SUPERVISOR_SILENCE_S, math.inf)
    assert seen_by_loop(words, later) == OTHERS


@pytest.mark.parametrize("permit", list(UNTIL))
def test_a_timed_permit_holds_until_its_instant_and_no_longer(words, permit):
    give_all(words)
    words.beat(10.0)
    words.vouch_until(permit, 10.0)
    assert words.holds_until(permit) == 10.0
    assert seen_by_loop(words, 10.0) == Permit.ALL
    assert seen_by_loop(words, math.nextafter(10.0, 11.0)) == Permit.ALL & ~permit
    words.vouch_until(permit, 11.0)
    assert seen_by_loop(words, 11.0) == Permit.ALL


@pytest.mark.parametrize("permit", list(UNTIL))
@pytest.mark.parametrize("t_until", [math.nan, -math.inf])
def test_a_timed_permit_until_no_instant_is_none(words, permit, t_until):
    give_all(words)
    words.beat(1.0)
    words.vouch_until(permit, t_until)
    assert seen_by_loop(words, 1.0) == Permit.ALL & ~permit
    assert seen_by_loop(words, math.nan) & TIMED == Permit.NONE


def test_a_timed_permit_that_nobody_vouched_for_is_none(words):
    words.permit(Permit.ALL)
    words.beat(1.0)
    assert seen_by_loop(words, 1.0) == Permit.RECORDING | Permit.SUPERVISED


def test_a_withdrawn_permit_does_not_come_back_by_its_instant(words):
    give_all(words)
    words.beat(1.0)
    words.withdraw(Permit.ARMED)
    assert seen_by_loop(words, 1.0) == Permit.ALL & ~Permit.ARMED


@pytest.mark.parametrize("permit", [Permit.RECORDING, Permit.ALL, Permit.MARKER])
def test_only_timed_permits_have_an_end(words, permit):
    with pytest.raises(ValueError, match="permit"):
        words.vouch_until(permit, 1.0)


@pytest.mark.parametrize("beat", [math.nan, -math.inf])
def test_a_beat_that_is_no_instant_is_none(words, beat):
    give_all(words)
    words.beat(beat)
    assert seen_by_loop(words, 1.0) == OTHERS


def test_words_are_64_bit_integers(words):
    assert words.words.dtype == np.int64
    assert words.words.flags.c_contiguous


def test_no_thread_gives_back_what_another_takes(words):
    """Every change is a read and a write; neither may fall between those of another."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def toggle(permit, n_lost):
        for _ in range(3000):
            words.permit(permit)
            n_lost.append(not words.permits & permit)
            words.withdraw(permit)
            n_lost.append(bool(words.permits & permit))

    lost = []
    threads = [
        threading.Thread(target=toggle, args=(permit, lost))
        for permit in (Permit.RECORDING, Permit.MARKER)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not any(lost)
