"""The same loop over a recording, on a virtual clock.

Fakes stand in the address table where liblsl and libc stand in the live controller.
The clock moves to a sample's arrival when it is pulled and to the deadline when the
loop waits for one; nothing sleeps. Wake-ups that were recorded live are played back, so
that a session's every decision comes out the same, bit for bit.
"""

import dataclasses
import math
from typing import Any

import numpy as np
from numba import carray, types

from controller.core.reasons import Fault
from controller.core.records import EDGE, Memory, Program
from controller.engine.control import ControlWords, Word
from controller.engine.loop import TAPE_ENDED, run_loop
from controller.engine.ports import PORTS, address_as_pointer
from controller.engine.telemetry import Batch, drain, join, new_telemetry
from controller.kernels.jit import (
    Float32Array,
    Float64Array,
    Int64Array,
    compiled_callback,
    new_records,
)
from controller.safety.interlock import Permit

WORLD = np.dtype(
    [
        ("t", "f8"),  # the virtual clock
        ("tick_s", "f8"),  # by which it moves whenever it is read
        ("t_then", "f8"),  # what the next reading but one shall be, or NaN
        ("at", "i8"),  # sample to give next
        ("stop_at", "i8"),  # end of the tape for now
        ("n_channels", "i8"),
        ("t_sample", "i8"),  # addresses of arrays
        ("t_arrival", "i8"),
        ("permits", "i8"),
        ("raw", "i8"),
        ("words", "i8"),
        ("edges", "i8"),  # recorded edges to play back
        ("edge_at", "i8"),
        ("n_edges", "i8"),
        ("writes", "i8"),  # address of the log of calls, (n, 3) float64
        ("n_writes", "i8"),
        ("most_writes", "i8"),
        ("fail_write_at", "i8"),  # this call fails, counted from 0; -1 for none
        ("errno", "i4"),
        ("unused", "i4"),
    ],
    align=True,
)

_SUPERVISED = int(Permit.SUPERVISED)
_PERMITS_WORD = int(Word.PERMITS)
_BEAT_WORD = int(Word.SUPERVISOR_BEAT)
_ALIVE = int(np.float64(math.inf).view(np.int64))
_GONE = int(np.float64(-math.inf).view(np.int64))
_EIO = 5
_ERRNO_OFFSET = int(WORLD.fields["errno"][1])  # type: ignore[index]


@compiled_callback(
    types.float64(
        types.int64, types.int64, types.int32, types.float64, types.int64, types.int64
    )
)
def fake_pull(
    inlet: int, buffer: int, n_channels: int, timeout_s: float, error: int, handle: int
) -> float:
    """Give the next sample if it arrives in time, else let `timeout_s` pass."""
    world = carray(address_as_pointer(handle), (1,), WORLD)[0]
    words = carray(address_as_pointer(world.words), (8,), np.int64)
    if world.edge_at < world.n_edges:
        edges = carray(address_as_pointer(world.edges), (world.n_edges,), EDGE)
        edge = edges[world.edge_at]
        if edge.n_samples == world.at:
            world.edge_at += 1
            world.t = edge.t_fired
            world.t_then = edge.t_after
            words[_PERMITS_WORD] = edge.permits
            words[_BEAT_WORD] = _ALIVE if edge.permits & _SUPERVISED else _GONE
            return 0.0
    if world.at >= world.stop_at:
        carray(address_as_pointer(error), (1,), np.int32)[0] = TAPE_ENDED
        return 0.0
    arrivals = carray(address_as_pointer(world.t_arrival), (world.stop_at,), np.float64)
    t_arrival = arrivals[world.at]
    if world.n_edges < 0 and t_arrival > world.t + timeout_s:
        world.t += timeout_s
        return 0.0
    stamps = carray(address_as_pointer(world.t_sample), (world.stop_at,), np.float64)
    permits = carray(address_as_pointer(world.permits), (world.stop_at,), np.int64)
    rows = carray(
        address_as_pointer(world.raw), (world.stop_at, world.n_channels), np.float32
    )
    target = carray(address_as_pointer(buffer), (n_channels,), np.float32)
    for channel in range(n_channels):
        target[channel] = rows[world.at, channel]
    words[_PERMITS_WORD] = permits[world.at]
    words[_BEAT_WORD] = _ALIVE if permits[world.at] & _SUPERVISED else _GONE
    world.t = max(world.t, t_arrival) if world.n_edges < 0 else t_arrival
    world.at += 1
    return stamps[world.at - 1]


@compiled_callback(types.float64(types.int64))
def fake_clock(handle: int) -> float:
    """Read the virtual clock, which moves on by a tick, or to a recorded reading."""
    world = carray(address_as_pointer(handle), (1,), WORLD)[0]
    t = world.t
    if math.isnan(world.t_then):
        world.t += world.tick_s
    else:
        world.t = world.t_then
        world.t_then = math.nan
    return t


@compiled_callback(types.int64(types.int32, types.int64, types.int64, types.int64))
def fake_write(descriptor: int, data: int, n_bytes: int, handle: int) -> int:
    """Log the first byte of a write, or fail as told."""
    world = carray(address_as_pointer(handle), (1,), WORLD)[0]
    if world.n_writes == world.fail_write_at:
        world.n_writes += 1
        world.errno = _EIO
        return -1
    if world.n_writes < world.most_writes:
        log = carray(
            address_as_pointer(world.writes), (world.most_writes, 3), np.float64
        )
        first = carray(address_as_pointer(data), (1,), np.uint8)[0]
        log[world.n_writes, 0] = world.t
        log[world.n_writes, 1] = descriptor
        log[world.n_writes, 2] = first
    world.n_writes += 1
    return n_bytes


@compiled_callback(types.int32(types.int32, types.int64, types.int64, types.int64))
def fake_ioctl(descriptor: int, request: int, argument: int, handle: int) -> int:
    """Log an ioctl by its request, or fail as told."""
    world = carray(address_as_pointer(handle), (1,), WORLD)[0]
    if world.n_writes == world.fail_write_at:
        world.n_writes += 1
        world.errno = _EIO
        return -1
    if world.n_writes < world.most_writes:
        log = carray(
            address_as_pointer(world.writes), (world.most_writes, 3), np.float64
        )
        log[world.n_writes, 0] = world.t
        log[world.n_writes, 1] = descriptor
        log[world.n_writes, 2] = request
    world.n_writes += 1
    return 0


@compiled_callback(types.voidptr(types.int64))
def fake_errno(handle: int) -> Any:
    """Return where the world keeps its error number."""
    return address_as_pointer(handle + _ERRNO_OFFSET)


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
    """

    t_sample: Float64Array
    t_arrival: Float64Array
    permits: Int64Array
    raw: Float32Array
    edges: Any | None = None


def regular_tape(
    raw: Float32Array,
    sfreq_hz: float,
    *,
    t_start: float = 0.0,
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
        Instant, descriptor and first byte (or ioctl request) of each wire action.
    memory : Memory
    """

    fault: Fault
    batch: Batch
    calls: Float64Array
    memory: Memory


def run_virtual(
    program: Program,
    memory: Memory,
    tape: Tape,
    *,
    slice_samples: int = 8192,
    tick_s: float = 1e-7,
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
    tick_s : float
        By how much the virtual clock moves when it is read.
    fail_call : int
        Make this wire action fail, counted from 0.
    """
    words = ControlWords()
    calls = np.zeros((max(1, 8 * len(program.trials)), 3))
    n_channels = tape.raw.shape[1]
    telemetry = new_telemetry(n_channels, n_samples=slice_samples)
    for ring, counter in enumerate(("n_samples", "n_decisions", "n_edges")):
        telemetry.heads[ring] = telemetry.tails[ring] = memory.now[counter][0]
    world = _world(tape, words, calls, tick_s, fail_call)
    first_sample = int(memory.now.n_samples[0])
    edges = _played_edges(tape, first_sample)
    if edges is not None:
        world.edges, world.n_edges = edges.ctypes.data, len(edges)
    ports = _ports(world, words)
    scratch = np.zeros(1)
    batches = []
    fault = Fault.END_OF_TAPE
    n_samples = len(tape.t_sample)
    for stop_at in range(slice_samples, n_samples + slice_samples, slice_samples):
        world.stop_at = min(stop_at, n_samples)
        fault = Fault(run_loop(ports, program, memory, telemetry, scratch))
        batches.append(drain(telemetry, with_raw=False))
        if fault is not Fault.END_OF_TAPE:
            break
    n_calls = min(int(world.n_writes[0]), len(calls))
    return VirtualRun(
        fault=fault, batch=join(batches), calls=calls[:n_calls], memory=memory
    )


def _world(
    tape: Tape, words: ControlWords, calls: Float64Array, tick_s: float, fail_call: int
) -> Any:
    world = new_records(WORLD)
    world.t = tape.t_arrival[0] if len(tape.t_arrival) else 0.0
    world.tick_s = tick_s
    world.t_then = math.nan
    world.n_channels = tape.raw.shape[1]
    world.t_sample = tape.t_sample.ctypes.data
    world.t_arrival = tape.t_arrival.ctypes.data
    world.permits = tape.permits.ctypes.data
    world.raw = tape.raw.ctypes.data
    world.words = words.address
    world.n_edges = -1
    world.writes = calls.ctypes.data
    world.most_writes = len(calls)
    world.fail_write_at = fail_call
    return world


def _played_edges(tape: Tape, first_sample: int) -> Any | None:
    if tape.edges is None:
        return None
    edges = np.array(tape.edges, EDGE)
    edges["n_samples"] -= first_sample
    return edges


def _ports(world: Any, words: ControlWords) -> Any:
    ports = new_records(PORTS)
    ports.pull = fake_pull.address
    ports.clock = fake_clock.address
    ports.write = fake_write.address
    ports.ioctl = fake_ioctl.address
    ports.errno = fake_errno.address
    ports.world = world.ctypes.data
    ports.words = words.address
    return ports
