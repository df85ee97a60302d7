"""Where in the cycle every pulse and every shadow landed, condition by condition.

Three sources say so, and they fail in different ways: the whole recording at fired
pulses (sees their artifact), the data before fired pulses (does not, but has to be
corrected for what it cannot see), and shadows, which need neither care nor correction.
"""

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from controller.kernels.circular import wrap_phase
from controller.kernels.jit import Float64Array, Int64Array
from controller.report.achieved import Design, Virtual, achieved_phase, edge_instants
from controller.report.artifact import has_artifact
from controller.report.before_pulse import BeforePulse, before_pulse
from controller.report.landing_statistics import Measured, measure
from controller.report.shadows import shadows
from controller.report.study import Study
from controller.report.words import FEW_PULSES, phase_words
from controller.session.load import Session

BoolArray = npt.NDArray[np.bool_]

RANDOM_FROM = 7
"""A condition with so many targets is one at random phases."""

_SAME_TARGET_DEG = 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landings:
    """Fired pulses first, then shadows; all arrays of shape (n,).

    Parameters
    ----------
    condition : array of int
    target_rad : array
        NaN where no phase was waited for.
    t : array
        When the edge was at the device, or would have been; host clock.
    is_shadow : array of bool
    whole_rad : array
        Phase by the zero-phase filter over the whole recording; NaN if not known.
    before_rad : array
        Phase from the data before the pulse alone; NaN for shadows, and if not known.
    method : BeforePulse or None
        What `before_rad` was made by.
    artifact : bool
        The pulses can be seen in the virtual channel itself.
    is_live : bool
        False where nothing was fired, so that all are shadows in truth.
    """

    condition: Int64Array
    target_rad: Float64Array
    t: Float64Array
    is_shadow: BoolArray
    whole_rad: Float64Array
    before_rad: Float64Array
    method: BeforePulse | None
    artifact: bool
    is_live: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """One condition at one of its targets.

    Parameters
    ----------
    condition : int
    name : str
        Of the condition; empty without a protocol.
    target_rad : float or None
        None at random phases, and where no phase was waited for.
    words : str
        The target as a person says it.
    n_fired, n_shadows : int
    t : array
        When fired pulses were at the device.
    phases_rad : array
        Where they landed, by the best source: what a figure shows.
    n_each : int
        Phases of each landing: from before the pulses there are several that it may
        have had.
    measured : tuple of Measured
    best : Measured or None
        Of the source to be believed.
    """

    condition: int
    name: str
    target_rad: float | None
    words: str
    n_fired: int
    n_shadows: int
    t: Float64Array
    phases_rad: Float64Array
    n_each: int
    measured: tuple[Measured, ...]
    best: Measured | None

    @property
    def title(self) -> str:
        """Condition and target."""
        return f"{self.name}: {self.words}" if self.name else self.words


def landings_of(session: Session, left: Any, virtual: Virtual | None) -> Landings:
    """Find every landing of a session.

    Parameters
    ----------
    session : Session
    left : array of PULSE
        Those that were fired, scored.
    virtual : Virtual or None
        None where the session ended before there was a design.
    """
    as_if = shadows(session.decisions)
    nothing = np.full(len(left) + len(as_if), np.nan)
    t, whole, before, method = nothing, nothing, nothing.copy(), None
    artifact = False
    if virtual is not None:
        design = Design.of(session.design)
        fired_t = edge_instants(left, design.output_latency_s)
        t = np.concatenate([fired_t, as_if["t_due"]])
        whole = np.concatenate(
            [
                left["achieved_phase_rad"],
                achieved_phase(virtual, design.band_hz, as_if["t_due"]),
            ]
        )
        method = before_pulse(virtual, design.band_hz, fired_t, fired_t)
        artifact = has_artifact(virtual, fired_t)
    if method is not None:
        before[: len(left)] = method.phase_rad
    return Landings(
        condition=np.concatenate([left["condition"], as_if["condition"]]),
        target_rad=np.concatenate(
            [left["target_phase_rad"], as_if["target_phase_rad"]]
        ),
        t=t,
        is_shadow=np.arange(len(t)) >= len(left),
        whole_rad=whole,
        before_rad=before,
        method=method,
        artifact=artifact,
        is_live=session.is_live,
    )


def pooled(landings: Landings) -> Measured | None:
    """Return the errors of all that aimed at a phase, by the source to be believed."""
    aimed = np.isfinite(landings.target_rad)
    if not aimed.any():
        return None
    return _cell(landings, aimed, 0, "", None, "").best


def blind_cells_of(landings: Landings, study: Study) -> tuple[Cell, ...]:
    """Return one cell per condition, of errors only: nothing that an arm changes.

    Not the phases themselves, which a sham at random phases scatters; nor what the
    whole recording says, which the artifact of a weaker pulse would blur less.
    """
    aimed = np.isfinite(landings.target_rad)
    whole = np.where(landings.is_shadow, landings.whole_rad, np.nan)
    errors = dataclasses.replace(
        landings,
        target_rad=np.where(aimed, 0.0, np.nan),
        whole_rad=wrap_phase(whole - np.where(aimed, landings.target_rad, 0.0)),
        before_rad=wrap_phase(
            landings.before_rad - np.where(aimed, landings.target_rad, 0.0)
        ),
    )
    found = []
    for condition in np.unique(landings.condition[aimed]).tolist():
        picked = aimed & (landings.condition == condition)
        name = study.condition_name(condition) or ""
        found.append(_cell(errors, picked, condition, name, 0.0, "errors from target"))
    return tuple(found)


def cells_of(landings: Landings, study: Study) -> tuple[Cell, ...]:
    """Return the landings cell by cell, by condition and target."""
    cells: list[Cell] = []
    for condition in np.unique(landings.condition).tolist():
        of_it = landings.condition == condition
        targets = np.round(np.degrees(landings.target_rad), _SAME_TARGET_DEG)
        different = np.unique(targets[of_it & np.isfinite(targets)])
        name = study.condition_name(condition) or ""
        known = of_it & np.isfinite(targets)
        if len(different) >= RANDOM_FROM:
            cells.append(_cell(landings, known, condition, name, None, "random phases"))
        else:
            for target in different.tolist():
                picked = known & (targets == target)
                words, turned = phase_words(target), math.radians(target)
                cells.append(_cell(landings, picked, condition, name, turned, words))
        blind = of_it & ~np.isfinite(targets)
        if blind.any():
            cells.append(_cell(landings, blind, condition, name, None, "by the clock"))
    return tuple(cells)


def _cell(
    landings: Landings,
    picked: BoolArray,
    condition: int,
    name: str,
    target_rad: float | None,
    words: str,
) -> Cell:
    fired, as_if = picked & ~landings.is_shadow, picked & landings.is_shadow
    measured: dict[str, Measured] = {}
    for source, rows, phases in (
        ("whole", fired, landings.whole_rad),
        ("before", fired, landings.before_rad),
        ("shadows", as_if, landings.whole_rad),
    ):
        known = rows & np.isfinite(phases)
        if known.any():
            method = landings.method if source == "before" else None
            measured[source] = measure(
                source, phases[known], landings.target_rad[known], method
            )
    best = _best(measured, artifact=landings.artifact, is_live=landings.is_live)
    rows = as_if if best is not None and best.source == "shadows" else fired
    by_best = best is not None and best.source == "before"
    phases, n_each = landings.whole_rad[rows], 1
    if by_best and landings.method is not None:
        spread = landings.method.spread_rad[rows[: len(landings.method.spread_rad)]]
        n_each = spread.shape[1]
        phases = wrap_phase(landings.before_rad[rows][:, np.newaxis] - spread).ravel()
    return Cell(
        condition=condition,
        name=name,
        target_rad=target_rad,
        words=words,
        n_fired=int(np.count_nonzero(fired)),
        n_shadows=int(np.count_nonzero(as_if)),
        t=landings.t[fired],
        phases_rad=phases[np.isfinite(phases)],
        n_each=n_each,
        measured=tuple(measured.values()),
        best=best,
    )


def _best(
    measured: dict[str, Measured], *, artifact: bool, is_live: bool
) -> Measured | None:
    """Return the source to be believed: shadows, if there are enough of them.

    Without them, or where nothing was fired, the whole recording, unless pulses can be
    seen in it.
    """
    order = ["before", "whole"] if artifact else ["whole", "before"]
    enough = is_live and "shadows" in measured and measured["shadows"].n >= FEW_PULSES
    order = ["shadows", *order] if enough else [*order, "shadows"]
    return next((measured[source] for source in order if source in measured), None)
