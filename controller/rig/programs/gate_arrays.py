"""From optional gates to the arrays that the compiled core reads."""

import cmath
import math
from typing import Any

import numpy as np

from controller.core.gate_records import VETO, no_gates
from controller.core.reasons import HoldReason
from controller.errors import ConfigError
from controller.estimators.base import Brief, Design
from controller.kernels.jit import new_records
from controller.rig.calibrate.spectrum_rows import spectrum_rows
from controller.rig.programs.gate_rules import (
    CouplingRule,
    GateRules,
    SecondBandRule,
    VetoRule,
)

# An electrode's offset, as everywhere in the loop.
_BASELINE_S = 1.0

# Muscles show above 20 Hz, and within a tenth of a second.
_MUSCLE_HZ = 20.0
_RMS_S = 0.1
_RMS_SETTLES = 3.0

# How often the phase is looked at, and how long looks count.
_LOOKS_PER_CYCLE = 20.0
_CYCLES = 2.5
_FREQUENCY_SETTLES = 2.0

# Two equal poles in a row are narrower than one by this factor.
_TWO_POLES = math.sqrt(math.sqrt(2.0) - 1.0)
_FILTER_SETTLES = 5.0
_COUPLING_SETTLES = 2.0

_SAME_ANGLE = 1e-9


def gate_arrays(
    rules: GateRules | None, design: Design | None, *, sfreq_hz: float, n_virtual: int
) -> dict[str, Any]:
    """Return the fields of `Program` for the optional gates.

    Parameters
    ----------
    rules : GateRules or None
    design : Design or None
        Without one there is nothing to gate.
    sfreq_hz : float
    n_virtual : int
        Virtual channels of the program, the second site included.

    Raises
    ------
    ConfigError
        A gate that this stream or this estimator cannot serve.
    """
    arrays = no_gates()
    if rules is None or design is None:
        return arrays
    gates = arrays["gates"]
    gates.tolerance_rad = rules.tolerance_rad
    gates.asked = int(_write_thresholds(gates, rules))
    _write_frequency(gates, design.brief)
    if rules.min_probability is not None:
        require_confidence(design, rules.tolerance_rad)
    if rules.min_snr_db is not None or rules.min_peak_ratio is not None:
        arrays |= _spectrum(gates, design.brief, rules.spectrum_s)
    if rules.coupling is not None:
        _write_coupling(gates, rules.coupling, design.brief, n_virtual)
    if rules.second_band is not None:
        _write_second_band(gates, rules.second_band, sfreq_hz)
    arrays["vetoes"] = _vetoes(rules.vetoes, sfreq_hz)
    return arrays


def require_confidence(design: Design, tolerance_rad: float) -> None:
    """Refuse a gate on probability where nobody computes the one asked for.

    Raises
    ------
    ConfigError
    """
    confidence = design.confidence
    if confidence is None:
        raise ConfigError(
            f"gate.min_probability needs to know how sure the estimator {design.name} "
            "is of each phase, but it was designed without a confidence model; record "
            "a longer rest, choose another estimator, or leave min_probability out."
        )
    told = (confidence.constant, confidence.exponent, confidence.slow_exponent)
    same = abs(confidence.tolerance_rad - tolerance_rad) <= _SAME_ANGLE
    if not (same and all(map(math.isfinite, told))):
        raise ConfigError(
            f"The confidence of the estimator {design.name} cannot serve "
            f"gate.min_probability: {confidence}; set gate.tolerance_deg to "
            "its tolerance, or mend the plug-in."
        )


def _write_thresholds(gates: Any, rules: GateRules) -> HoldReason:
    """Write every plain threshold; return the gates that are configured."""
    asked = HoldReason.NONE
    for field, reason in (
        ("min_snr_db", HoldReason.SNR),
        ("min_peak_ratio", HoldReason.SPECTRAL_PEAK),
        ("max_frequency_sd_hz", HoldReason.FREQUENCY_SPREAD),
        ("max_frequency_offset_hz", HoldReason.FREQUENCY_OFFSET),
        ("min_probability", HoldReason.PROBABILITY),
    ):
        threshold = getattr(rules, field)
        if threshold is not None:
            gates[field] = threshold
            asked |= reason
    coupling, second = rules.coupling, rules.second_band
    if coupling is not None and coupling.coherence is not None:
        gates.min_coherence, gates.max_coherence = coupling.coherence
        asked |= HoldReason.COHERENCE
    if coupling is not None and coupling.phase_lag is not None:
        gates.lag_from_rad, gates.lag_width_rad = coupling.phase_lag
        asked |= HoldReason.PHASE_LAG
    if second is not None and second.phase is not None:
        gates.second_from_rad, gates.second_width_rad = second.phase
        asked |= HoldReason.SECOND_PHASE
    if second is not None and second.min_amplitude_uv is not None:
        gates.second_amplitude_uv = second.min_amplitude_uv
        asked |= HoldReason.SECOND_AMPLITUDE
    if rules.vetoes:
        asked |= HoldReason.VETO
    if rules.marker:
        asked |= HoldReason.MARKER
    return asked


def _write_frequency(gates: Any, brief: Brief) -> None:
    stride = max(1, round(brief.sfreq_hz / (_LOOKS_PER_CYCLE * brief.frequency_hz)))
    memory_looks = _CYCLES / brief.frequency_hz * brief.sfreq_hz / stride
    gates.frequency_stride = stride
    gates.frequency_follow = _follow(memory_looks)
    gates.frequency_minimum = math.ceil(_FREQUENCY_SETTLES * memory_looks)


def _spectrum(gates: Any, brief: Brief, window_s: float | None) -> dict[str, Any]:
    spectrum = spectrum_rows(brief, window_s)
    gates.spectrum_decimation = spectrum.decimation
    gates.spectrum_stride = spectrum.stride
    gates.inside_first, gates.inside_end = spectrum.inside
    gates.lower_first, gates.lower_end = spectrum.lower
    gates.upper_first, gates.upper_end = spectrum.upper
    gates.below_end = spectrum.below_end
    gates.above_first = spectrum.above_first
    return {
        "spectrum_re": np.ascontiguousarray(spectrum.rows.real),
        "spectrum_im": np.ascontiguousarray(spectrum.rows.imag),
        "spectrum_taps": np.ascontiguousarray(spectrum.taps),
    }


def _write_coupling(
    gates: Any, rule: CouplingRule, brief: Brief, n_virtual: int
) -> None:
    low_hz, high_hz = brief.band_hz
    pole, settle = _resonator(brief.frequency_hz, high_hz - low_hz, brief.sfreq_hz)
    smoothing = rule.smoothing_s * brief.sfreq_hz
    gates.coupling_row = n_virtual - 1
    gates.coupling_re, gates.coupling_im = pole.real, pole.imag
    gates.coupling_follow = _follow(smoothing)
    gates.coupling_settle = settle
    gates.coupling_minimum = settle + math.ceil(_COUPLING_SETTLES * smoothing)


def _write_second_band(gates: Any, rule: SecondBandRule, sfreq_hz: float) -> None:
    if not rule.frequency_hz + 0.5 * rule.bandwidth_hz < 0.5 * sfreq_hz:
        raise ConfigError(
            f"gate.second_band reaches up to "
            f"{rule.frequency_hz + 0.5 * rule.bandwidth_hz:g} Hz, but a stream at "
            f"{sfreq_hz:g} Hz holds nothing above {0.5 * sfreq_hz:g} Hz; choose a "
            "lower band."
        )
    pole, settle = _resonator(rule.frequency_hz, rule.bandwidth_hz, sfreq_hz)
    turn = cmath.exp(2j * math.pi * rule.frequency_hz / sfreq_hz)
    # Twice: of a cosine, only the half that turns forwards passes.
    gain = 2.0 * (1.0 - pole / turn) ** 2 / (1.0 - 1.0 / turn)
    gates.second_re, gates.second_im = pole.real, pole.imag
    gates.second_gain_re, gates.second_gain_im = gain.real, gain.imag
    gates.second_hz = rule.frequency_hz
    gates.second_minimum = settle


def _resonator(
    frequency_hz: float, bandwidth_hz: float, sfreq_hz: float
) -> tuple[complex, int]:
    """Return the pole of each of two equal stages, and the samples they settle in."""
    decay = math.pi * bandwidth_hz / _TWO_POLES / sfreq_hz
    pole = cmath.exp(complex(-decay, 2.0 * math.pi * frequency_hz / sfreq_hz))
    return pole, math.ceil(_FILTER_SETTLES / decay)


def _vetoes(rules: tuple[VetoRule, ...], sfreq_hz: float) -> Any:
    vetoes = new_records(VETO, len(rules))
    for index, rule in enumerate(rules):
        vetoes.channel[index] = rule.channel
        vetoes.amplitude_uv[index] = rule.amplitude_uv
        vetoes.rms_uv[index] = rule.rms_uv
        vetoes.hold_s[index] = rule.hold_s
    vetoes.baseline_follow = _follow(_BASELINE_S * sfreq_hz)
    vetoes.slow_follow = _follow(sfreq_hz / (2.0 * math.pi * _MUSCLE_HZ))
    vetoes.rms_follow = _follow(_RMS_S * sfreq_hz)
    vetoes.rms_minimum = round(_RMS_SETTLES * _RMS_S * sfreq_hz)
    return vetoes


def _follow(samples: float) -> float:
    """Return the newest value's weight in a running mean with this time constant."""
    return -math.expm1(-1.0 / samples)
