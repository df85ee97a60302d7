"""Stand-ins for liblsl and libc, on a virtual clock.

They fill the loop's address table where a recording takes the place of a stream. Time
moves to a sample's arrival when it is pulled, and to the deadline when the loop waits
for one; nothing sleeps, and no reading depends on how often the loop was left and
entered again. Wire actions that were recorded live come due when they did then.
"""

import math
from typing import Any

import numpy as np
from numba import carray, types

from controller.core.offers import OFFER_SHIFT
from controller.core.records import EDGE, NOW
from controller.engine.control import N_WORDS, Word
from controller.engine.loop import TAPE_ENDED
from controller.engine.ports import PORTS, address_as_pointer
from controller.kernels.jit import (
    compiled,
    compiled_callback,
    i8,
    new_records,
    record_type,
)
from controller.safety.interlock import Permit

WORLD = np.dtype(
    [
        ("t", "f8"),  # the virtual clock
        ("spin_s", "f8"),  # the loop's busy-wait
        ("at", "i8"),  # sample to give next
        ("stop_at", "i8"),  # end of the tape for now
        ("n_channels", "i8"),
        ("t_sample", "i8"),  # addresses of arrays
        ("t_arrival", "i8"),
        ("permits", "i8"),
        ("raw", "i8"),
        ("words", "i8"),
        ("now", "i8"),
        ("late_s", "i8"),  # address of how late each deadline's wake-up comes
        ("n_late", "i8"),
        ("n_wakes", "i8"),
        ("edges", "i8"),  # address of recorded edges to play back
        ("n_edges", "i8"),  # -1 for none
        ("first_edge", "i8"),  # number of the first of them
        ("called", "i8"),  # 1 between a recorded call and the reading after it
        ("calls", "i8"),  # address of the log of calls, (n, 3) float64
        ("n_calls", "i8"),
        ("most_calls", "i8"),
        ("fail_call_at", "i8"),  # this call fails, counted from 0; -1 for none
        ("errno", "i4"),
        ("unused", "i4"),
    ],
    align=True,
)
_WORLD_TYPE = record_type(WORLD)

_SUPERVISED = int(Permit.SUPERVISED)
_PERMITS_WORD = int(Word.PERMITS)
_OFFER_WORD = int(Word.OFFER)
_BEAT_WORD = int(Word.SUPERVISOR_BEAT)
_ARMED_WORD = int(Word.ARMED_UNTIL)
_CONSOLE_WORD = int(Word.CONSOLE_UNTIL)
_DEVICE_WORD = int(Word.DEVICE_UNTIL)
_ALIVE = int(np.float64(math.inf).view(np.int64))
_GONE = int(np.float64(-math.inf).view(np.int64))
_EIO = 5
_ERRNO_OFFSET = int(WORLD.fields["errno"][1])  # type: ignore[index]

# A turn of the loop takes a moment: without it, a wait that rounding left a hair short
# would be waited for again and again.
_TURN_S = 1e-6


@compiled(types.void(_WORLD_TYPE, i8))
def _set_permits(world: Any, permits: int) -> None:
    words = carray(address_as_pointer(world.words), (N_WORDS,), np.int64)
    words[_PERMITS_WORD] = permits & ((1 << OFFER_SHIFT) - 1)
    words[_OFFER_WORD] = permits >> OFFER_SHIFT
    words[_BEAT_WORD] = _ALIVE if permits & _SUPERVISED else _GONE
    # What had run out when it was recorded has no bit.
    words[_ARMED_WORD] = words[_CONSOLE_WORD] = words[_DEVICE_WORD] = _ALIVE


@compiled(i8(_WORLD_TYPE, record_type(NOW)))
def _recorded(world: Any, now: Any) -> int:
    """Return which recorded edge came before the next sample, or -1."""
    place = now.n_edges - world.first_edge
    if place < 0 or place >= world.n_edges:
        return -1
    edges = carray(address_as_pointer(world.edges), (world.n_edges,), EDGE)
    return place if edges[place].n_samples == now.n_samples else -1


@compiled(i8(_WORLD_TYPE, record_type(NOW)))
def _recorded_edge(world: Any, now: Any) -> int:
    """Return which recorded edge comes due before the next sample, or -1."""
    return -1 if math.isinf(now.t_next_edge) else _recorded(world, now)


@compiled(i8(_WORLD_TYPE, record_type(NOW)))
def _lowered_once_more(world: Any, now: Any) -> int:
    """Return the recorded edge that brings down a line nobody knows to be low, or -1.

    It was due when the loop looked at the clock, not when a pulse was planned.
    """
    if not math.isinf(now.t_next_edge) or now.line_high != 1:
        return -1
    place = _recorded(world, now)
    if place < 0:
        return -1
    edges = carray(address_as_pointer(world.edges), (world.n_edges,), EDGE)
    return place if edges[place].rises == 0 else -1


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
    if world.at >= world.stop_at:
        carray(address_as_pointer(error), (1,), np.int32)[0] = TAPE_ENDED
        return 0.0
    n = world.stop_at
    t_arrival = carray(address_as_pointer(world.t_arrival), (n,), np.float64)[world.at]
    if world.n_edges < 0:
        t_timeout = world.t + timeout_s + _TURN_S
        if t_arrival > t_timeout:
            world.t = t_timeout
            return 0.0
        t_arrival = max(world.t, t_arrival)
    world.t = t_arrival
    _set_permits(
        world, carray(address_as_pointer(world.permits), (n,), np.int64)[world.at]
    )
    first = world.raw + 4 * world.at * world.n_channels
    row = carray(address_as_pointer(first), (n_channels,), np.float32)
    target = carray(address_as_pointer(buffer), (n_channels,), np.float32)
    for channel in range(n_channels):
        target[channel] = row[channel]
    world.at += 1
    return carray(address_as_pointer(world.t_sample), (n,), np.float64)[world.at - 1]


@compiled_callback(types.float64(types.int64))
def fake_clock(handle: int) -> float:
    """Read the virtual clock; the reading after a wait is that of the wake-up."""
    world = carray(address_as_pointer(handle), (1,), WORLD)[0]
    now = carray(address_as_pointer(world.now), (1,), NOW)[0]
    if world.called == 1:
        world.called = 0
        return world.t
    place = _lowered_once_more(world, now)
    if place >= 0:
        edge = carray(address_as_pointer(world.edges), (world.n_edges,), EDGE)[place]
        return edge.t_due
    place = _recorded_edge(world, now)
    if place >= 0:
        edge = carray(address_as_pointer(world.edges), (world.n_edges,), EDGE)[place]
        _set_permits(world, edge.permits)
        world.t = edge.t_fired
        return world.t
    t = world.t
    remaining_s = now.t_next_edge - t
    if remaining_s > 0.0 and remaining_s <= world.spin_s:
        late_s = carray(address_as_pointer(world.late_s), (world.n_late,), np.float64)
        world.t = now.t_next_edge + late_s[world.n_wakes % world.n_late]
        world.n_wakes += 1
    return t


@compiled(i8(_WORLD_TYPE, i8, types.float64))
def _call(world: Any, descriptor: int, value: float) -> int:
    """Log a call; return the error number that it ends with, 0 if it succeeds."""
    if world.n_calls < world.most_calls:
        row = carray(
            address_as_pointer(world.calls), (world.most_calls, 3), np.float64
        )[world.n_calls]
        row[0] = world.t
        row[1] = descriptor
        row[2] = value
    world.errno = _EIO if world.n_calls == world.fail_call_at else 0
    world.n_calls += 1
    place = _recorded_edge(world, carray(address_as_pointer(world.now), (1,), NOW)[0])
    if place >= 0:
        edge = carray(address_as_pointer(world.edges), (world.n_edges,), EDGE)[place]
        world.t = edge.t_after
        world.called = 1
        world.errno = edge.system_error
    return world.errno


@compiled_callback(types.int64(types.int32, types.int64, types.int64, types.int64))
def fake_write(descriptor: int, data: int, n_bytes: int, handle: int) -> int:
    """Log the first byte of a write; fail as told or as recorded."""
    world = carray(address_as_pointer(handle), (1,), WORLD)[0]
    first = carray(address_as_pointer(data), (1,), np.uint8)[0]
    return n_bytes if _call(world, descriptor, float(first)) == 0 else -1


@compiled_callback(types.int32(types.int32, types.int64, types.int64, types.int64))
def fake_ioctl(descriptor: int, request: int, argument: int, handle: int) -> int:
    """Log an ioctl by its request; fail as told or as recorded."""
    world = carray(address_as_pointer(handle), (1,), WORLD)[0]
    return 0 if _call(world, descriptor, float(request)) == 0 else -1


@compiled_callback(types.voidptr(types.int64))
def fake_errno(handle: int) -> Any:
    """Return where the world keeps its error number."""
    return address_as_pointer(handle + _ERRNO_OFFSET)


def fake_ports(world: Any, words: int) -> Any:
    """Return the address table of a `WORLD` record; `words` as in `real_ports`."""
    ports = new_records(PORTS)
    ports.pull = fake_pull.address
    ports.clock = fake_clock.address
    ports.write = fake_write.address
    ports.ioctl = fake_ioctl.address
    ports.errno = fake_errno.address
    ports.world = world.ctypes.data
    ports.words = words
    return ports
