"""Cut the bytes that a Magstim receives into commands.

Nothing marks the end of a command: its length follows from its first character, and an
unlock code ends where its length or a silence says so.
"""

import math
from typing import Final, Literal

from drivers.magstim.codec import (
    Software,
    charge_delay_digits,
    duration_digits,
    pulse_digits,
)

Model = Literal["200", "bistim", "rapid"]

SILENCE_S: Final = 0.025
"""A command whose rest has not come after so long is taken as it is."""

_COMMON: Final = dict.fromkeys("QRE", 3) | {"@": 5, "F": 3}
_BISTIM: Final = {"J": 3, "A": 5, "C": 5, "X": 3, "Y": 3, "Z": 3}
_RAPID: Final = dict.fromkeys("\\xNIb^_o", 3) | {"B": 6}


def command_lengths(model: Model, software: Software) -> dict[str, int]:
    """Return the length of each command that the model knows, with its checksum."""
    if model == "200":
        return {**_COMMON, "J": 3}
    if model == "bistim":
        return {**_COMMON, **_BISTIM}
    lengths = {**_COMMON, **_RAPID}
    lengths["D"] = 2 + pulse_digits(software)
    lengths["["] = 2 + duration_digits(software)
    lengths["n"] = 2 + charge_delay_digits(software)
    if software[0] < 9:
        for later in "xno":
            del lengths[later]
    return lengths


class FrameSplitter:
    """Collects bytes until they are a command.

    Parameters
    ----------
    lengths : dict of str to int
        As from `command_lengths`.
    unlock_length : int
        Of the unlock command with its checksum, 0 if there is none.
    """

    def __init__(self, lengths: dict[str, int], unlock_length: int = 0) -> None:
        self._lengths = lengths
        self._unlock_length = unlock_length
        self._buffer = b""
        self._t_last = -math.inf

    def feed(self, received: bytes, t: float) -> list[bytes]:
        """Return the commands that `received` completes.

        A byte that starts no command is returned alone, and what came with it is lost;
        but a NUL between commands, which a line at rest or a break gives, is nothing.
        """
        commands = self.expire(t)
        self._buffer += received
        self._t_last = t
        while self._buffer:
            if not self._buffer[0]:
                self._buffer = self._buffer[1:]
                continue
            length = self._length()
            if length is None:
                commands.append(self._buffer[:1])
                self._buffer = b""
                break
            if len(self._buffer) < length:
                break
            commands.append(self._buffer[:length])
            self._buffer = self._buffer[length:]
        return commands

    def expire(self, t: float) -> list[bytes]:
        """Return what has waited for its rest too long."""
        if not self._buffer or t < self.t_expiry():
            return []
        rest, self._buffer = self._buffer, b""
        return [rest]

    def t_expiry(self) -> float:
        """Return when the buffer expires, infinite if it is empty."""
        return self._t_last + SILENCE_S if self._buffer else math.inf

    def _length(self) -> int | None:
        letter = chr(self._buffer[0])
        length = self._lengths.get(letter)
        coded = letter == "Q" and self._buffer[1:2] not in (b"", b"@")
        if coded and self._unlock_length:
            return self._unlock_length
        return length
