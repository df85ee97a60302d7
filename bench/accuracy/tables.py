"""The tables of a run, as text cells that any page can show."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from bench.accuracy.evaluate import Result
from bench.accuracy.goals import HORIZON_S, goals_of
from bench.accuracy.outcome import figures_at
from bench.accuracy.summary import (
    contrast,
    estimators,
    median,
    promise_kept,
    scored,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table; the first column is text, the others may be figures.

    Parameters
    ----------
    title, note : str
    header : tuple of str
    rows : tuple of tuple of str
    figures : bool
        Whether all columns but the first stand to the right.
    """

    title: str
    note: str = ""
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: bool = True


_COLUMNS = (
    ("R", "r", 3),
    ("circ SD", "circ_sd_deg", 1),
    ("abs bias", "bias_deg", 1),
    ("mean abs error", "mean_abs_error_deg", 1),
    ("SD top 50 %", "sd_top50_deg", 1),
    ("SD top 20 %", "sd_top20_deg", 1),
    ("SD gate 50", "sd_gate50_deg", 1),
    ("SD gate 20", "sd_gate20_deg", 1),
    ("trigger SD", "trigger_sd_deg", 1),
    ("trigger abs bias", "trigger_bias_deg", 1),
    ("within 45, no gate", "ungated_trigger_within_45", 2),
    ("within 45, gated", "trigger_within_45", 2),
    ("per minute, gated", "triggers_per_minute", 0),
    ("promised SD gate 50", "promised_sd_deg", 1),
    ("promised SD", "promised_all_sd_deg", 1),
    ("share sure of 45", "sure_share", 2),
    ("of those within 45", "sure_landed", 2),
)


def tables_of(
    results: Sequence[Result], *, default: str, reference: str, montage: str
) -> list[Table]:
    """Return every table that the results fill.

    Parameters
    ----------
    results : sequence of Result
    default : str
        The estimator that the goals are about.
    reference : str
        The estimator that the contrasts are against.
    montage : str
        "synthetic" for recordings of known phase.
    """
    synthetic = montage == "synthetic"
    found = [
        cells_table(results) if synthetic else None,
        medians_table(results),
        contrasts_table(results, reference),
        goals_table(results, default, montage),
        truths_table(results),
        horizons_table(results),
        refusals_table(results),
        None if synthetic else recordings_table(results),
    ]
    return [table for table in found if table is not None and table.rows]


def medians_table(results: Sequence[Result]) -> Table:
    """Return the medians over recordings, best estimator first."""
    rows = []
    for name in estimators(results):
        ours = scored(results, name)
        cells = [number(median(ours, key), digits) for _, key, digits in _COLUMNS]
        rows.append((name, str(len(ours)), *cells, number(promise_kept(ours), 2)))
    return Table(
        title="Medians over recordings",
        note="Degrees, but for R, shares and counts.",
        header=(
            *("estimator", "n"),
            *(title for title, _, _ in _COLUMNS),
            "promise within 3",
        ),
        rows=tuple(rows),
    )


def contrasts_table(results: Sequence[Result], reference: str) -> Table:
    """Return each estimator against the reference, paired by recording."""
    rows = []
    if scored(results, reference):
        for name in estimators(results):
            if name == reference or not scored(results, name):
                continue
            found = contrast(results, reference, name)
            rows.append(
                (
                    name,
                    str(found.n),
                    signed(found.difference_deg, 1),
                    f"{found.wins} of {found.n}",
                    p_words(found.p),
                )
            )
    return Table(
        title=f"Against {reference}, paired by recording",
        note=f"Difference in circular SD, degrees: positive where {reference} is "
        "better. Wilcoxon signed-rank test, two-sided, not corrected for the number "
        "of estimators.",
        header=("estimator", "n", "median difference", f"won by {reference}", "p"),
        rows=tuple(rows),
    )


def goals_table(results: Sequence[Result], default: str, montage: str) -> Table:
    """Return the goals; none at another horizon than they are stated for."""
    at = {next(iter(result.by_horizon), HORIZON_S) for result in results}
    goals = goals_of(results, default, montage) if at == {HORIZON_S} else []
    return Table(
        title="Goals",
        note="10 ms ahead; each ratio of medians on the recordings that both have.",
        header=("goal", "reached", "asked", "verdict", "made of"),
        rows=tuple(
            (
                goal.name,
                number(goal.value, 3),
                str(goal.bound),
                goal.verdict,
                goal.detail,
            )
            for goal in goals
        ),
        figures=False,
    )


def truths_table(results: Sequence[Result]) -> Table:
    """Return circular SD and rank by each truth."""
    names = [name for name in estimators(results) if scored(results, name)]
    others = dict.fromkeys(
        name
        for result in scored(results)
        for name in (result.main.others if result.main else ())
    )
    columns = [[median(scored(results, name), "circ_sd_deg") for name in names]]
    columns += [
        [_median_by(results, name, truth) for name in names] for truth in others
    ]
    ranks = [np.argsort(np.argsort(column)) + 1 for column in columns]
    rows = [
        (
            name,
            *(
                f"{number(column[k], 1)} ({rank[k]})"
                for column, rank in zip(columns, ranks, strict=True)
            ),
        )
        for k, name in enumerate(names)
    ]
    return Table(
        title="Ranks by other truths",
        note="Median circular SD in degrees, and rank.",
        header=("estimator", "this run's truth", *others),
        rows=tuple(rows),
    )


def horizons_table(results: Sequence[Result]) -> Table:
    """Return median circular SD by horizon, if there are several."""
    horizons = sorted({h for result in results for h in result.by_horizon})
    rows = []
    for name in estimators(results) if len(horizons) > 1 else []:
        by_horizon = [
            [
                figures_at(result.by_horizon[horizon_s])["circ_sd_deg"]
                for result in scored(results, name)
            ]
            for horizon_s in horizons
        ]
        rows.append((name, *(number(_median(found), 1) for found in by_horizon)))
    return Table(
        title="By horizon",
        note="Median circular SD in degrees.",
        header=("estimator", *(f"{1e3 * h:g} ms" for h in horizons)),
        rows=tuple(rows),
    )


def cells_table(results: Sequence[Result]) -> Table:
    """Return the resultant lengths against the known phase, by kind and ratio."""
    cells = list(dict.fromkeys(result.cell for result in results))
    rows = []
    for name in estimators(results):
        per_cell = [
            median([r for r in scored(results, name) if r.cell == cell], "r")
            for cell in cells
        ]
        rows.append((name, *(number(value, 3) for value in per_cell)))
    offline = [
        _median([r.truth_r for r in results if r.cell == cell]) for cell in cells
    ]
    rows.append(("offline truth, not causal", *(number(v, 3) for v in offline)))
    return Table(
        title="R against the known phase",
        note="Medians over seeds. The ratio is the rhythm's power where it is present "
        "over that of the 1/f noise within 2 Hz of it.",
        header=("estimator", *cells),
        rows=tuple(rows),
    )


def refusals_table(results: Sequence[Result]) -> Table:
    """Return what has no figures, and why."""
    return Table(
        title="Without figures",
        header=("recording", "estimator", "reason"),
        rows=tuple(
            (result.recording, result.estimator, result.reason)
            for result in results
            if result.reason
        ),
        figures=False,
    )


def recordings_table(results: Sequence[Result]) -> Table:
    """Return what the calibration found in each recording."""
    shown = {result.recording: result for result in results}
    return Table(
        title="Recordings",
        note="Without a peak: too weak for a session, scored all the same.",
        header=("recording", "frequency, Hz", "peak, dB", "montage"),
        rows=tuple(
            (
                result.recording,
                number(result.frequency_hz, 2),
                number(result.snr_db, 1) if result.has_peak else "without a peak",
                result.words,
            )
            for result in shown.values()
        ),
        figures=False,
    )


def number(value: float, digits: int) -> str:
    """Return a figure for a cell, empty where there is none."""
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def signed(value: float, digits: int) -> str:
    """Return a difference for a cell, empty where there is none."""
    return "" if math.isnan(value) else f"{value:+.{digits}f}"


def p_words(p: float) -> str:
    """Return a probability for a cell, empty where there is none."""
    return "" if math.isnan(p) else f"{p:.2g}"


def _median(found: Sequence[float]) -> float:
    known = [value for value in found if not math.isnan(value)]
    return float(np.median(known)) if known else math.nan


def _median_by(results: Sequence[Result], name: str, truth: str) -> float:
    return _median(
        [
            result.main.others[truth].circ_sd_deg
            for result in scored(results, name)
            if result.main is not None and truth in result.main.others
        ]
    )
