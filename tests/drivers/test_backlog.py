"""A box that stalls: what it left lying must not come out late."""

import contextlib
import os
import pty
import tty

import pytest

from drivers.base import PortLost
from drivers.serial_byte import SerialByteTrigger


@pytest.fixture
def stalled_box():
    """Return a trigger on a terminal that nobody reads, and its other end."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    trigger = SerialByteTrigger(os.ttyname(slave))
    with contextlib.closing(trigger):
        yield trigger, master
    os.close(slave)
    os.close(master)


def test_triggers_left_lying_are_thrown_away_before_the_port_is_closed(
    stalled_box, monkeypatch
):
    trigger, _ = stalled_box
    trigger.open()
    done = []
    monkeypatch.setattr(
        "drivers.serial_port.termios.tcflush",
        lambda descriptor, queue: done.append("thrown away"),
    )
    write = os.write
    monkeypatch.setattr(
        "drivers.serial_byte.os.write",
        lambda descriptor, data: done.append(data) or write(descriptor, data),
    )
    trigger.close()
    assert done[:2] == ["thrown away", b"\x00"]


def test_a_port_with_a_lasting_backlog_is_lost(stalled_box, monkeypatch):
    trigger, _ = stalled_box
    trigger.open()
    monkeypatch.setattr(
        "drivers.serial_port.fcntl.ioctl",
        lambda descriptor, request, argument=0: b"\x02\x00\x00\x00",
    )
    trigger.check()
    trigger.check()
    with pytest.raises(PortLost, match="takes no bytes any more"):
        trigger.check()
    monkeypatch.undo()


def test_a_port_that_takes_its_bytes_is_not_lost(stalled_box):
    trigger, master = stalled_box
    trigger.open()
    for _ in range(5):
        os.read(master, 64)
        os.write(trigger.edges(1).rise.descriptor, b"\x01")
        trigger.check()
