"""The calibration page's figures: spectrum, phase errors, and what a gate costs."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.projections.polar import PolarAxes

from controller.calibration.result import GateLevel
from controller.estimators.rhythm import Rhythm
from controller.kernels.circular import circular_mean, circular_sd, resultant_length
from controller.kernels.jit import Float64Array
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
from controller.report.words import MINUS, signed

_SHOWN_HZ = (2.0, 40.0)
_LOWEST_HZ = 0.25
_TICKS_HZ = (0.25, 0.5, 1, 2, 4, 6, 8, 10, 12, 15, 20, 30, 40)
_N_BINS = 24
_HEADROOM = 1.12
_NAMES_APART = 0.09  # of the axes, about the height of a name
_TURNS = {
    0: "0° on target",
    45: "",
    90: "+90°\nlate",
    135: "",
    180: "±180° opposite",
    225: "",
    270: f"{MINUS}90°\nearly",
    315: "",
}


def spectrum_figure(rhythm: Rhythm) -> str:
    """Draw the power spectrum, the 1/f line and the peak that was found."""
    spectrum = rhythm.spectrum
    hz = spectrum.frequencies_hz
    # An octave below the band, so that a slow rhythm has its place too.
    lowest_hz = max(min(_SHOWN_HZ[0], rhythm.band_hz[0] / 2.0), _LOWEST_HZ)
    shown = (hz >= lowest_hz) & (hz <= _SHOWN_HZ[1])
    line = rhythm.background.power_uv2_per_hz(hz[shown])
    with drawing():
        figure = new_figure(6.4, 4.6)
        axes = figure.add_subplot()
        axes.axvspan(*rhythm.band_hz, color=PALE, lw=0, label="pass band")
        axes.plot(
            hz[shown],
            spectrum.power_uv2_per_hz[shown],
            color=BLUE,
            lw=1.8,
            label="rest",
        )
        axes.plot(hz[shown], line, color=ORANGE, lw=2, ls="--", label="1/f line")
        base = float(
            rhythm.background.power_uv2_per_hz(np.array([rhythm.frequency_hz]))[0]
        )
        top = base * 10.0 ** (rhythm.snr_db / 10.0)
        axes.plot([rhythm.frequency_hz] * 2, [base, top], color=VERMILION, lw=2)
        axes.plot(rhythm.frequency_hz, top, "o", color=VERMILION, ms=6)
        axes.annotate(
            f"{rhythm.frequency_hz:.2f} Hz\n{rhythm.snr_db:.1f} dB",
            (rhythm.frequency_hz, top),
            xytext=(14, 0),
            textcoords="offset points",
            va="top",
            color=VERMILION,
        )
        axes.set_xscale("log")
        axes.set_yscale("log")
        ticks = [tick for tick in _TICKS_HZ if hz[shown][0] <= tick <= hz[shown][-1]]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.xaxis.minorticks_off()
        axes.set_xlim(hz[shown][0], hz[shown][-1])
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * 1.8)
        axes.set_xlabel("frequency (Hz)")
        axes.set_ylabel("power (µV²/Hz)")
        axes.grid(axis="y")
        axes.legend(loc="lower left")
        words = f"Power spectrum with a peak at {rhythm.frequency_hz:.2f} Hz"
        return to_svg(figure, "spectrum", words)


def error_figure(errors_all: Float64Array, errors_gated: Float64Array) -> str:
    """Draw phase errors around the cycle: without a gate and behind the chosen one.

    Parameters
    ----------
    errors_all, errors_gated : array, shape (n,)
        Radians, delivered minus target; a head without values says so.
    """
    with drawing():
        figure = new_figure(10.6, 5.1)
        # Placed by hand: the layout engine forgets the words around a polar plot.
        figure.set_layout_engine("none")
        for k, (title, errors) in enumerate(
            (
                ("without a gate", errors_all),
                ("behind the recommended gate", errors_gated),
            )
        ):
            axes = figure.add_axes(
                (0.07 + 0.5 * k, 0.08, 0.36, 0.71), projection="polar"
            )
            assert isinstance(axes, PolarAxes)
            _cycle(axes, errors)
            axes.set_title(_polar_title(title, errors), loc="center", pad=18)
        return to_svg(figure, "errors", "Phase errors around the cycle")


def _polar_title(title: str, errors: Float64Array) -> str:
    if not errors.size:
        return f"{title}\nnothing scored"
    sd = math.degrees(circular_sd(errors))
    spread = f"SD {sd:.0f}°" if math.isfinite(sd) else "no preferred phase"
    mean = math.degrees(circular_mean(errors))
    return f"{title}\n{spread}, mean {signed(mean, digits=0)}°, n = {errors.size:,}"


def _cycle(axes: PolarAxes, errors: Float64Array) -> None:
    counts, edges = np.histogram(errors, _N_BINS, range=(-math.pi, math.pi))
    largest = max(float(counts.max()), 1.0)
    reach = _HEADROOM * largest
    width = 2 * math.pi / _N_BINS
    axes.bar(0.0, reach, math.pi / 2, color=PALE, zorder=0)
    axes.bar(
        (edges[:-1] + edges[1:]) / 2,
        counts,
        width,
        color=BLUE,
        edgecolor="white",
        lw=0.6,
    )
    if errors.size:
        mean, length = circular_mean(errors), resultant_length(errors) * reach
        axes.plot([mean] * 2, [0, length], color=INK, lw=3)
        axes.plot([mean], [length], "o", color=INK, ms=6)
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set_ylim(0, reach)
    axes.set_xticks(np.radians(list(_TURNS)), list(_TURNS.values()))
    axes.set_yticks([])
    axes.tick_params(axis="x", pad=8)
    axes.grid(color="#CFCFCF", lw=0.7)
    axes.spines["polar"].set_color(GREY)


def trade_off_figure(levels: Sequence[GateLevel], recommended: int) -> str:
    """Draw the expected circular SD against triggers per minute, gate by gate.

    Levels without a preferred phase have no place in it.
    """
    with drawing():
        figure = new_figure(6.4, 4.6)
        axes = figure.add_subplot()
        known = [level for level in levels if math.isfinite(level.circ_sd_rad)]
        rate = [level.triggers_per_minute for level in known]
        sd = [math.degrees(level.circ_sd_rad) for level in known]
        axes.plot(rate, sd, "-o", color=BLUE, lw=1.8, ms=7)
        named: list[tuple[float, float]] = []
        # The chosen one first: names of others must not stand on it.
        for level, x, y in sorted(
            zip(known, rate, sd, strict=True),
            key=lambda row: row[0] is not levels[recommended],
        ):
            chosen = level is levels[recommended]
            if chosen:
                axes.plot(x, y, "o", color=VERMILION, ms=12)
            place = x / max([*rate, 1e-9]), y / max([*sd, 1e-9])
            if any(math.dist(place, other) < _NAMES_APART for other in named):
                continue
            named.append(place)
            axes.annotate(
                _gate_words(level),
                (x, y),
                xytext=(9, -5) if not chosen else (12, -6),
                va="top",
                textcoords="offset points",
                color=VERMILION if chosen else INK,
                weight="bold" if chosen else "normal",
            )
        axes.set_xlim(0, 1.18 * max(rate, default=1.0) or 1.0)
        axes.set_ylim(0, 1.12 * max(sd, default=1.0) or 1.0)
        axes.set_xlabel("triggers per minute")
        axes.set_ylabel("expected circular SD (°)")
        axes.grid()
        return to_svg(figure, "trade-off", "Expected circular SD against triggers")


def _gate_words(level: GateLevel) -> str:
    return f"{level.percentile:g} %" if level.percentile > 0.0 else "open"
