"""May a pattern be fired at all? Asked once, when a program is built.

The review judges every pulse when it is due; a pattern that it would cut off in its
middle is refused here, in a sentence, before anybody arms.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from controller.kernels.jit import Float64Array
from controller.safety.interlock import RATE_WINDOW_S
from controller.safety.limits import Limits, TrainLimits


def pattern_complaint(limits: Limits, rises_s: Sequence[float]) -> str | None:
    """Return what stands against a pattern, or None.

    Parameters
    ----------
    limits : Limits
    rises_s : sequence of float
        When each of its pulses leaves, from its first, ascending.
    """
    n_pulses = len(rises_s)
    if n_pulses <= 1:
        return None
    if limits.train is None:
        return (
            f"The pattern has {n_pulses} pulses, but limits.train is missing, so "
            "trains are forbidden; add what the study's approval allows."
        )
    broken = next(_broken(limits, limits.train, np.array(rises_s)), None)
    return None if broken is None else f"The pattern {broken}."


def _broken(limits: Limits, train: TrainLimits, rises_s: Float64Array) -> Iterator[str]:
    most = min(train.max_pulses, limits.max_pulses)
    if not len(rises_s) <= most:
        yield (
            f"has {len(rises_s)} pulses, more than the {most} that "
            "limits.train.max_pulses and limits.max_pulses leave"
        )
    # Each pulse may leave late by as much, which brings it closer to the next one.
    shortest_s = train.min_pulse_interval_s + limits.max_lateness_s
    closest_s = float(np.diff(rises_s).min())
    if not closest_s >= shortest_s:
        yield (
            f"has pulses {closest_s:.4g} s apart, closer than "
            "limits.train.min_pulse_interval_s and limits.max_lateness_ms together, "
            f"{shortest_s:.4g} s"
        )
    lasts_s = float(rises_s[-1] - rises_s[0])
    if not lasts_s + limits.max_lateness_s <= train.max_train_s:
        yield (
            f"lasts {lasts_s:.4g} s, which with limits.max_lateness_ms is longer than "
            f"limits.train.max_train_s = {train.max_train_s:g} s"
        )
    ends = np.searchsorted(rises_s, rises_s + RATE_WINDOW_S)
    in_a_minute = int((ends - np.arange(len(rises_s))).max())
    if not in_a_minute <= limits.max_per_minute:
        yield (
            f"has {in_a_minute} pulses within a minute, more than "
            f"limits.max_per_minute = {limits.max_per_minute}"
        )
