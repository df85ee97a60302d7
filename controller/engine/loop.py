"""Pull, core, wait, fire: the one compiled loop.

It keeps nothing of its own: all state is in `Memory`, so it may be left at any turn and
entered again. It is the only code that writes to a trigger line.
"""

import math
from typing import Any

from numba import types

from controller.core.offers import OFFER_SHIFT
from controller.core.reasons import Fault
from controller.core.records import (
    ActionKind,
)
from controller.core.step import (
    NO_ACTION,
    end_pulse,
    latch,
    on_edge_done,
    on_edge_due,
    on_sample,
    publish,
)
from controller.core.structures import (
    MEMORY_TYPE,
    PROGRAM_TYPE,
    TELEMETRY_TYPE,
    Memory,
    Program,
    Telemetry,
)
from controller.engine.control import SUPERVISOR_SILENCE_S, Word
from controller.engine.ports import (
    PORTS_TYPE,
    call_clock,
    call_ioctl,
    call_pull,
    call_write,
    read_errno,
)
from controller.kernels.atomics import bits_to_float, load_acquire, store_release
from controller.kernels.borrow import borrow
from controller.kernels.jit import Float64Array, compiled, f8, f8_vector, i8
from controller.safety.interlock import Permit

_WRITE = int(ActionKind.WRITE)
_OK = int(Fault.NONE)
_STOPPED = int(Fault.STOPPED)
_STREAM_LOST = int(Fault.STREAM_LOST)
_STREAM_SILENT = int(Fault.STREAM_SILENT)
_END_OF_TAPE = int(Fault.END_OF_TAPE)
_SUPERVISED = int(Permit.SUPERVISED)
_ARMED = int(Permit.ARMED)
_CONSOLE = int(Permit.CONSOLE)
_DEVICE = int(Permit.DEVICE)
_STOP = 8 * int(Word.STOP)
_PERMITS = 8 * int(Word.PERMITS)
_OFFSET = 8 * int(Word.CLOCK_OFFSET)
_BEAT = 8 * int(Word.SUPERVISOR_BEAT)
_LOOP_BEAT = 8 * int(Word.LOOP_BEAT)
_ARMED_UNTIL = 8 * int(Word.ARMED_UNTIL)
_CONSOLE_UNTIL = 8 * int(Word.CONSOLE_UNTIL)
_DEVICE_UNTIL = 8 * int(Word.DEVICE_UNTIL)
_OFFER = 8 * int(Word.OFFER)

# The stop flag is looked at after every pull, so this bounds how long a stop can take.
_LONGEST_PULL_S = 0.1

# liblsl's error numbers are small; this one is the fake's.
TAPE_ENDED = -1000

_EIO = 5


@compiled(i8(PORTS_TYPE, f8))
def permits_now(ports: Any, t_now: float) -> int:
    """Return the `Permit` bits that hold: given, and neither run out nor silent.

    Above them stands the offer.
    """
    words = ports[0].words
    permits = load_acquire(words + _PERMITS)
    permits |= load_acquire(words + _OFFER) << OFFER_SHIFT
    if not t_now <= bits_to_float(load_acquire(words + _ARMED_UNTIL)):
        permits &= ~_ARMED
    if not t_now <= bits_to_float(load_acquire(words + _CONSOLE_UNTIL)):
        permits &= ~_CONSOLE
    if not t_now <= bits_to_float(load_acquire(words + _DEVICE_UNTIL)):
        permits &= ~_DEVICE
    t_beat = bits_to_float(load_acquire(words + _BEAT))
    if t_now - t_beat <= SUPERVISOR_SILENCE_S:
        return permits | _SUPERVISED
    return permits & ~_SUPERVISED


@compiled(i8(PORTS_TYPE, PROGRAM_TYPE, i8))
def _carry_out(ports: Any, program: Program, index: int) -> int:
    """Make the call of one wire action; return 0 or the system's error number."""
    port = ports[0]
    action = program.actions[index]
    data = program.action_bytes.ctypes.data + action.first_byte
    if action.kind == _WRITE:
        taken = call_write(
            port.write, types.int32(action.descriptor), data, action.n_bytes, port.world
        )
        done = taken == action.n_bytes
        failed = taken < 0
    else:
        answer = call_ioctl(
            port.ioctl, types.int32(action.descriptor), action.request, data, port.world
        )
        done = answer >= 0
        failed = not done
    if done:
        return 0
    error = int(read_errno(port.errno, port.world)) if failed else _EIO
    return error if error != 0 else _EIO


@compiled(i8(PORTS_TYPE, PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8))
def _send(
    ports: Any, program: Program, memory: Memory, telemetry: Telemetry, t_now: float
) -> int:
    """Ask, send, record; return a `Fault`."""
    port = ports[0]
    permits = permits_now(ports, t_now)
    action = on_edge_due(program, memory, telemetry, t_now, permits)
    fault = _OK
    if action != NO_ACTION:
        error = _carry_out(ports, program, action)
        t_after = call_clock(port.clock, port.world)
        fault = on_edge_done(program, memory, telemetry, t_now, t_after, permits, error)
    publish(memory, telemetry)
    return fault


@compiled(i8(PORTS_TYPE, PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8))
def _fire(
    ports: Any, program: Program, memory: Memory, telemetry: Telemetry, t_now: float
) -> int:
    """Wait out the last microseconds, ask, send; return a `Fault`."""
    port = ports[0]
    t_due = memory.now[0].t_next_edge
    while t_now < t_due:
        t_now = call_clock(port.clock, port.world)
    return _send(ports, program, memory, telemetry, t_now)


@compiled(i8(PORTS_TYPE, PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8, f8_vector))
def _listen(
    ports: Any,
    program: Program,
    memory: Memory,
    telemetry: Telemetry,
    timeout_s: float,
    scratch: Float64Array,
) -> int:
    """Pull one sample and take it through the core; return a `Fault`.

    `scratch[0]` holds the pull's error word.
    """
    port = ports[0]
    now = memory.now[0]
    error_word = scratch.ctypes.data
    store_release(error_word, 0)
    t_stamp = call_pull(
        port.pull,
        port.inlet,
        memory.raw.ctypes.data,
        types.int32(memory.raw.shape[0]),
        timeout_s,
        error_word,
        port.world,
    )
    t_now = call_clock(port.clock, port.world)
    if t_stamp == 0.0:
        error = types.int32(load_acquire(error_word))
        fault = _OK
        if error == TAPE_ENDED:
            fault = _END_OF_TAPE
        elif error != 0:
            fault = _STREAM_LOST
        elif not t_now - now.t_arrival <= program.limits[0].max_silence_s:
            now.fault_value = t_now - now.t_arrival
            fault = _STREAM_SILENT
        if fault != _OK and fault != _END_OF_TAPE:
            latch(memory, fault)
        return fault
    offset = bits_to_float(load_acquire(port.words + _OFFSET))
    n_before = now.n_decisions
    fault = on_sample(
        program, memory, telemetry, t_stamp + offset, t_now, permits_now(ports, t_now)
    )
    if now.n_decisions != n_before:
        place = (now.n_decisions - 1) & (telemetry.decisions.shape[0] - 1)
        telemetry.decisions[place].t_decided = call_clock(port.clock, port.world)
    publish(memory, telemetry)
    return fault


@compiled(types.void(PORTS_TYPE, PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE))
def _leave(ports: Any, program: Program, memory: Memory, telemetry: Telemetry) -> None:
    """Drop a planned pulse and bring the line down at once.

    Also where a call has failed: if nobody knows that the line is low, it is lowered
    once more.
    """
    port = ports[0]
    now = memory.now[0]
    if now.line_high == 1 and math.isinf(now.t_next_edge):
        now.t_next_edge = call_clock(port.clock, port.world)
    if not math.isinf(now.t_next_edge):
        end_pulse(program, memory)
    if not math.isinf(now.t_next_edge):
        t_now = call_clock(port.clock, port.world)
        _send(ports, program, memory, telemetry, t_now)


@compiled(i8(PORTS_TYPE, PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8_vector))
def _turn(
    ports: Any,
    program: Program,
    memory: Memory,
    telemetry: Telemetry,
    scratch: Float64Array,
) -> int:
    """Turn until stopped or at fault; return the `Fault`."""
    port = ports[0]
    now = memory.now[0]
    spin_s = program.settings[0].spin_s
    beats = load_acquire(port.words + _LOOP_BEAT)
    fault = _OK
    while fault == _OK:
        beats += 1
        store_release(port.words + _LOOP_BEAT, beats)
        if load_acquire(port.words + _STOP) != 0:
            return _STOPPED
        timeout_s = _LONGEST_PULL_S
        if not math.isinf(now.t_next_edge):
            t_now = call_clock(port.clock, port.world)
            remaining_s = now.t_next_edge - t_now
            if remaining_s <= spin_s:
                fault = _fire(ports, program, memory, telemetry, t_now)
                continue
            timeout_s = min(timeout_s, remaining_s - spin_s)
        fault = _listen(ports, program, memory, telemetry, timeout_s, scratch)
    return fault


@compiled(i8(PORTS_TYPE, PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8_vector))
def run_loop(
    ports: Any,
    program: Program,
    memory: Memory,
    telemetry: Telemetry,
    scratch: Float64Array,
) -> int:
    """Run until stopped or at fault; return the `Fault` that ended it.

    Parameters
    ----------
    ports
        One `PORTS` record.
    program, memory, telemetry
        See `controller.core.records`.
    scratch : array, shape (1,)
        Working space.
    """
    own_ports = borrow(ports)
    own_program = borrow(program)
    own_memory = borrow(memory)
    own_telemetry = borrow(telemetry)
    if own_memory.now[0].n_samples == 0:
        own_memory.now[0].t_arrival = call_clock(own_ports[0].clock, own_ports[0].world)
    fault = _turn(own_ports, own_program, own_memory, own_telemetry, borrow(scratch))
    if fault != _END_OF_TAPE:
        _leave(own_ports, own_program, own_memory, own_telemetry)
    return fault
