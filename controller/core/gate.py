"""Third stage: is this a moment at which a pulse makes sense?"""

import math

from numba import types

from controller.core.optional_gates import closed_optional_gates
from controller.core.reasons import HoldReason
from controller.core.records import (
    AmplitudeGate,
    TrialKind,
)
from controller.core.structures import (
    MEMORY_TYPE,
    PROGRAM_TYPE,
    Memory,
    Program,
)
from controller.kernels import quantile
from controller.kernels.jit import compiled, f8, i8

_OPEN = int(AmplitudeGate.OPEN)
_ABSOLUTE = int(AmplitudeGate.ABSOLUTE)

_ARTIFACT = int(HoldReason.ARTIFACT)
_STALE = int(HoldReason.STALE_DATA)
_FUTURE = int(HoldReason.STAMP_IN_FUTURE)
_AMPLITUDE = int(HoldReason.AMPLITUDE)
_INTERVAL = int(HoldReason.INTERVAL)
_TOO_LATE = int(HoldReason.TOO_LATE)
_BUSY = int(HoldReason.BUSY)
_TRIALS_DONE = int(HoldReason.TRIALS_DONE)
_NOT_OFFERED = int(HoldReason.NOT_OFFERED)
_PHASE = int(TrialKind.PHASE)
_CLOCK = int(TrialKind.CLOCK)

# Stamps may run ahead of this clock by the error of a clock offset, not by more.
STAMP_AHEAD_S = 0.005


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def follow_amplitude(program: Program, memory: Memory) -> None:
    """Keep the running window of amplitudes and the threshold that it gives.

    Only amplitudes of valid, clean samples enter, one in `amplitude_stride`.
    """
    now = memory.now[0]
    settings = program.settings[0]
    if settings.amplitude_gate == _OPEN:
        now.threshold_uv = 0.0
        return
    if settings.amplitude_gate == _ABSOLUTE:
        now.threshold_uv = settings.amplitude_uv
        return
    if now.valid == 0 or now.artifacts != 0 or not math.isfinite(now.amplitude_uv):
        return
    now.amplitude_skip += 1
    if now.amplitude_skip < settings.amplitude_stride:
        return
    now.amplitude_skip = 0
    ordered = memory.amplitudes_sorted
    at = now.amplitude_at
    if now.amplitude_n == memory.amplitudes.shape[0]:
        quantile.remove(ordered, now.amplitude_n, memory.amplitudes[at])
        now.amplitude_n -= 1
    quantile.insert(ordered, now.amplitude_n, now.amplitude_uv)
    now.amplitude_n += 1
    memory.amplitudes[at] = now.amplitude_uv
    now.amplitude_at = at + 1 if at + 1 < memory.amplitudes.shape[0] else 0
    if now.amplitude_n >= settings.amplitude_minimum:
        now.threshold_uv = quantile.quantile(
            ordered, now.amplitude_n, settings.amplitude_quantile
        )
    else:
        now.threshold_uv = math.nan


@compiled(f8(PROGRAM_TYPE, MEMORY_TYPE))
def threshold_now(program: Program, memory: Memory) -> float:
    """Return the amplitude that the trial waits for, microvolts; NaN while unknown."""
    now = memory.now[0]
    trial = program.trials[min(now.trial, program.trials.shape[0] - 1)]
    if trial.power_side == 0:
        return now.threshold_uv
    if now.amplitude_n < program.settings[0].amplitude_minimum:
        return math.nan
    return quantile.quantile(
        memory.amplitudes_sorted, now.amplitude_n, trial.power_quantile
    )


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE))
def _too_weak_or_strong(program: Program, memory: Memory) -> int:
    amplitude_uv = memory.now[0].amplitude_uv
    threshold_uv = threshold_now(program, memory)
    side = program.trials[min(memory.now[0].trial, program.trials.shape[0] - 1)]
    if side.power_side < 0:
        passes = amplitude_uv <= threshold_uv
    else:
        passes = amplitude_uv >= threshold_uv
    # Nothing has no phase: bridged electrodes cancel to exactly zero.
    return 0 if passes and amplitude_uv > 0.0 else _AMPLITUDE


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, f8))
def _closed_by_eeg(program: Program, memory: Memory, t_due: float) -> int:
    now = memory.now[0]
    holds = _too_weak_or_strong(program, memory)
    if not now.t_sample - now.t_artifact > program.settings[0].artifact_hold_s:
        holds |= _ARTIFACT
    if program.gates[0].asked != 0:
        holds |= closed_optional_gates(program, memory, t_due, now.permits)
    return holds


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, f8, f8))
def closed_gates(program: Program, memory: Memory, t_due: float, t_write: float) -> int:
    """Return the `HoldReason` bits of every gate that is closed for a pulse at `t_due`.

    `t_write` is when its trigger would have to be sent. All gates are looked at, so
    that the records can say which one rules; a trial that comes by the clock asks none
    that looks at the EEG.
    """
    now = memory.now[0]
    trial = program.trials[min(now.trial, program.trials.shape[0] - 1)]
    age = now.t_arrival - now.t_sample
    holds = 0
    if trial.kind < _CLOCK:
        holds |= _closed_by_eeg(program, memory, t_due)
    if not age <= program.limits[0].max_data_age_s:
        holds |= _STALE
    if not age >= -STAMP_AHEAD_S:
        holds |= _FUTURE
    t_before = now.t_trial_edge if trial.burst == 0 else now.t_pulse_edge
    # What comes by the clock is never due before its interval is over.
    if trial.kind == _PHASE and not t_due - t_before >= trial.iti_s:
        holds |= _INTERVAL
    if not t_write >= now.t_arrival:
        holds |= _TOO_LATE
    if not math.isinf(now.t_next_edge):
        holds |= _BUSY
    if not now.trial < program.trials.shape[0]:
        holds |= _TRIALS_DONE if program.settings[0].offered == 0 else _NOT_OFFERED
    return holds
