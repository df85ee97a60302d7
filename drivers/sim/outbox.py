"""Bytes on their way from a simulated device to the host: paced, spoilt if asked."""

import dataclasses
import math
import random
from collections import deque
from collections.abc import Callable

from drivers.base import DriverSettingError

_BIT_TO_SPOIL = 0x55


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FrameFaults:
    """How frames to the host fail, counted in frames sent.

    Parameters
    ----------
    wrong_checksum_after : int or None
        Spoil the checksum of every frame after so many.
    drop_byte_after : int or None
        Leave one byte out of the one frame after so many.
    silent_after : int or None
        Send nothing after so many; the device goes on listening.
    unplug_after : int or None
        Take the cable off after so many.

    Raises
    ------
    DriverSettingError
        If a count is negative.
    """

    wrong_checksum_after: int | None = None
    drop_byte_after: int | None = None
    silent_after: int | None = None
    unplug_after: int | None = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            count = getattr(self, field.name)
            if count is not None and not count >= 0:
                option = field.name.replace("_", "-")
                raise DriverSettingError(
                    f"--{option} is {count}, but must be 0 or more."
                )


class Outbox:
    """Frames that leave one after the other, byte by byte.

    Parameters
    ----------
    byte_s : float
        Time that one byte takes on the wire; 0 to let a frame leave as a whole.
    faults : FrameFaults
    spoil : int
        Index of the byte in a frame that a wrong checksum changes.
    """

    def __init__(self, byte_s: float, faults: FrameFaults, spoil: int = -1) -> None:
        self._byte_s = byte_s
        self._faults = faults
        self._spoil = spoil
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._t_free = -math.inf
        self.n_frames = 0

    @property
    def unplugged(self) -> bool:
        """Whether the cable has come off, once what was sent before has left."""
        return not self._waiting and self._reached(self._faults.unplug_after)

    def send(self, frame: bytes, t: float) -> None:
        """Let `frame` start to leave at `t`, or after those before it."""
        if self._reached(self._faults.unplug_after):
            return
        spoilt = self._spoilt(frame)
        self.n_frames += 1
        start = max(t, self._t_free)
        if self._byte_s > 0:
            for place, byte in enumerate(spoilt, start=1):
                self._waiting.append((start + place * self._byte_s, bytes([byte])))
        elif spoilt:
            self._waiting.append((start, spoilt))
        self._t_free = start + len(spoilt) * self._byte_s

    def take(self, t: float) -> bytes:
        """Return what has left by `t`."""
        left = b""
        while self._waiting and self._waiting[0][0] <= t:
            left += self._waiting.popleft()[1]
        return left

    def t_next(self) -> float:
        """Return when the next byte leaves, infinite if none waits."""
        return self._waiting[0][0] if self._waiting else math.inf

    def _spoilt(self, frame: bytes) -> bytes:
        if self._reached(self._faults.silent_after):
            return b""
        if self._reached(self._faults.wrong_checksum_after):
            spoilt = bytearray(frame)
            spoilt[self._spoil] ^= _BIT_TO_SPOIL
            frame = bytes(spoilt)
        if self.n_frames == self._faults.drop_byte_after:
            middle = len(frame) // 2
            frame = frame[:middle] + frame[middle + 1 :]
        return frame

    def _reached(self, count: int | None) -> bool:
        return count is not None and self.n_frames >= count


def seeded_latency(
    seed: int, shortest_s: float, longest_s: float
) -> Callable[[], float]:
    """Return a source of latencies, uniform between two bounds, seconds.

    Raises
    ------
    DriverSettingError
        If the bounds are not 0 <= shortest <= longest.
    """
    if not 0 <= shortest_s <= longest_s < math.inf:
        raise DriverSettingError(
            f"The latency goes from {shortest_s:g} to {longest_s:g} s; give two times, "
            "the shorter first."
        )
    draws = random.Random(seed)  # noqa: S311 - no secret
    return lambda: draws.uniform(shortest_s, longest_s)
