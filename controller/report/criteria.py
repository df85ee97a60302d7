"""Pass or fail, by the criteria that the protocol set before the session."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from controller.protocol.form import Criteria
from controller.report.landings import Cell

SIGNS = {"pass": "✓", "fail": "✕", "open": "○"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One criterion.

    Parameters
    ----------
    name, asked, found : str
        As shown.
    outcome : {"pass", "fail", "open"}
        Open where the records do not say.
    """

    name: str
    asked: str
    found: str
    outcome: str

    @property
    def sign(self) -> str:
        """The outcome without colour."""
        return SIGNS[self.outcome]


def judged_by(
    criteria: Criteria | None,
    cells: Sequence[Cell],
    summary: Mapping[str, Any],
    pulse_conditions: Mapping[int, str],
) -> tuple[Judged, ...]:
    """Hold a session against the criteria; none without criteria.

    Parameters
    ----------
    criteria : Criteria or None
    cells : sequence of Cell
    summary : mapping
    pulse_conditions : mapping of int to str
        Every condition that gives pulses, whether it got any or not.
    """
    if criteria is None:
        return ()
    found = []
    if criteria.max_bias_deg is not None:
        found.append(_bias(criteria.max_bias_deg, cells))
    if criteria.max_circular_sd_deg is not None:
        found.append(_spread(criteria.max_circular_sd_deg, cells))
    if criteria.min_pulses is not None:
        found.append(_pulses(criteria.min_pulses, cells, pulse_conditions))
    if criteria.max_refused_share is not None:
        found.append(_refused(criteria.max_refused_share, summary))
    return tuple(found)


def verdict_of(judged: Sequence[Judged]) -> str:
    """Return `pass`, `fail`, or `open` if something is not known and nothing failed."""
    outcomes = {each.outcome for each in judged}
    if "fail" in outcomes:
        return "fail"
    return "open" if "open" in outcomes or not outcomes else "pass"


def _bias(most_deg: float, cells: Sequence[Cell]) -> Judged:
    return _worst(
        "mean phase error of each condition",
        most_deg,
        [(abs(math.degrees(best.mean_rad)), cell) for best, cell in _aimed(cells)],
        "±",
    )


def _spread(most_deg: float, cells: Sequence[Cell]) -> Judged:
    return _worst(
        "circular SD of each condition",
        most_deg,
        [(math.degrees(best.sd_rad), cell) for best, cell in _aimed(cells)],
        "",
    )


def _aimed(cells: Sequence[Cell]) -> list[tuple[Any, Cell]]:
    return [
        (cell.best, cell)
        for cell in cells
        if cell.best is not None and cell.words != "by the clock"
    ]


def _worst(
    name: str, most_deg: float, values: Sequence[tuple[float, Cell]], mark: str
) -> Judged:
    asked = f"at most {mark}{most_deg:g}°"
    if not values:
        return Judged(name=name, asked=asked, found="not known", outcome="open")
    worst, cell = max(values, key=lambda each: each[0])
    shown = f"{worst:.1f}°" if math.isfinite(worst) else "no preferred phase"
    found = f"{shown} at most ({cell.title})"
    outcome = "pass" if worst <= most_deg else "fail"
    return Judged(name=name, asked=asked, found=found, outcome=outcome)


def _pulses(
    least: int, cells: Sequence[Cell], pulse_conditions: Mapping[int, str]
) -> Judged:
    counts = dict.fromkeys(pulse_conditions, 0)
    for cell in cells:
        counts[cell.condition] = counts.get(cell.condition, 0) + cell.n_fired
    name, asked = "trials fired of each condition", f"at least {least}"
    if not counts:
        return Judged(name=name, asked=asked, found="0", outcome="fail")
    fewest = min(counts, key=lambda each: counts[each])
    of = pulse_conditions.get(fewest, f"condition {fewest}")
    return Judged(
        name=name,
        asked=asked,
        found=f"{counts[fewest]} at least ({of})",
        outcome="pass" if counts[fewest] >= least else "fail",
    )


def _refused(most: float, summary: Mapping[str, Any]) -> Judged:
    planned = summary["pulses"]["planned"]
    refused = sum(summary["pulses"]["refused"].values())
    name, asked = "share of planned pulses that were refused", f"at most {most:.0%}"
    if planned == 0:
        return Judged(name=name, asked=asked, found="none planned", outcome="open")
    share = refused / planned
    return Judged(
        name=name,
        asked=asked,
        found=f"{share:.1%} ({refused} of {planned})",
        outcome="pass" if share <= most else "fail",
    )
