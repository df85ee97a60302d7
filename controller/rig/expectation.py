"""What a session may expect: the loop, rehearsed on rest set aside for that."""

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np

from controller.calibration.result import GateLevel
from controller.config import Timing
from controller.errors import RhythmTooWeak
from controller.estimators.align import aligned
from controller.estimators.base import Brief, Design, Designer
from controller.estimators.confidence import fit_confidence, slow_amplitude
from controller.estimators.truth import advance, analytic_truth, filter_s
from controller.kernels.circular import circular_mean, circular_sd, wrap_phase
from controller.kernels.jit import ComplexArray, Float64Array
from controller.rig.clean_rest import CleanRest
from controller.rig.more_rest import gain_deg
from controller.rig.rehearsal import Rehearsal, Rehearsed, intervals_s, rehearse

PERCENTILES = (0.0, 25.0, 50.0, 60.0, 70.0, 80.0, 90.0)
"""Gate levels of the trade-off."""

_FOLDS = 4
_LEAD_S = 8.0  # of samples before the part that is scored, after the warm-up
_OFTEN_S = 0.25  # from trigger to trigger where only the accuracy counts
_WORKERS = 2
_QUARTER_RAD = math.radians(45.0)


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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What came out.

    Parameters
    ----------
    levels : tuple of GateLevel
        From the most open to the tightest.
    recommended : int
        Index of the session's own gate.
    errors_all_rad, errors_gated_rad : array
        Phase errors of frequent triggers, with the gate open and at the session's.
    more_rest_gain_deg : float or None
    """

    levels: tuple[GateLevel, ...]
    recommended: int
    errors_all_rad: Float64Array
    errors_gated_rad: Float64Array
    more_rest_gain_deg: float | None


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
class _Heard:
    """A part that was rehearsed with the amplitude gate open."""

    part: Part
    run: Rehearsed
    estimate: ComplexArray  # of the part's own samples


def expect(task: Task, tell: Callable[[float], None]) -> Expected:
    """Rehearse the session at every gate level.

    Each quarter of the rest is run through the loop with a design from the other three,
    and gated at thresholds from the amplitudes that came out in the others. Accuracy is
    that of triggers as often as four times a second; how many there will be is counted
    at the session's own interval.

    Parameters
    ----------
    task : Task
    tell : callable
        Told how much is done, 0 to 1.

    Raises
    ------
    RhythmTooWeak
        As the designer, and where the gates of the session let nothing through.
    ConfigError, SignalFault
        As the designer.
    EngineFault
        As `rehearse`.
    """
    truth = analytic_truth(
        task.rest.uv[0] - task.rest.uv[0].mean(),
        task.brief.sfreq_hz,
        task.brief.band_hz,
    )
    with ThreadPoolExecutor(_WORKERS) as pool:
        gain = pool.submit(
            gain_deg,
            lambda uv: designed(task, uv),
            task.rest.uv,
            task.brief.sfreq_hz,
        )
        parts = []
        for part in pool.map(lambda k: part_of(task, k), range(_FOLDS)):
            parts.append(part)
            tell(0.4 * len(parts) / _FOLDS)
        heard = _heard(task, truth, parts, pool)
        tell(0.8)
        scored = [
            (level, errors)
            for percentile in _percentiles(task, heard)
            for level, errors in [_level(task, truth, heard, percentile, pool)]
            if level is not None
        ]
        tell(0.95)
        more_rest_gain_deg = gain.result()
    own = _own_percentile(task, heard)
    levels = [level for level, _ in scored]
    recommended = [k for k, level in enumerate(levels) if level.percentile == own]
    if not recommended:
        raise RhythmTooWeak(
            "Rehearsed on the rest, the gates of this configuration never let a trigger "
            "through; open them further, or record more rest."
        )
    return Expected(
        levels=tuple(levels),
        recommended=recommended[0],
        errors_all_rad=scored[0][1],
        errors_gated_rad=scored[recommended[0]][1],
        more_rest_gain_deg=more_rest_gain_deg,
    )


def designed(task: Task, uv: Float64Array) -> Design:
    """Return the design from a part of the rest, without its constant bias."""
    design = task.designer.design(task.brief, np.ascontiguousarray(uv))
    return design if task.designer.needs_rest else aligned(design, uv)


def part_of(task: Task, k: int) -> Part:
    """Return a quarter of the rest, and a design that never saw it."""
    n_samples = task.rest.uv.shape[1]
    first, stop = (n_samples * at // _FOLDS for at in (k, k + 1))
    design = designed(task, np.delete(task.rest.uv, np.s_[first:stop], axis=1))
    lead = math.ceil((_LEAD_S + design.warm_up_s) * task.brief.sfreq_hz)
    return Part(design=design, begin=max(0, first - lead), first=first, stop=stop)


def _heard(
    task: Task, truth: ComplexArray, parts: list[Part], pool: Executor
) -> list[_Heard]:
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


def _listen(task: Task, part: Part, rehearsal: Rehearsal) -> _Heard:
    run = rehearse(
        rehearsal,
        part.design,
        task.rest.mixing[: part.design.n_virtual],
        task.rest.raw[part.begin : part.stop],
        threshold_uv=0.0,
        iti_s=_OFTEN_S,
    )
    return _Heard(part=part, run=run, estimate=run.estimate[part.first - part.begin :])


def _confident(task: Task, truth: ComplexArray, heard: list[_Heard]) -> list[Part]:
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


def _amplitudes_uv(heard: list[_Heard]) -> Float64Array:
    amplitude_uv = np.abs(np.concatenate([one.estimate for one in heard]))
    return np.asarray(amplitude_uv[np.isfinite(amplitude_uv)])


def _own_percentile(task: Task, heard: list[_Heard]) -> float:
    if task.threshold_uv is None:
        return task.percentile
    return 100.0 * float(np.mean(_amplitudes_uv(heard) < task.threshold_uv))


def _percentiles(task: Task, heard: list[_Heard]) -> list[float]:
    wanted = {*PERCENTILES, _own_percentile(task, heard)}
    return sorted(percentile for percentile in wanted if percentile < 100.0)


def _threshold_uv(
    task: Task, heard: list[_Heard], one: _Heard, percentile: float
) -> float:
    if percentile == 0.0:
        return 0.0
    if task.threshold_uv is not None and percentile == _own_percentile(task, heard):
        return task.threshold_uv
    others_uv = _amplitudes_uv([other for other in heard if other is not one])
    return float(np.percentile(others_uv, percentile))


def _level(
    task: Task,
    truth: ComplexArray,
    heard: list[_Heard],
    percentile: float,
    pool: Executor,
) -> tuple[GateLevel | None, Float64Array]:
    thresholds_uv = [_threshold_uv(task, heard, one, percentile) for one in heard]
    errors = np.concatenate(
        [
            _errors_rad(task, truth, one, threshold_uv)
            for one, threshold_uv in zip(heard, thresholds_uv, strict=True)
        ]
    )
    if errors.size == 0:
        return None, errors
    is_own = percentile == _own_percentile(task, heard)
    counts = pool.map(
        lambda both: _count(task, *both, is_own=is_own),
        zip(heard, thresholds_uv, strict=True),
    )
    minutes = task.rest.uv.shape[1] / task.brief.sfreq_hz / 60.0
    level = GateLevel(
        percentile=percentile,
        threshold_uv=float(np.mean(thresholds_uv)),
        circ_sd_rad=circular_sd(errors),
        bias_rad=circular_mean(errors),
        within_45=float(np.mean(np.abs(errors) <= _QUARTER_RAD)),
        triggers_per_minute=sum(counts) / minutes,
        n_triggers=errors.size,
    )
    return level, errors


def _count(task: Task, one: _Heard, threshold_uv: float, *, is_own: bool) -> int:
    """Return how many triggers the session has in a part, at its own interval."""
    timing, part = task.timing, one.part
    first_s = (part.first - part.begin) / task.brief.sfreq_hz
    if timing.refractory_s > 0.0 and is_own:
        run = rehearse(
            task.rehearsal,
            part.design,
            task.rest.mixing[: part.design.n_virtual],
            task.rest.raw[part.begin : part.stop],
            threshold_uv=threshold_uv,
            iti_s=timing.iti_s,
            iti_jitter_s=timing.iti_jitter_s,
            refractory_s=timing.refractory_s,
        )
        return int(np.count_nonzero(run.edges_s >= first_s))
    intervals = intervals_s(
        1 + one.run.chances_s.size,
        iti_s=timing.iti_s,
        iti_jitter_s=timing.iti_jitter_s,
        seed=task.rehearsal.seed,
    )
    if timing.refractory_s > 0.0:
        # After the samples that are left out the estimator warms up anew.
        unready_s = timing.refractory_s + part.design.warm_up_s
        intervals = np.maximum(intervals, unready_s)
    taken = one.run.taken_s(threshold_uv, intervals)
    return int(np.count_nonzero(taken >= first_s))


def _errors_rad(
    task: Task, truth: ComplexArray, one: _Heard, threshold_uv: float
) -> Float64Array:
    """Return the phase errors of frequent triggers, away from seams and ends."""
    sfreq_hz, part = task.brief.sfreq_hz, one.part
    often = intervals_s(1 + one.run.chances_s.size, iti_s=_OFTEN_S)
    at_s = one.run.taken_s(threshold_uv, often) + part.begin / sfreq_hz
    at_s = at_s[at_s >= part.first / sfreq_hz]
    edge_s = filter_s(task.brief.band_hz)
    for seam in (0, *task.rest.seams, truth.size):
        at_s = at_s[np.abs(at_s - seam / sfreq_hz) >= edge_s]
    error = _phase_at(truth, sfreq_hz, task.brief.frequency_hz, at_s)
    return np.asarray(wrap_phase(error - task.rehearsal.target_phase_rad))


def _phase_at(
    truth: ComplexArray, sfreq_hz: float, frequency_hz: float, at_s: Float64Array
) -> Float64Array:
    """Return the offline phase between samples, its rotation taken out meanwhile."""
    t = np.arange(truth.size) / sfreq_hz
    turn = 2.0 * np.pi * frequency_hz
    slow = truth * np.exp(-1j * turn * t)
    between = np.interp(at_s, t, slow.real) + 1j * np.interp(at_s, t, slow.imag)
    return np.asarray(np.angle(between) + turn * at_s)
