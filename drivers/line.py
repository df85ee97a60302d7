"""A control line of a serial port, RTS or DTR, as a trigger line."""

import atexit
import errno
import logging
import struct
from collections.abc import Callable
from typing import Any, Final, Literal

from drivers.base import (
    Capabilities,
    DriverError,
    DriverSettingError,
    PortMissing,
    TriggerEdges,
    WireAction,
)
from drivers.serial_port import HeldPort, OpenPort, open_serial

try:
    import fcntl
    import termios
except ImportError:
    # Opening refuses with a sentence where there are no POSIX terminals.
    _IOCTL: Any = None
else:
    _IOCTL = fcntl.ioctl
    _REQUEST_RAISE: Final = termios.TIOCMBIS
    _REQUEST_LOWER: Final = termios.TIOCMBIC
    _LINE_BITS: Final = {"rts": termios.TIOCM_RTS, "dtr": termios.TIOCM_DTR}

_log = logging.getLogger(__name__)

Ioctl = Callable[[int, int, bytes], Any]
"""Does what `fcntl.ioctl(descriptor, request, payload)` does."""

# The baud rate means nothing to a control line, but a port must have one.
_ANY_BAUD = 115200
_USB_FRAME_S = 1e-3
_NO_LINES = frozenset({errno.ENOTTY, errno.EINVAL})

CAPABILITIES: Final = Capabilities(
    codes=range(1, 2),
    ends_by_itself=False,
    min_pulse_s=_USB_FRAME_S,
    min_gap_s=2 * _USB_FRAME_S,
    typical_latency_s=_USB_FRAME_S,
    source="estimated: one frame of full-speed USB for each edge; not measured, and "
    "shorter on a serial port of the mainboard",
)


class SerialLineTrigger:
    """Trigger on RTS or DTR: high for the pulse, low at rest.

    The line is low after `open`, after `close`, and when the interpreter exits. Linux
    raises both lines for an instant while it opens a port, and an adapter may raise
    them when it is plugged in: keep the stimulator disabled until `open` has returned.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyUSB0`.
    line : {"rts", "dtr"}
        Which line is wired to the trigger input.
    name : str
        How messages and records call this output.
    simulated : bool
        Whether a simulated twin stands behind the port.
    open_port, ioctl : callable
        Open the port and move the line; replaced in tests only.

    Raises
    ------
    DriverSettingError
        If the port name is empty or there is no such line.
    """

    def __init__(
        self,
        port: str,
        line: Literal["rts", "dtr"] = "rts",
        name: str = "serial line trigger",
        *,
        simulated: bool = False,
        open_port: OpenPort = open_serial,
        ioctl: Ioctl = _IOCTL,
    ) -> None:
        if line not in ("rts", "dtr"):
            raise DriverSettingError(
                f"{port} has no trigger line {line!r}; choose 'rts' or 'dtr'."
            )
        self._held = HeldPort(port, _ANY_BAUD, open_port)
        self._line = line
        self._ioctl = ioctl
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = CAPABILITIES

    def open(self) -> None:
        """Open the port and lower the line.

        Raises
        ------
        PortMissing, PortBusy
        DriverSettingError
            If the port has no control lines, as a pseudo-terminal has none.
        """
        self._held.open()
        try:
            self._lower()
        except OSError as error:
            self._held.close()
            raise self._explain(error) from error
        atexit.register(self.close)

    def close(self) -> None:
        """Lower the line and close the port."""
        atexit.unregister(self.close)
        if not self._held.is_open:
            return
        try:
            self._lower()
        except OSError as error:
            _log.warning(
                "%s: %s of %s may still be up (%s)",
                self.name,
                self._line.upper(),
                self.port,
                error,
            )
        finally:
            self._held.close()

    def edges(self, code: int) -> TriggerEdges:
        """Return the two `ioctl` calls of a trigger; the only code of a line is 1.

        Raises
        ------
        DriverSettingError
            If the port is not open, or `code` is not 1.
        """
        if type(code) is not int or code not in self.capabilities.codes:
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}, as one line knows only "
                "the code 1."
            )
        return TriggerEdges(
            rise=self._action(_REQUEST_RAISE), fall=self._action(_REQUEST_LOWER)
        )

    def check(self) -> None:
        """Return if the port still answers.

        Raises
        ------
        PortLost
        """
        self._held.check()

    def _lower(self) -> None:
        action = self._action(_REQUEST_LOWER)
        self._ioctl(action.descriptor, action.request, action.payload)

    def _action(self, request: int) -> WireAction:
        return WireAction(
            kind="ioctl",
            descriptor=self._held.descriptor,
            payload=struct.pack("@i", _LINE_BITS[self._line]),
            request=request,
        )

    def _explain(self, error: OSError) -> DriverError:
        if error.errno in _NO_LINES:
            return DriverSettingError(
                f"{self.port} has no {self._line.upper()} line, like every "
                "pseudo-terminal and some adapters; name a serial port that has "
                "control lines, or use a serial-byte output."
            )
        return PortMissing(
            f"{self.port} failed as soon as it was open ({error.strerror}); plug the "
            "device in again."
        )
