"""The byte trigger on a real pseudo-terminal, opened by the real pyserial."""

import contextlib
import logging
import os
import stat
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import (
    DriverSettingError,
    PortLost,
    PortMissing,
    WireAction,
)
from drivers.conformance import check_trigger_output
from drivers.serial_byte import SerialByteTrigger, byte_capabilities


def perform(action: WireAction) -> None:
    assert action.kind == "write"
    assert os.write(action.descriptor, action.payload) == len(action.payload)


class WatchedBox:
    """A probe for the conformance test: a latching box at the device end."""

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal
        self._code = 0xFF

    def perform(self, action: WireAction) -> None:
        perform(action)

    def is_low(self) -> bool:
        # Each action and each open or close sends one byte; wait for it, take the rest.
        self._code = self._terminal.read(1)[-1]
        while not self._terminal.is_silent():
            self._code = self._terminal.read(1)[-1]
        return self._code == 0


def test_keeps_all_promises_of_a_trigger_output(terminal):
    # The second open and close send two bytes before the probe looks.
    check_trigger_output(lambda: SerialByteTrigger(terminal.name), WatchedBox(terminal))


def test_line_is_at_rest_after_open_and_after_close(terminal):
    trigger = SerialByteTrigger(terminal.name)
    trigger.open()
    assert terminal.read(1) == b"\x00"
    perform(trigger.edges(255).rise)
    trigger.close()
    assert terminal.read(2) == b"\xff\x00"


def test_edges_are_a_code_and_its_rest(terminal):
    trigger = SerialByteTrigger(terminal.name)
    with contextlib.closing(trigger):
        trigger.open()
        edges = trigger.edges(7)
        assert stat.S_ISCHR(os.fstat(edges.rise.descriptor).st_mode)
        assert (edges.rise.payload, edges.rise.request) == (b"\x07", 0)
        assert edges.fall is not None
        assert edges.fall.payload == b"\x00"


def test_descriptor_does_not_block(terminal):
    trigger = SerialByteTrigger(terminal.name)
    with contextlib.closing(trigger):
        trigger.open()
        assert not os.get_blocking(trigger.edges(1).rise.descriptor)


def test_line_is_lowered_when_an_exception_passes(terminal):
    trigger = SerialByteTrigger(terminal.name)

    def fail_with_the_line_up() -> None:
        with contextlib.closing(trigger):
            trigger.open()
            perform(trigger.edges(3).rise)
            raise LookupError

    with pytest.raises(LookupError):
        fail_with_the_line_up()
    assert terminal.read(3) == b"\x00\x03\x00"


@pytest.mark.slow
def test_line_is_lowered_when_the_interpreter_exits(terminal):
    program = (
        "import os, sys\n"
        "from drivers.serial_byte import SerialByteTrigger\n"
        "trigger = SerialByteTrigger(sys.argv[1])\n"
        "trigger.open()\n"
        "os.write(trigger.edges(9).rise.descriptor, b'\\x09')\n"
        "raise SystemExit(3)\n"
    )
    command = [sys.executable, "-P", "-c", program, terminal.name]
    assert subprocess.run(command, timeout=30, check=False).returncode == 3
    assert terminal.read(3) == b"\x00\x09\x00"


@given(code=st.integers() | st.floats() | st.booleans() | st.none())
def test_only_codes_of_one_byte_above_zero_are_sent(code):
    trigger = SerialByteTrigger("nowhere", open_port=lambda _p, _b: NullPort())
    with contextlib.closing(trigger):
        trigger.open()
        if type(code) is int and 1 <= code <= 255:
            assert trigger.edges(code).rise.payload == code.to_bytes()
        else:
            with pytest.raises(DriverSettingError, match="1 to 255"):
                trigger.edges(code)


class NullPort:
    def __init__(self) -> None:
        self._descriptor = os.open(os.devnull, os.O_RDWR)

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)


@pytest.mark.parametrize("code", [0, 256, -1, 1.0, True, float("nan"), "1", b"\x01"])
def test_impossible_codes_are_refused(terminal, code):
    trigger = SerialByteTrigger(terminal.name)
    with contextlib.closing(trigger):
        trigger.open()
        with pytest.raises(DriverSettingError, match="whole number from 1 to 255"):
            trigger.edges(code)


def test_opening_twice_is_refused_and_harmless(terminal):
    trigger = SerialByteTrigger(terminal.name)
    with contextlib.closing(trigger):
        trigger.open()
        with pytest.raises(DriverSettingError, match="open already"):
            trigger.open()
        trigger.check()


def test_unplugged_port_is_lost_and_closes_quietly(terminal, caplog):
    trigger = SerialByteTrigger(terminal.name)
    trigger.open()
    trigger.check()
    terminal.unplug()
    with pytest.raises(PortLost, match=f"{terminal.name} was lost"):
        trigger.check()
    with caplog.at_level(logging.WARNING):
        trigger.close()
    assert "may still be up" in caplog.text
    trigger.close()


def test_rest_is_sent_even_when_the_device_has_stopped_to_read(terminal):
    trigger = SerialByteTrigger(terminal.name)
    trigger.open()
    descriptor = trigger.edges(5).rise.descriptor
    assert fill(descriptor), "the pseudo-terminal took bytes without end"
    trigger.close()
    received = terminal.read(1)
    while (byte := terminal.read(1)) == b"\x05":
        received += byte
    assert byte == b"\x00"


def test_device_that_takes_no_bytes_is_refused(terminal, open_bare):
    assert fill(open_bare(terminal.name, 0).fileno())
    trigger = SerialByteTrigger(terminal.name, open_port=open_bare)
    with pytest.raises(DriverSettingError, match="takes no bytes"):
        trigger.open()
    with pytest.raises(DriverSettingError, match="is not open"):
        trigger.edges(1)


def fill(descriptor: int, settle_s: float = 0.002, rounds: int = 100) -> bool:
    """Write until the port takes no more, also after the kernel has moved bytes on."""
    for _ in range(rounds):
        refused_at_once = True
        for block in (b"\x05" * 1024, b"\x05"):
            with contextlib.suppress(BlockingIOError):
                while os.write(descriptor, block):
                    refused_at_once = False
        if refused_at_once:
            return True
        time.sleep(settle_s)
    return False


def test_port_that_fails_at_its_first_byte_is_given_back(terminal, open_bare):
    opened = []

    def open_and_unplug(name: str, baud: int) -> Any:
        opened.append(open_bare(name, baud))
        terminal.unplug()
        return opened[0]

    trigger = SerialByteTrigger(terminal.name, open_port=open_and_unplug)
    with pytest.raises(PortMissing, match="failed as soon as it was open"):
        trigger.open()
    assert opened[0].closed == 1


def test_capabilities_follow_the_baud_rate():
    slow = byte_capabilities(9600)
    assert slow.codes == range(1, 256)
    assert slow.min_pulse_s == pytest.approx(1.0417e-3, rel=1e-4)
    assert slow.min_gap_s == 2 * slow.min_pulse_s
    assert not slow.ends_by_itself
