"""The report's figure of one circle for each condition."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.projections.polar import PolarAxes

from controller.kernels.jit import Float64Array
from controller.report.epochs import Average
from controller.report.figures import calm_limits
from controller.report.landings import Cell
from controller.report.svg import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    VERMILION,
    drawing,
    new_figure,
    to_svg,
)
from controller.report.words import MINUS

MOST_CIRCLES = 12
_IN_A_ROW = 4
_COLOURS = (BLUE, VERMILION, GREEN, ORANGE)
MOST_LINES = len(_COLOURS)
_N_BINS = 24
_HEADROOM = 1.12
_LABELS = ("0°", "+90°", "±180°", f"{MINUS}90°")


def circles_figure(cells: Sequence[Cell]) -> str:
    """Draw where the pulses of each condition landed; empty if none is known.

    Parameters
    ----------
    cells : sequence of Cell
        Those beyond `MOST_CIRCLES` are left out.
    """
    shown = [cell for cell in cells if len(cell.phases_rad)][:MOST_CIRCLES]
    if not shown:
        return ""
    n_columns = min(_IN_A_ROW, len(shown))
    n_rows = math.ceil(len(shown) / n_columns)
    with drawing():
        figure = new_figure(3.05 * _IN_A_ROW, 3.9 * n_rows)
        for place, cell in enumerate(shown):
            axes = figure.add_subplot(n_rows, _IN_A_ROW, place + 1, projection="polar")
            assert isinstance(axes, PolarAxes)
            _circle(axes, cell)
        return to_svg(
            figure, "circles", "Achieved phase around the cycle, by condition"
        )


def averages_figure(averages: Sequence[tuple[str, Average]]) -> str:
    """Draw the mean of the virtual channel around the pulses of each condition.

    Parameters
    ----------
    averages : sequence of (title, Average)
        Those beyond `MOST_LINES` are left out.
    """
    with drawing():
        figure = new_figure(12.2, 4.2)
        axes = figure.add_subplot()
        for (title, average), colour in zip(averages, _COLOURS, strict=False):
            t_ms, mean, sem = average.t_s * 1e3, average.mean_uv, average.sem_uv
            axes.fill_between(
                t_ms, mean - sem, mean + sem, color=colour, alpha=0.2, lw=0
            )
            label = f"{title}, n = {average.n}"
            axes.plot(t_ms, mean, color=colour, lw=1.5, label=label)
        axes.axvline(0, color=GREY, ls="--", lw=1.5)
        axes.set_ylim(*calm_limits([average for _, average in averages[:MOST_LINES]]))
        axes.set_xlim(t_ms[0], t_ms[-1])
        axes.set_xlabel("time from the edge at the device (ms)")
        axes.set_ylabel("virtual channel (µV)")
        axes.grid(axis="y")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0)
        return to_svg(figure, "average", "Average EEG around the pulses, by condition")


def phase_counts(phases: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return counts and edges of the histogram that a circle shows."""
    counts, edges = np.histogram(phases, _N_BINS, range=(-math.pi, math.pi))
    return counts.astype(np.float64), edges


def _circle(axes: PolarAxes, cell: Cell) -> None:
    counts, edges = phase_counts(cell.phases_rad)
    counts /= cell.n_each
    reach = _HEADROOM * float(counts.max())
    if cell.target_rad is not None:
        axes.bar(cell.target_rad, reach, math.pi / 2, color=PALE, zorder=0)
        axes.plot([cell.target_rad] * 2, [0, reach], color=VERMILION, lw=2, ls="--")
    middles = (edges[:-1] + edges[1:]) / 2
    axes.bar(
        middles, counts, 2 * math.pi / _N_BINS, color=BLUE, edgecolor="white", lw=0.4
    )
    mean = np.mean(np.exp(1j * cell.phases_rad))
    tip = [float(np.angle(mean))] * 2
    axes.plot(tip, [0, abs(mean) * reach], color=INK, lw=2.5)
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set_ylim(0, reach)
    axes.set_xticks(np.radians([0, 90, 180, 270]), _LABELS)
    axes.set_yticks([float(counts.max())], [f"{counts.max():.0f}"])
    axes.set_rlabel_position(135)
    axes.grid(color="#CFCFCF", lw=0.7)
    axes.spines["polar"].set_color(GREY)
    n = len(cell.phases_rad) // cell.n_each
    axes.set_title(f"{cell.title}\nn = {n}", fontsize=10, loc="center", pad=14)
