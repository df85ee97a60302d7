"""The report: one static page about one session, from its folder alone."""

import dataclasses
from pathlib import Path
from typing import Any

import jinja2

from controller.errors import FileError, RecordingError
from controller.report import words
from controller.report.achieved import virtual_of
from controller.report.blinding import blindness_of
from controller.report.criteria import Judged, judged_by, verdict_of
from controller.report.deviations import deviations, trial_rows
from controller.report.facts import (
    KeyFigure,
    config_of,
    fact_rows,
    key_figures,
    subtitle,
)
from controller.report.figures import latency_figure
from controller.report.given import DoseRow, dose_rows
from controller.report.landing_rows import measured_sentence
from controller.report.landing_statistics import Measured, believed_as_dict
from controller.report.landings import pooled
from controller.report.methods.section import Methods, methods_of
from controller.report.page_figures import (
    Circles,
    Course,
    Responses,
    circles_of,
    course_of_session,
    no_responses,
    responses_of,
)
from controller.report.page_words import latency_rows, notices_of
from controller.report.promise import Reckoning, reckoning
from controller.report.study import study_of
from controller.session.folder import REPORT, SUMMARY
from controller.session.load import Session, load_session
from controller.session.pulses import fired
from controller.session.recording.append_file import reason_of
from controller.session.summary import latencies_s

TEMPLATE = "report.html.j2"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that the template shows; figures are SVG text or empty."""

    title: str
    subtitle: str
    version: str
    verdict: words.Verdict
    headline: str
    statistics: str
    blinded: str
    is_blind: bool
    notices: list[str]
    key_figures: list[KeyFigure]
    criteria: tuple[Judged, ...]
    circles: Circles
    believed: Measured | None
    promise: Reckoning | None
    responses: Responses
    latency: str
    latency_rows: list[list[str]]
    dose: list[DoseRow]
    refused_sentence: str
    refusals: list[words.Bar]
    held_sentence: str
    holds: list[words.Bar]
    course: Course
    trials: list[list[str]]
    deviations: list[str]
    facts: list[tuple[str, str]]
    methods: Methods | None


def write_report(
    folder: Path, *, out: Path | None = None, allocation: Path | None = None
) -> Path:
    """Write the report of a session and return its path.

    Parameters
    ----------
    folder : Path
    out : Path, optional
        The page; `report.html` in the session's folder if absent.
    allocation : Path, optional
        The study's sealed file, where it is not where the session found it.

    Raises
    ------
    FileError
        If the folder holds no finished session.
    RecordingError
        If the disk is full or gone.
    SealError
        If the named allocation cannot be read.
    """
    page = report_of(load_session(folder), allocation=allocation)
    path = folder / REPORT if out is None else out
    write_page(path, TEMPLATE, page)
    return path


def report_of(session: Session, *, allocation: Path | None = None) -> Page:
    """Return what the page shows of a finished session.

    Raises
    ------
    FileError
        If it is not finished.
    SealError
        If the named allocation cannot be read.
    """
    if session.summary is None:
        raise FileError(
            f"{session.path} has no {SUMMARY}: the session was not finished, so there "
            "is nothing to report yet."
        )
    return _page(session, session.summary, allocation)


def write_page(path: Path, template: str, page: Any) -> None:
    """Write a page: a template, filled with the fields of a dataclass.

    Raises
    ------
    RecordingError
        If the disk is full or gone.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("controller.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    html = environment.get_template(template).render(
        {field.name: getattr(page, field.name) for field in dataclasses.fields(page)}
    )
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"The report {path} cannot be written: {reason_of(error)}."
        ) from error


def _page(session: Session, summary: dict[str, Any], allocation: Path | None) -> Page:
    left, study = fired(session.pulses), study_of(session)
    blindness = blindness_of(session, study, allocation=allocation)
    blind = blindness.is_blind
    virtual = virtual_of(session)
    circles = circles_of(session, left, virtual, study, blind=blind)
    protocol = study.protocol
    criteria = judged_by(
        None if protocol is None else protocol.criteria,
        circles.cells,
        summary,
        study.pulse_conditions,
    )
    believed = pooled(circles.landings)
    if believed is not None:
        # Of a session recorded before there were other sources, too.
        summary = {**summary, "believed": believed_as_dict(believed)}
    latencies = latencies_s(session.decisions, left)
    limits = config_of(session).get("limits", {})
    refused, held = summary["pulses"]["refused"], summary["decisions"]["held"]
    return Page(
        title=summary["title"] or "Session",
        subtitle=subtitle(session, summary),
        version=str((session.provenance or {}).get("phasegate") or ""),
        verdict=_verdict(summary, criteria, blind=blind),
        headline=words.blind_headline(summary)
        if blind
        else words.headline(summary, circles.targets),
        statistics="" if blind else _statistics(left, believed),
        blinded=blindness.sentence,
        is_blind=blind,
        notices=notices_of(session, summary, blind=blind),
        key_figures=key_figures(summary, blind=blind),
        criteria=criteria,
        circles=circles,
        believed=None if blind else believed,
        promise=None if blind else reckoning(summary, left, believed),
        responses=no_responses()
        if blind
        else responses_of(session, left, study, circles.landings),
        latency=latency_figure(latencies) if any(map(len, latencies.values())) else "",
        latency_rows=latency_rows(summary),
        dose=dose_rows(session, left, limits, summary, blind=blind),
        refused_sentence=words.refused_sentence(summary["pulses"]["planned"], refused),
        refusals=words.refusal_bars(refused),
        held_sentence=words.held_sentence(summary["decisions"]["count"], held),
        holds=words.hold_bars(held),
        course=course_of_session(session, summary, left, virtual, blind=blind),
        trials=trial_rows(study),
        deviations=deviations(session, study, summary),
        facts=fact_rows(session, summary),
        methods=None if blind else methods_of(session, believed),
    )


def _verdict(
    summary: dict[str, Any], criteria: tuple[Judged, ...], *, blind: bool
) -> words.Verdict:
    if blind:
        return words.blind_verdict()
    if criteria:
        return words.criteria_verdict(verdict_of(criteria))
    return words.verdict(summary)


def _statistics(left: Any, believed: Measured | None) -> str:
    if believed is None or believed.source == "whole":
        return words.statistics_sentence(left)
    return measured_sentence(believed)
