"""One DuoMAG on its line: a stream of status frames in, orders out.

Orders are not answered; whether one was obeyed shows in the stream. A stream that stops
is a fault: the device is told 0 %, and nothing is sent any more until `open`.
"""

import logging
import math
from collections.abc import Callable
from typing import Final

from drivers.base import PortLost
from drivers.duomag import codec
from drivers.duomag.frames import Frame, StreamParser
from drivers.links import Link, discard_input
from drivers.stimulator import Now, StimulatorRefused, StimulatorSilent

_log = logging.getLogger(__name__)

_FRESH_S: Final = 0.5
_READ_BYTES: Final = 4096
_MOST_READS: Final = 16
_LOOK_S: Final = 0.02


class DuoMagSession:
    """The state of one connection.

    Parameters
    ----------
    link : Link
    now : callable
        Monotonic clock, seconds.
    name : str
    """

    def __init__(self, link: Link, now: Now, name: str) -> None:
        self._link = link
        self.now = now
        self.name = name
        self._parser = StreamParser()
        self._frame: Frame | None = None
        self.t_frame = -math.inf
        self.t_pulse = -math.inf
        self._t_looked = -math.inf
        self.fault: str | None = None
        self.is_open = False

    def open(self) -> None:
        """Open the link and throw away what was said before."""
        self._link.open()
        self.is_open = True
        self.fault = None
        self.t_pulse = -math.inf
        self.start_again()

    def start_again(self) -> None:
        """Forget the stream so far, and wait for a fresh status."""
        try:
            discard_input(self._link)
        except PortLost as error:
            self.fail(str(error))
            raise
        self._parser = StreamParser()
        self._frame = None
        self.t_frame = self._t_looked = self.now()

    def close(self) -> None:
        """Set the intensity to 0 % and close the link, whatever the state."""
        if not self.is_open:
            return
        self.lower_blindly()
        self.is_open = False
        self._link.close()

    def latest(self) -> Frame:
        """Take in the stream and return its latest frame.

        Raises
        ------
        StimulatorSilent
            If there was none for 0.5 s.
        PortLost
        """
        self.take_in(0.0)
        self._check_fresh()
        if self._frame is None:
            self._wait_for_frame()
        if self._frame is None:
            self.fail("it has sent no whole status")
            raise StimulatorSilent(
                f"{self.name} was told 0 %, as it has sent no whole status; check it "
                "and its cable."
            )
        return self._frame

    def order(self, command: bytes, done: Callable[[Frame], bool], what: str) -> None:
        """Send a command and wait until the stream shows its effect.

        Raises
        ------
        StimulatorRefused
            If it does not within 0.5 s.
        StimulatorSilent, PortLost
        """
        self.write(command)
        t_end = self.now() + _FRESH_S
        while True:
            # Looked at once more when late: this program may have stood still.
            in_time = self.now() < t_end
            frames = self.take_in(_LOOK_S)
            if frames and done(frames[-1]):
                return
            if not in_time:
                break
        self._check_fresh()
        raise StimulatorRefused(
            f"{self.name} does not take {what}; look at its display."
        )

    def write(self, payload: bytes) -> None:
        """Send a command.

        Raises
        ------
        StimulatorSilent
            If there was a fault before.
        PortLost
        """
        self._check_open()
        if self.fault is not None:
            raise StimulatorSilent(
                f"{self.name} failed earlier and was told 0 % ({self.fault}); check "
                "it and connect again."
            )
        try:
            self._link.write(payload)
        except PortLost as error:
            self.fail(str(error))
            raise

    def take_in(self, timeout_s: float) -> list[Frame]:
        """Read what has come, waiting up to `timeout_s` for the first byte.

        Raises
        ------
        PortLost
        """
        self._check_open()
        if self.now() - self._t_looked > _FRESH_S:
            # What piled up meanwhile is old, and the newest of it may be missing.
            self.start_again()
        frames: list[Frame] = []
        for turn in range(_MOST_READS):
            try:
                received = self._link.read(_READ_BYTES, 0.0 if turn else timeout_s)
            except PortLost as error:
                self.fail(str(error))
                raise
            if not received:
                break
            frames += self._parser.feed(received)
        for frame in frames:
            self._notice(frame)
        self._t_looked = self.now()
        return frames

    def fail(self, reason: str) -> None:
        """Remember a fault and set the intensity to 0 %."""
        if self.fault is None:
            self.fault = reason
            self.lower_blindly()

    def lower_blindly(self) -> None:
        """Set the intensity to 0 %, whether the device listens or not."""
        try:
            self._link.write(codec.intensity(0))
        except PortLost as error:
            _log.warning("%s may still be armed, disarm it there: %s", self.name, error)

    def _wait_for_frame(self) -> None:
        t_end = self.now() + _FRESH_S
        while self._frame is None and self.now() < t_end:
            self.take_in(_LOOK_S)

    def _notice(self, frame: Frame) -> None:
        if self._frame is not None and self._frame.charged and not frame.charged:
            self.t_pulse = self.now()
        self._frame = frame
        self.t_frame = self.now()

    def _check_open(self) -> None:
        if not self.is_open:
            raise PortLost(f"{self.name} is not connected; call open() first.")

    def _check_fresh(self) -> None:
        age_s = self.now() - self.t_frame
        if age_s <= _FRESH_S:
            return
        reason = f"it has sent no whole status for {age_s:.1f} s"
        self.fail(reason)
        raise StimulatorSilent(
            f"{self.name} was told 0 %, as {reason}; check it and its cable."
        )
