"""The operator's console: a terminal that says, ten times a second, that it is there.

It writes into words that session and console share. What is heard of it is good for
`max_silence_s`; once the session is armed, silence ends it.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from controller.config_console import Console
from controller.engine.clock import host_clock
from controller.errors import ConsoleLost, NotArmed
from controller.rig.arming import ANSWER_WITHIN_S
from controller.rig.attendants import RecordEvent
from controller.rig.stimulator.attendant import Vouching

_AGAIN_S: Final = 0.05


class ConsoleAttendant:
    """Listens to the console of one session.

    Parameters
    ----------
    console : Console or None
        None where nobody has to attend; the stop key counts all the same.
    words : recarray, shape (1,)
        What the console writes.
    vouching : Vouching
        How the loop learns that somebody attends.
    record : callable
    stop : callable
        Ends the session, disarmed, as the operator wishes.
    now, sleep : callable
        Clock and pause; replaced in tests.
    """

    def __init__(
        self,
        console: Console | None,
        words: Any,
        *,
        vouching: Vouching,
        record: RecordEvent,
        stop: Callable[[], None],
        now: Callable[[], float] = host_clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._is_required = console is not None and console.required
        self._max_silence_s = 0.0 if console is None else console.max_silence_s
        self._words = words
        self._vouching = vouching
        self._record = record
        self._stop = stop
        self._now = now
        self._sleep = sleep
        self._stopped = False
        self._armed = False

    def arm(self) -> None:
        """Wait until somebody attends; from then on, silence is a fault.

        Raises
        ------
        NotArmed
            Nobody came in time.
        """
        if not self._is_required:
            return
        t_end = self._now() + ANSWER_WITHIN_S
        while not self._silence_s() <= self._max_silence_s:
            if self._stopped or not self._now() < t_end:
                raise NotArmed(
                    "Nobody attends at a console, which [console] requires, so nothing "
                    "was armed; start again, and run `phasegate attend` on the "
                    "session's folder in another terminal."
                )
            self._sleep(_AGAIN_S)
        self._armed = True
        self._record("console", t=self._now(), pid=int(self._words["pid"][0]))

    def look(self, t_now: float) -> None:
        """Vouch for the console as long as it was heard, or end the session.

        Raises
        ------
        ConsoleLost
        """
        if self._words["stop"][0] and not self._stopped:
            self._stopped = True
            self._record("stopped at the console", t=t_now)
            self._stop()
        if not self._is_required:
            return
        silence_s = self._silence_s()
        if silence_s <= self._max_silence_s:
            self._vouching.until(float(self._words["t_beat"][0]) + self._max_silence_s)
            return
        self._vouching.withdraw()
        if self._armed:
            raise ConsoleLost(
                f"The console has said nothing for more than {self._max_silence_s:g} s "
                "(console.max_silence_s), so the session was disarmed; see to the "
                "operator's terminal and start again."
            )

    def stand_down(self) -> None:
        """Vouch for nobody any more."""
        if self._is_required:
            self._vouching.withdraw()

    def _silence_s(self) -> float:
        """Return for how long nothing was heard; infinite for a word of the future."""
        # In this order: a word that comes in between is no older than the clock says.
        t_beat = float(self._words["t_beat"][0])
        silence_s = self._now() - t_beat
        return silence_s if silence_s >= 0.0 else float("inf")
