"""What all trigger boxes with a serial dialogue share: open, rest at the end, check."""

import atexit
import logging
import os
from collections.abc import Callable

from drivers.base import DriverSettingError, PortLost, PortMissing, WireAction
from drivers.dialogue import Dialogue
from drivers.serial_port import HeldPort, OpenPort

_log = logging.getLogger(__name__)

StartDialogue = Callable[[int], Dialogue]
"""Makes the dialogue over an open descriptor; `Dialogue`, unless a test brings one."""


class SerialBox:
    """A held port, the dialogue over it, and the command that brings lines to rest.

    Parameters
    ----------
    port : str
    baud : int
    name : str
        How messages call the output.
    rest : bytes
        Brings all lines to rest.
    rest_when_lost : bytes
        The same, for a device that has got only a part of the command before.
    open_port, start_dialogue : callable
        Replaced in tests only.

    Raises
    ------
    DriverSettingError
        If the port name is empty or the baud rate impossible.
    """

    def __init__(
        self,
        port: str,
        baud: int,
        name: str,
        *,
        rest: bytes,
        rest_when_lost: bytes,
        open_port: OpenPort,
        start_dialogue: StartDialogue = Dialogue,
    ) -> None:
        self._held = HeldPort(port, baud, open_port)
        self._name = name
        self._rest = rest
        self._rest_when_lost = rest_when_lost
        self._start_dialogue = start_dialogue
        self._dialogue: Dialogue | None = None

    @property
    def dialogue(self) -> Dialogue:
        """The dialogue with the open device.

        Raises
        ------
        DriverSettingError
            If the port is not open.
        """
        if self._dialogue is None:
            raise DriverSettingError(f"{self._held.port} is not open; call open().")
        return self._dialogue

    def open(self, prepare: Callable[[Dialogue], None]) -> None:
        """Open the port, let `prepare` set the device up, and bring its lines to rest.

        Raises
        ------
        PortMissing, PortBusy, DriverSettingError
            As the port; also what `prepare` raises, with the port closed again.
        """
        self._held.open()
        try:
            self._dialogue = self._start_dialogue(self._held.descriptor)
            prepare(self._dialogue)
            self._dialogue.send(self._rest)
        except BlockingIOError as error:
            self._give_back()
            raise DriverSettingError(
                f"{self._held.port} takes no bytes; unplug the device, plug it in "
                "again and check its flow control."
            ) from error
        except OSError as error:
            self._give_back()
            raise PortMissing(
                f"{self._held.port} failed as soon as it was open ({error.strerror}); "
                "plug the device in again."
            ) from error
        except BaseException:
            self._give_back()
            raise
        atexit.register(self.close)

    def close(self) -> None:
        """Bring the lines to rest and close the port; quiet for a lost port."""
        atexit.unregister(self.close)
        if not self._held.is_open:
            return
        try:
            self._rest_at_last()
        except OSError as error:
            _log.warning(
                "%s: the lines may still be up, as %s took no last command (%s)",
                self._name,
                self._held.port,
                error,
            )
        finally:
            self._give_back()

    def action(self, payload: bytes) -> WireAction:
        """Return the write of `payload`.

        Raises
        ------
        DriverSettingError
            If the port is not open.
        """
        return WireAction(
            kind="write", descriptor=self._held.descriptor, payload=payload
        )

    def check(self) -> bytes:
        """Return what the device has said unasked, if the port still answers.

        Unread bytes would fill the kernel's buffer, and hide the answers to come.

        Raises
        ------
        PortLost
        """
        self._held.check()
        try:
            return self.dialogue.drain()
        except OSError as error:
            raise self.lost(error) from error

    def lost(self, error: OSError) -> PortLost:
        """Return the error, with its sentence, for a port that failed in use."""
        return PortLost(
            f"{self._held.port} was lost while in use ({error.strerror}); plug the "
            "device in again and start a new run."
        )

    def _give_back(self) -> None:
        self._dialogue = None
        self._held.close()

    def _rest_at_last(self) -> None:
        descriptor = self._held.descriptor
        try:
            if os.write(descriptor, self._rest) == len(self._rest):
                return
        except BlockingIOError:
            pass
        # Triggers that the device has not taken by now would come too late.
        self._held.discard_unsent()
        os.write(descriptor, self._rest_when_lost)


def is_code(code: object, codes: range) -> bool:
    """Return whether `code` is a whole number within `codes`."""
    return type(code) is int and code in codes
