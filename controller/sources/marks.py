"""What a recording says of instants, as a stream of markers beside its EEG."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pylsl

from controller.sources.recorded import Mark

Float32Array = npt.NDArray[np.float32]


class PushMark(Protocol):
    """Hand one mark over."""

    def __call__(self, text: str, stamp: float) -> None:
        """Push it, stamped `stamp`."""
        ...


class MarkPlayer:
    """Pushes each mark with the first sample that is not before it.

    Its stamp is its own instant, which may lie between two samples. Marks after the
    last sample have none to come with and are left out.

    Parameters
    ----------
    marks : iterator of Mark
        In the order of their instants.
    push : PushMark
    """

    def __init__(self, marks: Iterator[Mark], push: PushMark) -> None:
        self._marks = marks
        self._push = push
        self._t_start = 0.0
        self._next = next(marks, None)

    def begin(self, t_start: float) -> None:
        """Take the instant of sample 0, on the clock of LSL."""
        self._t_start = t_start

    def amend(self, _samples: Float32Array, _index: int, due_s: float) -> None:
        """Push what has come; leave the samples as they are."""
        while self._next is not None and self._next.at_s <= due_s:
            self._push(self._next.text, self._t_start + self._next.at_s)
            self._next = next(self._marks, None)


class MarkOutlet:
    """An LSL outlet for markers.

    Parameters
    ----------
    name, source_id : str
    """

    def __init__(self, *, name: str, source_id: str) -> None:
        stream = pylsl.StreamInfo(name, "Markers", 1, 0.0, "string", source_id)
        self._outlet = pylsl.StreamOutlet(stream)

    def push(self, text: str, stamp: float) -> None:
        """Push one mark."""
        self._outlet.push_sample([text], stamp)


def scheduled(
    marks: Sequence[Mark], *, speed: float, period_s: float | None
) -> Iterator[Mark]:
    """Yield marks at the instants of a replay, none from before its first sample.

    Parameters
    ----------
    marks : sequence of Mark
    speed : float
    period_s : float or None
        After which the recording begins again, in its own time; None plays it once.
    """
    played = [
        mark
        for mark in marks
        if mark.at_s >= 0 and (period_s is None or mark.at_s < period_s)
    ]
    turns = range(1) if period_s is None else itertools.count()
    for turn in turns if played else ():
        after_s = turn * (period_s or 0.0)
        for mark in played:
            yield Mark(at_s=(after_s + mark.at_s) / speed, text=mark.text)
