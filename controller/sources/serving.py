"""What every source process does: announce, wait, stream, end."""

import contextlib
import dataclasses
import gc
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from types import FrameType
from typing import Any, Protocol, TypeVar

import click
import pylsl

from controller.errors import PhasegateError
from controller.sources.outlet import EegOutlet
from controller.sources.pacing import (
    Float32Array,
    Push,
    Stop,
    TimedRows,
    play,
    shorten_timer_slack,
)

Item = TypeVar("Item")

STREAM_WORD = "STREAM"
"""Printed with the id of the stream once it stands."""

ABOUT_WORD = "ABOUT"
"""Printed next, with what the source says of itself, as JSON."""

BEGIN_WORD = "BEGIN"
"""Printed when the first sample is about to be due."""

# The first sample is due a moment after the first receiver has come, so that whatever
# that one still sets up does not make the stream begin with a backlog.
_LEAD_S = 0.05
# A receiver that is told of the end drops what it has not yet handed on.
_LINGER_S = 0.5
_SWITCH_INTERVAL_S = 1e-4


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How a source process behaves, whatever it streams.

    Parameters
    ----------
    source_id : str
        Of the stream; printed once it stands.
    wait : bool
        Push nothing before somebody receives, so that sample 0 is not lost.
    parent : int or None
        Process that started this one; its end is ours too.
    die_at_s : float
        Simulated fault: end at once and unclean at this time of the schedule.
    transport_s : float
        As `play`.
    about : mapping
        What is printed for whoever started the process.
    """

    source_id: str
    wait: bool
    parent: int | None
    die_at_s: float = math.inf
    transport_s: float = 0.0
    about: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Wires(Protocol):
    """What reaches the source while it streams."""

    def begin(self, t_start: float) -> None:
        """Take the instant of sample 0, on the clock of LSL."""
        ...

    def amend(self, samples: Float32Array, index: int, due_s: float) -> None:
        """As `Amend`."""
        ...


def serve(
    outlet: EegOutlet,
    blocks: Iterable[TimedRows],
    serving: Serving,
    wires: Wires | None = None,
) -> None:
    """Stream blocks in real time until they end, or a signal or the parent ends it."""
    watch = Watch(serving.parent)
    shorten_timer_slack()
    # The thread that makes the next block must not keep this one waiting for the GIL.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    announce(serving.source_id, serving.about)
    try:
        while serving.wait and not outlet.wait_for_consumer(0.1):
            watch.check()
        t_start = pylsl.local_clock() + _LEAD_S
        if wires is not None:
            wires.begin(t_start)
        tell(BEGIN_WORD)
        play(
            _ahead(blocks),
            t_start=t_start,
            push=_mortal(outlet.push, t_start + serving.die_at_s),
            clock=pylsl.local_clock,
            check=watch.check,
            amend=None if wires is None else wires.amend,
            transport_s=serving.transport_s,
        )
        idle(_LINGER_S, watch.check)
    except Stop:
        pass
    finally:
        outlet.close()


def exit_with_sentence(main: Callable[[], None]) -> None:
    """Run a source's main function; print an error as one sentence, end by its code."""
    try:
        main()
    except PhasegateError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)


def tell(*words: str) -> None:
    """Print one line for whoever started this process."""
    # Who started it may have gone, or not read on: that must not stop the stream.
    with contextlib.suppress(OSError):
        click.echo(" ".join(words))
        sys.stdout.flush()


def announce(source_id: str, about: Mapping[str, Any]) -> None:
    """Say that the stream stands, and what it is."""
    tell(STREAM_WORD, source_id)
    tell(ABOUT_WORD, json.dumps(dict(about), ensure_ascii=False))


class Watch:
    """Whether this process was asked to end, or is left alone.

    Parameters
    ----------
    parent : int or None
        Who must not be gone; whoever it is now, if None.
    """

    def __init__(self, parent: int | None) -> None:
        self._parent = os.getppid() if parent is None else parent
        self._asked = False
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def check(self) -> None:
        """Raise `Stop` if it is time to end."""
        if self._asked or os.getppid() != self._parent:
            raise Stop

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True


def _mortal(push: Push, t_death: float) -> Push:
    if t_death == math.inf:
        return push

    def push_or_die(row: int, stamp: float) -> None:
        if stamp >= t_death:
            os._exit(1)
        push(row, stamp)

    return push_or_die


def _ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items while a thread makes the next one."""
    iterator = iter(items)
    with ThreadPoolExecutor(max_workers=1) as worker:
        coming = worker.submit(lambda: list(islice(iterator, 1)))
        while made := coming.result():
            coming = worker.submit(lambda: list(islice(iterator, 1)))
            yield made[0]


def idle(seconds: float, check: Callable[[], None]) -> None:
    """Wait for some seconds; `check` may end it with `Stop`."""
    t_end = time.monotonic() + seconds
    while (left := t_end - time.monotonic()) > 0:
        check()
        time.sleep(min(left, 0.1))
