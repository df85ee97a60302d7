"""Simulated bad days: what goes wrong with a stream, on purpose, at a known time."""

import dataclasses
import math

import numpy as np

from controller.sources.pacing import TimedRows

RAIL_UV = 187_500.0
"""What a simulated amplifier shows when its input is out of range."""

_CLOCK_JUMP_S = 0.1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """When, in seconds of the schedule, what goes wrong; infinity for never.

    Parameters
    ----------
    gap_at_s, gap_s : float
        Samples are lost from the first instant, for the second's duration.
    nan_at_s, flat_at_s, saturate_at_s : float
        Samples are not a number, stay where they are, or hit the rail, for `lasting_s`.
    channel : int or None
        Of these three; all channels if None.
    lasting_s : float
    backward_at_s : float
        The amplifier's clock jumps back by 0.1 s and stays there.
    repeat_at_s : float
        One sample carries the stamp of the one before it.
    freeze_at_s : float
        No sample comes any more, though the stream stays open.
    late_at_s, late_s : float
        From the first instant on, samples come later by the second, stamped as before.
    """

    gap_at_s: float = math.inf
    gap_s: float = 0.5
    nan_at_s: float = math.inf
    flat_at_s: float = math.inf
    saturate_at_s: float = math.inf
    channel: int | None = None
    lasting_s: float = 1.0
    backward_at_s: float = math.inf
    repeat_at_s: float = math.inf
    freeze_at_s: float = math.inf
    late_at_s: float = math.inf
    late_s: float = 0.2


def with_faults(rows: TimedRows, faults: Faults, *, interval_s: float) -> TimedRows:
    """Return the rows as they come on a bad day; the argument stays as it is.

    Parameters
    ----------
    rows : TimedRows
    faults : Faults
    interval_s : float
        From sample to sample.
    """
    t = rows.due_s
    samples = rows.samples.copy()
    columns = slice(None) if faults.channel is None else slice(*_one(faults.channel))
    samples[_during(t, faults.nan_at_s, faults.lasting_s), columns] = np.nan
    samples[_during(t, faults.flat_at_s, faults.lasting_s), columns] = 0.0
    samples[_during(t, faults.saturate_at_s, faults.lasting_s), columns] = RAIL_UV
    stamp_s = rows.stamp_s - _CLOCK_JUMP_S * (t >= faults.backward_at_s)
    # Half an interval on either side: stamps are no round numbers.
    nearest = np.abs(t - faults.repeat_at_s) < interval_s / 2
    stamp_s = stamp_s - interval_s * nearest
    due_s = t + faults.late_s * (t >= faults.late_at_s)
    due_s = np.where(t >= faults.freeze_at_s, math.inf, due_s)
    kept = ~_during(t, faults.gap_at_s, faults.gap_s)
    return TimedRows(
        samples=np.ascontiguousarray(samples[kept]),
        due_s=due_s[kept],
        stamp_s=stamp_s[kept],
    )


def _during(t: np.ndarray, start: float, lasting: float) -> np.ndarray:
    return (t >= start) & (t < start + lasting)


def _one(channel: int) -> tuple[int, int]:
    return channel, channel + 1
