"""What went otherwise than the protocol says."""

import collections
from typing import Any

from controller.protocol.trial_events import GivenUp, Note, Paused, Started
from controller.report.study import Study
from controller.report.words import count
from controller.session.load import Session

_PLANNED_WORDS = ("planned", "given", "cut short", "as if", "left out", "not reached")


def trial_rows(study: Study) -> list[list[str]]:
    """Return what became of the trials of each condition, heading first.

    Empty for a session without a trial log.
    """
    if study.progress is None:
        return []
    counts: dict[str, collections.Counter[str]] = {}
    for state in study.progress.states:
        tally = counts.setdefault(state.trial.condition, collections.Counter())
        tally["planned"] += 1
        tally[state.outcome or "not reached"] += 1
    keys = ("planned", "given", "cut-short", "as-if", "skipped", "not reached")
    rows = [["condition", *_PLANNED_WORDS]]
    return rows + [
        [name, *(str(tally[key]) for key in keys)] for name, tally in counts.items()
    ]


def deviations(session: Session, study: Study, summary: dict[str, Any]) -> list[str]:
    """Return one sentence for each thing that went otherwise than planned."""
    return [*_of_session(session, summary), *_of_trials(study), *_of_log(study)]


def _of_session(session: Session, summary: dict[str, Any]) -> list[str]:
    found = []
    if summary["exit"]["code"] != 0:
        found.append(f"The session ended early: {summary['exit']['reason']}")
    refused = sum(summary["pulses"]["refused"].values())
    if refused:
        found.append(
            f"{count(refused, 'planned pulse was', 'planned pulses were')} refused."
        )
    lost, gaps = summary["samples"]["lost"], summary["samples"]["gaps"]
    if lost or gaps:
        samples = count(lost, "sample was", "samples were")
        found.append(f"{samples} lost in {count(gaps, 'gap', 'gaps')}.")
    stimulator = summary.get("stimulator") or {}
    if stimulator.get("missed"):
        triggers = count(stimulator["missed"], "trigger", "triggers")
        found.append(f"The stimulator could not follow {triggers}.")
    found += [
        f"The arming ran out before the session was over ({event.get('t', '')} s)."
        for event in session.events
        if event.get("event") == "arming expired"
    ]
    return found


def _of_trials(study: Study) -> list[str]:
    if study.progress is None:
        return []
    states = study.progress.states
    n_over = sum(state.outcome is not None for state in states)
    found = []
    if n_over < len(states):
        left = len(states) - n_over
        found.append(f"{left} of {len(states)} trials were not reached.")
    by_reason = collections.Counter(
        (state.outcome, state.reason or "no reason given")
        for state in states
        if state.outcome in ("skipped", "cut-short")
    )
    for (outcome, reason), n in by_reason.most_common():
        was = "left out" if outcome == "skipped" else "cut short"
        found.append(f"{count(n, 'trial was', 'trials were')} {was}: {reason}.")
    repeated = sum(state.n_repeats > 0 for state in states)
    if repeated:
        found.append(f"{count(repeated, 'trial was', 'trials were')} repeated.")
    if study.progress.n_starts > 1:
        times = count(study.progress.n_starts - 1, "time", "times")
        found.append(f"The program was begun again {times} within the session.")
    return found


def _of_log(study: Study) -> list[str]:
    begun = next((e.t for e in study.events if isinstance(e, Started)), 0.0)
    found = []
    for event in study.events:
        at = f"After {event.t - begun:.0f} s"
        match event:
            case Paused():
                found.append(f"{at}: paused, {event.reason}.")
            case GivenUp(because="operator"):
                found.append(f"{at}: the operator gave up trial {event.trial}.")
            case Note():
                found.append(f"{at}, the operator's note: {event.text}")
    return found
