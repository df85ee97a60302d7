"""Pair the edges that were fired with the arrivals that the device logged."""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Which arrival at the device belongs to which edge.

    Parameters
    ----------
    t_observed : array, shape (n_fired,)
        Instant of the arrival; NaN where none came.
    n_missing : int
        Edges without an arrival.
    n_extra : int
        Arrivals without an edge.
    """

    t_observed: Any
    n_missing: int
    n_extra: int


def match_arrivals(
    t_fired: Any, arrivals: Iterable[tuple[float, int]], *, max_latency_s: float = 0.05
) -> Arrivals:
    """Find for each fired edge the instant at which the device saw it.

    An arrival belongs to the latest edge fired before it, if that is not longer ago
    than `max_latency_s`; the first arrival of an edge counts.

    Parameters
    ----------
    t_fired : array, shape (n_fired,)
        Instants of the calls, in order.
    arrivals : iterable of (t_observed, code)
        What the device logged; code 0, the end of a trigger, is passed over.
    max_latency_s : float
        Shorter than the shortest interval between pulses.
    """
    t_fired = np.asarray(t_fired, np.float64)
    t_observed = np.full(len(t_fired), np.nan)
    n_extra = 0
    for t_arrival, code in sorted(arrivals):
        if code == 0:
            continue
        latest = int(np.searchsorted(t_fired, t_arrival, side="right")) - 1
        belongs = latest >= 0 and t_arrival - t_fired[latest] <= max_latency_s
        if belongs and math.isnan(t_observed[latest]):
            t_observed[latest] = t_arrival
        else:
            n_extra += 1
    n_missing = int(np.count_nonzero(np.isnan(t_observed)))
    return Arrivals(t_observed=t_observed, n_missing=n_missing, n_extra=n_extra)
