"""Words that paragraph and checklists of the methods share."""

import math
from collections.abc import Mapping
from typing import Any

from controller.report.methods.facts import MethodsFacts, Spread
from controller.report.words import phase_words, signed
from controller.session.pulses import refusal_sentence

_ESTIMATORS = {
    "blend": "a blend of a personal linear predictor and models of the last seconds",
    "cfir": "a complex band-pass filter (cFIR)",
    "echt": "the endpoint-corrected Hilbert transform",
    "echt-1s": "the endpoint-corrected Hilbert transform over 1 s",
    "echt-calibrated": "the endpoint-corrected Hilbert transform, calibrated",
    "etp": "educated temporal prediction",
    "iir": "a causal recursive quadrature filter",
    "kalman": "a Kalman filter over a bank of oscillators",
    "kalman1": "a Kalman filter with one oscillator",
    "phastimate": "autoregressive forward prediction (Phastimate)",
    "phastimate-tuned": "autoregressive forward prediction, tuned on rest",
    "pll": "a phase-locked loop",
    "ridge": "a personal linear predictor (ridge regression)",
    "wiener": "a personal Wiener predictor",
    "wiener-ar": "a Wiener predictor from an autoregressive spectrum",
    "wiener-generic": "a Wiener predictor from a model spectrum",
}


def estimator_words(facts: MethodsFacts) -> str | None:
    """Return how the phase was estimated."""
    name = facts.summary.get("estimator") or facts.section("estimator").get("kind")
    if not name:
        return None
    words = _ESTIMATORS.get(str(name))
    return f"{words} (`{name}`)" if words else f"the estimator `{name}`"


def montage_words(facts: MethodsFacts) -> str | None:
    """Return the virtual channel as a weighted sum of labels."""
    if not facts.weights:
        return None
    return ", ".join(
        f"{signed(weight, digits=3)} {label}" for label, weight in facts.weights.items()
    )


def target_words(facts: MethodsFacts) -> str | None:
    """Return the target phases."""
    if not facts.targets_deg:
        return None
    return ", ".join(phase_words(target) for target in facts.targets_deg)


def gate_words(facts: MethodsFacts) -> str | None:
    """Return what the amplitude had to be."""
    gate = facts.section("gate")
    match gate.get("amplitude"):
        case "percentile":
            return (
                f"above percentile {gate.get('percentile', 60.0):g} of the last "
                f"{gate.get('window_s', 60.0):g} s"
            )
        case "absolute":
            return f"above {gate.get('threshold_uv')} uV"
        case "open":
            return "any: the gate was open"
    return None


def refused_words(refused: Mapping[str, Any]) -> str:
    """Return why planned pulses did not leave, with counts."""
    return "; ".join(f"{refusal_sentence(name)}: {n}" for name, n in refused.items())


def spread_words(spread: Spread | None, unit: str, factor: float) -> str | None:
    """Return mean, SD and range with a unit."""
    if spread is None:
        return None
    return (
        f"mean {spread.mean * factor:.3g} {unit}, SD {spread.sd * factor:.3g} {unit}, "
        f"{spread.lowest * factor:.3g} to {spread.highest * factor:.3g} {unit}, "
        f"n = {spread.n}"
    )


def band_words(facts: MethodsFacts) -> str | None:
    """Return the band with the individual frequency."""
    if facts.band_hz is None:
        return None
    low_hz, high_hz = facts.band_hz
    words = f"{low_hz:.1f} to {high_hz:.1f} Hz"
    if facts.frequency_hz is not None:
        words += f" around the individual frequency of {facts.frequency_hz:.2f} Hz"
    return words


def achieved_words(facts: MethodsFacts) -> str | None:
    """Return the phase error that was achieved."""
    achieved = facts.achieved
    if achieved is None:
        return None
    sd = (
        f"{math.degrees(achieved.sd_rad):.1f}°"
        if math.isfinite(achieved.sd_rad)
        else "without bound"
    )
    return (
        f"mean error {signed(math.degrees(achieved.mean_rad))}°, circular SD {sd}, "
        f"vector length {math.exp(-(achieved.sd_rad**2) / 2.0):.2f}, n = {achieved.n}"
    )


def found_words(facts: MethodsFacts) -> str | None:
    """Return how the achieved phase was found."""
    return None if facts.achieved is None else _FOUND[facts.achieved.source]


_FOUND = {
    "whole": "with a zero-phase band-pass over the recording, samples after the pulse "
    "included",
    "before": "from the samples up to 3 ms before each pulse, by a linear predictor "
    "fitted to a stretch without pulses; mean and spread are corrected for the "
    "predictor's own error there against a zero-phase band-pass",
    "shadows": "with a zero-phase band-pass over the recording at triggers that were "
    "decided and not fired",
}
