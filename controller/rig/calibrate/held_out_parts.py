"""Rest in quarters: each run through the loop with a design that never saw it."""

import dataclasses
import math
from concurrent.futures import Executor

import numpy as np

from controller.config import Timing
from controller.estimators.align import designed
from controller.estimators.base import Brief, Design, Designer
from controller.estimators.confidence import fit_confidence, slow_amplitude
from controller.estimators.truth import advance
from controller.kernels.jit import ComplexArray
from controller.rig.calibrate.clean_rest import CleanRest
from controller.rig.calibrate.rehearsal import Rehearsal, Rehearsed, rehearse

FOLDS = 4
"""Parts that the rest is cut into."""

OFTEN_S = 0.25
"""From trigger to trigger where only the accuracy counts."""

_LEAD_S = 8.0  # of samples before the part that is scored, after the warm-up


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be rehearsed.

    Parameters
    ----------
    designer : Designer
    brief : Brief
    rest : CleanRest
    rehearsal : Rehearsal
    timing : Timing
        How often the session fires.
    percentile : float
        The session's own gate, of the amplitudes at rest.
    threshold_uv : float or None
        The session's own gate, if it is an amplitude; then `percentile` is not looked
        at.
    tolerance_rad : float
        That probabilities speak of.
    """

    designer: Designer
    brief: Brief
    rest: CleanRest
    rehearsal: Rehearsal
    timing: Timing
    percentile: float
    tolerance_rad: float
    threshold_uv: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One part of the rest, and the design from all others.

    Parameters
    ----------
    design : Design
    begin, first, stop : int
        Samples of the rest: where its rehearsal begins, and what of it is scored.
    """

    design: Design
    begin: int
    first: int
    stop: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heard:
    """A part that was rehearsed with the amplitude gate open.

    Parameters
    ----------
    part : Part
    run : Rehearsed
    estimate : complex array
        Of the samples that are scored.
    """

    part: Part
    run: Rehearsed
    estimate: ComplexArray


def part_of(task: Task, k: int) -> Part:
    """Return a quarter of the rest, and a design that never saw it."""
    n_samples = task.rest.uv.shape[1]
    first, stop = (n_samples * at // FOLDS for at in (k, k + 1))
    others = np.delete(task.rest.uv, np.s_[first:stop], axis=1)
    design = designed(task.designer, task.brief, np.ascontiguousarray(others))
    lead = math.ceil((_LEAD_S + design.warm_up_s) * task.brief.sfreq_hz)
    return Part(design=design, begin=max(0, first - lead), first=first, stop=stop)


def hear(
    task: Task, truth: ComplexArray, parts: list[Part], pool: Executor
) -> list[Heard]:
    """Run each part through the loop, with the amplitude gate open.

    Parameters
    ----------
    task : Task
    truth : complex array, shape (n_samples,)
        Of the followed channel.
    parts : list of Part
    pool : Executor

    Raises
    ------
    EngineFault
        As `rehearse`.
    """
    gates = task.rehearsal.rules.gates
    if gates is None or gates.min_probability is None:
        return list(pool.map(lambda part: _listen(task, part, task.rehearsal), parts))
    # What a probability gate lets through is known only to a design that knows how
    # sure it is; that is learnt without the gate.
    rules = dataclasses.replace(
        task.rehearsal.rules, gates=dataclasses.replace(gates, min_probability=None)
    )
    anywhere = dataclasses.replace(task.rehearsal, rules=rules)
    before = list(pool.map(lambda part: _listen(task, part, anywhere), parts))
    sure = _confident(task, truth, before)
    return list(pool.map(lambda part: _listen(task, part, task.rehearsal), sure))


def _listen(task: Task, part: Part, rehearsal: Rehearsal) -> Heard:
    run = rehearse(
        rehearsal,
        part.design,
        task.rest.mixing[: part.design.n_virtual],
        task.rest.raw[part.begin : part.stop],
        threshold_uv=0.0,
        iti_s=OFTEN_S,
    )
    return Heard(part=part, run=run, estimate=run.estimate[part.first - part.begin :])


def _confident(task: Task, truth: ComplexArray, heard: list[Heard]) -> list[Part]:
    """Let the designs know how sure they are, from what each makes of its own part."""
    brief = task.brief
    ahead = advance(truth, brief.sfreq_hz, brief.frequency_hz, brief.horizon_s)
    estimate = np.concatenate([one.estimate for one in heard])
    slow_uv = [slow_amplitude(np.abs(one.estimate), brief.sfreq_hz) for one in heard]
    confidence = fit_confidence(
        estimate,
        np.concatenate(slow_uv),
        np.asarray(np.angle(estimate * ahead.conj())),
        brief.sfreq_hz,
        tolerance_rad=task.tolerance_rad,
    )
    return [
        dataclasses.replace(
            one.part,
            design=dataclasses.replace(one.part.design, confidence=confidence),
        )
        for one in heard
    ]
