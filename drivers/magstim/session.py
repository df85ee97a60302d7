"""One Magstim on its line: one command at a time, contact kept, faults remembered.

It sleeps only while it waits for a reply. Any reply that is missing or damaged twice
is a fault: the device is told to disarm, and nothing is sent any more until `open`, so
that its own watchdog disarms it even if that last command was lost.
"""

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from drivers.base import DriverError, PortLost
from drivers.links import Link, discard_input
from drivers.magstim import codec
from drivers.magstim.codec import Software
from drivers.magstim.replies import (
    GarbledReply,
    Refusal,
    body,
    n_missing,
    parse_status,
)
from drivers.magstim.status import InstrumentStatus
from drivers.stimulator import Now, StimulatorRefused, StimulatorSilent

T = TypeVar("T")

_log = logging.getLogger(__name__)

_REPLY_TIMEOUT_S: Final = 0.3
_KEEP_ALIVE_S: Final = 0.35
"""The device wants a command every 0.5 s; `attend` comes every 0.1 s."""

_QUERIES: Final = frozenset("QJFx\\NIXo")
"""Commands that change nothing, and may be sent again when a reply was damaged."""

_NO_STATUS: Final = frozenset("N")


class MagstimSession:
    """The state of one connection.

    Parameters
    ----------
    link : Link
    now : callable
        Monotonic clock, seconds.
    name : str
        How messages call the device.
    unlock_code : str, optional
        Of a Rapid² with software 9 or later; from Magstim, one for each unit.
    """

    def __init__(
        self, link: Link, now: Now, name: str, unlock_code: str | None = None
    ) -> None:
        self._link = link
        self.now = now
        self.name = name
        self._take_control = (
            codec.REMOTE_ON if unlock_code is None else codec.unlock(unlock_code)
        )
        self._keep_alive = (
            codec.REMOTE_ON if unlock_code is None else codec.GET_SYSTEM_STATUS
        )
        self.software: Software = (0, 0, 0)
        self.status = InstrumentStatus()
        self.t_command = -float("inf")
        self.fault: str | None = None
        self.is_open = False

    def open(self) -> None:
        """Open the link and throw away what was said before."""
        self._link.open()
        self.is_open = True
        self.fault = None
        self.software = (0, 0, 0)

    def take_control(self) -> None:
        """Take remote control.

        Raises
        ------
        StimulatorRefused, StimulatorSilent
        """
        self.ask(self._take_control)
        if not self.status.remote:
            raise StimulatorRefused(
                f"{self.name} does not give remote control; leave its menus and try "
                "again."
            )

    def poll(self) -> InstrumentStatus:
        """Ask for the status as it is now, which also keeps contact alive.

        Other replies carry the status from before their command took effect.
        """
        self.ask(self._keep_alive)
        return self.status

    def keep_contact(self) -> bool:
        """Poll if a command is due; return whether it was."""
        if self.now() - self.t_command < _KEEP_ALIVE_S:
            return False
        self.poll()
        return True

    def ask(self, command: bytes) -> bytes:
        """Send one command and return the body of its reply.

        Raises
        ------
        StimulatorRefused
            If the device says that it does not want to.
        StimulatorSilent
            If no usable reply came.
        PortLost
        """
        self._check_usable()
        letter = chr(command[0])
        try:
            answer = self._exchange(letter, command)
        except DriverError as error:
            self.fail(str(error))
            raise
        if isinstance(answer, Refusal):
            raise StimulatorRefused(
                f"{self.name} refuses the command {_readable(command)}: "
                f"{answer.value}; look at its display."
            )
        if letter not in _NO_STATUS:
            self.status = parse_status(answer)
        return answer

    def query(self, command: bytes, parse: Callable[[bytes], T]) -> T:
        """Send one command and return what `parse` makes of the body of its reply.

        Raises
        ------
        StimulatorRefused, StimulatorSilent, PortLost
            As `ask`; a body that cannot be parsed is a fault too.
        """
        data = self.ask(command)
        try:
            return parse(data)
        except GarbledReply as error:
            self.fail(str(error))
            raise StimulatorSilent(f"{self.name}: {error}") from error

    def disarm(self) -> None:
        """Disarm, and make sure of it.

        Raises
        ------
        StimulatorSilent, PortLost
            If the device does not say that it is disarmed.
        """
        if self.is_open and self.fault is not None:
            self._link.write(codec.DISARM)
        try:
            self.ask(codec.DISARM)
        except StimulatorRefused:
            _log.info("%s refuses to disarm; it may be in standby already", self.name)
        if self.poll().enabled:
            self.fail("it stays armed")
            raise StimulatorSilent(
                f"{self.name} stays armed although it was told to disarm; press its "
                "emergency stop."
            )

    def fail(self, reason: str) -> None:
        """Remember a fault and tell the device to disarm, whether it listens or not."""
        if self.fault is not None:
            return
        self.fault = reason
        try:
            self._link.write(codec.DISARM)
        except PortLost as error:
            _log.warning("%s may still be armed for 1 s: %s", self.name, error)

    def close(self) -> None:
        """Disarm, give remote control back and close the link, whatever the state."""
        if not self.is_open:
            return
        for command in (codec.DISARM, codec.REMOTE_OFF):
            try:
                self._send(command)
                self._receive(chr(command[0]))
            except DriverError as error:
                _log.warning("%s did not take its leave: %s", self.name, error)
        self.is_open = False
        self.status = InstrumentStatus()
        self._link.close()

    def _check_usable(self) -> None:
        if not self.is_open:
            raise PortLost(f"{self.name} is not connected; call open() first.")
        if self.fault is not None:
            raise StimulatorSilent(
                f"{self.name} failed earlier and was told to disarm ({self.fault}); "
                "check it and connect again."
            )

    def _exchange(self, letter: str, command: bytes) -> bytes | Refusal:
        try:
            return self._once(letter, command)
        except GarbledReply as error:
            if letter not in _QUERIES:
                raise StimulatorSilent(f"{self.name}: {error}") from error
            # A pulse near the cable can spoil one reply; a second one is a fault.
            _log.warning("%s is asked again: %s", self.name, error)
        try:
            return self._once(letter, command)
        except GarbledReply as error:
            raise StimulatorSilent(f"{self.name}, asked twice: {error}") from error

    def _once(self, letter: str, command: bytes) -> bytes | Refusal:
        self._send(command)
        return body(letter, self._receive(letter), self.software)

    def _send(self, command: bytes) -> None:
        discard_input(self._link)
        self._link.write(command)
        self.t_command = self.now()

    def _receive(self, letter: str) -> bytes:
        received = b""
        t_end = self.now() + _REPLY_TIMEOUT_S
        while missing := n_missing(letter, received, self.software):
            # Looked at once even when late: this program may have stood still.
            got = self._link.read(missing, max(0.0, t_end - self.now()))
            if not got:
                break
            received += got
        if not received:
            raise StimulatorSilent(
                f"{self.name} did not answer within {_REPLY_TIMEOUT_S:g} s; switch it "
                "on, check its cable, and its unlock code if it needs one."
            )
        return received


def _readable(command: bytes) -> str:
    return repr(command[:-1].decode("latin-1").rstrip("@"))
