"""The report: one static page about one session, from its folder alone."""

import dataclasses
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from controller.errors import FileError, RecordingError
from controller.report import words
from controller.report.achieved import Design, Virtual, edge_instants, virtual_channel
from controller.report.course_figures import course_figure
from controller.report.epochs import Average, average_around
from controller.report.facts import KeyFigure, fact_rows, key_figures, subtitle
from controller.report.figures import average_figure, latency_figure, polar_figure
from controller.report.promise import Reckoning, reckoning
from controller.report.timecourse import course_of
from controller.session.append_file import reason_of
from controller.session.folder import REPORT, SUMMARY
from controller.session.load import Session, load_session
from controller.session.pulses import fired
from controller.session.summary import latencies_s

_TEMPLATE = "report.html.j2"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that the template shows; figures are SVG text or empty."""

    title: str
    subtitle: str
    version: str
    verdict: words.Verdict
    headline: str
    statistics: str
    notices: list[str]
    key_figures: list[KeyFigure]
    polar: str
    average: str
    n_average: str
    promise: Reckoning | None
    latency: str
    latency_rows: list[list[str]]
    refused_sentence: str
    refusals: list[words.Bar]
    held_sentence: str
    holds: list[words.Bar]
    course: str
    facts: list[tuple[str, str]]


def write_report(folder: Path) -> Path:
    """Write `report.html` into a session folder and return its path.

    Raises
    ------
    FileError
        If the folder holds no finished session.
    RecordingError
        If the disk is full or gone.
    """
    session = load_session(folder)
    if session.summary is None:
        raise FileError(
            f"{folder} has no {SUMMARY}: the session was not finished, so there is "
            "nothing to report yet."
        )
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("controller.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    page = page_of(session, session.summary)
    html = environment.get_template(_TEMPLATE).render(
        {field.name: getattr(page, field.name) for field in dataclasses.fields(page)}
    )
    path = folder / REPORT
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"The report {path} cannot be written: {reason_of(error)}."
        ) from error
    return path


def page_of(session: Session, summary: dict[str, Any]) -> Page:
    """Return what the page shows of a session."""
    left = fired(session.pulses)
    polar, average_svg, average = _phase_figures(session, left)
    latencies = latencies_s(session.decisions, left)
    refused, held = summary["pulses"]["refused"], summary["decisions"]["held"]
    return Page(
        title=summary["title"] or "Session",
        subtitle=subtitle(session, summary),
        version=str((session.provenance or {}).get("phasegate") or ""),
        verdict=words.verdict(summary),
        headline=words.headline(summary),
        statistics=words.statistics_sentence(left),
        notices=_notices(session, summary),
        key_figures=key_figures(summary),
        polar=polar,
        average=average_svg,
        n_average=words.count(average.n if average else 0, "pulse", "pulses"),
        promise=reckoning(summary, left),
        latency=latency_figure(latencies) if any(map(len, latencies.values())) else "",
        latency_rows=_latency_rows(summary),
        refused_sentence=words.refused_sentence(summary["pulses"]["planned"], refused),
        refusals=words.refusal_bars(refused),
        held_sentence=words.held_sentence(summary["decisions"]["count"], held),
        holds=words.hold_bars(held),
        course=_course(session, left),
        facts=fact_rows(session, summary),
    )


def _phase_figures(session: Session, left: Any) -> tuple[str, str, Average | None]:
    if len(left) == 0 or not session.design:
        return "", "", None
    targets = sorted({float(target) for target in left["target_phase_rad"]})
    phases = left["achieved_phase_rad"]
    scored = np.asarray(phases[np.isfinite(phases)])
    design = Design.of(session.design)
    instants = edge_instants(left, design.output_latency_s)
    average = average_around(_virtual(session, design), instants)
    return (
        polar_figure(scored, targets) if len(scored) else "",
        average_figure(average, targets) if average else "",
        average,
    )


def _virtual(session: Session, design: Design) -> Virtual:
    return virtual_channel(
        np.asarray(session.samples["t_sample"]),
        session.raw,
        session.stream.sfreq_hz,
        design.weights,
    )


def _course(session: Session, left: Any) -> str:
    samples, decisions = session.samples, session.decisions
    # The stamp that ended a session may be anything; it is the last one.
    t = np.asarray(samples["t_sample"])[:-1]
    if len(t) < 2:
        return ""
    samples = samples[:-1]
    reach = {"t_start": float(t[0]), "t_stop": float(t[-1])}
    amplitude = np.where(
        np.isfinite(samples["phase_rad"]), samples["amplitude_uv"], np.nan
    )
    return course_figure(
        course_of(t, amplitude, **reach, quantiles=(0.1, 0.5, 0.9)),
        course_of(
            np.asarray(decisions["t_sample"]),
            np.asarray(decisions["threshold_uv"]),
            **reach,
            quantiles=(0.0, 0.5, 1.0),
        ),
        course_of(
            t, np.asarray(samples["t_arrival"]) - t, **reach, quantiles=(0.0, 0.5, 1.0)
        ),
        np.asarray(left["t_fired"]) - t[0],
    )


def _latency_rows(summary: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, title in words.LATENCY_TITLES.items():
        measured = summary["latency_us"][name]
        cells = [measured[key] for key in ("p50", "p99", "p999", "max")]
        shown = ["n/a" if cell is None else f"{cell:,.1f}" for cell in cells]
        rows.append([title, f"{measured['n']:,}", *shown])
    return rows


def _notices(session: Session, summary: dict[str, Any]) -> list[str]:
    notices = list(session.notes)
    if not session.is_live:
        notices.append(
            "Decided on a virtual clock, on samples that were there already: nothing "
            "was fired."
        )
    if summary["exit"]["code"] != 0:
        notices.append(f"The session ended early: {summary['exit']['reason']}")
    notices.extend(filter(None, [words.not_scored_sentence(summary)]))
    missing, extra = summary["arrivals"]["missing"], summary["arrivals"]["extra"]
    if summary["arrivals"]["matched"] and missing:
        pulses = words.count(missing, "fired pulse was", "fired pulses were")
        notices.append(f"{pulses} never seen by the device.")
    if extra:
        arrivals = words.count(extra, "trigger that belongs", "triggers that belong")
        notices.append(f"The device saw {arrivals} to no pulse of this session.")
    return notices
