"""Random draws that are the same in ten years: SHA-256 in counter mode.

A protocol's trial list is named by its hash and seed alone, so it must not depend on
the version of a library that draws numbers.
"""

import hashlib
from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")

_BITS = 64


class Draws:
    """A stream of independent draws.

    Parameters
    ----------
    *names : str or int or bytes
        What the stream is named by; other names give another stream.
    """

    def __init__(self, *names: str | int | bytes) -> None:
        digest = hashlib.sha256()
        for name in names:
            piece = name if isinstance(name, bytes) else str(name).encode()
            # The length keeps ("ab", "c") and ("a", "bc") apart.
            digest.update(len(piece).to_bytes(8, "big") + piece)
        self._key = digest.digest()
        self._n_drawn = 0

    def unit(self) -> float:
        """Return a number from 0 to below 1."""
        return (self._word() >> 11) * 2.0**-53

    def below(self, n: int) -> int:
        """Return a whole number from 0 to below `n`, each as likely as the others."""
        if not 0 < n <= 1 << _BITS:
            raise ValueError(f"nothing can be drawn out of {n}")
        # Words at the top, which do not share out evenly, are drawn anew.
        fair = (1 << _BITS) - (1 << _BITS) % n
        word = self._word()
        while not word < fair:
            word = self._word()
        return word % n

    def between(self, lowest: float, highest: float) -> float:
        """Return a number from `lowest` to `highest`."""
        return min(highest, lowest + (highest - lowest) * self.unit())

    def shuffled(self, items: Iterable[Item]) -> list[Item]:
        """Return the items in an order of which all are equally likely."""
        shuffled = list(items)
        for last in range(len(shuffled) - 1, 0, -1):
            other = self.below(last + 1)
            shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
        return shuffled

    def _word(self) -> int:
        count = self._n_drawn.to_bytes(8, "big")
        self._n_drawn += 1
        return int.from_bytes(hashlib.sha256(self._key + count).digest()[:8], "big")
