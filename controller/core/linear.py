"""Filters and recursion: the linear part of an estimate."""

from numba import types

from controller.core.records import Kernel, TrackerKind
from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.kernels import fir, state_space
from controller.kernels.jit import compiled

_FIR = int(Kernel.FIR)
_STATE_SPACE = int(Kernel.STATE_SPACE)
_NO_TRACKER = int(TrackerKind.NONE)


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def _run(program: Program, memory: Memory) -> None:
    now = memory.now[0]
    kernel = program.settings[0].kernel
    now.linear_re_uv = 0.0
    now.linear_im_uv = 0.0
    if kernel & _FIR:
        # The ring may be longer than the weights, for the smoothing's sake.
        spare = memory.ring.shape[1] // 2 - program.fir_re.shape[1]
        now.linear_re_uv, now.linear_im_uv = fir.complex_dot(
            program.fir_re, program.fir_im, memory.ring, now.ring_at + spare
        )
    if kernel & _STATE_SPACE:
        state_space.advance(
            program.transition,
            program.drive,
            memory.inputs,
            memory.states,
            memory.states_next,
        )
        re, im = state_space.read_out(
            program.readout, program.feedthrough, memory.states, memory.inputs
        )
        now.linear_re_uv += re
        now.linear_im_uv += im


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def run_linear(program: Program, memory: Memory) -> None:
    """Write `linear_re_uv` and `linear_im_uv` for the newest sample plus the horizon.

    At high rates long filters run once in `update_samples`; in between the estimate
    turns on at the rhythm's frequency.
    """
    now = memory.now[0]
    settings = program.settings[0]
    now.update_wait -= 1
    if now.update_wait > 0:
        re = now.linear_re_uv
        now.linear_re_uv = re * settings.turn_re - now.linear_im_uv * settings.turn_im
        now.linear_im_uv = re * settings.turn_im + now.linear_im_uv * settings.turn_re
        return
    now.update_wait = settings.update_samples
    _run(program, memory)
