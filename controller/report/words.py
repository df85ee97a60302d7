"""The report's sentences: what a person should take away."""

import dataclasses
import math
from typing import Any

import numpy as np

from controller.core.reasons import HOLD_SENTENCES, HoldReason
from controller.report.statistics import (
    mean_direction_interval,
    p_words,
    rayleigh_p,
    v_test_p,
)
from controller.session.pulses import refusal_sentence
from controller.session.summary import phase_errors_rad

MINUS = "\N{MINUS SIGN}"

LATENCY_TITLES = {
    "sample_to_decision": "sample stamp → decision",
    "deadline_error": "deadline → call",
    "fire_to_arrival": "call → seen by the device",
}

FEW_PULSES = 10
GOOD_SD_DEG = 30.0
FAIR_SD_DEG = 50.0
GOOD_MEAN_DEG = 10.0

_NAMED = {
    0: "the peak",
    90: "the falling flank",
    180: "the trough",
    -90: "the rising flank",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A judgement in a few words, with a sign that needs no colour.

    Parameters
    ----------
    grade : {"good", "fair", "poor", "none"}
    sign : str
    words : str
    """

    grade: str
    sign: str
    words: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One line of a table with bars.

    Parameters
    ----------
    name : str
    sentence : str
    n : int
    share_pct : float
        Length of the bar.
    """

    name: str
    sentence: str
    n: int
    share_pct: float


def phase_words(phase_deg: float) -> str:
    """Return a phase as a person says it."""
    wrapped = round(math.remainder(phase_deg, 360.0), 2)
    rounded = 180 if wrapped == -180 else wrapped
    degrees = signed(rounded, digits=0 if rounded == round(rounded) else 1)
    if rounded in _NAMED:
        return f"{_NAMED[int(rounded)]} ({degrees}°)"
    return f"{degrees}°"


def signed(value: float, *, digits: int = 1) -> str:
    """Return a number with its sign, as it is printed."""
    text = f"{value:+.{digits}f}"
    if float(text) == 0:
        text = text[1:]
    return text.replace("-", MINUS)


def count(n: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{n} {one if n == 1 else many}"


def believed_error(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the phase error of a summary, by the source to be believed."""
    error: dict[str, Any] = summary.get("believed") or summary["phase_error_deg"]
    return error


def blind_headline(summary: dict[str, Any]) -> str:
    """Return the session in one sentence that tells nothing of its arm."""
    n_fired, n_planned = summary["pulses"]["fired"], summary["pulses"]["planned"]
    return f"{n_fired} of {count(n_planned, 'planned pulse', 'planned pulses')} fired."


def blind_verdict() -> Verdict:
    """Return that there is no judgement yet."""
    return Verdict(grade="none", sign="○", words="blinded")


def criteria_verdict(outcome: str) -> Verdict:
    """Return what the protocol's own criteria say: `pass`, `fail` or `open`."""
    return {
        "pass": Verdict(grade="good", sign="✓", words="meets the protocol's criteria"),
        "fail": Verdict(grade="poor", sign="✕", words="fails the protocol's criteria"),
        "open": Verdict(
            grade="none", sign="○", words="not all of the protocol's criteria are known"
        ),
    }[outcome]


def headline(summary: dict[str, Any], targets: str | None = None) -> str:
    """Return the session in one sentence.

    Parameters
    ----------
    summary : dict
    targets : str, optional
        Several targets in words; the summary's own is then none of them.
    """
    n_fired, n_planned = summary["pulses"]["fired"], summary["pulses"]["planned"]
    error = believed_error(summary)
    if n_fired == 0:
        planned = count(n_planned, "was", "were") if n_planned else "none was"
        return f"No pulse was fired; {planned} planned."
    pulses = count(n_fired, "pulse was", "pulses were")
    if error["n"] == 0:
        return f"{pulses} fired; the phase of none could be checked afterwards."
    target = targets or phase_words(summary["target_phase_deg"])
    it = "it" if targets is None else "them"
    distance = _distance(error["mean"], it)
    sentence = f"{pulses} fired at {target}, landing {distance} on average"
    if error["n"] > 1:
        sentence += f", with a spread (circular SD) of {_sd(error['sd'])}"
    return f"{sentence}; {error['within_45']:.0%} within 45°."


def verdict(summary: dict[str, Any]) -> Verdict:
    """Return whether the pulses were phase-locked."""
    error = believed_error(summary)
    if summary["pulses"]["fired"] == 0:
        return Verdict(grade="none", sign="○", words="no pulses")
    if error["n"] < FEW_PULSES:
        return Verdict(grade="none", sign="○", words="too few pulses to judge")
    sd, mean = error["sd"], abs(error["mean"])
    if sd is None or sd > FAIR_SD_DEG:
        return Verdict(grade="poor", sign="✕", words="weak phase locking")
    if mean > GOOD_MEAN_DEG:
        return Verdict(grade="fair", sign="△", words="locked, but off the target")
    if sd > GOOD_SD_DEG:
        return Verdict(grade="fair", sign="△", words="locked, with a wide spread")
    return Verdict(grade="good", sign="✓", words="locked to the target")


def statistics_sentence(pulses: Any) -> str:
    """Return the tests and the interval of the mean error, one sentence."""
    errors = phase_errors_rad(pulses)
    if len(errors) == 0:
        return ""
    parts = []
    interval = mean_direction_interval(errors)
    if interval is not None:
        low, high = np.degrees([interval.low, interval.high])
        parts.append(
            f"95 % interval of the mean error {signed(low)}° to {signed(high)}°"
        )
    if len(errors) >= FEW_PULSES:
        parts.append(f"Rayleigh test {p_words(rayleigh_p(errors))}")
        parts.append(f"V test towards the target {p_words(v_test_p(errors, 0.0))}")
    parts.append(f"n = {len(errors)}")
    return "; ".join(parts) + "."


def not_scored_sentence(summary: dict[str, Any]) -> str:
    """Return how many pulses have no offline phase, and why; nothing if all have."""
    n_left = summary["pulses"]["fired"] - summary["phase_error_deg"]["n"]
    seen_otherwise = believed_error(summary).get("source", "whole") != "whole"
    if n_left <= 0 or seen_otherwise:
        return ""
    return (
        f"{count(n_left, 'pulse has', 'pulses have')} no offline phase: it cannot be "
        "known within a second of a gap or of either end of the recording."
    )


def refused_sentence(n_planned: int, refused: dict[str, int]) -> str:
    """Return how many of the planned pulses the interlock stopped."""
    n = sum(refused.values())
    if n_planned == 0:
        return "No pulse was planned."
    if n == 0:
        return "Every planned pulse left: nothing was refused."
    planned = count(n_planned, "planned pulse", "planned pulses")
    return f"{n} of {planned} did not leave, because"


def held_sentence(n_decisions: int, held: dict[str, int]) -> str:
    """Return what the list of closed gates counts."""
    if n_decisions == 0:
        return "The target phase never came round: no decision was made."
    decisions = count(n_decisions, "time", "times")
    if not held:
        return f"The target phase came round {decisions}, and no gate was closed."
    return (
        f"The target phase came round {decisions}; these gates held a pulse back "
        "(several at once count each):"
    )


def refusal_bars(refused: dict[str, int]) -> list[Bar]:
    """Return why planned pulses did not leave."""
    return _bars([(name, refusal_sentence(name), n) for name, n in refused.items()])


def hold_bars(held: dict[str, int]) -> list[Bar]:
    """Return which gates were closed when the target phase came round."""
    return _bars(
        [(name, HOLD_SENTENCES[HoldReason[name]], n) for name, n in held.items()]
    )


def _bars(rows: list[tuple[str, str, int]]) -> list[Bar]:
    most = max((n for _, _, n in rows), default=1)
    return [
        Bar(name=name, sentence=sentence, n=n, share_pct=round(100 * n / most, 1))
        for name, sentence, n in rows
    ]


def _distance(error_deg: float, it: str) -> str:
    if f"{abs(error_deg):.1f}" == "0.0":
        return f"exactly on {it}"
    return f"{abs(error_deg):.1f}° {'before' if error_deg < 0 else 'after'} {it}"


def _sd(sd: float | None) -> str:
    return "no preferred phase at all" if sd is None else f"{sd:.1f}°"
