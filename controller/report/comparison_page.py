"""Two sessions side by side, as one static page."""

import dataclasses
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from controller import __version__
from controller.errors import RecordingError
from controller.report.comparison import Comparison, compare_sessions, rows_of
from controller.report.figures import polar_figure
from controller.session.load import Session
from controller.session.pulses import fired
from controller.session.recording.append_file import reason_of

_TEMPLATE = "comparison.html.j2"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two, as shown; the figure is SVG text or empty."""

    letter: str
    title: str
    folder: str
    polar: str


def write_comparison(a: Session, b: Session, path: Path) -> Comparison:
    """Write the page of two sessions, and return how they compare.

    Raises
    ------
    FileError
        If one of them was not finished.
    RecordingError
        If the page cannot be written.
    """
    comparison = compare_sessions(a, b)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("controller.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    html = environment.get_template(_TEMPLATE).render(
        {
            "comparison": comparison,
            "rows": rows_of(comparison),
            "sides": [_side("A", a, comparison.a), _side("B", b, comparison.b)],
            "version": __version__,
        }
    )
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"The page {path} cannot be written: {reason_of(error)}."
        ) from error
    return comparison


def _side(letter: str, session: Session, figures: Any) -> Side:
    left = fired(session.pulses)
    phases = left["achieved_phase_rad"]
    scored = np.asarray(phases[np.isfinite(phases)])
    targets = sorted({float(target) for target in left["target_phase_rad"]})
    return Side(
        letter=letter,
        title=figures.title,
        folder=session.path.name,
        polar=polar_figure(scored, targets) if len(scored) else "",
    )
