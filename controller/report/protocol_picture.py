"""A protocol's time line as a picture: stages, and every trial in its colour."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

from controller.errors import FileError
from controller.protocol.expectation import Expectation
from controller.protocol.form import Protocol
from controller.report.svg import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    VERMILION,
    new_figure,
)

_COLOURS = (BLUE, VERMILION, ORANGE, GREEN, GREY)
_SUFFIXES = (".svg", ".png", ".pdf")


def save_picture(path: Path, protocol: Protocol, expected: Expectation) -> None:
    """Draw the time line into a file.

    Raises
    ------
    FileError
        If the file's name ends in something else than .svg, .png or .pdf, or cannot be
        written.
    """
    if path.suffix not in _SUFFIXES:
        raise FileError(
            f"The picture {path} must end in {', '.join(_SUFFIXES)}; choose one."
        )
    # The first condition on top, as in the file.
    names = [condition.name for condition in reversed(protocol.conditions)]
    figure = new_figure(10.0, 1.6 + 0.35 * max(1, len(names)))
    axes: Any = figure.add_subplot()
    for segment in expected.segments:
        start, length = segment.start_s / 60.0, segment.duration_s / 60.0
        if segment.duration_s > 0.0:
            axes.axvspan(start, start + length, facecolor=PALE, edgecolor="white")
            axes.text(start, len(names) - 0.35, f" {segment.name}", fontsize=9)
        else:
            # It ends when somebody says so.
            axes.axvline(start, color=INK, linestyle="--", linewidth=1.0)
            axes.text(start, -0.95, segment.name, fontsize=9, ha="center")
    for row, name in enumerate(names):
        colour = _COLOURS[row % len(_COLOURS)]
        for shadow, shade in ((False, colour), (True, GREY)):
            at_min = [
                t / 60.0
                for trial, t in expected.trials
                if trial.condition == name and trial.shadow is shadow
            ]
            axes.eventplot(
                at_min,
                lineoffsets=row,
                linelengths=0.4 if shadow else 0.8,
                colors=shade,
            )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-1.05, len(names))
    axes.set_xlim(0.0, max(expected.duration_s / 60.0, 1e-3))
    axes.set_xlabel("expected time (min); short grey marks are shadow trials")
    axes.set_title(protocol.title)
    try:
        with mpl.rc_context({"svg.hashsalt": "phasegate", "svg.fonttype": "path"}):
            figure.savefig(
                path, metadata={"Date": None} if path.suffix == ".svg" else {}
            )
    except OSError as error:
        raise FileError(f"The picture {path} cannot be written: {error}.") from error
