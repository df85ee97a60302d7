"""The table of landings, as shown."""

import math
from collections.abc import Sequence

from controller.report.landing_statistics import Measured
from controller.report.landings import Cell, Landings
from controller.report.statistics import p_words
from controller.report.words import signed

SOURCES = {
    "whole": "fired pulses, whole recording",
    "before": "fired pulses, data before the pulse only",
    "shadows": "shadows, never fired",
}


def landing_rows(cells: Sequence[Cell]) -> list[list[str]]:
    """Return one row for each source of each cell; the believed one is marked."""
    rows = []
    for cell in cells:
        for place, measured in enumerate(cell.measured):
            title = cell.title if place == 0 else ""
            mark = "✓ " if measured == cell.best and len(cell.measured) > 1 else ""
            rows.append([title, mark + SOURCES[measured.source], *_figures(measured)])
        if not cell.measured:
            nothing = f"{cell.n_fired} fired, none scored"
            rows.append([cell.title, nothing, *["n/a"] * 6])
    return rows


def measured_sentence(measured: Measured) -> str:
    """Return source, interval of the mean, and tests, one sentence."""
    around = _figures(measured)[2]
    parts = [f"From {SOURCES[measured.source]}"]
    if measured.interval is not None:
        parts.append(f"95 % interval of the mean error {around}")
    if measured.rayleigh_p is not None:
        parts.append(f"Rayleigh test {p_words(measured.rayleigh_p)}")
    if measured.v_p is not None:
        parts.append(f"V test towards the target {p_words(measured.v_p)}")
    parts.append(f"n = {measured.n}")
    return "; ".join(parts) + "."


def method_sentence(landings: Landings) -> str:
    """Return what is to be known of the sources; empty where there is only one."""
    method = landings.method
    seen = (
        "The pulses can be seen in the virtual channel itself, so the whole recording "
        "is not to be believed around them. "
        if landings.artifact
        else ""
    )
    if method is None:
        missing = (
            "No stretch without pulses was long enough to fit a predictor to, so the "
            "phase is not known from the data before the pulses alone."
        )
        return seen + missing if landings.artifact else ""
    return (
        f"{seen}Data before the pulse only: predicted from the samples up to 3 ms "
        f"before it. Measured at {method.n_mock} moments without pulses, weighed by "
        "how strong the rhythm was at the pulses, this prediction is off by "
        f"{signed(math.degrees(method.bias_rad))}° on average, with a circular SD of "
        f"{math.degrees(method.sd_rad):.1f}°; mean and SD in the table are corrected "
        "for both."
    )


def _figures(measured: Measured) -> list[str]:
    sd = math.degrees(measured.sd_rad)
    interval = measured.interval
    around = (
        "n/a"
        if interval is None
        else f"{signed(math.degrees(interval.low))} to "
        f"{signed(math.degrees(interval.high))}°"
    )
    return [
        f"{measured.n}",
        f"{signed(math.degrees(measured.mean_rad))}°",
        around,
        f"{sd:.1f}°" if math.isfinite(sd) else "none preferred",
        _p_cell(measured.rayleigh_p),
        _p_cell(measured.v_p),
    ]


def _p_cell(p: float | None) -> str:
    return "n/a" if p is None else p_words(p).removeprefix("p ").removeprefix("= ")
