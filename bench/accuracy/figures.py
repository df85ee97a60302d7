"""Figures of a run: spread by estimator, where triggers landed, promise and result."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.projections.polar import PolarAxes

from bench.accuracy.evaluate import Result
from bench.accuracy.outcome import figures
from bench.accuracy.summary import (
    PROMISE_WITHIN_DEG,
    estimators,
    median,
    scored,
    values,
)
from controller.kernels.circular import circular_mean, resultant_length
from controller.report.svg import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    VERMILION,
    drawing,
    new_figure,
    to_svg,
)

_N_BINS = 24
_ACROSS = 6


def bars_figure(results: Sequence[Result], default: str) -> str:
    """Draw the median circular SD of each estimator, with the recordings as dots."""
    names = [name for name in estimators(results) if scored(results, name)]
    with drawing():
        figure = new_figure(12.2, 1.2 + 0.34 * len(names))
        axes = figure.add_subplot()
        for k, name in enumerate(names):
            ours = scored(results, name)
            middle = median(ours, "circ_sd_deg")
            color = ORANGE if name == default else BLUE
            axes.barh(k, middle, height=0.7, color=color, alpha=0.75)
            dots = values(ours, "circ_sd_deg")
            axes.plot(dots, np.full(dots.size, k), "o", color=INK, ms=3.5, alpha=0.6)
            axes.plot(
                median(ours, "sd_gate50_deg"), k, "|", color="white", ms=13, mew=3
            )
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(0, None)
        axes.set_xlabel("circular SD (degrees)")
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        return to_svg(figure, "bars", "Median circular SD of each estimator")


def triggers_figure(results: Sequence[Result]) -> str:
    """Draw where gated triggers of all recordings landed, the target on top."""
    pooled = {}
    for name in estimators(results):
        measured = [result.main for result in scored(results, name) if result.main]
        errors = np.radians([e for one in measured for e in one.gated.errors_deg])
        if errors.size:
            pooled[name] = errors
    if not pooled:
        return ""
    n_down = math.ceil(len(pooled) / _ACROSS)
    with drawing():
        figure = new_figure(12.2, 2.5 * n_down)
        for k, (name, errors) in enumerate(pooled.items()):
            axes = figure.add_subplot(n_down, _ACROSS, k + 1, projection="polar")
            assert isinstance(axes, PolarAxes)
            _rose(axes, name, errors)
        return to_svg(figure, "triggers", "Phase of triggers about the target")


def _rose(axes: PolarAxes, name: str, errors_rad: np.ndarray) -> None:
    counts, edges = np.histogram(errors_rad, _N_BINS, range=(-math.pi, math.pi))
    reach = 1.05 * float(counts.max())
    axes.bar(0.0, reach, math.pi / 2, color=PALE, zorder=0)
    middles = (edges[:-1] + edges[1:]) / 2
    axes.bar(middles, counts, 2 * math.pi / _N_BINS, color=BLUE, ec="white", lw=0.4)
    mean, length = circular_mean(errors_rad), resultant_length(errors_rad)
    axes.plot([mean, mean], [0, reach * length], color=INK, lw=2)
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set_ylim(0, reach)
    axes.set_xticks(np.radians([0, 90, 180, 270]), [""] * 4)
    axes.set_yticks([])
    axes.set_title(f"{name}\nn = {errors_rad.size}", loc="center", fontsize=10)
    axes.grid(color="#CFCFCF", lw=0.6)
    axes.spines["polar"].set_color(GREY)


def promise_figure(results: Sequence[Result], default: str) -> str:
    """Draw achieved against promised circular SD; the default estimator in front."""
    points = {
        name: [
            (found["promised_sd_deg"], found["sd_gate50_deg"])
            for found in map(figures, scored(results, name))
            if not math.isnan(found["promised_sd_deg"])
        ]
        for name in estimators(results)
    }
    every = np.array([pair for found in points.values() for pair in found])
    if every.size == 0:
        return ""
    reach = np.array([max(0.0, every.min() - 5.0), every.max() + 5.0])
    with drawing():
        figure = new_figure(6.6, 6.2)
        axes = figure.add_subplot()
        axes.fill_between(
            reach, reach - PROMISE_WITHIN_DEG, reach + PROMISE_WITHIN_DEG, color=PALE
        )
        axes.plot(reach, reach, color=GREY, lw=1)
        for name, found in points.items():
            if found and name != default:
                axes.plot(*np.transpose(found), "o", color=GREY, ms=3.5, alpha=0.5)
        if points.get(default):
            x, y = np.transpose(points[default])
            axes.plot(x, y, "o", color=VERMILION, ms=7, label=default)
            axes.legend(loc="upper left")
        axes.set_xlim(*reach)
        axes.set_ylim(*reach)
        axes.set_aspect("equal")
        axes.set_xlabel("promised circular SD behind the median gate (degrees)")
        axes.set_ylabel("achieved (degrees)")
        return to_svg(figure, "promise", "Achieved against promised circular SD")
