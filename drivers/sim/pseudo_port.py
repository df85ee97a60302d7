"""The device's end of a pseudo-terminal, and the name that the host opens."""

import contextlib
import enum
import os
from pathlib import Path

from drivers.base import DriverError

try:
    import pty
    import termios
    import tty
except ImportError:
    HAS_PSEUDO_TERMINALS = False
else:
    HAS_PSEUDO_TERMINALS = True


_RATES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 1000000)
_MARK = b"\xa7"


class PortKind(enum.IntEnum):
    """What the port's preloaded calls shall be, see `drivers.sim.port_calls`."""

    SERIAL = 0
    LINES = 1
    PARALLEL = 2
    PARALLEL_HELD = 3


class PseudoPortError(DriverError):
    """A pseudo-terminal or its link that cannot be made."""


class PseudoPort:
    """A raw pseudo-terminal without echo, in place of a serial port.

    It has no control lines and no baud rate. The host may open and close it any number
    of times, as with a device that stays plugged in.

    Parameters
    ----------
    link : Path or None
        Symbolic link to make, for a name that stays the same from start to start.
    kind : PortKind
        Anything but SERIAL is marked in two control characters of the terminal that
        no serial program uses.

    Raises
    ------
    PseudoPortError
        If there are no pseudo-terminals left, or the link cannot be made.
    """

    def __init__(
        self, link: Path | None = None, kind: PortKind = PortKind.SERIAL
    ) -> None:
        try:
            self.descriptor, self._host_end = pty.openpty()
        except OSError as error:
            raise PseudoPortError(
                f"There is no pseudo-terminal left ({error.strerror}); end other "
                "simulated devices."
            ) from error
        # Held open here as well, or each close by the host would look like a hang-up.
        tty.setraw(self._host_end)
        if kind is not PortKind.SERIAL:
            self._mark(kind)
        os.set_blocking(self.descriptor, False)
        self.name = os.ttyname(self._host_end)
        self._link: Path | None = None
        if link is not None:
            self._make(link)

    def _mark(self, kind: PortKind) -> None:
        settings = termios.tcgetattr(self._host_end)
        settings[6][termios.VREPRINT] = _MARK
        settings[6][termios.VDISCARD] = bytes([kind])
        termios.tcsetattr(self._host_end, termios.TCSANOW, settings)

    def _make(self, link: Path) -> None:
        try:
            link.symlink_to(self.name)
        except OSError as error:
            self.unplug()
            raise PseudoPortError(
                f"The link {link} cannot be made ({error.strerror}); remove it or "
                "choose another name."
            ) from error
        self._link = link

    def baud(self) -> int:
        """Return the rate that the host has set, 0 if it is none of the usual ones."""
        speed = termios.tcgetattr(self._host_end)[5]
        return next((rate for rate in _RATES if speed == _speed(rate)), 0)

    def unplug(self) -> None:
        """Close the device's end, so that the host sees its port hang up."""
        if self._link is not None:
            with contextlib.suppress(FileNotFoundError):
                self._link.unlink()
            self._link = None
        if self.descriptor >= 0:
            os.close(self.descriptor)
            os.close(self._host_end)
            self.descriptor = self._host_end = -1


def _speed(rate: int) -> int:
    return int(getattr(termios, f"B{rate}"))
