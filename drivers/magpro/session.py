"""One MagPro on its line: questions and answers amid messages that nobody asked for.

The device has no watchdog towards its host and obeys its front panel at any time. So
every message is handed on, and every order is checked by asking for the status. A
question that stays without an answer is a fault: the device is told to disable, and
nothing is sent any more until `open`.
"""

import logging
import math
from collections.abc import Callable
from typing import Final, TypeVar

from drivers.base import PortLost
from drivers.links import Link, discard_input
from drivers.magpro import codec
from drivers.magpro.codec import FrameParser
from drivers.magpro.messages import ExtendedStatus, GarbledMessage, Message
from drivers.magpro.parse import parse_message
from drivers.stimulator import Now, StimulatorSilent

_log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

_REPLY_TIMEOUT_S: Final = 0.5
_LOOK_S: Final = 0.02
_PARTIAL_S: Final = 0.05
_READ_BYTES: Final = 4096
_MOST_READS: Final = 64


class MagProSession:
    """The state of one connection.

    Parameters
    ----------
    link : Link
    now : callable
        Monotonic clock, seconds.
    name : str
    on_message : callable
        Gets every message, in order.
    """

    def __init__(
        self, link: Link, now: Now, name: str, on_message: Callable[[Message], None]
    ) -> None:
        self._link = link
        self.now = now
        self.name = name
        self._on_message = on_message
        self._parser = FrameParser()
        self._t_byte = -math.inf
        self._t_asked: float | None = None
        self._n_missed = 0
        self.fault: str | None = None
        self.is_open = False

    def open(self) -> None:
        """Open the link and throw away what was said before."""
        self._link.open()
        self.is_open = True
        self.fault = None
        self._parser = FrameParser()
        self._t_asked = None
        self._n_missed = 0
        discard_input(self._link)

    def ask(
        self,
        command: bytes,
        kind: type[M],
        accept: Callable[[M], bool] = lambda _message: True,
    ) -> M:
        """Send a command and return the first message of a kind that is acceptable.

        Raises
        ------
        StimulatorSilent
            If none came within 0.5 s.
        PortLost
        """
        self.send(command)
        found = self._await(kind, accept)
        if found is None:
            raise self._unanswered(command)
        return found

    def order(self, command: bytes, done: Callable[[ExtendedStatus], bool]) -> bool:
        """Send a command; return whether the status shows its effect within 0.5 s.

        Raises
        ------
        StimulatorSilent, PortLost
        """
        self.send(command)
        t_end = self.now() + _REPLY_TIMEOUT_S
        while True:
            status = self.ask_status()
            if done(status):
                return True
            if self.now() >= t_end:
                return False
            self.take_in(_LOOK_S)

    def ask_status(self) -> ExtendedStatus:
        """Ask for the status and wait for it; once more, if it does not come.

        Raises
        ------
        StimulatorSilent, PortLost
        """
        self.send(codec.GET_EXTENDED_STATUS)
        found = self._await(ExtendedStatus)
        if found is None:
            # A pulse near the cable can spoil one answer; a second one is a fault.
            _log.warning("%s did not tell its status, and is asked again", self.name)
            return self.ask(codec.GET_EXTENDED_STATUS, ExtendedStatus)
        return found

    def disable(self) -> None:
        """Disable, and make sure of it.

        Raises
        ------
        StimulatorSilent, PortLost
            If the device does not say that it is disabled.
        """
        if self.is_open and self.fault is not None:
            self.disable_blindly()
        if self.order(codec.DISABLE, lambda now: not now.status.flags.enabled):
            return
        self.fail("it stays enabled")
        raise StimulatorSilent(
            f"{self.name} stays enabled although it was told to disable; press its "
            "emergency stop."
        )

    def send(self, command: bytes) -> None:
        """Send a command without waiting.

        Raises
        ------
        StimulatorSilent
            If there was a fault before.
        PortLost
        """
        if not self.is_open:
            raise PortLost(f"{self.name} is not connected; call open() first.")
        if self.fault is not None:
            raise StimulatorSilent(
                f"{self.name} failed earlier and was told to disable ({self.fault}); "
                "check it and connect again."
            )
        try:
            self._link.write(command)
        except PortLost as error:
            self.fail(str(error))
            raise

    def poll(self) -> None:
        """Ask for the status without waiting; complain if two answers are missing.

        Raises
        ------
        StimulatorSilent, PortLost
        """
        if self._is_late():
            # Looked at once more: this program may have stood still.
            self.take_in(_LOOK_S)
        if self._t_asked is not None:
            if not self._is_late():
                return
            if self._n_missed > 0:
                raise self._unanswered(codec.GET_EXTENDED_STATUS)
            self._n_missed += 1
        self.send(codec.GET_EXTENDED_STATUS)
        self._t_asked = self.now()

    def take_in(self, timeout_s: float = 0.0) -> list[Message]:
        """Read what has come, waiting up to `timeout_s` for the first byte.

        Raises
        ------
        PortLost
        """
        if not self.is_open:
            raise PortLost(f"{self.name} is not connected; call open() first.")
        messages: list[Message] = []
        for turn in range(_MOST_READS):
            try:
                received = self._link.read(_READ_BYTES, 0.0 if turn else timeout_s)
            except PortLost as error:
                self.fail(str(error))
                raise
            if not received:
                messages += self._give_up_stale()
                break
            self._t_byte = self.now()
            messages += self._parsed(self._parser.feed(received))
        return messages

    def fail(self, reason: str) -> None:
        """Remember a fault, and tell the device to disable."""
        if self.fault is not None:
            return
        self.fault = reason
        self.disable_blindly()

    def disable_blindly(self) -> None:
        """Tell the device to disable, whether it listens or not."""
        try:
            self._link.write(codec.DISABLE)
        except PortLost as error:
            _log.warning(
                "%s may still be enabled, disable it by hand: %s", self.name, error
            )

    def close(self) -> None:
        """Disable and close the link, whatever the state."""
        if not self.is_open:
            return
        self.disable_blindly()
        self.is_open = False
        self._link.close()

    def _is_late(self) -> bool:
        t_asked = self._t_asked
        return t_asked is not None and self.now() - t_asked > _REPLY_TIMEOUT_S

    def _await(
        self, kind: type[M], accept: Callable[[M], bool] = lambda _message: True
    ) -> M | None:
        t_end = self.now() + _REPLY_TIMEOUT_S
        while True:
            # Looked at once more when late: this program may have stood still.
            in_time = self.now() < t_end
            for message in self.take_in(_LOOK_S):
                if isinstance(message, kind) and accept(message):
                    return message
            if not in_time:
                return None

    def _unanswered(self, command: bytes) -> StimulatorSilent:
        why = f"it did not answer {command.hex(' ')} within {_REPLY_TIMEOUT_S:g} s"
        self.fail(why)
        return StimulatorSilent(
            f"{self.name} was told to disable, as {why}; switch it on, check its cable "
            "and the page on its display."
        )

    def _give_up_stale(self) -> list[Message]:
        if self._parser.has_partial and self.now() - self._t_byte > _PARTIAL_S:
            return self._parsed(self._parser.give_up_partial())
        return []

    def _parsed(self, payloads: list[bytes]) -> list[Message]:
        messages: list[Message] = []
        for payload in payloads:
            try:
                message = parse_message(payload)
            except GarbledMessage as error:
                _log.warning("%s: %s", self.name, error)
                continue
            if isinstance(message, ExtendedStatus):
                self._t_asked = None
                self._n_missed = 0
            self._on_message(message)
            messages.append(message)
        return messages
