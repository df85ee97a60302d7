"""What a session may expect: the loop, rehearsed on rest set aside for that."""

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from controller.calibration.result import MORE_REST_S, GateLevel
from controller.config import Timing
from controller.estimators.align import aligned, compare
from controller.estimators.base import Brief, Design, Designer
from controller.estimators.confidence import fit_confidence, slow_amplitude
from controller.estimators.offline import run_design
from controller.estimators.truth import advance, analytic_truth, filter_s
from controller.kernels.circular import circular_mean, circular_sd, wrap_phase
from controller.kernels.jit import ComplexArray, Float64Array
from controller.rig.clean_rest import CleanRest
from controller.rig.rehearsal import Rehearsal, rehearse

PERCENTILES = (0.0, 25.0, 50.0, 60.0, 70.0, 80.0, 90.0)
"""Gate levels of the trade-off."""

_FOLDS = 4
_LEAD_S = 15.0  # of samples before the part that is scored: everything is warm then
_OFTEN_S = 0.25  # from trigger to trigger where only the accuracy counts
_WORKERS = 2
_QUARTER_RAD = math.radians(45.0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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
        The session's own gate.
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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
class _Part:
    """One part of the rest, and the design from all others."""

    design: Design
    estimate: ComplexArray  # of all parts
    amplitude_uv: Float64Array  # of the estimate, in the other parts
    first: int
    stop: int


def expect(task: Task, tell: Callable[[float], None]) -> Expected:
    """Rehearse the session at every gate level.

    Each quarter of the rest is run through the loop with a design, and gate thresholds,
    from the other three. Accuracy is that of triggers as often as four times a second;
    how many there will be is counted at the session's own interval.

    Parameters
    ----------
    task : Task
    tell : callable
        Told how much is done, 0 to 1.

    Raises
    ------
    RhythmTooWeak, ConfigError, SignalFault
        As the designer.
    EngineFault
        As `rehearse`.
    """
    percentiles = sorted({*PERCENTILES, task.percentile})
    truth = analytic_truth(
        task.rest.uv[0] - task.rest.uv[0].mean(),
        task.brief.sfreq_hz,
        task.brief.band_hz,
    )
    n_samples = truth.size
    bounds = [n_samples * k // _FOLDS for k in range(_FOLDS + 1)]
    with ThreadPoolExecutor(_WORKERS) as pool:
        made = list(
            pool.map(lambda k: _part(task, bounds[k], bounds[k + 1]), range(_FOLDS))
        )
        parts = _confident(task, truth, made)
        tell(0.4)
        jobs = [(part, percentile) for percentile in percentiles for part in parts]
        outcomes = []
        for outcome in pool.map(lambda job: _rehearsed(task, truth, *job), jobs):
            outcomes.append(outcome)
            tell(0.4 + 0.6 * len(outcomes) / len(jobs))
    levels, errors = [], []
    minutes = n_samples / task.brief.sfreq_hz / 60.0
    for index, percentile in enumerate(percentiles):
        of_level = outcomes[index * _FOLDS : (index + 1) * _FOLDS]
        pooled = np.concatenate([error for error, _ in of_level])
        thresholds = [np.percentile(part.amplitude_uv, percentile) for part in parts]
        if pooled.size == 0:
            continue
        errors.append(pooled)
        levels.append(
            GateLevel(
                percentile=percentile,
                threshold_uv=0.0 if percentile == 0.0 else float(np.mean(thresholds)),
                circ_sd_rad=circular_sd(pooled),
                bias_rad=circular_mean(pooled),
                within_45=float(np.mean(np.abs(pooled) <= _QUARTER_RAD)),
                triggers_per_minute=sum(n for _, n in of_level) / minutes,
                n_triggers=pooled.size,
            )
        )
    recommended = _at(levels, task.percentile)
    return Expected(
        levels=tuple(levels),
        recommended=recommended,
        errors_all_rad=errors[0],
        errors_gated_rad=errors[recommended],
        more_rest_gain_deg=_gain_deg(task),
    )


def _at(levels: list[GateLevel], percentile: float) -> int:
    return min(range(len(levels)), key=lambda k: abs(levels[k].percentile - percentile))


def _designed(task: Task, uv: Float64Array) -> Design:
    design = task.designer.design(task.brief, np.ascontiguousarray(uv))
    return design if task.designer.needs_rest else aligned(design, uv)


def _part(task: Task, first: int, stop: int) -> _Part:
    uv = task.rest.uv
    design = _designed(task, np.delete(uv, np.s_[first:stop], axis=1))
    estimate = run_design(design, uv)
    amplitude_uv = np.abs(estimate)
    amplitude_uv[first:stop] = np.nan
    amplitude_uv[: math.ceil(design.warm_up_s * task.brief.sfreq_hz)] = np.nan
    return _Part(
        design=design,
        estimate=estimate,
        amplitude_uv=amplitude_uv[np.isfinite(amplitude_uv)],
        first=int(first),
        stop=int(stop),
    )


def _confident(task: Task, truth: ComplexArray, parts: list[_Part]) -> list[_Part]:
    """Let the designs know how sure they are, from what each makes of its own part."""
    ahead = advance(
        truth, task.brief.sfreq_hz, task.brief.frequency_hz, task.brief.horizon_s
    )
    estimate = np.concatenate([part.estimate[part.first : part.stop] for part in parts])
    slow_uv = [
        slow_amplitude(np.abs(part.estimate), task.brief.sfreq_hz)[
            part.first : part.stop
        ]
        for part in parts
    ]
    confidence = fit_confidence(
        estimate,
        np.concatenate(slow_uv),
        np.asarray(np.angle(estimate * ahead.conj())),
        task.brief.sfreq_hz,
        tolerance_rad=task.tolerance_rad,
    )
    return [
        dataclasses.replace(
            part, design=dataclasses.replace(part.design, confidence=confidence)
        )
        for part in parts
    ]


def _rehearsed(
    task: Task, truth: ComplexArray, part: _Part, percentile: float
) -> tuple[Float64Array, int]:
    """Return the phase errors of frequent triggers, and how many the session has."""
    sfreq_hz = task.brief.sfreq_hz
    begin = max(0, part.first - round(_LEAD_S * sfreq_hz))
    raw = np.ascontiguousarray(task.rest.raw[begin : part.stop])
    mixing = task.rest.mixing[: part.design.n_virtual]
    threshold_uv = 0.0
    if percentile > 0.0:
        threshold_uv = float(np.percentile(part.amplitude_uv, percentile))
    timing = task.timing
    shared = (task.rehearsal, part.design, mixing, raw)
    often = rehearse(*shared, threshold_uv=threshold_uv, iti_s=_OFTEN_S)
    planned = rehearse(
        *shared,
        threshold_uv=threshold_uv,
        iti_s=timing.iti_s,
        iti_jitter_s=timing.iti_jitter_s,
        refractory_s=timing.refractory_s,
    )
    first_s = (part.first - begin) / sfreq_hz
    often = often[often >= first_s] + begin / sfreq_hz
    edge_s = filter_s(task.brief.band_hz)
    often = often[(often >= edge_s) & (often <= truth.size / sfreq_hz - edge_s)]
    error = _phase_at(truth, sfreq_hz, task.brief.frequency_hz, often)
    return (
        wrap_phase(error - task.rehearsal.target_phase_rad),
        int(np.count_nonzero(planned >= first_s)),
    )


def _phase_at(
    truth: ComplexArray, sfreq_hz: float, frequency_hz: float, at_s: Float64Array
) -> Float64Array:
    """Return the offline phase between samples, its rotation taken out meanwhile."""
    t = np.arange(truth.size) / sfreq_hz
    turn = 2.0 * np.pi * frequency_hz
    slow = truth * np.exp(-1j * turn * t)
    between = np.interp(at_s, t, slow.real) + 1j * np.interp(at_s, t, slow.imag)
    return np.asarray(np.angle(between) + turn * at_s)


def _gain_deg(task: Task) -> float | None:
    """Return what more rest would gain, from designs of half of the rest and less.

    The excess error of a design falls as one over the rest that it had.
    """
    uv = task.rest.uv
    n_samples = uv.shape[1]
    quarter, half = n_samples // 4, n_samples // 2
    if not quarter >= 15.0 * task.brief.sfreq_hz:
        return None
    sd_deg = []
    for n_used in (quarter, half):
        design = _designed(task, uv[:, :n_used])
        error_rad = compare(design, uv[:, half:]).error_rad
        sd_deg.append(math.degrees(circular_sd(error_rad)))
    total_s = n_samples / task.brief.sfreq_hz
    per_second = (sd_deg[0] - sd_deg[1]) / (1.0 / quarter - 1.0 / half)
    excess_deg = per_second / task.brief.sfreq_hz
    gain_deg = excess_deg * (1.0 / total_s - 1.0 / (total_s + MORE_REST_S))
    return float(max(0.0, gain_deg))
