"""What a session may expect: the loop, rehearsed on rest set aside for that."""

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np

from controller.calibration.result import GateLevel
from controller.errors import RhythmTooWeak
from controller.estimators.align import designed
from controller.estimators.truth import analytic_truth, filter_s, phase_at
from controller.kernels.circular import circular_mean, circular_sd, wrap_phase
from controller.kernels.jit import ComplexArray, Float64Array
from controller.rig.calibrate.held_out_parts import (
    FOLDS,
    OFTEN_S,
    Heard,
    Part,
    Task,
    hear,
    part_of,
)
from controller.rig.calibrate.more_rest import gain_deg
from controller.rig.calibrate.rehearsal import intervals_s, rehearse
from controller.rig.programs.gate_rules import GateRules

PERCENTILES = (0.0, 25.0, 50.0, 60.0, 70.0, 80.0, 90.0)
"""Gate levels of the trade-off."""

_WORKERS = 2
_QUARTER_RAD = math.radians(45.0)


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
            lambda uv: designed(task.designer, task.brief, np.ascontiguousarray(uv)),
            task.rest.uv,
            task.brief.sfreq_hz,
        )
        parts = []
        for part in pool.map(lambda k: part_of(task, k), range(FOLDS)):
            parts.append(part)
            tell(0.4 * len(parts) / FOLDS)
        heard = hear(task, truth, parts, pool)
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
            "Rehearsed on the rest, the gates of this configuration never let a "
            "trigger through; open them further, or record more rest."
        )
    return Expected(
        levels=tuple(levels),
        recommended=recommended[0],
        errors_all_rad=scored[0][1],
        errors_gated_rad=scored[recommended[0]][1],
        more_rest_gain_deg=more_rest_gain_deg,
    )


def _amplitudes_uv(heard: list[Heard]) -> Float64Array:
    amplitude_uv = np.abs(np.concatenate([one.estimate for one in heard]))
    return np.asarray(amplitude_uv[np.isfinite(amplitude_uv)])


def _own_percentile(task: Task, heard: list[Heard]) -> float:
    if task.threshold_uv is None:
        return task.percentile
    return 100.0 * float(np.mean(_amplitudes_uv(heard) < task.threshold_uv))


def _percentiles(task: Task, heard: list[Heard]) -> list[float]:
    wanted = {*PERCENTILES, _own_percentile(task, heard)}
    return sorted(percentile for percentile in wanted if percentile < 100.0)


def _threshold_uv(
    task: Task, heard: list[Heard], one: Heard, percentile: float
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
    heard: list[Heard],
    percentile: float,
    pool: Executor,
) -> tuple[GateLevel | None, Float64Array]:
    thresholds_uv = [_threshold_uv(task, heard, one, percentile) for one in heard]
    rows = list(zip(heard, thresholds_uv, strict=True))
    is_own = percentile == _own_percentile(task, heard)
    errors = np.concatenate(
        list(pool.map(lambda row: _errors_rad(task, truth, *row, is_own=is_own), rows))
    )
    if errors.size == 0:
        return None, errors
    counts = pool.map(lambda row: _count(task, *row, is_own=is_own), rows)
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


def _count(task: Task, one: Heard, threshold_uv: float, *, is_own: bool) -> int:
    """Return how many triggers the session has in a part, at its own interval."""
    timing, part = task.timing, one.part
    first_s = (part.first - part.begin) / task.brief.sfreq_hz
    if is_own and (timing.refractory_s > 0.0 or _asks_at_the_deadline(task)):
        edges_s = _run(
            task,
            part,
            threshold_uv=threshold_uv,
            iti_s=timing.iti_s,
            iti_jitter_s=timing.iti_jitter_s,
            refractory_s=timing.refractory_s,
        )
        return int(np.count_nonzero(edges_s >= first_s))
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


def _asks_at_the_deadline(task: Task) -> bool:
    """Return whether gates may still stop a trigger that was decided on."""
    gates = task.rehearsal.rules.gates
    if gates is None:
        return False
    return dataclasses.replace(gates, tolerance_rad=0.0) != GateRules(tolerance_rad=0.0)


def _run(task: Task, part: Part, **options: float) -> Float64Array:
    run = rehearse(
        task.rehearsal,
        part.design,
        task.rest.mixing[: part.design.n_virtual],
        task.rest.raw[part.begin : part.stop],
        **options,
    )
    return run.edges_s


def _errors_rad(
    task: Task,
    truth: ComplexArray,
    one: Heard,
    threshold_uv: float,
    *,
    is_own: bool,
) -> Float64Array:
    """Return the phase errors of frequent triggers, away from seams and ends."""
    sfreq_hz, part = task.brief.sfreq_hz, one.part
    if is_own and _asks_at_the_deadline(task):
        at_s = _run(task, part, threshold_uv=threshold_uv, iti_s=OFTEN_S)
    else:
        often = intervals_s(1 + one.run.chances_s.size, iti_s=OFTEN_S)
        at_s = one.run.taken_s(threshold_uv, often)
    at_s = at_s + part.begin / sfreq_hz
    at_s = at_s[at_s >= part.first / sfreq_hz]
    edge_s = filter_s(task.brief.band_hz)
    for seam in (0, *task.rest.seams, truth.size):
        at_s = at_s[np.abs(at_s - seam / sfreq_hz) >= edge_s]
    error = phase_at(
        truth,
        at_s * sfreq_hz,
        sfreq_hz=sfreq_hz,
        frequency_hz=task.brief.frequency_hz,
    )
    return np.asarray(wrap_phase(error - task.rehearsal.target_phase_rad))
