"""What the optional gates look at, kept from sample to sample.

Everything begins anew with the estimator, after a gap or a blind period, and is NaN
until it has seen enough. Only what a configured gate asks for is computed.
"""

import math

from numba import types

from controller.core.reasons import HoldReason
from controller.core.structures import MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from controller.core.veto import follow_vetoes
from controller.kernels import fir, resonator, ring, spectral
from controller.kernels.circular import wrap
from controller.kernels.jit import compiled

_SPECTRAL = int(HoldReason.SNR | HoldReason.SPECTRAL_PEAK)
_FREQUENCY = int(HoldReason.FREQUENCY_SPREAD | HoldReason.FREQUENCY_OFFSET)
_COUPLING = int(HoldReason.COHERENCE | HoldReason.PHASE_LAG)
_SECOND = int(HoldReason.SECOND_PHASE | HoldReason.SECOND_AMPLITUDE)
_VETO = int(HoldReason.VETO)

_FIRST_SITE, _SECOND_SITE, _SECOND_BAND = 0, 1, 2


@compiled(types.void(MEMORY_TYPE))
def _forget(memory: Memory) -> None:
    now = memory.now[0]
    now.n_recent = 0
    now.spectrum_wait = 0
    now.n_spectrum = 0
    now.frequency_wait = 0
    now.n_frequency = 0
    now.phase_before_rad = math.nan
    now.cross_re = 0.0
    now.cross_im = 0.0
    now.power_here = 0.0
    now.power_there = 0.0
    now.snr_db = math.nan
    now.peak_ratio = math.nan
    now.frequency_sd_hz = math.nan
    now.frequency_offset_hz = math.nan
    now.coherence = math.nan
    now.phase_lag_rad = math.nan
    now.second_re_uv = math.nan
    now.second_im_uv = math.nan
    now.second_phase_rad = math.nan
    now.second_amplitude_uv = math.nan
    now.veto_channel = -1
    for row in range(memory.resonators.shape[0]):
        for column in range(memory.resonators.shape[1]):
            memory.resonators[row, column] = 0.0


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def _judge_spectrum(program: Program, memory: Memory) -> None:
    now = memory.now[0]
    gates = program.gates[0]
    powers = memory.powers
    n_window = program.spectrum_re.shape[1]
    first = now.spectrum_at
    spectral.write_powers(
        program.spectrum_re,
        program.spectrum_im,
        memory.spectrum_ring[0, first : first + n_window],
        powers,
    )
    inside = spectral.mean_between(powers, gates.inside_first, gates.inside_end)
    lower = spectral.mean_between(powers, gates.lower_first, gates.lower_end)
    upper = spectral.mean_between(powers, gates.upper_first, gates.upper_end)
    now.snr_db = math.nan
    if inside > 0.0 and lower > 0.0 and upper > 0.0:
        # The flanks' geometric mean is what a 1/f background has in the band.
        now.snr_db = 10.0 * math.log10(inside / math.sqrt(lower * upper))
    peak = spectral.highest_between(powers, gates.inside_first, gates.inside_end)
    below = spectral.highest_between(powers, 0, gates.below_end)
    above = spectral.highest_between(powers, gates.above_first, powers.shape[0])
    outside = below + above if math.isnan(below + above) else max(below, above)
    now.peak_ratio = peak / outside if outside > 0.0 else math.nan


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def _follow_spectrum(program: Program, memory: Memory) -> None:
    now = memory.now[0]
    gates = program.gates[0]
    now.recent_at = ring.push_one(memory.recent, now.recent_at, memory.inputs[0])
    now.n_recent += 1
    n_taps = program.spectrum_taps.shape[0]
    if now.n_recent < n_taps:
        return
    now.spectrum_wait -= 1
    if now.spectrum_wait > 0:
        return
    now.spectrum_wait = gates.spectrum_decimation
    first = now.recent_at
    value = fir.real_sum(
        program.spectrum_taps, memory.recent[0, first : first + n_taps]
    )
    now.spectrum_at = ring.push_one(memory.spectrum_ring, now.spectrum_at, value)
    now.n_spectrum += 1
    beyond = now.n_spectrum - program.spectrum_re.shape[1]
    if beyond >= 0 and beyond % gates.spectrum_stride == 0:
        _judge_spectrum(program, memory)


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def _follow_frequency(program: Program, memory: Memory) -> None:
    """Follow mean and spread of how fast the estimate turns."""
    now = memory.now[0]
    gates = program.gates[0]
    settings = program.settings[0]
    if now.valid == 0 or not math.isfinite(now.phase_rad):
        now.n_frequency = 0
        now.frequency_wait = 0
        now.phase_before_rad = math.nan
        now.frequency_sd_hz = math.nan
        now.frequency_offset_hz = math.nan
        return
    now.frequency_wait -= 1
    if now.frequency_wait > 0:
        return
    now.frequency_wait = gates.frequency_stride
    turned = wrap(now.phase_rad - now.phase_before_rad)
    now.phase_before_rad = now.phase_rad
    if math.isnan(turned):
        return
    span_s = gates.frequency_stride * settings.interval_s
    frequency_hz = turned / (2.0 * math.pi * span_s)
    now.n_frequency += 1
    if now.n_frequency == 1:
        now.frequency_mean_hz = frequency_hz
        now.frequency_variance = 0.0
    # A plain mean at first, so that the first look does not weigh for ever.
    follow = max(gates.frequency_follow, 1.0 / now.n_frequency)
    away = frequency_hz - now.frequency_mean_hz
    now.frequency_mean_hz += follow * away
    now.frequency_variance = (1.0 - follow) * (
        now.frequency_variance + follow * away * away
    )
    if now.n_frequency >= gates.frequency_minimum:
        now.frequency_sd_hz = math.sqrt(now.frequency_variance)
        now.frequency_offset_hz = abs(now.frequency_mean_hz - settings.frequency_hz)


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def _follow_coupling(program: Program, memory: Memory) -> None:
    """Follow cross and own power of the two sites' band-passed signals."""
    now = memory.now[0]
    gates = program.gates[0]
    a_re, a_im = resonator.advance(
        memory.resonators,
        _FIRST_SITE,
        memory.inputs[0],
        gates.coupling_re,
        gates.coupling_im,
    )
    b_re, b_im = resonator.advance(
        memory.resonators,
        _SECOND_SITE,
        memory.inputs[gates.coupling_row],
        gates.coupling_re,
        gates.coupling_im,
    )
    if now.n_warm <= gates.coupling_settle:
        return
    follow = gates.coupling_follow
    now.cross_re += follow * (a_re * b_re + a_im * b_im - now.cross_re)
    now.cross_im += follow * (a_im * b_re - a_re * b_im - now.cross_im)
    now.power_here += follow * (a_re * a_re + a_im * a_im - now.power_here)
    now.power_there += follow * (b_re * b_re + b_im * b_im - now.power_there)
    both = now.power_here * now.power_there
    if now.n_warm < gates.coupling_minimum or not both > 0.0:
        now.coherence = math.nan
        now.phase_lag_rad = math.nan
        return
    size = now.cross_re * now.cross_re + now.cross_im * now.cross_im
    now.coherence = math.sqrt(size / both)
    now.phase_lag_rad = math.atan2(now.cross_im, now.cross_re)


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def _follow_second_band(program: Program, memory: Memory) -> None:
    now = memory.now[0]
    gates = program.gates[0]
    re, im = resonator.advance(
        memory.resonators,
        _SECOND_BAND,
        memory.inputs[0],
        gates.second_re,
        gates.second_im,
    )
    if now.n_warm < gates.second_minimum:
        return
    now.second_re_uv = re * gates.second_gain_re - im * gates.second_gain_im
    now.second_im_uv = re * gates.second_gain_im + im * gates.second_gain_re
    now.second_amplitude_uv = math.sqrt(
        now.second_re_uv * now.second_re_uv + now.second_im_uv * now.second_im_uv
    )


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def follow_measures(program: Program, memory: Memory) -> None:
    """Take the newest sample, as the estimator saw it, into every measure asked for."""
    asked = program.gates[0].asked
    if asked == 0:
        return
    n_warm = memory.now[0].n_warm
    if n_warm <= 1:
        _forget(memory)
    if n_warm == 0:
        return
    if asked & _SPECTRAL:
        _follow_spectrum(program, memory)
    if asked & _FREQUENCY:
        _follow_frequency(program, memory)
    if asked & _COUPLING:
        _follow_coupling(program, memory)
    if asked & _SECOND:
        _follow_second_band(program, memory)
    if asked & _VETO:
        follow_vetoes(program, memory)
