"""A trigger box that holds each byte it gets on its lines until the next byte comes."""

import atexit
import logging
import os
import time
from collections.abc import Callable

from drivers.base import (
    Capabilities,
    DriverSettingError,
    PortMissing,
    TriggerEdges,
    WireAction,
)
from drivers.serial_port import HeldPort, OpenPort, open_serial

_log = logging.getLogger(__name__)

_REST = bytes([0])
_BITS_PER_BYTE = 10
_USB_FRAME_S = 1e-3

# Any device that still listens has taken its last bytes by then, even at 9600 baud.
_TIME_TO_TAKE_S = 0.05
_LATCHING = (
    "computed: 10 bits a byte, a code and its 00 for each trigger, and one frame of "
    "full-speed USB; not measured"
)
_FIXED = (
    "computed: 10 bits a byte and one frame of full-speed USB, with the width that the "
    "maker states; not measured"
)


class SerialByteTrigger:
    """Trigger box with a byte protocol: a code raises lines, `00` lowers all of them.

    The lines are at rest after `open`, after `close`, and when the interpreter exits.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyUSB0`.
    baud : int
        Bits per second; for most boxes on USB any rate will do.
    name : str
        How messages and records call this output.
    simulated : bool
        Whether a simulated twin stands behind the port.
    width_s : float or None
        The box clears its lines by itself after this time; None if it latches.
    last_byte : int
        Sent after the rest when the output closes; 0 for none. The lines show it.
    boot_s : float
        How long the box takes no bytes after its port was opened.
    open_port, wait : callable
        Open the port and let seconds pass; replaced in tests only.

    Raises
    ------
    DriverSettingError
        If the port name is empty or the baud rate impossible.
    """

    def __init__(
        self,
        port: str,
        baud: int = 115200,
        name: str = "serial byte trigger",
        *,
        simulated: bool = False,
        width_s: float | None = None,
        last_byte: int = 0,
        boot_s: float = 0.0,
        open_port: OpenPort = open_serial,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._held = HeldPort(port, baud, open_port)
        self._farewell = _REST + (bytes([last_byte]) if last_byte else b"")
        self._boot_s = boot_s
        self._wait = wait
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = byte_capabilities(baud, width_s)

    def open(self) -> None:
        """Open the port and lower all lines.

        Raises
        ------
        PortMissing, PortBusy, DriverSettingError
        """
        self._held.open()
        try:
            if self._boot_s > 0:
                self._wait(self._boot_s)
            os.write(self._held.descriptor, _REST)
        except BlockingIOError as error:
            self._held.close()
            raise DriverSettingError(
                f"{self.port} takes no bytes; unplug the device, plug it in again and "
                "check its flow control."
            ) from error
        except OSError as error:
            self._held.close()
            raise PortMissing(
                f"{self.port} failed as soon as it was open ({error.strerror}); plug "
                "the device in again."
            ) from error
        atexit.register(self.close)

    def close(self) -> None:
        """Lower all lines and close the port."""
        atexit.unregister(self.close)
        if not self._held.is_open:
            return
        try:
            self._lower_at_last()
        except OSError as error:
            _log.warning(
                "%s: the lines may still be up, as %s took no last byte (%s)",
                self.name,
                self.port,
                error,
            )
        finally:
            self._held.close()

    def edges(self, code: int) -> TriggerEdges:
        """Return the writes of a trigger with `code`; one where the box clears itself.

        Raises
        ------
        DriverSettingError
            If the port is not open, or `code` is not a whole number from 1 to 255.
        """
        if type(code) is not int or code not in self.capabilities.codes:
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}; give a whole number from "
                "1 to 255."
            )
        descriptor = self._held.descriptor
        rise = WireAction(kind="write", descriptor=descriptor, payload=bytes([code]))
        if self.capabilities.ends_by_itself:
            return TriggerEdges(rise=rise, fall=None)
        return TriggerEdges(
            rise=rise,
            fall=WireAction(kind="write", descriptor=descriptor, payload=_REST),
        )

    def check(self) -> None:
        """Return if the port still answers.

        Raises
        ------
        PortLost
        """
        self._held.check()

    def _lower_at_last(self) -> None:
        # What the device has not taken by then would come out late, and unasked for.
        time.sleep(_TIME_TO_TAKE_S)
        self._held.discard_unsent()
        try:
            os.write(self._held.descriptor, self._farewell)
        except BlockingIOError:
            # Triggers that the device has not taken by now would come too late.
            self._held.discard_unsent()
            os.write(self._held.descriptor, self._farewell)


def byte_capabilities(baud: int, width_s: float | None = None) -> Capabilities:
    """Return what a byte protocol at `baud` allows, before anything is measured.

    Parameters
    ----------
    baud : int
    width_s : float or None
        After which the box clears its lines by itself; None if it latches.
    """
    byte_s = _BITS_PER_BYTE / baud
    ends_by_itself = width_s is not None
    return Capabilities(
        codes=range(1, 256),
        ends_by_itself=ends_by_itself,
        min_pulse_s=byte_s if width_s is None else width_s,
        min_gap_s=2 * byte_s if width_s is None else width_s + byte_s,
        typical_latency_s=byte_s + _USB_FRAME_S,
        source=_FIXED if ends_by_itself else _LATCHING,
    )
