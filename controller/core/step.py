"""The core's face to the loop: a sample came, an edge is due, an edge was sent.

Time arrives as arguments. The same machine code serves the live loop, the replay and
the plain Python loop.
"""

import math

from numba import types

from controller.core.condition import condition, reset_estimator, take_stamp
from controller.core.confidence import follow_confidence
from controller.core.estimate import estimate
from controller.core.gate import STAMP_AHEAD_S, follow_amplitude
from controller.core.measures import follow_measures
from controller.core.offers import take_offer
from controller.core.optional_gates import closed_optional_gates
from controller.core.reasons import Fault
from controller.core.records import TrialKind
from controller.core.schedule import begin_interval, decide
from controller.core.structures import (
    MEMORY_TYPE,
    PROGRAM_TYPE,
    TELEMETRY_TYPE,
    Memory,
    Program,
    Telemetry,
)
from controller.kernels.atomics import load_acquire, store_release
from controller.kernels.jit import compiled, f8, i8
from controller.safety.interlock import Refusal, review
from controller.safety.ledger import count_pulse

_OK = int(Fault.NONE)
_RECORDER_BEHIND = int(Fault.RECORDER_BEHIND)
_WRITE_FAILED = int(Fault.WRITE_FAILED)
_NO_REFUSAL = int(Refusal.NONE)
_NOT_RECORDING = int(Refusal.NOT_RECORDING)
_OUTPUT_FAILED = int(Refusal.OUTPUT_FAILED)
_DOUBTFUL = int(Refusal.DOUBTFUL)
_GATE_CLOSED = int(Refusal.GATE_CLOSED)
_CLOCK = int(TrialKind.CLOCK)

# This pulse, its end, and the refusal of the one after it.
_TRAIN_NEEDS_ROWS = 3

NO_ACTION = -1
"""What `on_edge_due` answers when nothing may be sent."""


@compiled(types.void(MEMORY_TYPE, i8))
def latch(memory: Memory, fault: int) -> None:
    """Latch a fault; the first one stays."""
    now = memory.now[0]
    if now.fault == _OK:
        now.fault = fault
    if memory.ledger[0].fault == _OK:
        memory.ledger[0].fault = fault


@compiled(i8(MEMORY_TYPE, TELEMETRY_TYPE))
def _edges_free(memory: Memory, telemetry: Telemetry) -> int:
    tails = telemetry.tails.ctypes.data
    n_waiting = memory.now[0].n_edges - load_acquire(tails + 16)
    return telemetry.edges.shape[0] - n_waiting


@compiled(i8(MEMORY_TYPE, TELEMETRY_TYPE))
def _has_room(memory: Memory, telemetry: Telemetry) -> int:
    """Return 1 if every ring can take what one sample may bring."""
    now = memory.now[0]
    tails = telemetry.tails.ctypes.data
    samples_free = telemetry.samples.shape[0] - (now.n_samples - load_acquire(tails))
    decisions_free = telemetry.decisions.shape[0] - (
        now.n_decisions - load_acquire(tails + 8)
    )
    enough = samples_free >= 1 and decisions_free >= 1
    return 1 if enough and _edges_free(memory, telemetry) >= 4 else 0


@compiled(types.void(MEMORY_TYPE, TELEMETRY_TYPE))
def publish(memory: Memory, telemetry: Telemetry) -> None:
    """Let readers see every row that is complete."""
    now = memory.now[0]
    heads = telemetry.heads.ctypes.data
    store_release(heads, now.n_samples)
    store_release(heads + 8, now.n_decisions)
    store_release(heads + 16, now.n_edges)


@compiled(types.void(MEMORY_TYPE, TELEMETRY_TYPE))
def _record_sample(memory: Memory, telemetry: Telemetry) -> None:
    now = memory.now[0]
    place = (now.n_samples - 1) & (telemetry.samples.shape[0] - 1)
    row = telemetry.samples[place]
    row.t_sample = now.t_sample
    row.t_arrival = now.t_arrival
    row.permits = now.permits
    row.artifacts = now.artifacts
    row.phase_rad = now.phase_rad if now.valid == 1 else math.nan
    row.amplitude_uv = now.amplitude_uv if now.valid == 1 else math.nan
    row.sd_rad = now.sd_rad if now.valid == 1 else math.nan
    row.p_within = now.p_within if now.valid == 1 else math.nan
    if telemetry.raw.shape[0] == 0:
        return
    for channel in range(memory.raw.shape[0]):
        telemetry.raw[place, channel] = memory.raw[channel]


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8, f8, i8))
def on_sample(
    program: Program,
    memory: Memory,
    telemetry: Telemetry,
    t_sample: float,
    t_arrival: float,
    permits: int,
) -> int:
    """Take the sample in `memory.raw` through every stage; return a `Fault`.

    Parameters
    ----------
    program, memory, telemetry
    t_sample : float
        Its stamp, on the host clock.
    t_arrival : float
        When it was received.
    permits : int
        `Permit` bits that hold now.
    """
    if _has_room(memory, telemetry) == 0:
        latch(memory, _RECORDER_BEHIND)
        return _RECORDER_BEHIND
    memory.now[0].permits = permits
    take_offer(program, memory)
    fault = take_stamp(program, memory, t_sample, t_arrival)
    if fault == _OK:
        fault = condition(program, memory)
    if fault == _OK:
        estimate(program, memory)
        follow_confidence(program, memory)
        follow_amplitude(program, memory)
        follow_measures(program, memory)
        decide(program, memory, telemetry)
    else:
        reset_estimator(memory)
        latch(memory, fault)
    _record_sample(memory, telemetry)
    return fault


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8, f8, i8, i8, i8))
def _record_edge(
    program: Program,
    memory: Memory,
    telemetry: Telemetry,
    t_fired: float,
    t_after: float,
    permits: int,
    refusal: int,
    system_error: int,
) -> None:
    now = memory.now[0]
    row = telemetry.edges[now.n_edges & (telemetry.edges.shape[0] - 1)]
    row.decision = now.decision
    row.trial = now.trial
    row.edge = now.edge - now.edge_first
    row.rises = program.pattern_edges[now.edge].rises
    row.n_samples = now.n_samples
    row.permits = permits
    row.t_due = now.t_next_edge
    row.t_fired = t_fired
    row.t_after = t_after
    row.refusal = refusal
    row.system_error = system_error
    now.n_edges += 1


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def end_pulse(program: Program, memory: Memory) -> None:
    """Drop the rest of a pulse, except the edge that lowers a raised line."""
    now = memory.now[0]
    if now.line_high == 1:
        for k in range(now.edge, now.edge_last + 1):
            if program.pattern_edges[k].rises == 0:
                now.edge = k
                now.edge_last = k
                return
    now.t_next_edge = math.inf


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, i8))
def _doubt(program: Program, memory: Memory, permits: int) -> int:
    """Refuse what was planned on a signal gone bad, or behind a gate closed, since.

    What comes by the clock was not planned on a signal.
    """
    now = memory.now[0]
    if program.trials[now.trial].kind >= _CLOCK:
        ahead_s = now.t_sample - now.t_arrival
        return _NO_REFUSAL if ahead_s <= STAMP_AHEAD_S else _DOUBTFUL
    sound = (
        now.valid == 1
        and now.amplitude_uv > 0.0
        and math.isfinite(now.phase_rad)
        and now.t_sample - now.t_artifact > program.settings[0].artifact_hold_s
        and now.t_arrival - now.t_sample >= -STAMP_AHEAD_S
    )
    if not sound:
        return _DOUBTFUL
    if program.gates[0].asked == 0:
        return _NO_REFUSAL
    t_due = now.t_next_edge + program.settings[0].output_latency_s
    closed = closed_optional_gates(program, memory, t_due, permits)
    return _NO_REFUSAL if closed == 0 else _GATE_CLOSED


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8, i8))
def on_edge_due(
    program: Program,
    memory: Memory,
    telemetry: Telemetry,
    t_now: float,
    permits: int,
) -> int:
    """Ask the interlock once more; return the wire action to carry out.

    A refused edge ends its pulse: `NO_ACTION`, and the line, if it is high, comes down
    with the next call. Edges that lower the line are never refused.
    """
    now = memory.now[0]
    edge = program.pattern_edges[now.edge]
    if edge.rises == 0:
        return edge.action
    refusal = review(
        program.limits[0],
        memory.ledger[0],
        permits,
        now.pulse,
        now.pulses_left,
        now.t_next_edge,
        t_now,
        now.t_sample,
    )
    if refusal == _NO_REFUSAL:
        if now.edge == now.edge_first:
            refusal = _doubt(program, memory, permits)
        elif _edges_free(memory, telemetry) < _TRAIN_NEEDS_ROWS:
            # The room that a sample has seen to is for one pulse.
            refusal = _NOT_RECORDING
    if refusal == _NO_REFUSAL:
        return edge.action
    _record_edge(program, memory, telemetry, t_now, math.nan, permits, refusal, 0)
    end_pulse(program, memory)
    return NO_ACTION


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, f8))
def _count_pulse(program: Program, memory: Memory, t_done: float) -> None:
    """Count a pulse; a trial begins, and its interval counts, with the first."""
    now = memory.now[0]
    settings = program.settings[0]
    count_pulse(memory.ledger[0], memory.rate_ring, now.pulse, t_done)
    t_edge = now.t_next_edge + settings.output_latency_s
    if now.edge == now.edge_first:
        now.t_blind_from = t_edge
        begin_interval(program, memory, t_edge)
    # Without a refractory period a later burst is to find the estimator as it was.
    now.t_blind_until = now.t_blind_from
    if settings.refractory_s > 0.0:
        now.t_blind_until = t_edge + settings.refractory_s
    now.pulse += 1
    now.pulses_left -= 1


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8, f8, i8, i8))
def on_edge_done(
    program: Program,
    memory: Memory,
    telemetry: Telemetry,
    t_fired: float,
    t_after: float,
    permits: int,
    system_error: int,
) -> int:
    """Record an edge that was sent, or failed, and go to the next; return a `Fault`.

    A rising edge whose call failed is counted as a pulse all the same, since nobody
    knows what the device saw.
    """
    now = memory.now[0]
    refusal = _NO_REFUSAL if system_error == 0 else _OUTPUT_FAILED
    _record_edge(
        program, memory, telemetry, t_fired, t_after, permits, refusal, system_error
    )
    # A call that took its time made its edge somewhere within it: the next pulse and
    # the end of this one count from the latest instant it can have been.
    t_done = max(t_fired, t_after)
    if program.pattern_edges[now.edge].rises == 1:
        now.line_high = 1
        _count_pulse(program, memory, t_done)
    elif system_error == 0:
        now.line_high = 0
    if system_error != 0:
        now.fault_value = system_error
        latch(memory, _WRITE_FAILED)
        now.t_next_edge = math.inf
        return _WRITE_FAILED
    if now.edge == now.edge_last:
        now.t_next_edge = math.inf
    else:
        before = program.pattern_edges[now.edge]
        now.edge += 1
        after = program.pattern_edges[now.edge]
        now.t_next_edge = now.t_onset_write + after.offset_s
        if before.rises == 1 and after.rises == 0:
            # A device may overlook a trigger that a late rise has made shorter.
            now.t_next_edge = t_done + (after.offset_s - before.offset_s)
    return _OK
