"""Short messages between two processes: one writer, one reader, never a wait.

A message that does not fit is refused, and the writer counts it. The reader frees the
place only when it is done with the messages, so that one that was read and not yet
written to disk is still there for whoever takes over.
"""

import struct
from typing import Any

from controller.kernels.jit import Int64Array

_LENGTH = struct.Struct("<I")


class ByteRing:
    """A ring of length-prefixed messages over memory that somebody else owns.

    Parameters
    ----------
    data : array of uint8
    counters : array of int64, shape (2,)
        Bytes ever written and bytes ever freed.
    """

    def __init__(self, data: Any, counters: Int64Array) -> None:
        self._data = data
        self._counters = counters

    def put(self, message: bytes) -> bool:
        """Append a message; return False where it does not fit."""
        entry = _LENGTH.pack(len(message)) + message
        head, tail = (int(counter) for counter in self._counters)
        if len(entry) > len(self._data) - (head - tail):
            return False
        at = head % len(self._data)
        first = min(len(entry), len(self._data) - at)
        self._data[at : at + first] = memoryview(entry[:first])
        self._data[: len(entry) - first] = memoryview(entry[first:])
        # Last, so that no reader sees half a message.
        self._counters[0] = head + len(entry)
        return True

    def waiting(self) -> tuple[list[bytes], int]:
        """Return the messages not yet freed, and what to hand to `free` after them."""
        head, at = (int(counter) for counter in self._counters)
        messages = []
        while at < head:
            (length,) = _LENGTH.unpack(self._bytes(at, _LENGTH.size))
            messages.append(self._bytes(at + _LENGTH.size, length))
            at += _LENGTH.size + length
        return messages, at

    def free(self, upto: int) -> None:
        """Give the place of all messages before `upto` back to the writer."""
        self._counters[1] = upto

    def take(self) -> list[bytes]:
        """Return the messages not yet freed, and free them."""
        messages, at = self.waiting()
        self.free(at)
        return messages

    def _bytes(self, start: int, length: int) -> bytes:
        at = start % len(self._data)
        first = min(length, len(self._data) - at)
        return bytes(self._data[at : at + first]) + bytes(self._data[: length - first])
