"""Second stage: the analytic signal, one horizon ahead, by the design's kernel."""

import math

from numba import types

from controller.core.condition import reset_estimator
from controller.core.linear import run_linear
from controller.core.local import run_local
from controller.core.reasons import Artifact
from controller.core.records import Kernel, TrackerKind
from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.kernels import ring, trackers
from controller.kernels.borrow import borrow
from controller.kernels.jit import Float64Array, compiled, f8_matrix, f8_vector

_NON_FINITE = int(Artifact.NON_FINITE)
_LINEAR = int(Kernel.FIR | Kernel.STATE_SPACE)
_WITH_RING = int(Kernel.FIR | Kernel.LOCAL)
_LOCAL = int(Kernel.LOCAL)
_NO_TRACKER = int(TrackerKind.NONE)


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
def run_kernels(program: Program, memory: Memory) -> None:
    """Take `memory.held` in and write the analytic estimate, `re_uv` and `im_uv`."""
    now = memory.now[0]
    settings = program.settings[0]
    now.n_warm += 1
    _take_origin_off(memory)
    if settings.kernel & _WITH_RING:
        now.ring_at = ring.push(memory.ring, now.ring_at, memory.inputs)
    if settings.kernel & _LINEAR:
        run_linear(program, memory)
    re = now.linear_re_uv
    im = now.linear_im_uv
    if settings.tracker != _NO_TRACKER:
        re, im = trackers.track(
            settings.tracker, program.tracking, memory.track, re, im
        )
    if settings.kernel & _LOCAL:
        run_local(program, memory)
        for index in range(program.local.shape[0]):
            re += memory.local_uv[0, index]
            im += memory.local_uv[1, index]
    now.re_uv = re
    now.im_uv = im


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
    run_kernels(program, memory)
    now.valid = 1 if now.n_warm >= settings.warm_up_samples else 0
    if now.valid == 0:
        now.phase_rad = math.nan
        now.amplitude_uv = math.nan
        return
    now.phase_rad = math.atan2(now.im_uv, now.re_uv)
    now.amplitude_uv = math.sqrt(now.re_uv * now.re_uv + now.im_uv * now.im_uv)
    # An estimate that has run away would pass every gate: infinity has a phase.
    if not now.amplitude_uv < math.inf:
        now.phase_rad = math.nan
        now.amplitude_uv = math.nan


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, f8_matrix, f8_vector, f8_vector))
def estimate_all(
    program: Program,
    memory: Memory,
    samples: Float64Array,
    re_uv: Float64Array,
    im_uv: Float64Array,
) -> None:
    """Run the kernels over a whole recording of virtual channels.

    Parameters
    ----------
    program, memory
    samples : array, shape (n_virtual, n_samples)
    re_uv, im_uv : array, shape (n_samples,)
        Written: the estimate after each sample.
    """
    program = borrow(program)
    memory = borrow(memory)
    for at in range(samples.shape[1]):
        for row in range(samples.shape[0]):
            memory.held[row] = samples[row, at]
        run_kernels(program, memory)
        re_uv[at] = memory.now[0].re_uv
        im_uv[at] = memory.now[0].im_uv
