"""Why pulses did not come, over the time of the session."""

import dataclasses
from typing import Any

import numpy as np

from controller.core.reasons import HoldReason, Outcome
from controller.kernels.jit import Float64Array
from controller.report.svg import drawing, new_figure, to_svg
from controller.session.pulses import refusal_name

N_BINS = 60
_MINUTES_FROM_S = 600.0
# What a session is planned to wait for is no news.
_AS_PLANNED = HoldReason.INTERVAL | HoldReason.REFRACTORY | HoldReason.TRIALS_DONE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReasonsCourse:
    """Counts in stretches of equal duration.

    Parameters
    ----------
    edges_s : array, shape (n_bins + 1,)
        From the beginning of the closed loop.
    counts : dict of str to array, shape (n_bins,)
        Refusals first, then closed gates; the most frequent of each first.
    refusals : tuple of str
        Which of them are refusals.
    """

    edges_s: Float64Array
    counts: dict[str, Float64Array]
    refusals: tuple[str, ...]


def reasons_course(decisions: Any, pulses: Any) -> ReasonsCourse | None:
    """Count refusals and closed gates over time; None without a decision.

    Intervals and pauses that were planned are left out.

    Parameters
    ----------
    decisions : array of DECISION
    pulses : array of PULSE
    """
    t = np.asarray(decisions["t_sample"])
    t = t[np.isfinite(t)]
    if len(t) == 0 or not t.max() > t.min():
        return None
    edges = np.linspace(t.min(), t.max(), N_BINS + 1)
    refused: dict[str, Float64Array] = {}
    for refusal in np.unique(pulses["refusal"]).tolist():
        name = refusal_name(refusal)
        if name != "NONE":
            at = pulses["t_write"][pulses["refusal"] == refusal]
            refused[name] = _counts(np.clip(at, edges[0], edges[-1]), edges)
    held = decisions[decisions["outcome"] == Outcome.HELD]
    gates = {
        str(reason.name): _counts(
            held["t_sample"][(held["holds"] & int(reason)) != 0], edges
        )
        for reason in HoldReason
        if reason and not reason & _AS_PLANNED
    }
    refused, gates = _most_first(refused), _most_first(gates)
    return ReasonsCourse(
        edges_s=edges - edges[0],
        counts=refused | {k: v for k, v in gates.items() if k not in refused},
        refusals=tuple(refused),
    )


def reasons_figure(course: ReasonsCourse) -> str:
    """Draw one strip for each reason; empty if nothing was refused or held."""
    if not course.counts:
        return ""
    in_minutes = course.edges_s[-1] > _MINUTES_FROM_S
    edges = course.edges_s / (60.0 if in_minutes else 1.0)
    names = list(course.counts)
    with drawing():
        figure = new_figure(12.2, 0.9 + 0.42 * len(names))
        axes = figure.add_subplot()
        for row, name in enumerate(reversed(names)):
            counts = course.counts[name]
            most = float(counts.max()) or 1.0
            colour = "#D55E00" if name in course.refusals else "#0072B2"
            axes.bar(
                (edges[:-1] + edges[1:]) / 2,
                0.85 * counts / most,
                np.diff(edges),
                bottom=row,
                color=colour,
                lw=0,
            )
            axes.axhline(row, color="#E3E3E3", lw=0.8, zorder=0)
        labels = [
            f"{name}  {course.counts[name].sum():.0f}" for name in reversed(names)
        ]
        axes.set_yticks([row + 0.4 for row in range(len(names))], labels)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(0, len(names))
        axes.set_xlim(0, edges[-1])
        axes.set_xlabel(f"time in the closed loop ({'minutes' if in_minutes else 's'})")
        return to_svg(figure, "reasons", "Refusals and closed gates over the session")


def _counts(t: Float64Array, edges: Float64Array) -> Float64Array:
    return np.histogram(t[np.isfinite(t)], edges)[0].astype(np.float64)


def _most_first(counts: dict[str, Float64Array]) -> dict[str, Float64Array]:
    some = {name: n for name, n in counts.items() if n.sum() > 0}
    return dict(sorted(some.items(), key=lambda item: -float(item[1].sum())))
