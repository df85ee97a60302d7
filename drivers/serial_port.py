"""A serial port held for wire actions: opened, configured and exclusive.

pyserial opens and configures; afterwards only the descriptor matters. Nothing is ever
written here. Works where the operating system has POSIX terminals.
"""

import contextlib
import errno
import select
import struct
from collections.abc import Callable
from typing import Protocol

import serial
from serial.tools import list_ports

from drivers.base import (
    DriverError,
    DriverSettingError,
    PortBusy,
    PortLost,
    PortMissing,
)

try:
    import fcntl
    import termios
except ImportError:
    _posix_terminals = False
else:
    _posix_terminals = True

_GONE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO, errno.ENOTDIR})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
_HELD = frozenset({errno.EBUSY, errno.EAGAIN})

# One look may fall just after a trigger; a device that takes bytes has none waiting
# three times running.
_MOST_LOOKS_WITH_BACKLOG = 3


class OpenedPort(Protocol):
    """An open port: a descriptor, and a way to give it back."""

    def fileno(self) -> int:
        """Return the descriptor, non-blocking."""
        ...

    def close(self) -> None:
        """Close the descriptor."""
        ...


OpenPort = Callable[[str, int], OpenedPort]
"""Opens a port, given its name and baud rate; raises a `DriverError`."""


class ExclusivePort:
    """An open pyserial port that no other program can open.

    pyserial's own lock is advisory. `TIOCEXCL` makes the kernel refuse a second open
    before that open can pulse RTS and DTR, except for a privileged user.

    Parameters
    ----------
    port : serial.Serial
        Open already.
    """

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)

    def fileno(self) -> int:
        """Return the descriptor."""
        return int(self._port.fileno())

    def close(self) -> None:
        """Give the port back to other programs, and close it."""
        # A pseudo-terminal outlives its last descriptor here, and with it the mark.
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._port.fileno(), termios.TIOCNXCL)
        self._port.close()


def open_serial(
    port: str, baud: int, *, make_serial: Callable[[], serial.Serial] = serial.Serial
) -> OpenedPort:
    """Open a serial port exclusively, 8N1, non-blocking, with RTS and DTR low.

    Linux raises RTS and DTR for an instant when it opens a port, whatever is asked for:
    keep the stimulator disabled until the port is open.

    Raises
    ------
    PortMissing
        If there is no such port, or this user may not open it.
    PortBusy
        If another program holds it.
    DriverSettingError
        If it is not a serial port, or refuses the baud rate.
    """
    if not _posix_terminals:
        raise DriverSettingError(
            f"{port} cannot be opened here, as serial triggers need POSIX terminals; "
            "use Linux or macOS."
        )
    opened = make_serial()
    try:
        _configure(opened, port, baud)
        opened.open()
    except ValueError as error:
        raise DriverSettingError(
            f"{port} cannot be opened at {baud} baud ({error}); correct the setting."
        ) from error
    except OSError as error:
        raise explain_open_error(port, error) from error
    try:
        return ExclusivePort(opened)
    except OSError as error:
        opened.close()
        raise explain_open_error(port, error) from error


def _configure(opened: serial.Serial, port: str, baud: int) -> None:
    opened.port = port
    opened.baudrate = baud
    opened.rts = False
    opened.dtr = False
    opened.exclusive = True


def explain_open_error(port: str, error: OSError) -> DriverError:
    """Return the error, with its sentence, for a port that did not open."""
    number = _error_number(error)
    if number in _GONE:
        return PortMissing(f"There is no serial port {port}; {_ports_hint()}.")
    if number in _FORBIDDEN:
        return PortMissing(
            f"This user may not open {port}; join the group that owns it "
            "(`sudo usermod -aG dialout $USER` on Debian) and log in again."
        )
    if number in _HELD:
        return PortBusy(
            f"Another program holds {port}; close it (`fuser -v {port}` names it) "
            "and try again."
        )
    return DriverSettingError(
        f"{port} cannot be used as a serial port ({error}); {_ports_hint()}."
    )


def _error_number(error: OSError) -> int | None:
    if error.errno is not None:
        return error.errno
    # pyserial keeps the reason of a failed configuration only in what it caught.
    cause = error.__context__
    if isinstance(cause, termios.error) and cause.args:
        return int(cause.args[0])
    return None


def _ports_hint() -> str:
    names = sorted(found.device for found in list_ports.comports())
    if not names:
        return "plug the device in, as this machine has no serial port at the moment"
    return f"plug the device in, or name one of {', '.join(names)}"


class HeldPort:
    """A port from `open` to `close`, and its state in between.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyUSB0`.
    baud : int
        Bits per second.
    open_port : callable
        Opens the port; `open_serial`, unless a test brings its own.

    Raises
    ------
    DriverSettingError
        If `port` is empty or `baud` is not a positive whole number.
    """

    def __init__(self, port: str, baud: int, open_port: OpenPort) -> None:
        if not port:
            raise DriverSettingError(
                "The name of the serial port is empty; give one such as /dev/ttyUSB0."
            )
        if type(baud) is not int or not baud > 0:
            raise DriverSettingError(
                f"The baud rate of {port} is {baud!r}, but must be a whole number "
                "above 0; 115200 suits most devices."
            )
        self.port = port
        self.baud = baud
        self._open_port = open_port
        self._opened: OpenedPort | None = None
        self._looks_with_backlog = 0

    @property
    def is_open(self) -> bool:
        """Whether the port is held."""
        return self._opened is not None

    @property
    def descriptor(self) -> int:
        """The open descriptor.

        Raises
        ------
        DriverSettingError
            If the port is not open.
        """
        if self._opened is None:
            raise DriverSettingError(f"{self.port} is not open; call open() first.")
        return self._opened.fileno()

    def open(self) -> None:
        """Open the port.

        Raises
        ------
        PortMissing, PortBusy, DriverSettingError
            As `open_serial`; also if this port is open already.
        """
        if self._opened is not None:
            raise DriverSettingError(
                f"{self.port} is open already; close it before opening it again."
            )
        self._opened = self._open_port(self.port, self.baud)

    def close(self) -> None:
        """Close the port, if it is open; a lost one is closed without complaint."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with contextlib.suppress(OSError):
                opened.close()

    def discard_unsent(self) -> None:
        """Forget the bytes that the device has not taken yet.

        Raises
        ------
        OSError
            If the port was lost.
        """
        try:
            termios.tcflush(self.descriptor, termios.TCOFLUSH)
        except termios.error as error:
            raise OSError(*error.args) from error

    def check(self) -> None:
        """Return if the port still answers.

        Raises
        ------
        PortLost
            If the device was unplugged or its driver failed, or if nothing is open.
        """
        if self._opened is None:
            raise PortLost(f"{self.port} is not open; open it before it is checked.")
        descriptor = self._opened.fileno()
        poller = select.poll()
        poller.register(descriptor, 0)
        hung_up = bool(poller.poll(0))
        try:
            termios.tcgetattr(descriptor)
        except (termios.error, OSError, ValueError) as error:
            # The last of its arguments: `termios.error` puts a number before the words.
            reason = str(error.args[-1]) if error.args else "no answer"
            raise PortLost(_lost(self.port, reason)) from error
        if hung_up:
            raise PortLost(_lost(self.port, "hung up"))
        self._look_at_backlog(descriptor)

    def _look_at_backlog(self, descriptor: int) -> None:
        """Refuse a device that leaves its bytes lying: they would come out late."""
        try:
            count = fcntl.ioctl(descriptor, termios.TIOCOUTQ, struct.pack("i", 0))
        except OSError:
            return  # not every driver can tell
        waiting = struct.unpack("i", count)[0] > 0
        self._looks_with_backlog = self._looks_with_backlog + 1 if waiting else 0
        if self._looks_with_backlog >= _MOST_LOOKS_WITH_BACKLOG:
            self.discard_unsent()
            raise PortLost(_lost(self.port, "takes no bytes any more"))


def _lost(port: str, reason: str) -> str:
    return (
        f"{port} was lost while in use ({reason}); plug the device in again and start "
        "a new run."
    )
