"""Words that the supervisor and the loop share, each written by one side only.

Python stores a 64-bit integer into an aligned array element in one piece; the loop
reads it with acquire and writes its own words with release.
"""

import enum
import math
import threading

import numpy as np

from controller.core.offers import OFFER_SHIFT
from controller.kernels.jit import Int64Array
from controller.safety.interlock import TIMED, Permit


class Word(enum.IntEnum):
    """Places in the array of control words."""

    STOP = 0
    PERMITS = 1
    CLOCK_OFFSET = 2  # bits of a float64, seconds
    SUPERVISOR_BEAT = 3  # bits of a float64, host clock
    LOOP_BEAT = 4  # counted by the loop
    ARMED_UNTIL = 5  # bits of a float64, host clock
    CONSOLE_UNTIL = 6
    DEVICE_UNTIL = 7
    OFFER = 8  # which trial may be given, `core.offers`


N_WORDS = len(Word)

UNTIL = {
    Permit.ARMED: Word.ARMED_UNTIL,
    Permit.CONSOLE: Word.CONSOLE_UNTIL,
    Permit.DEVICE: Word.DEVICE_UNTIL,
}
"""Where it stands until when a permit holds."""

# The supervisor beats twenty times a second; a collector's pause of 0.1 s is harmless.
SUPERVISOR_SILENCE_S = 2.0


class ControlWords:
    """The supervisor's side of the control words."""

    def __init__(self) -> None:
        self.words: Int64Array = np.zeros(N_WORDS, np.int64)
        # Two threads look at the end of the rest: neither may give back what the other
        # has just taken.
        self._changing = threading.Lock()
        self.set_clock_offset(0.0)
        self.beat(-math.inf)
        for place in UNTIL.values():
            self.words[place] = _bits(-math.inf)

    @property
    def address(self) -> int:
        """Address of the first word."""
        return int(self.words.ctypes.data)

    @property
    def permits(self) -> Permit:
        """What has been given and not been withdrawn, whether or not it has run out."""
        return Permit(int(self.words[Word.PERMITS]))

    def permits_at(self, t_now: float) -> Permit:
        """Return what holds at an instant, as the loop sees it."""
        permits = self.permits & ~Permit.SUPERVISED
        for timed, place in UNTIL.items():
            if not t_now <= self._instant(place):
                permits &= ~timed
        if t_now - self.supervisor_beat <= SUPERVISOR_SILENCE_S:
            permits |= Permit.SUPERVISED
        return permits

    def permit(self, permit: Permit) -> None:
        """Give a permit; one that is timed holds only once it is vouched for."""
        with self._changing:
            self.words[Word.PERMITS] = int(self.permits | permit)

    def vouch_until(self, permit: Permit, t_until: float) -> None:
        """Give timed permits until an instant of the host clock.

        Parameters
        ----------
        permit : Permit
            Of `ARMED`, `CONSOLE` and `DEVICE`.
        t_until : float
            Infinite where nothing is there that could fall silent, as in a session
            without a console; NaN permits nothing.

        Raises
        ------
        ValueError
            If a permit is not timed.
        """
        if permit & ~TIMED:
            raise ValueError(
                f"The argument 'permit' must be of {TIMED!r}. {permit!r} is invalid."
            )
        for timed in permit:
            self.words[UNTIL[timed]] = _bits(t_until)
        with self._changing:
            self.words[Word.PERMITS] = int(self.permits | permit)

    def holds_until(self, permit: Permit) -> float:
        """Return until when a timed permit was last vouched for."""
        return self._instant(UNTIL[permit])

    def withdraw(self, permit: Permit) -> None:
        """Take a permit back; one store, so that all of them end at once."""
        with self._changing:
            self.words[Word.PERMITS] = int(self.permits & ~permit)

    def offer(self, offer: int) -> None:
        """Say which trial may be given: what `core.offers.offer_of` returned."""
        self.words[Word.OFFER] = offer

    def word_at(self, t_now: float) -> int:
        """Return permits and offer in one word, as the loop records them."""
        return int(self.permits_at(t_now)) | int(self.words[Word.OFFER]) << OFFER_SHIFT

    def request_stop(self) -> None:
        """Make the loop return at its next turn."""
        self.words[Word.STOP] = 1

    def clear_stop(self) -> None:
        """Let the loop be entered again."""
        self.words[Word.STOP] = 0

    def set_clock_offset(self, offset_s: float) -> None:
        """Say what turns the stream's stamps into this host's clock."""
        self.words[Word.CLOCK_OFFSET] = _bits(offset_s)

    def beat(self, t_now: float) -> None:
        """Tell the loop that the supervisor is alive."""
        self.words[Word.SUPERVISOR_BEAT] = _bits(t_now)

    @property
    def supervisor_beat(self) -> float:
        """When the supervisor was last alive, on the host clock."""
        return self._instant(Word.SUPERVISOR_BEAT)

    @property
    def clock_offset_s(self) -> float:
        """What turns the stream's stamps into this host's clock."""
        return self._instant(Word.CLOCK_OFFSET)

    @property
    def stop_requested(self) -> bool:
        """Whether the loop is to return."""
        return bool(self.words[Word.STOP])

    def count_turn(self) -> None:
        """Count a turn of the Python loop; the compiled one counts its own."""
        self.words[Word.LOOP_BEAT] += 1

    @property
    def loop_beats(self) -> int:
        """How often the loop has turned."""
        return int(self.words[Word.LOOP_BEAT])

    def _instant(self, place: Word) -> float:
        return float(self.words[place].view(np.float64))


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))
