"""Small phrases that several screens share."""

import math
from collections.abc import Mapping

MOST_REASONS = 4
"""How many reasons a list shows, the most frequent ones."""

_PLACES = ("peak", "falling", "trough", "rising")


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds, or hours before them."""
    whole = int(seconds)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def megabytes(n_bytes: int) -> str:
    """Return a size on disk."""
    return f"{n_bytes / 1e6:.1f} MB"


def phase_place(degrees: float) -> str:
    """Return the quarter of the cycle around a phase: a peak, a flank or a trough."""
    quarter = math.floor((degrees % 360.0 + 45.0) / 90.0) % 4
    return _PLACES[quarter]


def most_frequent(counts: Mapping[str, int], n: int) -> list[tuple[str, int]]:
    """Return the `n` largest counts, largest first, equal ones by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]
