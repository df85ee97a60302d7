"""The methods paragraph: sentences in the past tense, one fact after the other."""

from controller.report.methods.facts import MethodsFacts
from controller.report.methods.words import (
    achieved_words,
    band_words,
    estimator_words,
    found_words,
    gate_words,
    montage_words,
    refused_words,
    target_words,
)
from controller.report.statistics import p_words
from controller.report.words import count


def paragraph(facts: MethodsFacts) -> str:
    """Return what was done and what came of it; what is not known is left out."""
    sentences = (
        _simulated(facts),
        _recording(facts),
        _phase(facts),
        _aim(facts),
        _timing(facts),
        _stimulator(facts),
        _count(facts),
        _achieved(facts),
        _latency(facts),
        _software(facts),
    )
    return " ".join(sentence for sentence in sentences if sentence)


def _simulated(facts: MethodsFacts) -> str:
    if not facts.simulated:
        return ""
    return f"In this session {' and '.join(facts.simulated)}."


def _recording(facts: MethodsFacts) -> str:
    named = f" (stream {facts.stream})" if facts.stream else ""
    return (
        f"EEG was received over Lab Streaming Layer at {facts.sfreq_hz:g} Hz from "
        f"{count(len(facts.labels), 'channel', 'channels')}{named}."
    )


def _phase(facts: MethodsFacts) -> str:
    band, estimator, montage = (
        band_words(facts),
        estimator_words(facts),
        montage_words(facts),
    )
    if band is None or estimator is None or montage is None:
        return ""
    ahead = (
        ""
        if facts.horizon_s is None
        else f", predicted {facts.horizon_s * 1e3:.1f} ms beyond the newest sample to "
        "make up for the delays of loop and output"
    )
    return (
        f"The phase of the weighted sum {montage} was estimated in the band {band} by "
        f"{estimator}{ahead}."
    )


def _aim(facts: MethodsFacts) -> str:
    target, gate = target_words(facts), gate_words(facts)
    if target is None:
        return ""
    when = "" if gate is None else f", with an amplitude {gate}"
    return f"Pulses were aimed at {target}{when}; phase 0 is the positive peak."


def _timing(facts: MethodsFacts) -> str:
    timing, limits = facts.section("timing"), facts.section("limits")
    if "iti_s" not in timing or "min_interval_s" not in limits:
        return ""
    jitter_s = timing.get("iti_jitter_s") or 0.0
    spread = f" ± {jitter_s:g} s" if jitter_s else ""
    return (
        f"A pulse could follow {timing['iti_s']:g} s{spread} after the one before, and "
        f"never within {limits['min_interval_s']:g} s."
    )


def _stimulator(facts: MethodsFacts) -> str:
    told = facts.stimulator
    if told is None:
        return ""
    intensity = told.get("intensity_pct_mso")
    at = "" if intensity is None else f" at {intensity:g} % of its maximum output"
    return f"The stimulator was driven as `{told.get('kind', 'unknown')}`{at}."


def _count(facts: MethodsFacts) -> str:
    if facts.n_decisions == 0:
        return ""
    sentence = (
        f"The target phase came round {count(facts.n_decisions, 'time', 'times')}; "
        f"{count(facts.n_planned, 'pulse was', 'pulses were')} planned and "
        f"{facts.n_fired} fired"
    )
    refused = facts.summary.get("pulses", {}).get("refused") or {}
    if refused:
        sentence += f" (refused: {refused_words(refused)})"
    if facts.interval_s is not None:
        sentence += (
            f", {facts.interval_s.median:.2f} s apart in the median "
            f"({facts.interval_s.lowest:.2f} to {facts.interval_s.highest:.2f} s)"
        )
    return sentence + "."


def _achieved(facts: MethodsFacts) -> str:
    words, achieved = achieved_words(facts), facts.achieved
    if words is None or achieved is None:
        return ""
    tests = ""
    if achieved.rayleigh_p is not None:
        tests += f"; Rayleigh test {p_words(achieved.rayleigh_p)}"
    if achieved.v_p is not None:
        tests += f", V test towards the target {p_words(achieved.v_p)}"
    found = found_words(facts)
    return f"The phase achieved was found afterwards {found} ({words}{tests})."


def _latency(facts: MethodsFacts) -> str:
    late = facts.latency_s.get("deadline_error")
    if late is None:
        return ""
    return (
        f"Triggers left {late.mean * 1e6:.0f} ± {late.sd * 1e6:.0f} µs (at most "
        f"{late.highest * 1e6:.0f} µs) after their deadline by the host's clock."
    )


def _software(facts: MethodsFacts) -> str:
    version = facts.versions.get("phasegate")
    if not version:
        return ""
    python = facts.versions.get("python")
    packages = facts.versions.get("packages") or {}
    parts = [f"Python {python}"] if python else []
    parts += [
        f"{n} {packages[n]}" for n in ("numba", "numpy", "pylsl") if n in packages
    ]
    system = facts.versions.get("system")
    parts += [str(system)] if system else []
    beside = f" ({', '.join(parts)})" if parts else ""
    return f"The loop was closed by phasegate {version}{beside}."
