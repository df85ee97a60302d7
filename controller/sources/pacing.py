"""Push samples at the instants they are stamped with, on an absolute schedule.

Sample n is stamped t_start + n / rate, exactly, and never pushed before that instant. A
stall delays pushes but moves no stamp: the backlog goes out at once and the schedule
holds. The clock and the sleep are arguments, so tests run on virtual time.
"""

import ctypes
import dataclasses
import math
import sys
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

_PR_SET_TIMERSLACK = 29
_LONGEST_SLEEP_S = 0.2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimedRows:
    """Samples with their place on the schedule.

    Parameters
    ----------
    samples : array, shape (n_samples, n_channels)
        C-contiguous.
    due_s : array, shape (n_samples,)
        When each is pushed, from the start; infinite for a sample never pushed.
    stamp_s : array, shape (n_samples,)
        What it is stamped with, from the start; differs from `due_s` only where a fault
        is simulated.
    """

    samples: Float32Array
    due_s: Float64Array
    stamp_s: Float64Array


class Push(Protocol):
    """Hand one sample over."""

    def __call__(self, row: int, stamp: float) -> None:
        """Push the float32 values at address `row`, stamped `stamp`."""
        ...


class Amend(Protocol):
    """Change a sample at the last moment, in place."""

    def __call__(self, samples: Float32Array, index: int, due_s: float) -> None:
        """Change row `index` of `samples`, which is due at `due_s` from the start."""
        ...


class Stop(Exception):
    """Ends the schedule before its last sample."""


def on_schedule(samples: Float32Array, first: int, rate_hz: float) -> TimedRows:
    """Place consecutive samples, the first of them number `first`, on the schedule."""
    due_s = np.arange(first, first + len(samples)) / rate_hz
    return TimedRows(
        samples=np.ascontiguousarray(samples, dtype=np.float32),
        due_s=due_s,
        stamp_s=due_s,
    )


def play(
    blocks: Iterable[TimedRows],
    *,
    t_start: float,
    push: Push,
    clock: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
    check: Callable[[], None] = lambda: None,
    amend: Amend | None = None,
    transport_s: float = 0.0,
) -> None:
    """Push every sample of every block when it is due.

    Parameters
    ----------
    blocks : iterable of TimedRows
        In order.
    t_start : float
        Instant of the schedule's zero, on `clock`.
    push : Push
    clock : callable
        Returns the present instant, seconds.
    sleep : callable
        Waits for some seconds; a shorter or longer wait does no harm.
    check : callable
        Called about every fifth of a second; may raise `Stop`.
    amend : Amend or None
        Called with each sample when it is due, before it is pushed.
    transport_s : float
        How long after its instant each sample is pushed; its stamp stays.
    """
    t_check = -math.inf
    for block in blocks:
        address = block.samples.ctypes.data
        row_bytes = block.samples.strides[0]
        schedule = zip(
            (t_start + transport_s + block.due_s).tolist(),
            (t_start + block.stamp_s).tolist(),
            strict=True,
        )
        for index, (t_due, stamp) in enumerate(schedule):
            while True:
                now = clock()
                if now - t_check > _LONGEST_SLEEP_S:
                    check()
                    t_check = now
                if now >= t_due:
                    break
                sleep(min(t_due - now, _LONGEST_SLEEP_S))
            if amend is not None:
                amend(block.samples, index, float(block.due_s[index]))
            push(address, stamp)
            address += row_bytes


def shorten_timer_slack() -> None:
    """Let this thread's sleeps end on time, where the system can (Linux).

    By default the kernel may lengthen each sleep by 50 microseconds to save power.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
