"""Second stage: the analytic signal, one horizon ahead, by the design's kernel."""

import math

from numba import types

from controller.core.condition import reset_estimator
from controller.core.reasons import Artifact
from controller.core.records import (
    MEMORY_TYPE,
    PROGRAM_TYPE,
    Kernel,
    Memory,
    Program,
)
from controller.kernels import fir, ring, state_space
from controller.kernels.jit import compiled

_NON_FINITE = int(Artifact.NON_FINITE)
_FIR = int(Kernel.FIR)
_STATE_SPACE = int(Kernel.STATE_SPACE)


@compiled(types.void(MEMORY_TYPE))
def _take_origin_off(memory: Memory) -> None:
    """Count from the first sample after a reset.

    Every design passes no direct current, so this changes nothing in the end; it spares
    a recursive one the decay of an electrode's offset, thousands of times the rhythm.
    """
    for row in range(memory.held.shape[0]):
        if math.isnan(memory.origin[row]):
            memory.origin[row] = memory.held[row]
        memory.inputs[row] = memory.held[row] - memory.origin[row]


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def _run_kernel(program: Program, memory: Memory) -> None:
    now = memory.now[0]
    _take_origin_off(memory)
    kernel = program.settings[0].kernel
    if kernel == _FIR:
        now.ring_at = ring.push(memory.ring, now.ring_at, memory.inputs)
        now.re_uv, now.im_uv = fir.complex_dot(
            program.fir_re, program.fir_im, memory.ring, now.ring_at
        )
    elif kernel == _STATE_SPACE:
        state_space.advance(
            program.transition,
            program.drive,
            memory.inputs,
            memory.states,
            memory.states_next,
        )
        now.re_uv, now.im_uv = state_space.read_out(
            program.readout, program.feedthrough, memory.states, memory.inputs
        )


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def estimate(program: Program, memory: Memory) -> None:
    """Take the conditioned sample in; write phase, amplitude and validity.

    During the refractory period samples are not used, and the estimator fills up anew
    afterwards: what a pulse leaves in the EEG must not reach a phase.
    """
    now = memory.now[0]
    settings = program.settings[0]
    if now.t_sample >= now.t_blind_from and now.t_sample < now.t_blind_until:
        if now.blind == 0:
            reset_estimator(memory)
        now.blind = 1
        now.phase_rad = math.nan
        now.amplitude_uv = math.nan
        return
    now.blind = 0
    if now.n_warm == 0 and now.artifacts & _NON_FINITE:
        now.valid = 0
        now.phase_rad = math.nan
        now.amplitude_uv = math.nan
        return
    now.n_warm += 1
    _run_kernel(program, memory)
    now.valid = 1 if now.n_warm >= settings.warm_up_samples else 0
    if now.valid == 0:
        now.phase_rad = math.nan
        now.amplitude_uv = math.nan
        return
    now.phase_rad = math.atan2(now.im_uv, now.re_uv)
    now.amplitude_uv = math.sqrt(now.re_uv * now.re_uv + now.im_uv * now.im_uv)
