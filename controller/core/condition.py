"""First stage: is the sample usable, and what is the virtual channel's value?"""

import math

from numba import types

from controller.core.reasons import Artifact, Fault
from controller.core.structures import (
    MEMORY_TYPE,
    PROGRAM_TYPE,
    Memory,
    Program,
)
from controller.kernels import spatial, trackers
from controller.kernels.jit import compiled, f8, i8

_NON_FINITE = int(Artifact.NON_FINITE)
_AMPLITUDE = int(Artifact.AMPLITUDE)
_GRADIENT = int(Artifact.GRADIENT)
_FLAT = int(Artifact.FLAT)
_SATURATED = int(Artifact.SATURATED)

_OK = int(Fault.NONE)
_REPEATED = int(Fault.STAMP_REPEATED)
_BACKWARD = int(Fault.STAMP_BACKWARD)
_GAP = int(Fault.GAP_TOO_LONG)
_CLOCK_JUMP = int(Fault.CLOCK_JUMP)
_BAD_SIGNAL = int(Fault.BAD_SIGNAL)

# The electrode's own offset, tens of millivolts with a DC-coupled amplifier, must not
# count as an artifact: amplitudes count from a baseline that follows within a second.
_BASELINE_S = 1.0

# Beyond one and a half intervals a sample is missing; below a tenth, one is repeated or
# out of order: no amplifier's stamps jitter by that much after the preflight's check.
_GAP_INTERVALS = 1.5
_REPEAT_INTERVALS = 0.1


@compiled(types.void(MEMORY_TYPE))
def reset_estimator(memory: Memory) -> None:
    """Forget the signal, so that the estimator has to fill up again."""
    now = memory.now[0]
    now.n_warm = 0
    now.valid = 0
    now.update_wait = 0
    now.decimated_wait = 0
    now.n_decimated = 0
    trackers.reset(memory.track)
    for part in range(memory.local_uv.shape[1]):
        memory.local_uv[0, part] = math.nan
        memory.local_uv[1, part] = math.nan
    for k in range(memory.states.shape[0]):
        memory.states[k] = 0.0
    for row in range(memory.origin.shape[0]):
        memory.origin[row] = math.nan
    for channel in range(memory.previous_uv.shape[0]):
        memory.previous_uv[channel] = math.nan
        memory.flat_run[channel] = 0


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, f8, f8))
def take_stamp(
    program: Program, memory: Memory, t_sample: float, t_arrival: float
) -> int:
    """Check a sample's time against the one before; return a `Fault`.

    A gap below the limit is counted and empties the estimator. Repeated and backward
    stamps, longer gaps and a clock that runs backwards are faults.
    """
    now = memory.now[0]
    interval = program.settings[0].interval_s
    step = t_sample - now.t_sample
    fault = _OK
    if now.n_samples > 0:
        now.fault_value = step
        if not t_arrival >= now.t_arrival:
            fault = _CLOCK_JUMP
        elif not step > -_REPEAT_INTERVALS * interval:
            fault = _BACKWARD
        elif not step > _REPEAT_INTERVALS * interval:
            fault = _REPEATED
        elif not step <= _GAP_INTERVALS * interval:
            now.n_gaps += 1
            if step < math.inf:
                now.n_lost += max(1, round(step / interval) - 1)
            reset_estimator(memory)
            if not step <= program.limits[0].max_gap_s:
                fault = _GAP
    elif not math.isfinite(t_sample):
        fault = _BACKWARD
    now.t_sample = t_sample
    now.t_arrival = t_arrival
    now.n_samples += 1
    return fault


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, i8))
def _find_fault(program: Program, memory: Memory, channel: int) -> int:
    """Say what is wrong with a channel that does not pass as clean."""
    settings = program.settings[0]
    value = memory.raw[channel] * program.scale[channel]
    if not math.isfinite(value):
        memory.previous_uv[channel] = math.nan
        memory.flat_run[channel] = 0
        return _NON_FINITE
    flags = 0
    previous = memory.previous_uv[channel]
    baseline = memory.baseline_uv[channel]
    if math.isnan(baseline):
        baseline = value
    if not abs(value - baseline) <= settings.artifact_amplitude_uv:
        flags |= _AMPLITUDE
    if not abs(value) < settings.artifact_rail_uv:
        flags |= _SATURATED
    if math.isfinite(previous):
        if not abs(value - previous) <= settings.artifact_gradient_uv:
            flags |= _GRADIENT
        same = value == previous
        memory.flat_run[channel] = memory.flat_run[channel] + 1 if same else 0
    if memory.flat_run[channel] >= settings.artifact_flat_samples:
        flags |= _FLAT
    follow = min(1.0, settings.interval_s / _BASELINE_S)
    memory.baseline_uv[channel] = baseline + follow * (value - baseline)
    memory.previous_uv[channel] = value
    return flags


@compiled(i8(MEMORY_TYPE, i8, f8, f8, f8, f8, f8))
def _passes(
    memory: Memory,
    channel: int,
    value: float,
    amplitude_uv: float,
    gradient_uv: float,
    rail_uv: float,
    follow: float,
) -> int:
    """Take a value in if nothing is wrong with it; return whether that was so.

    Nearly every sample is clean and changed a little. NaN anywhere fails.
    """
    away = value - memory.baseline_uv[channel]
    step = abs(value - memory.previous_uv[channel])
    clean = (
        step > 0.0
        and step <= gradient_uv
        and abs(away) <= amplitude_uv
        and abs(value) < rail_uv
    )
    if not clean:
        return 0
    memory.baseline_uv[channel] += follow * away
    memory.previous_uv[channel] = value
    memory.flat_run[channel] = 0
    return 1


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, i8))
def inspect(program: Program, memory: Memory, channel: int) -> int:
    """Return the `Artifact` bits of one channel of the newest sample."""
    settings = program.settings[0]
    clean = _passes(
        memory,
        channel,
        memory.raw[channel] * program.scale[channel],
        settings.artifact_amplitude_uv,
        settings.artifact_gradient_uv,
        settings.artifact_rail_uv,
        min(1.0, settings.interval_s / _BASELINE_S),
    )
    return 0 if clean == 1 else _find_fault(program, memory, channel)


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE))
def condition(program: Program, memory: Memory) -> int:
    """Flag artifacts and write the virtual channels to `memory.held`; return a `Fault`.

    A sample that is not a number leaves `held` as it was: one such value would stay in
    a recursive estimator for ever.
    """
    now = memory.now[0]
    settings = program.settings[0]
    amplitude_uv = settings.artifact_amplitude_uv
    gradient_uv = settings.artifact_gradient_uv
    rail_uv = settings.artifact_rail_uv
    follow = min(1.0, settings.interval_s / _BASELINE_S)
    flags = 0
    worst = -1
    for k in range(program.used.shape[0]):
        channel = program.used[k]
        value = memory.raw[channel] * program.scale[channel]
        # Limits in registers: read anew for every channel they would cost the most.
        if _passes(memory, channel, value, amplitude_uv, gradient_uv, rail_uv, follow):
            continue
        found = _find_fault(program, memory, channel)
        if found != 0 and (worst < 0 or found & _NON_FINITE):
            worst = program.used[k]
        flags |= found
    now.artifacts = flags
    if flags & _NON_FINITE == 0:
        spatial.mix(program.mixing, program.used, memory.raw, memory.held)
    if flags == 0:
        now.t_clean = now.t_sample
        return _OK
    now.t_artifact = now.t_sample
    now.artifact_channel = worst
    if math.isnan(now.t_clean):
        now.t_clean = now.t_sample
    if not now.t_sample - now.t_clean <= program.limits[0].max_artifact_s:
        now.fault_channel = worst
        now.fault_value = now.t_sample - now.t_clean
        return _BAD_SIGNAL
    return _OK
