"""The loop of the simulated box, in this process, with a scripted clock."""

import contextlib
import os
import select
from collections.abc import Iterator

import pytest

from drivers.sim.byte_box import BoxBehaviour
from drivers.sim.pseudo_port import PseudoPort, PseudoPortError
from drivers.sim.serial_byte import SerialByteTwin


class Ending:
    """A lifetime that has ended already, and keeps whoever waits for it company."""

    def __init__(self) -> None:
        self.descriptor, self._wake = os.pipe()
        self.waited = 0
        os.write(self._wake, b"\0")

    def wait(self) -> None:
        self.waited += 1

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self._wake)


class Diary:
    """A log and a clock that note the order of their calls."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.arrivals = []

    def now(self) -> float:
        self.events.append("stamp")
        return 42.0

    def append(self, changes):
        self.events.append("append")
        self.arrivals += changes


@pytest.fixture
def port() -> Iterator[PseudoPort]:
    made = PseudoPort()
    yield made
    made.unplug()


@pytest.fixture
def ending() -> Iterator[Ending]:
    with contextlib.closing(Ending()) as made:
        yield made


def send(port: PseudoPort, payload: bytes) -> None:
    """Send bytes and return when they can be read at the device's end."""
    host = os.open(port.name, os.O_WRONLY | os.O_NOCTTY)
    os.write(host, payload)
    os.close(host)
    assert select.select([port.descriptor], [], [], 2.0)[0]


def run(port, ending, behaviour=None):
    diary = Diary()
    twin = SerialByteTwin(behaviour or BoxBehaviour(), now=diary.now)
    twin.run(port, diary, ending)
    return diary


def test_bytes_of_one_read_share_a_stamp_taken_before_the_record(port, ending):
    send(port, b"\x01\x02\x00")
    diary = run(port, ending)
    assert diary.events == ["stamp", "append"]
    assert [(one.t_observed, one.code, one.merged) for one in diary.arrivals] == [
        (42.0, 1, 3),
        (42.0, 2, 3),
        (42.0, 0, 3),
    ]


def test_bytes_still_waiting_at_the_end_are_recorded(port, ending):
    stream = bytes(range(256)) * 4
    send(port, stream)
    assert bytes(one.code for one in run(port, ending).arrivals) == stream


def test_bytes_pass_raw_and_without_echo(port, ending):
    # Carriage return, interrupt, end of file, stop and start of the flow, delete.
    special = b"\r\n\x03\x04\x11\x13\x7f\xff"
    send(port, special)
    assert bytes(one.code for one in run(port, ending).arrivals) == special
    host = os.open(port.name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    assert not select.select([host], [], [], 0)[0]
    os.close(host)


def test_unplugged_box_hangs_up_and_waits_for_its_end(port, ending):
    send(port, b"\x01\x02")
    diary = run(port, ending, BoxBehaviour(unplug_after=1))
    assert [one.code for one in diary.arrivals] == [1]
    assert port.descriptor == -1
    assert ending.waited == 1


def test_link_in_the_way_is_refused_and_kept(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("kept")
    with pytest.raises(PseudoPortError, match="remove it or choose another name"):
        PseudoPort(taken)
    assert taken.read_text() == "kept"
