"""Local parts: estimates that learn from nothing but the last seconds.

They run at a decimated rate. Each fits its window anew once in a while. Until then, a
forecast's model answers for the newest samples; other estimates, and all of them
between decimated samples, turn on at the rhythm's frequency.
"""

from numba import types

from controller.core import held_model, local_methods
from controller.core.records import LocalMethod
from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.kernels import fir, ring
from controller.kernels.jit import compiled, f8, i8

_FORECAST = int(LocalMethod.FORECAST)
_FILTERED_FORECAST = int(LocalMethod.FILTERED_FORECAST)


@compiled(types.UniTuple(f8, 2)(PROGRAM_TYPE, MEMORY_TYPE, i8))
def _estimate(program: Program, memory: Memory, index: int) -> tuple[float, float]:
    method = program.local[index].method
    if method == _FORECAST:
        return local_methods.forecast(program, memory, index)
    if method == _FILTERED_FORECAST:
        return local_methods.filtered_forecast(program, memory, index)
    return local_methods.timed_by_peak(program, memory, index)


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE))
def _decimate(program: Program, memory: Memory) -> int:
    """Take a smoothed sample into the decimated ring if one is due; return 1 then."""
    now = memory.now[0]
    n_taps = program.smoothing.shape[0]
    if now.n_warm < n_taps:
        return 0
    now.decimated_wait -= 1
    if now.decimated_wait > 0:
        return 0
    now.decimated_wait = program.settings[0].decimation
    first = now.ring_at + memory.ring.shape[1] // 2 - n_taps
    value = fir.real_sum(program.smoothing, memory.ring[0, first : first + n_taps])
    now.decimated_at = ring.push_one(memory.decimated, now.decimated_at, value)
    now.n_decimated += 1
    return 1


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def run_local(program: Program, memory: Memory) -> None:
    """Bring `memory.local_uv` to the newest sample plus the horizon."""
    settings = program.settings[0]
    is_new = _decimate(program, memory)
    n_decimated = memory.now[0].n_decimated
    for index in range(program.local.shape[0]):
        part = program.local[index]
        beyond = n_decimated - part.n_least
        if is_new == 1 and beyond >= 0 and beyond % part.stride == 0:
            re, im = _estimate(program, memory, index)
        elif (
            is_new == 1
            and beyond >= 0
            and part.method == _FORECAST
            and part.n_back == 0
        ):
            re, im = held_model.estimate(program, memory, index)
        else:
            re = memory.local_uv[0, index]
            im = memory.local_uv[1, index]
            memory.local_uv[0, index] = re * settings.turn_re - im * settings.turn_im
            memory.local_uv[1, index] = re * settings.turn_im + im * settings.turn_re
            continue
        memory.local_uv[0, index] = re * part.re - im * part.im
        memory.local_uv[1, index] = re * part.im + im * part.re
