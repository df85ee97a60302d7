"""Other channels that may forbid a pulse: eyes, muscles, anything that is recorded."""

import math

from numba import types

from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.kernels.jit import compiled, f8, i8


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, i8, f8))
def _is_quiet(program: Program, memory: Memory, index: int, value: float) -> int:
    """Take a finite sample of one vetoing channel in; return whether it may pass."""
    rule = program.vetoes[index]
    state = memory.veto_now[index]
    if math.isnan(state.baseline_uv):
        state.baseline_uv = value
    away = value - state.baseline_uv
    state.baseline_uv += rule.baseline_follow * away
    if state.n == 0:
        state.slow_uv = value
        state.mean_square = 0.0
    state.n += 1
    state.slow_uv += rule.slow_follow * (value - state.slow_uv)
    fast = value - state.slow_uv
    state.mean_square += rule.rms_follow * (fast * fast - state.mean_square)
    if not abs(away) <= rule.amplitude_uv:
        return 0
    if math.isinf(rule.rms_uv):
        return 1
    known = state.n >= rule.rms_minimum
    within = state.mean_square <= rule.rms_uv * rule.rms_uv
    return 1 if known and within else 0


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def follow_vetoes(program: Program, memory: Memory) -> None:
    """Look at every vetoing channel's newest sample.

    A running RMS begins anew with the estimator; a baseline does not, for the
    electrode's offset outlives a gap, and one that began within a blink would veto what
    comes after it. What is no number vetoes.
    """
    now = memory.now[0]
    for index in range(program.vetoes.shape[0]):
        rule = program.vetoes[index]
        state = memory.veto_now[index]
        if now.n_warm <= 1:
            state.n = 0
        value = memory.raw[rule.channel] * program.scale[rule.channel]
        quiet = 0
        if math.isfinite(value):
            quiet = _is_quiet(program, memory, index, value)
        if quiet == 0:
            state.t_veto = now.t_sample


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE))
def vetoing_channel(program: Program, memory: Memory) -> int:
    """Return the first channel that forbids a pulse now, or -1."""
    t_sample = memory.now[0].t_sample
    for index in range(program.vetoes.shape[0]):
        rule = program.vetoes[index]
        if not t_sample - memory.veto_now[index].t_veto > rule.hold_s:
            return int(rule.channel)
    return -1
