"""Local parts: estimates that learn from nothing but the last seconds.

They run at a decimated rate. Each fits its window anew once in a while; until the next
fit its estimate turns on at the rhythm's frequency.
"""

import math

from numba import types

from controller.core.records import LocalMethod
from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.kernels import autoregressive, fir, ring
from controller.kernels.jit import compiled, f8, i8

_FORECAST = int(LocalMethod.FORECAST)


@compiled(types.void(MEMORY_TYPE, i8, i8, i8))
def _lay_out(memory: Memory, n_back: int, n_window: int, n_fit: int) -> None:
    """Copy the newest decimated samples to the working space, without their mean."""
    now = memory.now[0]
    n_ring = memory.decimated.shape[1] // 2
    newest = memory.decimated[0, now.decimated_at + n_ring - n_window :]
    total = 0.0
    for k in range(n_window - n_fit, n_window):
        total += newest[k]
    mean = total / n_fit
    series = memory.series[n_back:]
    for k in range(n_window):
        series[k] = newest[k] - mean


@compiled(types.UniTuple(f8, 2)(PROGRAM_TYPE, MEMORY_TYPE, i8))
def _forecast(program: Program, memory: Memory, index: int) -> tuple[float, float]:
    """Weigh the newest samples together with what a model of them expects next."""
    part = program.local[index]
    n_fit = min(part.n_fit, memory.now[0].n_decimated)
    n_window = max(part.n_data, n_fit)
    n_back = part.n_back
    _lay_out(memory, n_back, n_window, n_fit)
    coefficients = memory.coefficients[: part.order]
    innovation = autoregressive.burg(
        memory.series,
        n_back + n_window - n_fit,
        n_fit,
        coefficients,
        memory.forward,
        memory.backward,
    )
    if not innovation > 0.0:
        return math.nan, math.nan
    series = memory.series
    autoregressive.forecast(series, n_back + n_window, part.n_ahead, coefficients)
    if n_back > 0:
        autoregressive.backcast(series, n_back, coefficients)
    n_row = n_back + part.n_data + part.n_ahead
    first = part.first_row
    return fir.complex_sum(
        program.row_re[first : first + n_row],
        program.row_im[first : first + n_row],
        series[n_window - part.n_data : n_window - part.n_data + n_row],
    )


@compiled(types.UniTuple(f8, 2)(PROGRAM_TYPE, MEMORY_TYPE, i8))
def _estimate(program: Program, memory: Memory, index: int) -> tuple[float, float]:
    if program.local[index].method == _FORECAST:
        return _forecast(program, memory, index)
    return math.nan, math.nan


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
            memory.local_uv[0, index] = re * part.re - im * part.im
            memory.local_uv[1, index] = re * part.im + im * part.re
            continue
        re = memory.local_uv[0, index]
        im = memory.local_uv[1, index]
        memory.local_uv[0, index] = re * settings.turn_re - im * settings.turn_im
        memory.local_uv[1, index] = re * settings.turn_im + im * settings.turn_re
