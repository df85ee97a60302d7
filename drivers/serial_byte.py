"""A trigger box that holds each byte it gets on its lines until the next byte comes."""

import atexit
import logging
import os

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
    open_port : callable
        Opens the port; replaced in tests only.

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
        open_port: OpenPort = open_serial,
    ) -> None:
        self._held = HeldPort(port, baud, open_port)
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = byte_capabilities(baud)

    def open(self) -> None:
        """Open the port and lower all lines.

        Raises
        ------
        PortMissing, PortBusy, DriverSettingError
        """
        self._held.open()
        try:
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
        """Return the two writes of a trigger with `code`.

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
        return TriggerEdges(
            rise=WireAction(kind="write", descriptor=descriptor, payload=bytes([code])),
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
        try:
            os.write(self._held.descriptor, _REST)
        except BlockingIOError:
            # Triggers that the device has not taken by now would come too late.
            self._held.discard_unsent()
            os.write(self._held.descriptor, _REST)


def byte_capabilities(baud: int) -> Capabilities:
    """Return what a byte protocol at `baud` allows, before anything is measured."""
    byte_s = _BITS_PER_BYTE / baud
    return Capabilities(
        codes=range(1, 256),
        ends_by_itself=False,
        min_pulse_s=byte_s,
        min_gap_s=2 * byte_s,
        typical_latency_s=byte_s + _USB_FRAME_S,
        source="computed: 10 bits a byte, a code and its 00 for each trigger, and one "
        "frame of full-speed USB; not measured",
    )
