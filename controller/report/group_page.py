"""Several sessions on one static page."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from controller import __version__
from controller.report.group import (
    Member,
    drift_rows,
    drifts_of,
    group_sentence,
    member_rows,
)
from controller.report.svg import BLUE, GREY, drawing, new_figure, to_svg

TEMPLATE = "group.html.j2"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage:
    """Everything that the template shows; the figure is SVG text."""

    title: str
    sentence: str
    n_blind: int
    figure: str
    rows: list[list[str]]
    drifts: list[list[str]]
    version: str


def group_page(members: Sequence[Member]) -> GroupPage:
    """Return the page of sessions, which are in order."""
    people = {member.participant for member in members}
    return GroupPage(
        title=f"{len(members)} sessions"
        + (f" of participant {people.pop()}" if len(people) == 1 else ""),
        sentence=group_sentence(members),
        n_blind=sum(member.is_blind for member in members),
        figure=group_figure(members),
        rows=member_rows(members),
        drifts=drift_rows(drifts_of(members)),
        version=__version__,
    )


def group_figure(members: Sequence[Member]) -> str:
    """Draw phase error, frequency and strength session by session."""
    place = np.arange(1, len(members) + 1)
    mean = np.array([member.mean_deg for member in members])
    sd = np.array([member.sd_deg for member in members])
    n = np.array([max(1, member.n_scored) for member in members])
    with drawing():
        figure = new_figure(12.2, 6.4)
        axes = figure.subplots(3, 1, sharex=True)
        error = np.where(np.isfinite(sd), sd, 0.0)
        axes[0].errorbar(place, mean, error, fmt="none", ecolor=GREY, lw=1.2)
        sure = 1.96 * error / np.sqrt(n)
        axes[0].errorbar(place, mean, sure, fmt="o", color=BLUE, lw=3, ms=6)
        axes[0].axhline(0, color=GREY, lw=0.8)
        axes[0].set_ylabel("phase error (°)")
        _points(axes[1], place, [member.frequency_hz for member in members])
        axes[1].set_ylabel("frequency (Hz)")
        _points(axes[2], place, [member.snr_db for member in members])
        axes[2].set_ylabel("over 1/f (dB)")
        axes[2].set_ylim(bottom=0)
        axes[2].set_xlabel("session, in order of time")
        axes[2].set_xticks(place)
        axes[2].set_xlim(0.5, len(members) + 0.5)
        for each in axes:
            each.grid(axis="y")
        label = "Phase error, frequency and strength of the rhythm by session"
        return to_svg(figure, "group", label)


def _points(axes: Axes, place: Sequence[int] | np.ndarray, values: list[float]) -> None:
    known = [value for value in values if math.isfinite(value)]
    axes.plot(place, values, "o-", color=BLUE, lw=1.2)
    if known:
        middle = (min(known) + max(known)) / 2
        reach = max(0.6 * (max(known) - min(known)), 1.0)
        axes.set_ylim(middle - reach, middle + reach)
