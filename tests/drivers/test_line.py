"""The control-line trigger: real descriptors, a fake `ioctl` where lines are needed."""

import contextlib
import errno
import fcntl
import os
import struct
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import DriverSettingError, PortLost, PortMissing
from drivers.conformance import check_trigger_output
from drivers.line import SerialLineTrigger


class WatchedLine:
    """A probe for the conformance test."""

    def __init__(self, lines, bit):
        self._lines = lines
        self._bit = bit

    def perform(self, action):
        self._lines.perform(action)

    def is_low(self):
        return not self._lines.bits & self._bit


@pytest.fixture
def trigger(terminal, lines, open_bare):
    made = SerialLineTrigger(terminal.name, open_port=open_bare, ioctl=lines.ioctl)
    with contextlib.closing(made):
        yield made


@pytest.mark.parametrize(
    ("line", "bit"), [("rts", termios.TIOCM_RTS), ("dtr", termios.TIOCM_DTR)]
)
def test_keeps_all_promises_of_a_trigger_output(terminal, lines, open_bare, line, bit):
    check_trigger_output(
        lambda: SerialLineTrigger(
            terminal.name, line, open_port=open_bare, ioctl=lines.ioctl
        ),
        WatchedLine(lines, bit),
    )


@pytest.mark.parametrize("line", ["rts", "dtr"])
def test_only_the_chosen_line_moves(terminal, lines, open_bare, line):
    chosen, other = termios.TIOCM_RTS, termios.TIOCM_DTR
    if line == "dtr":
        chosen, other = other, chosen
    trigger = SerialLineTrigger(
        terminal.name, line, open_port=open_bare, ioctl=lines.ioctl
    )
    with contextlib.closing(trigger):
        trigger.open()
        lines.bits = 0
        lines.perform(trigger.edges(1).rise)
        assert lines.bits == chosen
        lines.bits |= other
        fall = trigger.edges(1).fall
        assert fall is not None
        lines.perform(fall)
        assert lines.bits == other


def test_actions_carry_the_line_as_a_native_int(trigger):
    trigger.open()
    edges = trigger.edges(1)
    assert edges.fall is not None
    assert (edges.rise.kind, edges.fall.kind) == ("ioctl", "ioctl")
    assert edges.rise.request == termios.TIOCMBIS
    assert edges.fall.request == termios.TIOCMBIC
    assert edges.rise.payload == struct.pack("@i", termios.TIOCM_RTS)
    assert len(edges.rise.payload) == 4


def test_port_without_control_lines_is_refused_and_given_back(terminal):
    trigger = SerialLineTrigger(terminal.name)
    with pytest.raises(DriverSettingError, match="has no RTS line"):
        trigger.open()
    descriptor = os.open(terminal.name, os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)
    with pytest.raises(DriverSettingError, match="is not open"):
        trigger.edges(1)


def test_line_that_fails_while_opening_is_given_back(terminal, open_bare):
    opened = []

    def keep(name, baud):
        opened.append(open_bare(name, baud))
        return opened[0]

    def fail(_descriptor, _request, _payload):
        raise OSError(errno.EIO, "Input/output error")

    trigger = SerialLineTrigger(terminal.name, open_port=keep, ioctl=fail)
    with pytest.raises(PortMissing, match="failed as soon as it was open"):
        trigger.open()
    assert opened[0].closed == 1


def test_unplugged_port_is_lost(trigger, terminal):
    trigger.open()
    trigger.check()
    terminal.unplug()
    with pytest.raises(PortLost, match="plug the device in again"):
        trigger.check()


def test_failure_to_lower_at_close_is_logged_not_raised(terminal, open_bare, caplog):
    answers = iter([None, OSError(errno.EIO, "Input/output error")])

    def ioctl(_descriptor, _request, _payload):
        answer = next(answers)
        if answer is not None:
            raise answer

    trigger = SerialLineTrigger(terminal.name, open_port=open_bare, ioctl=ioctl)
    trigger.open()
    trigger.close()
    assert "RTS" in caplog.text
    assert "may still be up" in caplog.text


def test_unknown_line_is_refused():
    with pytest.raises(DriverSettingError, match="no trigger line 'cts'"):
        SerialLineTrigger("/dev/ttyX", "cts")  # type: ignore[arg-type]


@given(code=st.integers().filter(lambda code: code != 1) | st.floats() | st.booleans())
def test_a_line_knows_only_the_code_one(code):
    with pytest.raises(DriverSettingError, match="only the code 1"):
        SerialLineTrigger("/dev/ttyX").edges(code)
