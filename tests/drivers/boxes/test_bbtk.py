"""The Black Box ToolKit module: its pairs of characters, its driver and its twin."""

import contextlib
import time

import pytest
from box_bench import perform, running
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import DriverSettingError, PortLost
from drivers.bbtk import PING, PONG, RESET, BlackBoxTtl, encode_code, parse_inputs
from drivers.sim.bbtk import BlackBoxDevice
from drivers.sim.line_device import LineFaults, LineLatency


def device(faults=None, **settings):
    return BlackBoxDevice(LineLatency(), faults or LineFaults(), **settings)


def codes_of(outcome):
    return [one.code for one in outcome.changes]


def test_commands_have_their_bytes():
    assert [encode_code(code) for code in (0, 5, 10, 255)] == [
        b"00",
        b"05",
        b"0A",
        b"FF",
    ]
    assert (RESET, PING, PONG) == (b"RR", b"##", b"XX")


@given(st.lists(st.integers(0, 255)))
def test_states_of_the_inputs_come_back(states):
    assert parse_inputs(b"".join(map(encode_code, states))) == states


@pytest.mark.parametrize(
    ("received", "states"),
    [(b"0G1F", [0x1F]), (b"0a05", [5]), (b"050", [5]), (b"XX01", [1]), (b" 1", [])],
)
def test_what_is_no_state_is_left_out(received, states):
    assert parse_inputs(received) == states


def test_driver_resets_asks_and_writes_codes():
    with running(device()) as bench:
        trigger = BlackBoxTtl(bench.port)
        with contextlib.closing(trigger):
            trigger.open()
            edges = trigger.edges(0xAB)
            perform(edges.rise)
            perform(edges.fall)
        bench.wait_for_codes(0, 0, 0xAB, 0, 0)


@pytest.mark.parametrize("fault", [{"mute": True}, {"garble": True}])
def test_silence_and_rubbish_are_refused(fault):
    words = "No Black Box ToolKit"
    box = device(LineFaults(**fault))
    with running(box) as bench, pytest.raises(DriverSettingError, match=words):
        BlackBoxTtl(bench.port).open()


@pytest.mark.parametrize("code", [0, 256, True, 1.0, None, "05"])
def test_impossible_codes_are_refused(code):
    with pytest.raises(DriverSettingError, match="1 to 255"):
        BlackBoxTtl("nowhere").edges(code)


def test_changes_of_the_inputs_are_read_and_the_ping_is_found_among_them():
    with running(device(input_every_s=0.001)) as bench:
        trigger = BlackBoxTtl(bench.port)
        with contextlib.closing(trigger):
            trigger.open()
            states, t_end = [], time.monotonic() + 5.0
            while len(states) < 8 and time.monotonic() < t_end:
                states += trigger.read_inputs()
    assert states[:8] in ([0, 1] * 4, [1, 0] * 4)


def test_half_a_change_waits_for_its_other_half(terminal):
    def answer(descriptor):
        return Answering(descriptor)

    class Answering:
        def __init__(self, descriptor):
            self.wait = lambda _s: None
            self._said = iter([b"", b"0", b"1F", b"F"])

        def send(self, payload):
            """Take it."""

        def drain(self):
            return next(self._said)

        def ask(self, *_arguments):
            return b"01XX0"

    trigger = BlackBoxTtl(terminal.name, start_dialogue=answer)
    trigger.open()
    assert trigger.read_inputs() == [0]
    assert trigger.read_inputs() == [0x1F]
    assert trigger.read_inputs() == []
    trigger.close()


def test_check_keeps_the_buffer_of_the_port_empty():
    with running(device(input_every_s=0.001)) as bench:
        trigger = BlackBoxTtl(bench.port)
        with contextlib.closing(trigger):
            trigger.open()
            trigger.check()
            assert len(trigger._box.check()) < 1000
        with pytest.raises(PortLost, match="not open"):
            trigger.check()


def test_twin_counts_in_pairs_and_loses_step_after_an_odd_byte():
    box = device()
    assert codes_of(box.receive(b"05", 1.0)) == [5]
    assert codes_of(box.receive(b"0", 1.0)) == []
    assert codes_of(box.receive(b"07", 1.0)) == [0]
    assert codes_of(box.receive(b"FF", 1.0)) == [0x7F]


def test_two_rests_end_low_also_after_an_odd_byte():
    box = device()
    box.receive(b"FFF", 1.0)
    assert codes_of(box.receive(2 * b"00", 1.0))[-1] == 0


def test_twin_takes_no_lower_case():
    assert codes_of(device().receive(b"ab", 1.0)) == []


def test_what_comes_during_a_reset_waits_for_its_end():
    box = device()
    assert box.t_next() == float("inf")
    assert codes_of(box.receive(RESET + b"05", 1.0)) == [0]
    assert codes_of(box.receive(b"06##", 1.01)) == []
    assert box.t_next() == pytest.approx(1.05)
    assert codes_of(box.settle(1.04)) == []
    outcome = box.settle(1.06)
    assert codes_of(outcome) == [5, 6]
    assert {one.t_observed for one in outcome.changes} == {box._t_ready}
    assert outcome.reply == PONG
    assert codes_of(box.receive(b"07", 1.1)) == [7]


def test_twin_answers_a_ping():
    assert device().receive(PING, 1.0).reply == PONG


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_twin_survives_any_bytes(pieces):
    box = device()
    for i, piece in enumerate(pieces):
        outcome = box.receive(piece, float(i))
        assert all(0 <= one.code < 256 for one in outcome.changes)


@pytest.mark.parametrize("every_s", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_interval_of_inputs_is_refused(every_s):
    with pytest.raises(DriverSettingError, match="cannot change every"):
        device(input_every_s=every_s)
