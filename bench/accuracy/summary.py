"""Medians over recordings, and paired contrasts on the recordings that two share."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import scipy.stats

from bench.accuracy.evaluate import Result
from bench.accuracy.outcome import figures
from controller.kernels.jit import Float64Array

_SIGNED = ("bias_deg", "trigger_bias_deg", "ungated_trigger_bias_deg")
"""Their medians are of the size: biases of either sign must not cancel."""

PROMISE_WITHIN_DEG = 3.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """An estimator's circular SD against the reference's, paired by recording.

    Parameters
    ----------
    estimator : str
    n : int
        Recordings that both have.
    difference_deg : float
        Median of the estimator's minus the reference's.
    wins : int
        Recordings on which the reference has the smaller one.
    p : float
        Wilcoxon signed-rank test, two-sided; NaN where all differences are zero.
    """

    estimator: str
    n: int
    difference_deg: float
    wins: int
    p: float


def scored(results: Sequence[Result], estimator: str | None = None) -> list[Result]:
    """Return the results that have figures, of one estimator or of all."""
    return [
        result
        for result in results
        if result.main is not None and estimator in (None, result.estimator)
    ]


def estimators(results: Sequence[Result]) -> list[str]:
    """Return the estimators, smallest median circular SD first, the refused last."""
    names = dict.fromkeys(result.estimator for result in results)
    medians = {name: median(scored(results, name), "circ_sd_deg") for name in names}
    return sorted(
        names, key=lambda name: (math.isnan(medians[name]), medians[name], name)
    )


def values(results: Sequence[Result], figure: str) -> Float64Array:
    """Return one figure of every result, biases without their sign, NaN left out.

    Parameters
    ----------
    results : sequence of Result
    figure : str
        A name of `outcome.figures`.
    """
    found = np.array([figures(result)[figure] for result in results], dtype=np.float64)
    if figure in _SIGNED:
        found = np.abs(found)
    return found[~np.isnan(found)]


def median(results: Sequence[Result], figure: str) -> float:
    """Return the median of one figure, NaN without any."""
    found = values(results, figure)
    return float(np.median(found)) if found.size else math.nan


def pairs(
    results: Sequence[Result], one: str, other: str, figure: str
) -> tuple[Float64Array, Float64Array]:
    """Return a figure of two estimators on the recordings that both have.

    Parameters
    ----------
    results : sequence of Result
    one, other, figure : str
    """
    sides = [
        {result.recording: figures(result)[figure] for result in scored(results, name)}
        for name in (one, other)
    ]
    both = [
        recording
        for recording in sides[0]
        if recording in sides[1]
        and not math.isnan(sides[0][recording] + sides[1][recording])
    ]
    first, second = (np.array([side[name] for name in both]) for side in sides)
    return first, second


def contrast(results: Sequence[Result], reference: str, estimator: str) -> Contrast:
    """Return how an estimator's circular SD compares with the reference's."""
    ours, theirs = pairs(results, reference, estimator, "circ_sd_deg")
    difference = theirs - ours
    p = math.nan
    if np.any(difference != 0.0):
        p = float(scipy.stats.wilcoxon(difference).pvalue)
    return Contrast(
        estimator=estimator,
        n=difference.size,
        difference_deg=float(np.median(difference)) if difference.size else math.nan,
        wins=int(np.count_nonzero(difference > 0.0)),
        p=p,
    )


def promise_errors(results: Sequence[Result]) -> Float64Array:
    """Return promised minus achieved SD behind the median gate, where known."""
    found = [
        (values["promised_sd_deg"] - values["sd_gate50_deg"])
        for values in map(figures, scored(results))
    ]
    errors = np.array(found, dtype=np.float64)
    return errors[~np.isnan(errors)]


def promise_kept(results: Sequence[Result]) -> float:
    """Return the share of recordings whose promise is within 3 degrees, NaN of none."""
    errors = promise_errors(results)
    if errors.size == 0:
        return math.nan
    return float((np.abs(errors) <= PROMISE_WITHIN_DEG).mean())
