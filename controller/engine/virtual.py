"""The same loop over a recording, on a virtual clock.

Fakes stand in the address table where liblsl and libc stand in the live controller.
Wake-ups that were recorded live are played back, so that a session's every decision
comes out the same, bit for bit.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from controller.core.reasons import Fault
from controller.core.records import (
    EDGE,
)
from controller.core.structures import (
    Memory,
    Program,
    Telemetry,
)
from controller.engine.control import ControlWords
from controller.engine.fakes import WORLD, fake_ports
from controller.engine.loop import run_loop
from controller.engine.telemetry import Batch, drain, join, new_telemetry
from controller.kernels.jit import (
    Float32Array,
    Float64Array,
    Int64Array,
    new_records,
)
from controller.safety.interlock import Permit

_ON_TIME = np.zeros(1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """What a loop received, in the order in which it did.

    Parameters
    ----------
    t_sample, t_arrival : array, shape (n_samples,)
        Stamps and arrivals on the host clock.
    permits : array of int, shape (n_samples,)
        `Permit` bits that held at each arrival.
    raw : float32 array, shape (n_samples, n_channels)
    edges : records of EDGE, optional
        Wire actions as they came due live. Without them the virtual clock alone
        decides, and every trigger leaves exactly on time.

    Raises
    ------
    ValueError
        If an array has another type or length: the fakes read them by address. Or if a
        stamp is 0.0, by which liblsl says that there is no sample.
    """

    t_sample: Float64Array
    t_arrival: Float64Array
    permits: Int64Array
    raw: Float32Array
    edges: Any | None = None

    def __post_init__(self) -> None:
        """Refuse what the fakes would misread."""
        n_samples = len(self.raw)
        for name, dtype in (
            ("t_sample", np.float64),
            ("t_arrival", np.float64),
            ("permits", np.int64),
            ("raw", np.float32),
        ):
            array = getattr(self, name)
            if array.dtype != dtype or not array.flags.c_contiguous:
                raise ValueError(
                    f"The argument '{name}' must be a C-contiguous array of "
                    f"{np.dtype(dtype).name}."
                )
            if len(array) != n_samples:
                raise ValueError(
                    f"The argument '{name}' has {len(array)} rows, but 'raw' has "
                    f"{n_samples}."
                )
        if np.any(self.t_sample == 0.0):
            raise ValueError(
                "The argument 't_sample' has a stamp of 0.0, which means that there is "
                "no sample; start later."
            )


def regular_tape(
    raw: Float32Array,
    sfreq_hz: float,
    *,
    t_start: float = 1.0,
    data_age_s: float = 0.0,
    permits: Permit = Permit.ALL,
) -> Tape:
    """Return a tape of samples on the beat, each `data_age_s` after its stamp."""
    n_samples = raw.shape[0]
    t_sample = t_start + np.arange(n_samples) / sfreq_hz
    return Tape(
        t_sample=t_sample,
        t_arrival=t_sample + data_age_s,
        permits=np.full(n_samples, int(permits), np.int64),
        raw=np.ascontiguousarray(raw, np.float32),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VirtualRun:
    """What came out of a run in virtual time.

    Parameters
    ----------
    fault : Fault
        `END_OF_TAPE` if nothing went wrong.
    batch : Batch
        Without the raw samples: they are the tape's.
    calls : array, shape (n_calls, 3)
        Instant, descriptor and first byte (or ioctl request) of each wire action, also
        of those that failed.
    memory : Memory
    t_end : float
        Virtual clock at the end; the `t_start` of a run that goes on from here.
    """

    fault: Fault
    batch: Batch
    calls: Float64Array
    memory: Memory
    t_end: float


def run_virtual(
    program: Program,
    memory: Memory,
    tape: Tape,
    *,
    slice_samples: int = 16_384,
    t_start: float | None = None,
    late_s: Float64Array = _ON_TIME,
    fail_call: int = -1,
) -> VirtualRun:
    """Run the loop over a tape; `memory` is changed.

    Parameters
    ----------
    program, memory
    tape : Tape
    slice_samples : int
        How many samples go through the loop between two looks at the rings; the
        outcome does not depend on it.
    t_start : float, optional
        Virtual clock at the start; the first arrival if absent.
    late_s : array
        How late the loop wakes up for each deadline, in turn and over again.
    fail_call : int
        Make this wire action fail, counted from 0.
    """
    telemetry = _telemetry_after(memory, tape.raw.shape[1], slice_samples)
    loop = VirtualLoop(
        program,
        memory,
        tape,
        telemetry,
        t_start=t_start,
        late_s=late_s,
        fail_call=fail_call,
    )
    batches = [drain(telemetry)]
    fault = Fault.END_OF_TAPE
    n_samples = len(tape.t_sample)
    for stop_at in range(slice_samples, n_samples + slice_samples, slice_samples):
        fault = loop.run_to(min(stop_at, n_samples))
        batches.append(drain(telemetry))
        if fault is not Fault.END_OF_TAPE:
            break
    if fault is Fault.END_OF_TAPE and loop.edges_left:
        # The recorded loop was left in the middle of a pulse.
        loop.leave()
        batches.append(drain(telemetry))
    return VirtualRun(
        fault=fault,
        batch=join(batches),
        calls=loop.calls,
        memory=memory,
        t_end=loop.t,
    )


class VirtualLoop:
    """The loop over a tape, some samples at a time, into rings that others drain.

    Parameters
    ----------
    program, memory, tape
    telemetry : Telemetry
        With room for the samples between two drains; a ring that is full is a fault.
    t_start, late_s, fail_call
        As for `run_virtual`.
    """

    def __init__(
        self,
        program: Program,
        memory: Memory,
        tape: Tape,
        telemetry: Telemetry,
        *,
        t_start: float | None = None,
        late_s: Float64Array = _ON_TIME,
        fail_call: int = -1,
    ) -> None:
        self._program, self._memory, self._telemetry = program, memory, telemetry
        self._words = ControlWords()
        n_edges = int(program.patterns.n_edges[program.trials.pattern].sum())
        self._calls = np.zeros((max(1, 8 * len(program.trials), 2 * n_edges), 3))
        # Kept for as long as the fakes read them by address.
        self._tape = tape
        self._late_s = np.array(late_s, np.float64, ndmin=1)
        self._edges = None if tape.edges is None else np.array(tape.edges, EDGE)
        world = _world(tape, self._words, self._calls, self._edges)
        world.spin_s = program.settings.spin_s
        world.now = memory.now.ctypes.data
        world.first_edge = memory.now.n_edges
        world.late_s, world.n_late = self._late_s.ctypes.data, len(self._late_s)
        world.fail_call_at = fail_call
        if t_start is not None:
            world.t = t_start
        self._world = world
        self._ports = fake_ports(world, self._words.address)
        self._scratch = np.zeros(1)

    @property
    def calls(self) -> Float64Array:
        """Every wire action so far, as in `VirtualRun`."""
        return self._calls[: min(int(self._world.n_calls[0]), len(self._calls))]

    @property
    def t(self) -> float:
        """Virtual clock."""
        return float(self._world.t[0])

    @property
    def edges_left(self) -> bool:
        """Whether the recorded loop was left in the middle of a pulse."""
        return _edges_left(self._memory, self._world)

    def run_to(self, n_samples: int) -> Fault:
        """Run until so many samples of the tape are in; `END_OF_TAPE` is no fault."""
        self._world.stop_at = n_samples
        return self._run()

    def leave(self) -> Fault:
        """Have the loop leave in good order, its line brought down."""
        self._words.request_stop()
        return self._run()

    def _run(self) -> Fault:
        return Fault(
            run_loop(
                self._ports,
                self._program,
                self._memory,
                self._telemetry,
                self._scratch,
            )
        )


def _edges_left(memory: Memory, world: Any) -> bool:
    n_played = int(memory.now.n_edges[0] - world.first_edge[0])
    pending = not math.isinf(memory.now.t_next_edge[0])
    return pending and n_played < int(world.n_edges[0])


def _telemetry_after(memory: Memory, n_channels: int, n_samples: int) -> Telemetry:
    telemetry = new_telemetry(n_channels, n_samples=n_samples, with_raw=False)
    for ring, counter in enumerate(("n_samples", "n_decisions", "n_edges")):
        telemetry.heads[ring] = telemetry.tails[ring] = memory.now[counter][0]
    return telemetry


def _world(
    tape: Tape, words: ControlWords, calls: Float64Array, edges: Any | None
) -> Any:
    world = new_records(WORLD)
    world.t = tape.t_arrival[0] if len(tape.t_arrival) else 0.0
    world.n_channels = tape.raw.shape[1]
    world.t_sample = tape.t_sample.ctypes.data
    world.t_arrival = tape.t_arrival.ctypes.data
    world.permits = tape.permits.ctypes.data
    world.raw = tape.raw.ctypes.data
    world.words = words.address
    world.n_edges = -1
    if edges is not None:
        world.edges, world.n_edges = edges.ctypes.data, len(edges)
    world.calls = calls.ctypes.data
    world.most_calls = len(calls)
    return world
