"""How a local part comes from its window to an estimate: one function a method."""

import math

from numba import types

from controller.core import held_model
from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.kernels import autoregressive, band_window, fir, peak_timing
from controller.kernels.jit import Float64Array, compiled, f8, f8_vector, i8
from controller.kernels.yule_walker import yule_walker


@compiled(f8(MEMORY_TYPE, f8_vector, i8, i8))
def _lay_out(memory: Memory, target: Float64Array, n_window: int, n_mean: int) -> float:
    """Copy the newest samples without the mean of the newest `n_mean`; return it."""
    n_ring = memory.decimated.shape[1] // 2
    newest = memory.decimated[0, memory.now[0].decimated_at + n_ring - n_window :]
    total = 0.0
    for k in range(n_window - n_mean, n_window):
        total += newest[k]
    mean = total / n_mean
    for k in range(n_window):
        target[k] = newest[k] - mean
    return mean


@compiled(types.UniTuple(f8, 2)(PROGRAM_TYPE, MEMORY_TYPE, i8))
def forecast(program: Program, memory: Memory, index: int) -> tuple[float, float]:
    """Weigh the newest samples together with what a model of them expects next."""
    part = program.local[index]
    n_fit = min(part.n_fit, memory.now[0].n_decimated)
    n_window = max(part.n_data, n_fit)
    n_back = part.n_back
    series = memory.series
    mean = _lay_out(memory, series[n_back:], n_window, n_fit)
    coefficients = memory.coefficients[: part.order]
    innovation = autoregressive.burg(
        series,
        n_back + n_window - n_fit,
        n_fit,
        coefficients,
        memory.forward,
        memory.backward,
    )
    if not innovation > 0.0:
        held_model.forget(program, memory, index)
        return math.nan, math.nan
    if part.stride > 1 and n_back == 0:
        held_model.hold(program, memory, index, mean)
        return held_model.estimate(program, memory, index)
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


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, i8))
def _band_pass(program: Program, memory: Memory, index: int) -> int:
    """Filter the window, trim it, and leave it at the start of `series`."""
    part = program.local[index]
    n_window = min(part.n_fit, memory.now[0].n_decimated)
    n_edge = part.n_taps // 2
    _lay_out(memory, memory.padded[n_edge:], n_window, n_window)
    band_window.extend(memory.padded, n_edge, n_window)
    n_kept = n_window - 2 * part.n_trim
    band_window.filter_window(
        memory.padded[part.n_trim :],
        program.band_taps[part.first_tap : part.first_tap + part.n_taps],
        n_kept,
        memory.series,
    )
    return n_kept


@compiled(f8(PROGRAM_TYPE, MEMORY_TYPE, i8, i8))
def _amplitude(program: Program, memory: Memory, index: int, n_kept: int) -> float:
    n_cycle = int(program.local[index].period + 0.5)
    return band_window.end_amplitude(memory.series, n_kept, min(n_cycle, n_kept))


@compiled(types.UniTuple(f8, 2)(PROGRAM_TYPE, MEMORY_TYPE, i8))
def filtered_forecast(
    program: Program, memory: Memory, index: int
) -> tuple[float, float]:
    """Continue the band-passed window by a model and read its phase at the horizon.

    A model of a rhythm this pure fades, so only the phase comes from the forecast; the
    amplitude is that of the last cycle kept.
    """
    part = program.local[index]
    n_kept = _band_pass(program, memory, index)
    amplitude = _amplitude(program, memory, index, n_kept)
    coefficients = memory.coefficients[: part.order]
    innovation = yule_walker(memory.series, n_kept, coefficients, memory.forward)
    if not innovation > 0.0:
        return math.nan, math.nan
    autoregressive.forecast(memory.series, n_kept, part.n_ahead, coefficients)
    first = part.first_row
    n_row = part.n_data + part.n_ahead
    re, im = fir.complex_sum(
        program.row_re[first : first + n_row],
        program.row_im[first : first + n_row],
        memory.series[n_kept - part.n_data : n_kept + part.n_ahead],
    )
    size = math.sqrt(re * re + im * im)
    return amplitude * re / size, amplitude * im / size


@compiled(types.UniTuple(f8, 2)(PROGRAM_TYPE, MEMORY_TYPE, i8))
def timed_by_peak(program: Program, memory: Memory, index: int) -> tuple[float, float]:
    """Count cycles of the typical length from the last peak kept to the horizon."""
    part = program.local[index]
    n_kept = _band_pass(program, memory, index)
    place = peak_timing.last_peak(memory.series, n_kept)
    since_peak = n_kept - 1 + part.n_trim - place + part.ahead
    return peak_timing.continued(
        _amplitude(program, memory, index, n_kept), since_peak, part.period
    )
