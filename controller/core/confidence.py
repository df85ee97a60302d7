"""How sure is the phase? From its amplitude now and over the last half second.

The error of a phase is taken as von Mises distributed, its concentration kappa as a
product of powers of the two amplitudes, with exponents that were fitted on this
person's rest. What kappa means is looked up in a table.
"""

import math

from numba import types

from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.kernels.jit import Float64Array, compiled, f8, f8_vector, i8


@compiled(f8(f8_vector, f8, f8))
def log_kappa(coefficients: Float64Array, amplitude_uv: float, slow_uv: float) -> float:
    """Return the logarithm of the concentration.

    Parameters
    ----------
    coefficients : array, shape (4,)
        Constant, exponent of the amplitude, exponent of the slow amplitude; the fourth
        entry is the slow amplitude's time constant, not used here.
    amplitude_uv, slow_uv : float
    """
    return (
        coefficients[0]
        + coefficients[1] * math.log(amplitude_uv)
        + coefficients[2] * math.log(slow_uv)
    )


@compiled(f8(f8, f8, f8, f8))
def follow_slow(
    slow_uv: float, amplitude_uv: float, interval_s: float, time_s: float
) -> float:
    """Return the exponential average of the amplitude, one sample later.

    A slow amplitude that is not a number begins anew.
    """
    if not math.isfinite(slow_uv):
        return amplitude_uv
    return slow_uv + min(1.0, interval_s / time_s) * (amplitude_uv - slow_uv)


@compiled(f8(f8_vector, i8, f8, f8, f8))
def _look_up(
    values: Float64Array, n: int, lowest: float, step: float, at: float
) -> float:
    place = (at - lowest) / step
    if not place > 0.0:
        return values[0] if place <= 0.0 else math.nan
    if place >= n - 1:
        return values[n - 1]
    below = int(place)
    share = place - below
    return values[below] + share * (values[below + 1] - values[below])


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def follow_confidence(program: Program, memory: Memory) -> None:
    """Write `sd_rad` and `p_within` of the newest estimate; NaN where unknown."""
    now = memory.now[0]
    if program.confidence.shape[0] == 0:
        return
    now.sd_rad = math.nan
    now.p_within = math.nan
    if now.valid == 0 or not now.amplitude_uv > 0.0:
        now.slow_uv = math.nan
        return
    now.slow_uv = follow_slow(
        now.slow_uv,
        now.amplitude_uv,
        program.settings[0].interval_s,
        program.confidence[3],
    )
    sure = log_kappa(program.confidence, now.amplitude_uv, now.slow_uv)
    n = program.sd_table.shape[0]
    lowest = program.log_kappas[0]
    step = program.log_kappas[1] - lowest
    now.sd_rad = _look_up(program.sd_table, n, lowest, step, sure)
    now.p_within = _look_up(program.within_table, n, lowest, step, sure)
