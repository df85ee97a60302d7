"""Orders in which conditions come, and which of their trials are shadows."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from controller.protocol.draws import Draws

Order = Literal["blocked", "independent", "listed"]

SECTORS = 8
"""Random phases come once from each eighth of the circle before one comes again."""

SMALLEST_SHARE = 0.001
"""A smaller share of trials would be none of most sessions."""


def order_of(weights: Sequence[int], n: int, order: Order, draws: Draws) -> list[int]:
    """Return which of several conditions comes in each of `n` trials.

    Parameters
    ----------
    weights : sequence of int
        Trials of each in a block.
    n : int
    order : str
        `blocked`: shuffled blocks. Wherever the run is cut short, the counts of two
        conditions, each divided by its weight, differ by 1 at the most.
        `independent`: each trial drawn for itself, so that none can be foretold from
        those before; counts are balanced on average only.
        `listed`: block after block in the order given.
    draws : Draws
    """
    block = _smallest_block(weights)
    places: list[int] = []
    while len(places) < n:
        match order:
            case "blocked":
                places += draws.shuffled(block)
            case "independent":
                places.append(block[draws.below(len(block))])
            case "listed":
                places += block
    return places[:n]


def shadows_of(n: int, share: float, draws: Draws) -> list[bool]:
    """Return which of `n` trials are shadows.

    The trials are cut into stretches that each deserve one shadow, and one trial of
    each stretch is drawn: after any number of trials the count of shadows differs by 1
    at the most from the share.
    """
    if not (share == 0.0 or SMALLEST_SHARE <= share <= 1.0 - SMALLEST_SHARE):
        raise ValueError(
            f"share is {share}, but must be 0, or from {SMALLEST_SHARE} to "
            f"{1.0 - SMALLEST_SHARE}"
        )
    if share > 0.5:
        return [not other for other in _one_of_each_stretch(n, 1.0 - share, draws)]
    return _one_of_each_stretch(n, share, draws)


def random_phases_rad(n: int, draws: Draws) -> list[float]:
    """Return phases from -pi to pi, even around the circle after every eighth one."""
    phases: list[float] = []
    while len(phases) < n:
        for sector in draws.shuffled(range(SECTORS)):
            turn = (sector + draws.unit()) / SECTORS
            phases.append((turn - 0.5) * 2.0 * math.pi)
    return phases[:n]


def intervals_s(n: int, iti_s: float, jitter_s: float, draws: Draws) -> list[float]:
    """Return intervals drawn evenly from `iti_s - jitter_s` to `iti_s + jitter_s`."""
    return [draws.between(iti_s - jitter_s, iti_s + jitter_s) for _ in range(n)]


def imbalance(places: Sequence[int], weights: Sequence[int]) -> float:
    """Return the largest difference of counts over weights, at any cut point."""
    divisor = math.gcd(*weights)
    counts = [0] * len(weights)
    largest = 0.0
    for place in places:
        counts[place] += 1
        shares = [n * divisor / w for n, w in zip(counts, weights, strict=True)]
        largest = max(largest, max(shares) - min(shares))
    return largest


def _smallest_block(weights: Sequence[int]) -> list[int]:
    divisor = math.gcd(*weights)
    return [
        place for place, weight in enumerate(weights) for _ in range(weight // divisor)
    ]


def _one_of_each_stretch(n: int, share: float, draws: Draws) -> list[bool]:
    chosen = [False] * n
    for first, length in _stretches(n, share):
        place = first + draws.below(length)
        # The last stretch may reach beyond the end, with its shadow or without.
        if place < n:
            chosen[place] = True
    return chosen


def _stretches(n: int, share: float) -> Iterator[tuple[int, int]]:
    """Yield first trial and length of stretches that each deserve one of a share."""
    if share == 0.0:
        return
    first, count = 0, 0
    while first < n:
        count += 1
        end = math.ceil(count / share)
        yield first, end - first
        first = end
