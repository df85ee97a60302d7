"""The gates that a configuration may add: each looks at one measure.

Comparisons stand on the allowed side, so that a measure that is not known yet, NaN,
keeps its gate closed.
"""

import math

from numba import types

from controller.core.reasons import HoldReason
from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.core.veto import vetoing_channel
from controller.kernels.circular import wrap
from controller.kernels.jit import compiled, f8, i8
from controller.safety.interlock import Permit

_SNR = int(HoldReason.SNR)
_PEAK = int(HoldReason.SPECTRAL_PEAK)
_SPREAD = int(HoldReason.FREQUENCY_SPREAD)
_OFFSET = int(HoldReason.FREQUENCY_OFFSET)
_PROBABILITY = int(HoldReason.PROBABILITY)
_VETO = int(HoldReason.VETO)
_COHERENCE = int(HoldReason.COHERENCE)
_PHASE_LAG = int(HoldReason.PHASE_LAG)
_SECOND_PHASE = int(HoldReason.SECOND_PHASE)
_SECOND_AMPLITUDE = int(HoldReason.SECOND_AMPLITUDE)
_MARKER = int(HoldReason.MARKER)
_BY_MARKER = int(Permit.MARKER)


@compiled(i8(f8, f8, f8))
def within_arc(angle: float, first: float, width: float) -> int:
    """Return 1 if `angle` lies on the arc that begins at `first`, ends included.

    Parameters
    ----------
    angle, first : float
        Any turn of them.
    width : float
        From 0 to 2 pi, forwards from `first`.
    """
    beyond = (angle - first) % (2.0 * math.pi)
    return 1 if beyond <= width else 0


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE, f8))
def _look_ahead(program: Program, memory: Memory, t_due: float) -> None:
    """Write what depends on the deadline: the second band's phase, the veto."""
    now = memory.now[0]
    gates = program.gates[0]
    now.second_phase_rad = math.nan
    if gates.asked & (_SECOND_PHASE | _SECOND_AMPLITUDE):
        turn = 2.0 * math.pi * gates.second_hz * (t_due - now.t_sample)
        phase = math.atan2(now.second_im_uv, now.second_re_uv) + turn
        if math.isfinite(phase):
            now.second_phase_rad = wrap(phase)
    now.veto_channel = -1
    if gates.asked & _VETO:
        now.veto_channel = vetoing_channel(program, memory)


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE))
def _of_the_rhythm(program: Program, memory: Memory) -> int:
    now = memory.now[0]
    gates = program.gates[0]
    holds = 0
    if not now.snr_db >= gates.min_snr_db:
        holds |= _SNR
    if not now.peak_ratio >= gates.min_peak_ratio:
        holds |= _PEAK
    if not now.frequency_sd_hz <= gates.max_frequency_sd_hz:
        holds |= _SPREAD
    if not now.frequency_offset_hz <= gates.max_frequency_offset_hz:
        holds |= _OFFSET
    if not now.p_within >= gates.min_probability:
        holds |= _PROBABILITY
    return holds


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, i8))
def _of_everything_else(program: Program, memory: Memory, permits: int) -> int:
    now = memory.now[0]
    gates = program.gates[0]
    holds = 0
    if now.veto_channel >= 0:
        holds |= _VETO
    if not (
        now.coherence >= gates.min_coherence and now.coherence <= gates.max_coherence
    ):
        holds |= _COHERENCE
    if within_arc(now.phase_lag_rad, gates.lag_from_rad, gates.lag_width_rad) == 0:
        holds |= _PHASE_LAG
    second = within_arc(
        now.second_phase_rad, gates.second_from_rad, gates.second_width_rad
    )
    if second == 0:
        holds |= _SECOND_PHASE
    if not now.second_amplitude_uv >= gates.second_amplitude_uv:
        holds |= _SECOND_AMPLITUDE
    if permits & _BY_MARKER == 0:
        holds |= _MARKER
    return holds


@compiled(i8(PROGRAM_TYPE, MEMORY_TYPE, f8, i8))
def closed_optional_gates(
    program: Program, memory: Memory, t_due: float, permits: int
) -> int:
    """Return the `HoldReason` bits of configured gates that are closed for `t_due`.

    Asked when a pulse is planned and again at its deadline, with the `Permit` bits that
    hold then.
    """
    _look_ahead(program, memory, t_due)
    closed = _of_the_rhythm(program, memory)
    closed |= _of_everything_else(program, memory, permits)
    return int(closed & program.gates[0].asked)
