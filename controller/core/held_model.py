"""A forecast's model kept between two fits, as weights on the newest samples.

A model changes slowly, the samples do not: fitting is dear and may be rare, but an
estimate from old samples is one with a longer horizon. What a forecast adds to the
estimate is linear in the last `order` samples, so it folds up into one weight for each.
"""

import math

from numba import types

from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.kernels import autoregressive, fir
from controller.kernels.jit import compiled, f8, i8


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, i8))
def forget(program: Program, memory: Memory, index: int) -> None:
    """Give no estimate until the next fit."""
    part = program.local[index]
    memory.coefficients[part.first_coefficient + 2 * part.order] = math.nan


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, i8, f8))
def hold(program: Program, memory: Memory, index: int, mean: float) -> None:
    """Fold the model in `memory.coefficients` into weights and keep them.

    Parameters
    ----------
    program, memory
    index : int
        Of the local part.
    mean : float
        What was taken off the samples before the fit.
    """
    part = program.local[index]
    order = part.order
    model = memory.coefficients[:order]
    first = part.first_row + part.n_data
    kept = memory.coefficients[part.first_coefficient :]
    for row, weights in enumerate((program.row_re, program.row_im)):
        ahead = weights[first : first + part.n_ahead]
        autoregressive.fold(
            ahead, model, memory.forward, kept[row * order : (row + 1) * order]
        )
    kept[2 * order] = mean


@compiled(types.UniTuple(f8, 2)(PROGRAM_TYPE, MEMORY_TYPE, i8))
def estimate(program: Program, memory: Memory, index: int) -> tuple[float, float]:
    """Weigh the newest samples as the model expects them to go on."""
    part = program.local[index]
    order = part.order
    n_newest = max(part.n_data, order)
    n_ring = memory.decimated.shape[1] // 2
    newest = memory.decimated[0, memory.now[0].decimated_at + n_ring - n_newest :]
    kept = memory.coefficients[part.first_coefficient :]
    mean = kept[2 * order]
    series = memory.series[:n_newest]
    for k in range(n_newest):
        series[k] = newest[k] - mean
    row = part.first_row
    data_re, data_im = fir.complex_sum(
        program.row_re[row : row + part.n_data],
        program.row_im[row : row + part.n_data],
        series[n_newest - part.n_data :],
    )
    ahead_re, ahead_im = fir.complex_sum(
        kept[:order], kept[order : 2 * order], series[n_newest - order :]
    )
    return data_re + ahead_re, data_im + ahead_im
