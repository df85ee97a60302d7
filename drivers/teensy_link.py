"""Questions to a board with our firmware: answers, clock, and what it says unasked."""

import collections
import itertools
from collections.abc import Callable
from typing import Final

from drivers.base import DriverSettingError, PortLost, TriggerRefused
from drivers.device_clock import ClockMap, Exchange
from drivers.dialogue import Dialogue
from drivers.serial_box import SerialBox
from drivers.teensy_frames import (
    Command,
    Frame,
    Result,
    encode_frame,
    encode_read_clock,
    split_frames,
)
from drivers.teensy_messages import (
    ClockReading,
    Identity,
    Missed,
    Pulsed,
    parse_clock,
    parse_event,
    parse_identity,
    parse_result,
)

VERSION: Final = 1

_BOOT_S: Final = 2.5
_ASK_AGAIN_S: Final = 0.25
_ANSWER_TIMEOUT_S: Final = 0.1
_KEPT_REPORTS: Final = 1000
_WHY: Final = {
    Result.DISARMED: "it is disarmed",
    Result.TOO_SOON: "the last pulse on this line is too recent",
    Result.TOO_MANY: "there were too many pulses",
    Result.PAST: "the instant has passed",
    Result.TOO_FAR: "the instant is too far ahead",
    Result.BAD_LINE: "it has no such line",
    Result.BAD_VALUE: "a value is out of its range",
    Result.QUEUE_FULL: "too many pulses are planned",
    Result.BAD_LENGTH: "the command has another length in its version",
    Result.UNKNOWN: "it does not say why",
    Result.LATE: "it was late",
}


class BoardLink:
    """One stretch of talk with a board, from its opening on.

    Parameters
    ----------
    box : SerialBox
    name : str
        How messages call the output.
    port : str
    now : callable
        Host clock in seconds.
    """

    def __init__(
        self, box: SerialBox, name: str, port: str, now: Callable[[], float]
    ) -> None:
        self._box = box
        self._who = f"{name} at {port}"
        self._port = port
        self._now = now
        self._unfinished = b""
        self._tokens = itertools.count(1)
        self.clock = ClockMap()
        self.reports: collections.deque[Pulsed | Missed] = collections.deque(
            maxlen=_KEPT_REPORTS
        )

    def find(self, dialogue: Dialogue, rest: bytes) -> Identity:
        """Return who answers, after waiting for a board that starts.

        Raises
        ------
        DriverSettingError
            If no board with a firmware of our version does.
        """
        t_end = self._now() + _BOOT_S
        while self._now() < t_end:
            # Brought to rest first, in case an earlier program has left it armed.
            answer = dialogue.ask(
                rest + encode_frame(Command.IDENTIFY),
                lambda received: any(map(parse_identity, split_frames(received)[0])),
                _ASK_AGAIN_S,
            )
            for identity in map(parse_identity, split_frames(answer)[0]):
                if identity is None:
                    continue
                if identity.version == VERSION:
                    return identity
                raise DriverSettingError(
                    f"The board at {self._port} speaks version {identity.version} of "
                    f"the protocol, not {VERSION}; load the firmware in "
                    "drivers/firmware."
                )
        raise DriverSettingError(
            f"No micro-controller with our firmware answers at {self._port}; name the "
            "port that it is on, or load the firmware in drivers/firmware."
        )

    def exchange(self) -> ClockReading:
        """Read the board's clock, and take it into account.

        Raises
        ------
        PortLost
            If the board does not answer.
        ClockLost
            If its clock has jumped.
        """
        token = next(self._tokens) & 0xFFFFFFFF
        t_before = self._now()
        frame = self.ask(
            encode_read_clock(token),
            lambda one: (read := parse_clock(one)) is not None and read.token == token,
        )
        t_after = self._now()
        reading = parse_clock(frame)
        if reading is None:
            raise self._silent()
        t_dev = reading.device_us / 1e6
        self.clock.add(Exchange(t_before=t_before, t_after=t_after, t_dev=t_dev))
        return reading

    def expect_ok(self, question: bytes, command: Command) -> None:
        """Send a command and return once the board has taken it.

        Raises
        ------
        TriggerRefused
            If it has not.
        PortLost
            If it does not answer.
        """
        frame = self.ask(question, lambda one: parse_result(one, command) is not None)
        result = parse_result(frame, command)
        if result is not Result.OK:
            why = _WHY[result or Result.UNKNOWN]
            raise TriggerRefused(f"{self._who} refused {command.name}: {why}.")

    def ask(self, question: bytes, wanted: Callable[[Frame], bool]) -> Frame:
        """Send a question and return the answer.

        Raises
        ------
        PortLost
            If it does not come in time.
        """
        before = self._unfinished
        try:
            received = self._box.dialogue.ask(
                question,
                lambda got: any(map(wanted, split_frames(before + got)[0])),
                _ANSWER_TIMEOUT_S,
            )
        except OSError as error:
            raise self._box.lost(error) from error
        found = next(filter(wanted, self.take(received)), None)
        if found is None:
            raise self._silent()
        return found

    def take(self, received: bytes) -> list[Frame]:
        """Return the frames that have come, and keep what they say of pulses."""
        frames, self._unfinished = split_frames(self._unfinished + received)
        events = map(parse_event, frames)
        self.reports.extend(event for event in events if event is not None)
        return frames

    def _silent(self) -> PortLost:
        return PortLost(
            f"{self._who} does not answer; unplug it, plug it in again and start a "
            "new run."
        )
