"""How bytes travel between a session and its device: over a port, or from a script."""

import errno
import os
import select
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Final, Literal, Protocol, Self

import serial

from drivers.base import PortLost
from drivers.serial_port import HeldPort, OpenedPort, OpenPort, open_serial

_WRITE_TIMEOUT_S: Final = 0.3
_DISCARD_BYTES: Final = 4096
_MAX_DISCARDS: Final = 64


class Link(Protocol):
    """A two-way stream of bytes that can be opened more than once."""

    name: str

    def open(self) -> None:
        """Open the way to the device.

        Raises
        ------
        PortMissing, PortBusy, DriverSettingError
        """
        ...

    def write(self, payload: bytes) -> None:
        """Send all of `payload`.

        Raises
        ------
        PortLost
            If the way is closed, or does not take the bytes in time.
        """
        ...

    def read(self, n_max: int, timeout_s: float) -> bytes:
        """Return up to `n_max` bytes as soon as there are any, none after the timeout.

        Raises
        ------
        PortLost
        """
        ...

    def close(self) -> None:
        """Close the way; never raises for a lost one."""
        ...


class SerialLink:
    """A serial port held exclusively, 8 data bits, no parity, no flow control.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyUSB0`.
    baud : int
        Bits per second.
    stop_bits : {1, 2}
    open_port : callable, optional
        Opens the port; replaced in tests only.
    """

    def __init__(
        self,
        port: str,
        baud: int,
        stop_bits: Literal[1, 2] = 1,
        *,
        open_port: OpenPort | None = None,
    ) -> None:
        if open_port is None:
            open_port = partial(_open_with_stop_bits, stop_bits)
        self._held = HeldPort(port, baud, open_port)
        self.name = port

    def open(self) -> None:
        """Open the port, RTS and DTR low."""
        self._held.open()

    def write(self, payload: bytes) -> None:
        """Send all of `payload` within 0.3 s.

        Raises
        ------
        PortLost
        """
        t_end = time.monotonic() + _WRITE_TIMEOUT_S
        rest = payload
        while rest:
            descriptor = self._descriptor()
            remaining = max(0.0, t_end - time.monotonic())
            try:
                _, writable, _ = select.select([], [descriptor], [], remaining)
                if not writable:
                    raise PortLost(
                        f"{self.name} takes no bytes; switch the device on and check "
                        "its cable."
                    )
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                continue
            except (OSError, ValueError) as error:
                raise self._lost(error) from error

    def read(self, n_max: int, timeout_s: float) -> bytes:
        """Return up to `n_max` bytes as soon as there are any, none after the timeout.

        Raises
        ------
        PortLost
        """
        descriptor = self._descriptor()
        try:
            readable, _, _ = select.select([descriptor], [], [], max(0.0, timeout_s))
            if not readable:
                return b""
            received = os.read(descriptor, n_max)
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as error:
            raise self._lost(error) from error
        if not received:
            # Readable without a byte to read: the other end is gone.
            raise self._lost(OSError(errno.EIO, "hung up"))
        return received

    def close(self) -> None:
        """Close the port, if it is open."""
        self._held.close()

    def _descriptor(self) -> int:
        if not self._held.is_open:
            raise PortLost(f"{self.name} is not open; call open() first.")
        return self._held.descriptor

    def _lost(self, error: Exception) -> PortLost:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return PortLost(
            f"{self.name} was lost while in use ({reason}); plug the device in again "
            "and start a new run."
        )


def _open_with_stop_bits(stop_bits: int, port: str, baud: int) -> OpenedPort:
    return open_serial(
        port, baud, make_serial=lambda: serial.Serial(stopbits=stop_bits)
    )


def discard_input(link: Link) -> bytes:
    """Read away what waits to be read, and return it.

    A device that streams without pause is read a bounded number of times.

    Raises
    ------
    PortLost
    """
    discarded = b""
    for _ in range(_MAX_DISCARDS):
        received = link.read(_DISCARD_BYTES, 0.0)
        if not received:
            break
        discarded += received
    return discarded


class ScriptError(AssertionError):
    """What was exchanged is not what the script says."""


Exchange = tuple[bytes | None, bytes | None]
"""What must be written next, and what the device then says; None for nothing."""


class ScriptedLink:
    """A link for tests: expected exchanges in order, none left over at the end.

    Parameters
    ----------
    exchanges : sequence of (bytes or None, bytes or None)
        Each expected write with its reply. With None for the write, the reply is there
        as soon as the exchange before it is over.
    on_wait : callable, optional
        Called with the timeout of each read that finds nothing; moves a test's clock.
    """

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        on_wait: Callable[[float], None] | None = None,
    ) -> None:
        self.name = "script"
        self._exchanges = list(exchanges)
        self._on_wait = on_wait
        self._unread = b""
        self.is_open = False

    def __enter__(self) -> Self:
        """Return this link."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Fail on leftovers, unless the test failed already."""
        if error is None:
            self.finish()

    def expect(self, *exchanges: Exchange) -> None:
        """Add exchanges to the end of the script."""
        self._exchanges += exchanges

    def finish(self) -> None:
        """Fail if a line of the script was not used, or a reply not read.

        Raises
        ------
        ScriptError
        """
        if self._exchanges:
            raise ScriptError(f"The script goes on: {self._exchanges}.")
        if self._unread:
            raise ScriptError(f"Nobody read {self._unread.hex(' ')}.")

    def open(self) -> None:
        """Open; a script has nothing to open."""
        self.is_open = True

    def write(self, payload: bytes) -> None:
        """Compare with the script.

        Raises
        ------
        ScriptError
        """
        if not self._exchanges:
            raise ScriptError(f"The script has ended, but got {payload.hex(' ')}.")
        self._let_device_speak()
        expected, reply = self._exchanges.pop(0)
        if expected != payload:
            wanted = "nothing" if expected is None else expected.hex(" ")
            raise ScriptError(f"Expected {wanted}, but got {payload.hex(' ')}.")
        self._unread += reply or b""

    def read(self, n_max: int, timeout_s: float) -> bytes:
        """Return what the script's device has said, up to `n_max` bytes."""
        self._let_device_speak()
        taken, self._unread = self._unread[:n_max], self._unread[n_max:]
        if not taken and self._on_wait is not None:
            self._on_wait(timeout_s)
        return taken

    def close(self) -> None:
        """Close."""
        self.is_open = False

    def _let_device_speak(self) -> None:
        while self._exchanges and self._exchanges[0][0] is None:
            self._unread += self._exchanges.pop(0)[1] or b""
