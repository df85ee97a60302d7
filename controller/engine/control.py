"""Words that the supervisor and the loop share, each written by one side only.

Python stores a 64-bit integer into an aligned array element in one piece; the loop
reads it with acquire and writes its own words with release.
"""

import enum
import math

import numpy as np

from controller.kernels.jit import Int64Array
from controller.safety.interlock import Permit


class Word(enum.IntEnum):
    """Places in the array of control words."""

    STOP = 0
    PERMITS = 1
    CLOCK_OFFSET = 2  # bits of a float64, seconds
    SUPERVISOR_BEAT = 3  # bits of a float64, host clock
    LOOP_BEAT = 4  # counted by the loop


N_WORDS = len(Word)


class ControlWords:
    """The supervisor's side of the control words."""

    def __init__(self) -> None:
        self.words: Int64Array = np.zeros(N_WORDS, np.int64)
        self.set_clock_offset(0.0)
        self.beat(-math.inf)

    @property
    def address(self) -> int:
        """Address of the first word."""
        return int(self.words.ctypes.data)

    @property
    def permits(self) -> Permit:
        """What the supervisor vouches for at present."""
        return Permit(int(self.words[Word.PERMITS]))

    def permit(self, permit: Permit) -> None:
        """Give a permit."""
        self.words[Word.PERMITS] = int(self.permits | permit)

    def withdraw(self, permit: Permit) -> None:
        """Take a permit back."""
        self.words[Word.PERMITS] = int(self.permits & ~permit)

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
        return float(self.words[Word.SUPERVISOR_BEAT].view(np.float64))

    @property
    def clock_offset_s(self) -> float:
        """What turns the stream's stamps into this host's clock."""
        return float(self.words[Word.CLOCK_OFFSET].view(np.float64))

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


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))
