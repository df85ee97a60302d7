"""The report's figures, from the records of a session."""

import dataclasses
from typing import Any

import numpy as np

from controller.report import words
from controller.report.achieved import Design, Virtual, edge_instants
from controller.report.course_figures import course_figure
from controller.report.epochs import Average, average_around
from controller.report.evoked import Evoked, evoked_figure, evoked_of
from controller.report.figures import average_figure, polar_figure
from controller.report.landing_figures import (
    MOST_CIRCLES,
    averages_figure,
    circles_figure,
)
from controller.report.landing_rows import landing_rows, method_sentence
from controller.report.landings import (
    Cell,
    Landings,
    blind_cells_of,
    cells_of,
    landings_of,
)
from controller.report.motor import motor_figure, motor_responses, motor_rows
from controller.report.reasons_course import reasons_course, reasons_figure
from controller.report.rhythm_course import rhythm_course, rhythm_figure
from controller.report.study import Study
from controller.report.timecourse import course_of
from controller.session.load import Session


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Circles:
    """Where the pulses landed.

    Parameters
    ----------
    landings : Landings
    cells : tuple of Cell
    figure : str
        One circle, or one for each condition and target.
    average : str
        Of the virtual channel around the pulses.
    n_average : str
    rows : list of list of str
    sentence : str
        What is to be known of the sources.
    n_hidden : int
        Circles that are not shown.
    spread : bool
        Pulses stand as several phases that they may have had.
    """

    landings: Landings
    cells: tuple[Cell, ...]
    figure: str
    average: str
    n_average: str
    rows: list[list[str]]
    sentence: str
    n_hidden: int
    spread: bool

    @property
    def targets(self) -> str | None:
        """Several targets in words; None where there is one."""
        known = {
            round(cell.target_rad, 6)
            for cell in self.cells
            if cell.target_rad is not None
        }
        if any(cell.words == "random phases" for cell in self.cells):
            return "their targets" if known else "random phases"
        return f"{len(known)} targets" if len(known) > 1 else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Muscle:
    """Motor responses of one muscle, as shown."""

    label: str
    figure: str
    rows: list[list[str]]
    n_active: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """What pulses evoked, as shown; `why_not` where there is no evoked potential."""

    evoked: str
    caption: str
    why_not: str
    muscles: tuple[Muscle, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The session over time, as shown."""

    amplitude: str
    rhythm: str
    rhythm_words: str
    reasons: str


def circles_of(
    session: Session, left: Any, virtual: Virtual | None, study: Study, *, blind: bool
) -> Circles:
    """Return where the pulses landed; of a blinded session the errors only."""
    landings = landings_of(session, left, virtual)
    cells = blind_cells_of(landings, study) if blind else cells_of(landings, study)
    targets = [cell.target_rad for cell in cells if cell.target_rad is not None]
    averages = [] if blind else _averages(cells, virtual)
    shown = [cell for cell in cells if len(cell.phases_rad)]
    if len(shown) == 1 and len(cells) == 1:
        figure = polar_figure(shown[0].phases_rad, targets, shown[0].n_each)
    else:
        figure = circles_figure(cells)
    return Circles(
        landings=landings,
        cells=cells,
        figure=figure,
        average=_average(averages, targets),
        n_average=words.count(sum(each.n for _, each in averages), "pulse", "pulses"),
        rows=landing_rows(cells),
        sentence="" if blind else method_sentence(landings),
        n_hidden=max(0, len(shown) - MOST_CIRCLES),
        spread=any(cell.n_each > 1 for cell in shown),
    )


def _averages(
    cells: tuple[Cell, ...], virtual: Virtual | None
) -> list[tuple[str, Average]]:
    if virtual is None:
        return []
    found = [(cell.title, average_around(virtual, cell.t)) for cell in cells]
    return [(title, average) for title, average in found if average is not None]


def _average(averages: list[tuple[str, Average]], targets: list[float]) -> str:
    if not averages:
        return ""
    if len(averages) == 1:
        return average_figure(averages[0][1], targets)
    return averages_figure(averages)


def no_responses() -> Responses:
    """Return what a blinded report shows of responses."""
    return Responses(evoked="", caption="", why_not="", muscles=())


def responses_of(
    session: Session, left: Any, study: Study, landings: Landings
) -> Responses:
    """Return what the pulses evoked in brain and muscle."""
    instants = landings.t[~landings.is_shadow]
    if len(left) == 0 or not session.design:
        return no_responses()
    evoked = evoked_of(session, instants, landings.t[landings.is_shadow])
    names = {
        int(place): study.condition_name(int(place)) or "all pulses"
        for place in np.unique(landings.condition)
    }
    muscles = tuple(
        Muscle(
            label=found.label,
            figure=motor_figure(found, names),
            rows=motor_rows(found, names),
            n_active=words.count(found.n_active, "pulse", "pulses"),
        )
        for found in motor_responses(
            session, instants, landings.condition[~landings.is_shadow]
        )
    )
    if isinstance(evoked, str):
        return Responses(evoked="", caption="", why_not=evoked, muscles=muscles)
    return Responses(
        evoked=evoked_figure(evoked),
        caption=_evoked_words(evoked, artifact=landings.artifact),
        why_not="",
        muscles=muscles,
    )


def course_of_session(
    session: Session,
    summary: dict[str, Any],
    left: Any,
    virtual: Virtual | None,
    *,
    blind: bool,
) -> Course:
    """Return the session over time; if blinded, nothing that an artifact shapes."""
    if blind:
        return Course(amplitude="", rhythm="", rhythm_words="", reasons="")
    reasons = reasons_course(session.decisions, session.pulses)
    rhythm, told = None, summary["rhythm"]
    if virtual is not None:
        latency_s = Design.of(session.design).output_latency_s
        pulses = edge_instants(left, latency_s)
        rhythm = rhythm_course(virtual, str(told.get("band")), pulses)
    return Course(
        amplitude=_amplitude(session, left),
        rhythm=rhythm_figure(rhythm, told.get("frequency_hz")) if rhythm else "",
        rhythm_words=f"{rhythm.found_share:.0%}" if rhythm else "",
        reasons=reasons_figure(reasons) if reasons else "",
    )


def _evoked_words(evoked: Evoked, *, artifact: bool) -> str:
    at_s, size_uv = evoked.peak
    without = (
        f"less the average around {evoked.n_shadows} shadows"
        if evoked.n_shadows
        else "the rhythm that the pulses were locked to is still in it"
    )
    cut = "the pulse's artifact" if artifact else "shortest cut"
    return (
        f"Average of {evoked.n} pulses in {len(evoked.labels)} EEG channels, "
        f"{without}; shaded: cut out up to {evoked.artifact_s * 1e3:.0f} ms ({cut}). "
        f"Largest field {size_uv:.1f} µV at {at_s * 1e3:.0f} ms."
    )


def _amplitude(session: Session, left: Any) -> str:
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
