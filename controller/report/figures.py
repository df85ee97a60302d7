"""The report's figures of phase, average and latency."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.projections.polar import PolarAxes

from controller.kernels.circular import circular_mean, resultant_length
from controller.kernels.jit import Float64Array
from controller.report.epochs import Average
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
from controller.report.words import LATENCY_TITLES, MINUS, phase_words

_N_PHASE_BINS = 24
_N_LATENCY_BINS = 40
_HEADROOM = 1.12
_ARTIFACT_MS = (-5.0, 40.0)
_PHASE_LABELS = {
    0: "0° peak",
    45: "",
    90: "+90°\nfalling",
    135: "",
    180: "±180° trough",
    225: "",
    270: f"{MINUS}90°\nrising",
    315: "",
}


def polar_figure(
    phases: Float64Array, targets: Sequence[float], n_each: int = 1
) -> str:
    """Draw achieved phases around the cycle, with the targets.

    Parameters
    ----------
    phases : array, shape (n,)
        Radians; at least one.
    targets : sequence of float
        Radians.
    n_each : int
        How many phases stand for one pulse.
    """
    counts, edges = np.histogram(phases, _N_PHASE_BINS, range=(-math.pi, math.pi))
    counts = counts / n_each
    reach = _HEADROOM * float(counts.max())
    with drawing():
        figure = new_figure(5.4, 5.2)
        axes = figure.add_subplot(projection="polar")
        assert isinstance(axes, PolarAxes)
        for target in targets:
            axes.bar(target, reach, math.pi / 2, color=PALE, zorder=0)
            axes.plot([target] * 2, [0, reach], color=VERMILION, lw=2.5, ls="--")
        middles = (edges[:-1] + edges[1:]) / 2
        width = 2 * math.pi / _N_PHASE_BINS
        axes.bar(middles, counts, width, color=BLUE, edgecolor="white", lw=0.6)
        mean, length = circular_mean(phases), resultant_length(phases) * reach
        axes.plot([mean] * 2, [0, length], color=INK, lw=3)
        axes.plot([mean], [length], "o", color=INK, ms=6)
        _dress_cycle(axes, reach, float(counts.max()))
        label = f"Achieved phase of {len(phases) // n_each} pulses around the cycle"
        return to_svg(figure, "polar", label)


def _dress_cycle(axes: PolarAxes, reach: float, largest: float) -> None:
    """Put the peak on top and let time run clockwise."""
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set_ylim(0, reach)
    axes.set_xticks(np.radians(list(_PHASE_LABELS)), list(_PHASE_LABELS.values()))
    axes.set_yticks([largest], [f"{largest:.3g}"])
    axes.set_rlabel_position(135)
    axes.tick_params(axis="x", pad=10)
    axes.grid(color="#CFCFCF", lw=0.7)
    axes.spines["polar"].set_color(GREY)


def average_figure(average: Average, targets: Sequence[float]) -> str:
    """Draw the mean of the virtual channel around the pulses, with its SEM."""
    words = f"pulse, {len(targets)} targets mixed"
    if len(targets) == 1:
        words = f"pulse, aimed at {phase_words(math.degrees(targets[0]))}"
    with drawing():
        figure = new_figure(6.6, 4.6)
        axes = figure.add_subplot()
        t_ms = average.t_s * 1e3
        low, high = average.mean_uv - average.sem_uv, average.mean_uv + average.sem_uv
        axes.fill_between(t_ms, low, high, color=BLUE, alpha=0.25, lw=0)
        axes.plot(t_ms, average.mean_uv, color=BLUE, lw=1.6)
        axes.axvline(0, color=VERMILION, ls="--", lw=2)
        axes.set_title(words, color=VERMILION, loc="center")
        axes.set_xlim(t_ms[0], t_ms[-1])
        axes.set_ylim(*calm_limits([average]))
        axes.set_xlabel("time from the edge at the device (ms)")
        axes.set_ylabel("virtual channel (µV)")
        axes.grid(axis="y")
        label = f"Average EEG around {average.n} pulses with its standard error"
        return to_svg(figure, "average", label)


def calm_limits(averages: Sequence[Average]) -> tuple[float, float]:
    """Return limits as high as the rhythm: an artifact is a hundred times higher."""
    ends = []
    for average in averages:
        t_ms = average.t_s * 1e3
        calm = (t_ms < _ARTIFACT_MS[0]) | (t_ms > _ARTIFACT_MS[1])
        ends.append(average.mean_uv[calm] - average.sem_uv[calm])
        ends.append(average.mean_uv[calm] + average.sem_uv[calm])
    bottom, top = float(np.min(ends)), float(np.max(ends))
    margin = max(0.15 * (top - bottom), 0.1)
    return bottom - margin, top + margin


def latency_figure(latencies: Mapping[str, Float64Array]) -> str:
    """Draw one histogram for each latency, microseconds.

    Parameters
    ----------
    latencies : mapping of str to array
        Seconds, by name; at least one of them with values.
    """
    shown = {name: values * 1e6 for name, values in latencies.items() if len(values)}
    with drawing():
        figure = new_figure(12.2, 3.6)
        # Three places always, so that a missing one does not stretch the others.
        places = figure.subplots(1, len(LATENCY_TITLES), squeeze=False)[0]
        for axes, (name, title) in zip(places, LATENCY_TITLES.items(), strict=True):
            axes.set_title(title, pad=26)
            if name in shown:
                _histogram(axes, shown[name])
            else:
                axes.set_axis_off()
                axes.text(0.5, 0.5, "not measured", ha="center", color=GREY)
        places[0].set_ylabel("count")
        return to_svg(figure, "latency", "Histograms of latencies")


def _histogram(axes: Axes, values: Float64Array) -> None:
    p50, p99 = np.quantile(values, [0.5, 0.99])
    low, high = _range(values)
    shown = values[values <= high]
    axes.hist(
        shown, _N_LATENCY_BINS, range=(low, high), color=BLUE, edgecolor="white", lw=0.4
    )
    axes.axvline(p50, color=INK, lw=2, label=f"p50  {p50:,.0f} µs")
    # Without a stroke where the figure does not reach, but named all the same.
    at_p99 = p99 if p99 <= high else math.nan
    axes.axvline(at_p99, color=ORANGE, lw=2, ls="--", label=f"p99  {p99:,.0f} µs")
    beyond = len(values) - len(shown)
    tail = f"; {beyond} beyond, up to {values.max():,.0f}" if beyond else ""
    axes.set_xlabel(f"µs (n = {len(values)}{tail})")
    axes.set_xlim(low, high)
    axes.locator_params(axis="x", nbins=5)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0, handlelength=1.4
    )


def _range(values: Float64Array) -> tuple[float, float]:
    """Return the ends of a histogram that one straggler must not squeeze."""
    low, p95, high = (float(q) for q in np.quantile(values, [0.0, 0.95, 1.0]))
    if high > 4 * p95 > 0:
        high = 2.5 * p95
    if 0 < low < 0.4 * high:
        low = 0.0
    margin = max(0.02 * (high - low), 0.5)
    return (low - margin if low != 0 else low), high + margin
