"""Pseudo-terminals and a fake control line for the tests of drivers."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import tty
from collections.abc import Callable, Iterator

import pytest

from drivers.base import WireAction

READ_TIMEOUT_S = 2.0


class Terminal:
    """A pseudo-terminal whose device end the test holds."""

    def __init__(self) -> None:
        self.device, self._host = pty.openpty()
        tty.setraw(self._host)
        self.name = os.ttyname(self._host)

    def read(self, count: int) -> bytes:
        """Return `count` bytes, or those that came in time."""
        received = b""
        while len(received) < count:
            ready, _, _ = select.select([self.device], [], [], READ_TIMEOUT_S)
            if not ready:
                break
            received += os.read(self.device, count - len(received))
        return received

    def is_silent(self) -> bool:
        return not select.select([self.device], [], [], 0)[0]

    def unplug(self) -> None:
        if self.device >= 0:
            os.close(self.device)
            os.close(self._host)
            self.device = -1


class HostEnd:
    """What `open_port` returns, without pyserial."""

    def __init__(self, name: str) -> None:
        self._descriptor = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.closed = 0

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)
        self.closed += 1


class FakeLines:
    """Control lines of a port that has none: an `ioctl` that keeps their bits."""

    def __init__(self) -> None:
        self.bits = termios.TIOCM_RTS | termios.TIOCM_DTR
        self.calls: list[tuple[int, int, bytes]] = []

    def ioctl(self, descriptor: int, request: int, payload: bytes) -> bytes:
        fcntl.fcntl(descriptor, fcntl.F_GETFD)
        self.calls.append((descriptor, request, payload))
        (bits,) = struct.unpack("@i", payload)
        if request == termios.TIOCMBIS:
            self.bits |= bits
        elif request == termios.TIOCMBIC:
            self.bits &= ~bits
        else:
            raise OSError(25, "Inappropriate ioctl for device")
        return payload

    def perform(self, action: WireAction) -> None:
        assert action.kind == "ioctl"
        self.ioctl(action.descriptor, action.request, action.payload)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    try:
        yield made
    finally:
        made.unplug()


@pytest.fixture
def lines() -> FakeLines:
    return FakeLines()


@pytest.fixture
def open_bare() -> Iterator[Callable[[str, int], HostEnd]]:
    """Open ports without pyserial, and close those that the test forgets."""
    ends: list[HostEnd] = []

    def open_port(name: str, _baud: int) -> HostEnd:
        ends.append(HostEnd(name))
        return ends[-1]

    yield open_port
    for end in ends:
        if not end.closed:
            with contextlib.suppress(OSError):
                end.close()
