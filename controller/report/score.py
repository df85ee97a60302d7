"""Score a finished recording: arrivals, achieved phases, summary."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from controller.report.achieved import (
    Design,
    achieved_phase,
    edge_instants,
    virtual_of,
)
from controller.report.landing_statistics import believed_as_dict
from controller.report.landings import landings_of, pooled
from controller.report.promise import reckoning
from controller.safety.interlock import Refusal
from controller.session.arrivals import match_arrivals
from controller.session.folder import PULSES, SUMMARY, SessionFolder
from controller.session.jsonable import JsonValue
from controller.session.load import load_session
from controller.session.pulses import fired, rewrite_pulses
from controller.session.summary import SessionFacts, build_summary


def score_session(
    folder: Path, facts: SessionFacts, arrivals: Iterable[tuple[float, int]] = ()
) -> dict[str, JsonValue]:
    """Complete `pulses.tsv`, write `summary.json` and return the summary.

    Parameters
    ----------
    folder : Path
        A session whose recorder is closed.
    facts : SessionFacts
    arrivals : iterable of (t_observed, code)
        What the output's device logged, if it keeps a log.

    Raises
    ------
    FileError
        If the session cannot be read.
    RecordingError
        If the disk is full or gone.
    """
    session = load_session(folder)
    pulses = session.pulses
    was_fired = pulses["refusal"] == Refusal.NONE
    match = match_arrivals(pulses["t_fired"][was_fired], arrivals)
    pulses["t_observed"][was_fired] = match.t_observed
    virtual = virtual_of(session)
    if was_fired.any() and virtual is not None:
        design = Design.of(session.design)
        instants = edge_instants(pulses, design.output_latency_s)
        pulses["achieved_phase_rad"] = achieved_phase(virtual, design.band_hz, instants)
    rewrite_pulses(folder / PULSES, pulses)
    facts = dataclasses.replace(facts, n_extra_arrivals=match.n_extra)
    summary = build_summary(str(folder), facts, session.decisions, pulses)
    left = fired(pulses)
    believed = pooled(landings_of(session, left, virtual))
    summary["believed"] = None if believed is None else believed_as_dict(believed)
    kept = reckoning(summary, left, believed)
    summary["promise"] = None if kept is None else kept.as_dict()
    SessionFolder(folder).write_json(SUMMARY, summary)
    return summary
