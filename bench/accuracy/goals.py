"""The goals, as ratios within one run and on the same recordings, met or missed."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from bench.accuracy.evaluate import Result
from bench.accuracy.summary import (
    median,
    pairs,
    promise_errors,
    promise_kept,
    scored,
)
from bench.rows import Bound

ECHT, PEAP, KALMAN = "echt", "peap", "kalman"
PUBLISHED = (
    *("phastimate", "peap", "etp", "echt", "echt-calibrated"),
    *("kalman", "kalman1", "resonant", "non-resonant"),
    *("cfir", "wcfir", "iir", "pll", "zero-crossing"),
)
"""Estimators that others published; for the goal that asks for the best of them."""

HORIZON_S = 0.010
"""What the goals are stated for."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One goal and what a run reached.

    Parameters
    ----------
    name : str
    value : float
        NaN where the run does not tell.
    bound : Bound
    detail : str
        What the figure is made of, or what is missing.
    """

    name: str
    value: float
    bound: Bound
    detail: str

    @property
    def verdict(self) -> str:
        """Met, missed, or not measured."""
        if math.isnan(self.value):
            return "not measured"
        return "met" if self.bound.admits(self.value) else "missed"


def goals_of(results: Sequence[Result], default: str, montage: str) -> list[Goal]:
    """Return the goals that belong to a montage, or to the synthetic recordings.

    Parameters
    ----------
    results : sequence of Result
    default : str
        The estimator that the goals are about.
    montage : str
        "synthetic" for recordings of known phase.
    """
    if montage == "synthetic":
        return _synthetic(results, default)
    found: list[Goal] = []
    if montage == "occipital":
        found = [
            _ratio(results, default, ECHT, "circ_sd_deg", "<= 0.79"),
            _ratio(results, default, PEAP, "sd_gate50_deg", "<= 0.86"),
            *_triggers(results, default),
        ]
    if montage == "c3-hjorth":
        found = [
            _ratio(results, default, ECHT, "circ_sd_deg", "<= 0.77"),
            _ratio(results, default, PEAP, "circ_sd_deg", "<= 0.9"),
        ]
    if montage == "fz":
        with_peak = [result for result in results if result.has_peak]
        best = max(
            (name for name in PUBLISHED if scored(with_peak, name)),
            key=lambda name: median(scored(with_peak, name), "r"),
            default="any published estimator",
        )
        found = [_ratio(with_peak, default, best, "r", ">= 1.18", "with a peak: ")]
    return [*found, _promise(results, default)]


def _ratio(
    results: Sequence[Result],
    ours: str,
    theirs: str,
    figure: str,
    bound: str,
    which: str = "",
) -> Goal:
    """Return the ratio of medians over the recordings that both have."""
    name = f"{which}{figure}, {ours} / {theirs}"
    one, other = pairs(results, ours, theirs, figure)
    if one.size == 0:
        return Goal(
            name=name,
            value=math.nan,
            bound=Bound.parse(bound),
            detail=f"no recording with both {ours} and {theirs} in this run",
        )
    return Goal(
        name=name,
        value=float(np.median(one) / np.median(other)),
        bound=Bound.parse(bound),
        detail=f"{np.median(one):.3g} / {np.median(other):.3g} over {one.size}; median "
        f"of the single ratios {np.median(one / other):.3f}",
    )


def _triggers(results: Sequence[Result], ours: str) -> list[Goal]:
    chosen = scored(results, ours)
    return [
        Goal(
            name=f"{figure}, {ours}, behind the median gate",
            value=median(chosen, figure),
            bound=Bound.parse(bound),
            detail=f"median of {len(chosen)}{words}",
        )
        for figure, bound, words in (
            ("trigger_sd_deg", "<= 19.5", ""),
            ("trigger_bias_deg", "<= 2", ", without its sign"),
            ("trigger_within_45", ">= 0.96", ""),
        )
    ]


def _promise(results: Sequence[Result], ours: str) -> Goal:
    chosen = scored(results, ours)
    errors = promise_errors(chosen)
    return Goal(
        name=f"share of recordings with the promise within 3 deg, {ours}",
        value=promise_kept(chosen),
        bound=Bound.parse(">= 0.9"),
        detail="no promises in this run"
        if errors.size == 0
        else f"{int((np.abs(errors) <= 3.0).sum())} of {errors.size}; promised minus "
        f"achieved from {errors.min():+.1f} to {errors.max():+.1f} deg",
    )


def _synthetic(results: Sequence[Result], ours: str) -> list[Goal]:
    cells = dict.fromkeys(result.cell for result in results)
    return [
        _ratio(
            [result for result in results if result.cell == cell],
            ours,
            KALMAN,
            "r",
            ">= 1",
            f"{cell}: ",
        )
        for cell in cells
    ]
