"""One block of the compiled loop over a real stream, with a real line at its end."""

import dataclasses
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bench.measured import WARM_UP_S, Block, Fired, match_arrivals
from bench.receiver import Receiver
from bench.scenes import Timing, latency_program
from bench.signals import RHYTHM_HZ
from controller.core.memory import new_memory
from controller.core.reasons import Fault
from controller.engine.clock import host_clock
from controller.engine.control import ControlWords
from controller.engine.live import LiveEngine, Stretch, StretchRunner
from controller.engine.privileges import Privileges, settle_collector
from controller.engine.telemetry import Batch, drain, join, new_telemetry
from controller.safety.interlock import TIMED, Permit, Refusal
from controller.sources.lsl import FoundStream, LslInlet
from drivers.serial_port import open_serial

_LOOP_THREAD = "phasegate-loop"
_LOOK_EVERY_S = 0.05
_RING_S = 8.0


class BlockError(Exception):
    """The loop ended by itself in the middle of a block."""


@dataclasses.dataclass(slots=True)
class Window:
    """What part of a block counts: from the end of its warm-up on.

    Parameters
    ----------
    t_first, t_last : float
        On the host clock.
    cpu_first_s, cpu_last_s : float
        Processor time of the loop's thread at these instants.
    """

    t_first: float = math.inf
    cpu_first_s: float = 0.0
    t_last: float = math.nan
    cpu_last_s: float = math.nan


def run_live(
    stream: FoundStream,
    receiver: Receiver,
    timing: Timing,
    *,
    seconds: float,
    runner: StretchRunner | None = None,
) -> Block:
    """Run a block of the compiled loop in its engine's own thread.

    Parameters
    ----------
    stream : FoundStream
    receiver : Receiver
    timing : Timing
    seconds : float
        How long it counts, after the warm-up.
    runner : callable, optional
        See `LiveEngine`.

    Raises
    ------
    BlockError
        If the loop ended at fault.
    LineError
        If arrivals do not match what was sent.
    """
    settle_collector()
    words = ControlWords()
    words.permit(Permit.ALL)
    words.vouch_until(TIMED, math.inf)
    engine = LiveEngine(LslInlet(stream), words, runner=runner)
    with _descriptor(receiver) as descriptor:
        stretch = _stretch(stream, descriptor, timing, seconds)
        privileges = engine.open()
        try:
            window, batch = watch(engine, words, stretch, seconds)
        finally:
            engine.close()
    return _block(batch, stretch, window, receiver, privileges)


@contextmanager
def _descriptor(receiver: Receiver) -> Iterator[int]:
    """Open the receiver's port the way the drivers do; a pipe is open already."""
    if receiver.descriptor >= 0:
        yield receiver.descriptor
        return
    port = open_serial(receiver.port, 115200)
    try:
        yield port.fileno()
    finally:
        port.close()


def _stretch(
    stream: FoundStream, descriptor: int, timing: Timing, seconds: float
) -> Stretch:
    description = stream.description
    program = latency_program(
        sfreq_hz=description.sfreq_hz,
        n_channels=description.n_channels,
        descriptor=descriptor,
        timing=timing,
        n_trials=math.ceil((seconds + 10.0 * WARM_UP_S) * RHYTHM_HZ),
    )
    return Stretch(
        program=program,
        memory=new_memory(program, n_window=1),
        telemetry=new_telemetry(
            description.n_channels, n_samples=round(_RING_S * description.sfreq_hz)
        ),
    )


def watch(
    engine: LiveEngine, words: ControlWords, stretch: Stretch, seconds: float
) -> tuple[Window, Batch]:
    """Do what a supervisor does, and note the processor time of the loop's thread.

    Parameters
    ----------
    engine : LiveEngine
        Open.
    words : ControlWords
    stretch : Stretch
    seconds : float
        How long it counts, after the warm-up.

    Raises
    ------
    BlockError
        If the loop ended at fault.
    """
    thread = next(t for t in threading.enumerate() if t.name == _LOOP_THREAD)
    cpu_clock = time.pthread_getcpuclockid(thread.ident or 0)
    window = Window()
    batches = []
    t_start = host_clock()
    words.beat(t_start)
    engine.start(stretch)
    fault = None
    while fault is None:
        time.sleep(_LOOK_EVERY_S)
        t_now = host_clock()
        words.beat(t_now)
        batches.append(drain(stretch.telemetry))
        if math.isinf(window.t_first) and t_now >= t_start + WARM_UP_S:
            window.t_first = t_now
            window.cpu_first_s = time.clock_gettime(cpu_clock)
        if t_now >= window.t_first + seconds:
            break
        fault = engine.finished()
    window.t_last, window.cpu_last_s = host_clock(), time.clock_gettime(cpu_clock)
    if fault is None:
        fault = engine.stop()
    batches.append(drain(stretch.telemetry))
    if fault is not Fault.STOPPED:
        raise BlockError(f"The loop ended with {fault.name} in the middle of a block.")
    return window, join(batches)


def _block(
    batch: Batch,
    stretch: Stretch,
    window: Window,
    receiver: Receiver,
    privileges: Privileges,
) -> Block:
    sent = batch.edges[batch.edges["refusal"] == Refusal.NONE]
    arrivals = receiver.take(len(sent))
    decisions = batch.decisions
    delay_s = 1e-6 * batch.raw[:, -1].astype(np.float64)
    # Every decision and every sample since the loop was entered is in the batch.
    deciding = decisions[sent["decision"]]
    fired = Fired(
        t_sample=np.array(deciding["t_sample"]),
        push_delay_s=delay_s[deciding["n_samples"] - 1],
        t_due=np.array(sent["t_due"]),
        t_fired=np.array(sent["t_fired"]),
        t_after=np.array(sent["t_after"]),
        t_observed=match_arrivals(sent["trial"], arrivals),
    )
    counted = decisions[decisions["t_sample"] >= window.t_first]
    late = batch.edges["refusal"] == Refusal.TOO_LATE
    samples = batch.samples["t_arrival"]
    return Block(
        fired=fired.since(window.t_first),
        push_to_decision_us=1e6
        * (
            counted["t_decided"]
            - counted["t_sample"]
            - delay_s[counted["n_samples"] - 1]
        ),
        refused_late=int(np.count_nonzero(late)),
        n_samples=int(np.count_nonzero(samples >= window.t_first)),
        n_lost=int(stretch.memory.now.n_lost[0]),
        cpu_s=window.cpu_last_s - window.cpu_first_s,
        wall_s=window.t_last - window.t_first,
        merged=int(np.count_nonzero(arrivals[:, 2] > 1)),
        privileges=f"SCHED_FIFO {privileges.fifo}, memory lock "
        f"{privileges.memory_lock}, timer slack {privileges.timer_slack}, "
        f"processors {privileges.affinity}, {os.cpu_count()} in all",
    )
