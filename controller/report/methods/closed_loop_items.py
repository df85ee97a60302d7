"""The reporting items of closed-loop stimulation, filled in from the records.

References
----------
Compiled from what the field reports and asks for: Bergmann (2018), Frontiers in
Psychology 9, 1484; Zrenner et al. (2018), Brain Stimulation 11, 374-389.
"""

from controller.report.methods.facts import MethodsFacts
from controller.report.methods.items import Item, items_of
from controller.report.methods.words import (
    achieved_words,
    band_words,
    estimator_words,
    found_words,
    gate_words,
    montage_words,
    refused_words,
    spread_words,
    target_words,
)


def closed_loop_items(facts: MethodsFacts) -> tuple[Item, ...]:
    """Return the checklist of closed-loop reporting, in its order."""
    return (
        *items_of("EEG", _eeg(facts)),
        *items_of("Phase", _phase(facts)),
        *items_of("Triggering", _triggering(facts)),
        *items_of("Timing", _timing(facts)),
        *items_of("Outcome", _outcome(facts)),
    )


def _eeg(facts: MethodsFacts) -> dict[str, str | None]:
    rules = facts.section("artifact")
    artifacts = (
        f"samples beyond {rules['amplitude_uv']:g} uV, changing by more than "
        f"{rules['gradient_uv_per_ms']:g} uV/ms, or flat for {rules['flat_s']:g} s, "
        f"and {rules['hold_s']:g} s after them, held pulses back"
        if {"amplitude_uv", "gradient_uv_per_ms", "flat_s", "hold_s"} <= set(rules)
        else None
    )
    reference = facts.section("montage").get("reference")
    return {
        "EEG system": None,
        "stream": facts.stream,
        "sampling rate": f"{facts.sfreq_hz:g} Hz",
        "channels": ", ".join(facts.labels),
        "reference of the amplifier": None,
        "reference of the montage": None if reference is None else str(reference),
        "spatial filter": montage_words(facts),
        "artifact handling": artifacts,
    }


def _phase(facts: MethodsFacts) -> dict[str, str | None]:
    rhythm = facts.summary.get("rhythm") or {}
    source = None
    if rhythm.get("profile"):
        source = f"from {rhythm['profile']}"
    elif facts.frequency_hz is not None:
        rest_s = facts.section("run").get("rest_s")
        source = (
            "configured"
            if facts.section("rhythm").get("frequency_hz")
            else (None if rest_s is None else f"found in {rest_s:g} s of rest")
        )
    snr_db = rhythm.get("snr_db")
    expected = rhythm.get("expected_sd_deg")
    ahead = facts.horizon_s
    return {
        "band": band_words(facts),
        "how the individual frequency was chosen": source,
        "strength of the rhythm": None
        if snr_db is None
        else f"{snr_db:.1f} dB over the background",
        "phase estimator": estimator_words(facts),
        "window and orders of the estimator": _orders(facts),
        "prediction horizon": None if ahead is None else f"{ahead * 1e3:.2f} ms",
        "forward prediction error": None
        if expected is None
        else f"circular SD {expected:.1f}° on rest",
    }


def _orders(facts: MethodsFacts) -> str | None:
    """Return what of the estimator's size the configuration tells; designs keep it."""
    table = {
        key: value
        for key, value in facts.section("estimator").items()
        if key != "kind" and value is not None
    }
    told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in table.items())
    return told or "as designed; all weights are in design.npz of the session"


def _triggering(facts: MethodsFacts) -> dict[str, str | None]:
    timing, limits = facts.section("timing"), facts.section("limits")
    least = limits.get("min_interval_s")
    iti = timing.get("iti_s")
    jitter = timing.get("iti_jitter_s")
    return {
        "target phase": target_words(facts),
        "tolerance": _tolerance(facts),
        "amplitude gate": gate_words(facts),
        "minimum inter-trial interval": None if least is None else f"{least:g} s",
        "intended inter-trial interval": None
        if iti is None
        else f"{iti:g} s" + (f" ± {jitter:g} s" if jitter else ""),
        "actual inter-trial intervals": spread_words(facts.interval_s, "s", 1.0),
        "control condition (sham or random phase)": None,
    }


def _tolerance(facts: MethodsFacts) -> str:
    gate = facts.section("gate")
    probability = gate.get("min_probability")
    if probability is None:
        return "none at the decision: a pulse is timed for the target phase itself"
    return (
        f"a phase within {gate.get('tolerance_deg', 45.0):g}° was expected with a "
        f"probability of at least {probability:g}"
    )


def _timing(facts: MethodsFacts) -> dict[str, str | None]:
    out = facts.section("output")
    kind = out.get("kind")
    delay = facts.output_latency_s
    return {
        "from a sample's stamp to the decision": spread_words(
            facts.latency_s.get("sample_to_decision"), "ms", 1e3
        ),
        "from the deadline to the call (jitter of the trigger)": spread_words(
            facts.latency_s.get("deadline_error"), "us", 1e6
        ),
        "from the call to the device": spread_words(
            facts.latency_s.get("fire_to_arrival"), "us", 1e6
        ),
        "total loop latency measured by loop-back": None,
        "trigger path": None if kind is None else f"`{kind}`",
        "trigger-to-pulse delay allowed for": None
        if delay is None
        else f"{delay * 1e3:.3g} ms",
    }


def _outcome(facts: MethodsFacts) -> dict[str, str | None]:
    pulses = facts.summary.get("pulses") or {}
    held = (facts.summary.get("decisions") or {}).get("held") or {}
    refused = pulses.get("refused") or {}
    return {
        "achieved phase": achieved_words(facts),
        "how it was found": found_words(facts),
        "attempts fired": None
        if facts.n_planned == 0
        else f"{facts.n_fired} of {facts.n_planned} planned, of "
        f"{facts.n_decisions} times that the target phase came round",
        "attempts refused, by reason": refused_words(refused) or "none"
        if pulses
        else None,
        "gates that held pulses back": ", ".join(f"{k} {n}" for k, n in held.items()),
        "samples lost": _lost(facts),
        "software": None
        if not facts.versions.get("phasegate")
        else f"phasegate {facts.versions['phasegate']}",
    }


def _lost(facts: MethodsFacts) -> str | None:
    samples = facts.summary.get("samples")
    if not samples:
        return None
    return f"{samples['lost']} of {samples['received'] + samples['lost']}"
