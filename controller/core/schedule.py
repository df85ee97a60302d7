"""Fourth stage: when will the target phase come, and is now the time to decide on it?

Each estimate plans the deadline anew. Once the trigger would have to leave within
`lock_s`, the crossing is decided, for or against, and never looked at again.
"""

import math
from typing import Any

from numba import types

from controller.core.gate import closed_gates, threshold_now
from controller.core.offers import go_on
from controller.core.reasons import HoldReason, Outcome
from controller.core.records import DECISION, Kernel, TrialKind
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
_AS_IF = int(Outcome.AS_IF)
_NO_REFUSAL = int(Refusal.NONE)
_PHASE = int(TrialKind.PHASE)
_CLOCK = int(TrialKind.CLOCK)
_YOKED = int(TrialKind.YOKED)


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
    row.threshold_uv = threshold_now(program, memory)
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
    elif program.trials[trial].as_if == 1:
        row.outcome = _AS_IF
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
    """Return how many pulses a trial still has; one where its pattern has no edges."""
    if program.trials[trial].n_left > 0:
        return program.trials[trial].n_left
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
    now.pulse = program.trials[now.trial].n_before
    now.pulses_left = _pulses_of(program, now.trial)
    now.t_onset_write = t_write
    now.t_next_edge = t_write + program.pattern_edges[now.edge].offset_s
    now.decision = now.n_decisions - 1


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, f8))
def begin_interval(program: Program, memory: Memory, t_edge: float) -> None:
    """Let intervals count from a row that was given at `t_edge`; turn to the next."""
    now = memory.now[0]
    trial = program.trials[min(now.trial, program.trials.shape[0] - 1)]
    now.t_pulse_edge = t_edge
    if trial.burst == 0:
        now.t_trial_edge = t_edge
    if trial.kind != _YOKED:
        now.t_anchor = -math.inf
    elif trial.at_s == 0.0 or math.isinf(now.t_anchor):
        now.t_anchor = t_edge - trial.at_s
    go_on(program, memory)


@compiled(f8(PROGRAM_TYPE, MEMORY_TYPE))
def _next_by_clock(program: Program, memory: Memory) -> float:
    """Return when a trial that waits for no phase is to come, or is to be tried again.

    What was held or refused is tried once a cycle, as a phase is.
    """
    now = memory.now[0]
    settings = program.settings[0]
    trial = program.trials[min(now.trial, program.trials.shape[0] - 1)]
    t_before = now.t_trial_edge if trial.burst == 0 else now.t_pulse_edge
    t_due = t_before + trial.iti_s
    if trial.kind == _YOKED and trial.at_s > 0.0 and not math.isinf(now.t_anchor):
        t_due = now.t_anchor + trial.at_s
    t_soonest = now.t_arrival + settings.output_latency_s + 0.5 * settings.lock_s
    t_again = now.t_attempt + 1.0 / settings.frequency_hz
    return max(t_due, t_soonest, t_again)


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, f8))
def _ask_interlock(program: Program, memory: Memory, t_write: float) -> int:
    now = memory.now[0]
    return review(
        program.limits[0],
        memory.ledger[0],
        now.permits,
        program.trials[now.trial].n_before,
        _pulses_of(program, now.trial),
        t_write,
        now.t_arrival,
        now.t_sample,
    )


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE, f8))
def _decide_on(
    program: Program, memory: Memory, telemetry: Telemetry, t_due: float
) -> None:
    """Decide on a pulse at `t_due`, and record it."""
    now = memory.now[0]
    t_write = t_due - program.settings[0].output_latency_s
    now.t_attempt = t_due
    holds = closed_gates(program, memory, t_due, t_write)
    if holds != 0:
        _record(program, memory, telemetry, t_due, t_write, holds, _NO_REFUSAL)
        return
    if program.trials[now.trial].as_if == 1:
        _record(program, memory, telemetry, t_due, t_write, 0, _NO_REFUSAL)
        begin_interval(program, memory, t_due)
        return
    refusal = _ask_interlock(program, memory, t_write)
    _record(program, memory, telemetry, t_due, t_write, 0, refusal)
    if refusal == _NO_REFUSAL:
        _begin_pulse(program, memory, t_write)


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, TELEMETRY_TYPE))
def decide(program: Program, memory: Memory, telemetry: Telemetry) -> None:
    """Decide on the coming target crossing if it is close enough, and record it."""
    now = memory.now[0]
    settings = program.settings[0]
    if settings.kernel == _NO_KERNEL:
        return
    n_trials = program.trials.shape[0]
    trial = program.trials[min(now.trial, n_trials - 1)]
    kind = trial.kind if now.trial < n_trials else _PHASE
    period = 1.0 / settings.frequency_hz
    known = now.valid == 1 and math.isfinite(now.phase_rad)
    if not known:
        now.tracking = 0
        if kind < _CLOCK:
            _hold_blind(program, memory, telemetry)
            return
    elif now.tracking == 0:
        now.tracking = 1
        now.t_attempt = now.t_arrival + settings.output_latency_s - 0.5 * period
    if kind == _PHASE:
        t_due = next_crossing(
            now.t_sample + settings.horizon_s,
            wrap(trial.target_phase_rad - now.phase_rad),
            settings.frequency_hz,
            now.t_attempt + 0.5 * period,
        )
    else:
        t_due = _next_by_clock(program, memory)
    if t_due - settings.output_latency_s - now.t_arrival <= settings.lock_s:
        _decide_on(program, memory, telemetry, t_due)
