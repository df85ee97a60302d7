"""Fourth stage: when will the target phase come, and is now the time to decide on it?

Each estimate plans the deadline anew. Once the trigger would have to leave within
`lock_s`, the crossing is decided, for or against, and never looked at again.
"""

import math
from typing import Any

from numba import types

from controller.core.gate import closed_gates
from controller.core.reasons import HoldReason, Outcome
from controller.core.records import DECISION, Kernel
from controller.core.structures import (
    MEMORY_TYPE,
    PROGRAM_TYPE,
    TELEMETRY_TYPE,
    Memory,
    Program,
    Telemetry,
)
from controller.kernels.circular import wrap
from controller.kernels.jit import compiled, f8, i8, record_type
from controller.safety.interlock import Refusal, review

_NO_KERNEL = int(Kernel.NONE)
_WARMING_UP = int(HoldReason.WARMING_UP)
_REFRACTORY = int(HoldReason.REFRACTORY)
_HELD = int(Outcome.HELD)
_REFUSED = int(Outcome.REFUSED)
_PLANNED = int(Outcome.PLANNED)
_NO_REFUSAL = int(Refusal.NONE)


@compiled(f8(f8, f8, f8, f8))
def next_crossing(
    t_phase: float, wait_rad: float, frequency_hz: float, t_after: float
) -> float:
    """Return the first instant later than `t_after` with the target phase.

    Parameters
    ----------
    t_phase : float
        Instant for which the phase is known.
    wait_rad : float
        Rotation from that phase to the target, from -pi to pi.
    frequency_hz : float
    t_after : float
        May be minus infinity: then the crossing nearest to `t_phase` is returned.

    Notes
    -----
    With a horizon of more than half a period, the crossing to decide on next lies
    before the one that is nearest to `t_phase`.
    """
    period = 1.0 / frequency_hz
    t_due = t_phase + wait_rad / (2.0 * math.pi) * period
    if math.isfinite(t_after):
        t_due += period * (math.floor((t_after - t_due) / period) + 1.0)
    return t_due


@compiled(types.void(MEMORY_TYPE, record_type(DECISION)))
def _record_measures(memory: Memory, row: Any) -> None:
    now = memory.now[0]
    known = now.valid == 1
    row.sd_rad = now.sd_rad if known else math.nan
    row.p_within = now.p_within if known else math.nan
    row.snr_db = now.snr_db
    row.peak_ratio = now.peak_ratio
    row.frequency_sd_hz = now.frequency_sd_hz
    row.frequency_offset_hz = now.frequency_offset_hz
    row.coherence = now.coherence
    row.phase_lag_rad = now.phase_lag_rad
    row.second_phase_rad = now.second_phase_rad if known else math.nan
    row.second_amplitude_uv = now.second_amplitude_uv
    row.veto_channel = now.veto_channel if known else -1


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8, f8, i8, i8))
def _record(
    program: Program,
    memory: Memory,
    telemetry: Telemetry,
    t_due: float,
    t_write: float,
    holds: int,
    refusal: int,
) -> None:
    now = memory.now[0]
    row = telemetry.decisions[now.n_decisions & (telemetry.decisions.shape[0] - 1)]
    trial = min(now.trial, program.trials.shape[0] - 1)
    row.decision = now.n_decisions
    row.n_samples = now.n_samples
    row.t_sample = now.t_sample
    row.t_arrival = now.t_arrival
    row.t_due = t_due
    row.t_write = t_write
    row.phase_rad = now.phase_rad
    row.target_phase_rad = program.trials[trial].target_phase_rad
    row.amplitude_uv = now.amplitude_uv
    row.threshold_uv = now.threshold_uv
    row.artifacts = now.artifacts
    row.holds = holds
    row.refusal = refusal
    row.trial = now.trial
    row.condition = program.trials[trial].condition
    row.t_decided = math.nan
    _record_measures(memory, row)
    if holds != 0:
        row.outcome = _HELD
    elif refusal != _NO_REFUSAL:
        row.outcome = _REFUSED
    else:
        row.outcome = _PLANNED
    now.n_decisions += 1


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE))
def _hold_blind(program: Program, memory: Memory, telemetry: Telemetry) -> None:
    """Record once a cycle that there is no phase to decide on."""
    now = memory.now[0]
    if now.t_arrival - now.t_attempt < 1.0 / program.settings[0].frequency_hz:
        return
    now.t_attempt = now.t_arrival
    reason = _REFRACTORY if now.blind == 1 else _WARMING_UP
    _record(program, memory, telemetry, math.nan, math.nan, reason, _NO_REFUSAL)


@compiled(i8(PROGRAM_TYPE, i8))
def _pulses_of(program: Program, trial: int) -> int:
    """Return how many pulses a trial's pattern has; one where it has no edges."""
    pattern = program.patterns[program.trials[trial].pattern]
    n_rises = 0
    for k in range(pattern.first_edge, pattern.first_edge + pattern.n_edges):
        n_rises += program.pattern_edges[k].rises
    return max(1, n_rises)


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, f8))
def _begin_pulse(program: Program, memory: Memory, t_write: float) -> None:
    now = memory.now[0]
    pattern = program.patterns[program.trials[now.trial].pattern]
    if pattern.n_edges < 1:
        return
    now.edge = now.edge_first = pattern.first_edge
    now.edge_last = pattern.first_edge + pattern.n_edges - 1
    now.pulse = 0
    now.pulses_left = _pulses_of(program, now.trial)
    now.t_onset_write = t_write
    now.t_next_edge = t_write + program.pattern_edges[now.edge].offset_s
    now.decision = now.n_decisions - 1


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE))
def decide(program: Program, memory: Memory, telemetry: Telemetry) -> None:
    """Decide on the coming target crossing if it is close enough, and record it."""
    now = memory.now[0]
    settings = program.settings[0]
    if settings.kernel == _NO_KERNEL:
        return
    if now.valid == 0 or not math.isfinite(now.phase_rad):
        now.tracking = 0
        _hold_blind(program, memory, telemetry)
        return
    period = 1.0 / settings.frequency_hz
    if now.tracking == 0:
        now.tracking = 1
        now.t_attempt = now.t_arrival + settings.output_latency_s - 0.5 * period
    trial = program.trials[min(now.trial, program.trials.shape[0] - 1)]
    t_due = next_crossing(
        now.t_sample + settings.horizon_s,
        wrap(trial.target_phase_rad - now.phase_rad),
        settings.frequency_hz,
        now.t_attempt + 0.5 * period,
    )
    t_write = t_due - settings.output_latency_s
    if not t_write - now.t_arrival <= settings.lock_s:
        return
    now.t_attempt = t_due
    holds = closed_gates(program, memory, t_due, t_write, trial.iti_s)
    refusal = _NO_REFUSAL
    if holds == 0:
        refusal = review(
            program.limits[0],
            memory.ledger[0],
            now.permits,
            0,
            _pulses_of(program, now.trial),
            t_write,
            now.t_arrival,
            now.t_sample,
        )
    _record(program, memory, telemetry, t_due, t_write, holds, refusal)
    if holds == 0 and refusal == _NO_REFUSAL:
        _begin_pulse(program, memory, t_write)
