"""One estimator on one recording: design on the first half, score the second."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from bench.accuracy.cases import Case
from bench.accuracy.scores import (
    PhaseScores,
    Task,
    TriggerScores,
    gate_thresholds,
    require_estimates,
    score_phase,
    score_triggers,
)
from controller.errors import PhasegateError
from controller.estimators.accuracy import accuracy_of, held_out
from controller.estimators.align import designed
from controller.estimators.base import Brief, Design, Designer
from controller.estimators.confidence import (
    Confidence,
    fit_confidence,
    slow_amplitude,
    within,
)
from controller.estimators.offline import run_design
from controller.estimators.registry import find_designer
from controller.estimators.truth import advance
from controller.kernels.jit import ComplexArray, Float64Array

PROMISE_PERCENTILE = 50.0
SURE = 0.9
TOLERANCE_RAD = math.radians(45.0)


class Spec(Protocol):
    """What a case is made from, in whatever process needs it."""

    @property
    def name(self) -> str:
        """What the recording is called."""

    @property
    def cell(self) -> str:
        """Cell of the synthetic table, or empty."""

    def load(self) -> Case:
        """Return the case."""

    def __hash__(self) -> int:
        """Specs are values: a case is kept under its own."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured beside the recordings and estimators.

    Parameters
    ----------
    horizons_s : tuple of float
        The first is the main one: it has the promise, contrasts and goals.
    target_rad : float
    promise : bool
        Whether accuracy is also promised from the calibration.
    """

    horizons_s: tuple[float, ...]
    target_rad: float
    promise: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Circular SD of all samples and behind the median gate; NaN where unknown."""

    sd_deg: float = math.nan
    gate50_sd_deg: float = math.nan


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sureness:
    """Samples given `SURE` to lie within 45 degrees: their share, and that of hits."""

    share: float = math.nan
    landed: float = math.nan


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All figures of one horizon."""

    phase: PhaseScores
    gated: TriggerScores
    ungated: TriggerScores
    others: Mapping[str, PhaseScores]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One estimator on one recording.

    Parameters
    ----------
    estimator, recording, cell, words : str
    frequency_hz, snr_db : float
        NaN where the recording was refused.
    has_peak : bool
    truth_r : float
        The offline truth's own resultant length, where the phase is known.
    by_horizon : mapping of float to Measured
        By horizon in seconds; empty where there is a reason.
    promise : Promise
    sureness : Sureness
    reason : str
        Why there are no figures, or empty.
    failed : bool
        Whether that is a defect, not a refusal.
    """

    estimator: str
    recording: str
    cell: str
    words: str = ""
    frequency_hz: float = math.nan
    snr_db: float = math.nan
    has_peak: bool = False
    truth_r: float = math.nan
    by_horizon: Mapping[float, Measured] = dataclasses.field(default_factory=dict)
    promise: Promise = Promise()
    sureness: Sureness = Sureness()
    reason: str = ""
    failed: bool = False

    @property
    def main(self) -> Measured | None:
        """Figures of the first horizon."""
        return next(iter(self.by_horizon.values()), None)


def evaluate(spec: Spec, estimator: str, plan: Plan) -> Result:
    """Return the figures of one estimator on one recording, or why there are none.

    Parameters
    ----------
    spec : Spec
    estimator : str
    plan : Plan
    """
    result = Result(estimator=estimator, recording=spec.name, cell=spec.cell)
    try:
        case = loaded(spec)
        result = dataclasses.replace(
            result,
            words=case.words,
            frequency_hz=case.frequency_hz,
            snr_db=case.snr_db,
            has_peak=case.has_peak,
            truth_r=case.truth_r,
        )
        return _measure(result, case, find_designer(estimator), plan)
    except PhasegateError as error:
        return dataclasses.replace(result, reason=str(error))
    except Exception as error:  # noqa: BLE001 - one defect must not cost the other rows
        reason = f"{type(error).__name__}: {error}"
        return dataclasses.replace(result, reason=reason, failed=True)


@functools.lru_cache(maxsize=1)
def loaded(spec: Spec) -> Case:
    """Return a case, kept for the estimators that follow on the same recording."""
    return spec.load()


def design_for(designer: Designer, case: Case, horizon_s: float) -> Design:
    """Return the design that a session would run on, from the calibration alone.

    Parameters
    ----------
    designer : Designer
    case : Case
    horizon_s : float

    Raises
    ------
    PhasegateError
        If the estimator refuses the recording.
    """
    return designed(designer, _brief(case, horizon_s), calibration(designer, case))


def calibration(designer: Designer, case: Case) -> Float64Array:
    """Return the rows and samples that a designer may see."""
    rows = read_rows(designer, case)
    return np.ascontiguousarray(rows[:, : case.n_calibration])


def read_rows(designer: Designer, case: Case) -> Float64Array:
    """Return the rows that a designer reads: the target, or all."""
    reads_others = bool(getattr(designer, "reads_others", False))
    return case.samples if reads_others else case.samples[:1]


def _brief(case: Case, horizon_s: float) -> Brief:
    return Brief(
        sfreq_hz=case.sfreq_hz,
        frequency_hz=case.frequency_hz,
        band_hz=case.band_hz,
        horizon_s=horizon_s,
    )


def _measure(result: Result, case: Case, designer: Designer, plan: Plan) -> Result:
    by_horizon, estimates = {}, []
    for horizon_s in plan.horizons_s:
        design = design_for(designer, case, horizon_s)
        estimates.append(run_design(design, read_rows(designer, case)))
        by_horizon[horizon_s] = _measure_horizon(
            case, design, estimates[-1], plan.target_rad
        )
    promise, sureness = Promise(), Sureness()
    if plan.promise:
        promise, sureness = _promise(case, designer, plan.horizons_s[0], estimates[0])
    return dataclasses.replace(
        result, by_horizon=by_horizon, promise=promise, sureness=sureness
    )


def _measure_horizon(
    case: Case, design: Design, estimate: ComplexArray, target_rad: float
) -> Measured:
    horizon_s = design.brief.horizon_s
    scored = case.reference.scored
    require_estimates(estimate, scored)
    n_warm_up = math.ceil(design.warm_up_s * case.sfreq_hz)
    thresholds = gate_thresholds(estimate, n_warm_up, case.n_calibration)
    phase = {
        name: score_phase(
            estimate,
            advance(reference.analytic, case.sfreq_hz, case.frequency_hz, horizon_s),
            reference.scored,
            thresholds,
        )
        for name, reference in case.references.items()
    }
    task = Task(
        sfreq_hz=case.sfreq_hz,
        frequency_hz=case.frequency_hz,
        horizon_s=horizon_s,
        target_rad=target_rad,
    )
    gated, ungated = (
        score_triggers(estimate, case.reference.analytic, scored, threshold, task)
        for threshold in (thresholds[0], 0.0)
    )
    main = next(iter(phase))
    return Measured(phase=phase.pop(main), gated=gated, ungated=ungated, others=phase)


def _promise(
    case: Case, designer: Designer, horizon_s: float, estimate: ComplexArray
) -> tuple[Promise, Sureness]:
    brief = _brief(case, horizon_s)
    try:
        held = held_out(designer, brief, calibration(designer, case))
        expected = accuracy_of(held, percentile=PROMISE_PERCENTILE)
        confidence = fit_confidence(
            held.estimate,
            held.slow_uv,
            held.error_rad,
            case.sfreq_hz,
            tolerance_rad=TOLERANCE_RAD,
        )
    except PhasegateError:
        return Promise(), Sureness()  # two thirds of the calibration carry no design
    promise = Promise(
        sd_deg=math.degrees(expected.every.circular_sd_rad),
        gate50_sd_deg=math.degrees(expected.gated.circular_sd_rad),
    )
    return promise, _sure(case, horizon_s, estimate, confidence)


def _sure(
    case: Case, horizon_s: float, estimate: ComplexArray, confidence: Confidence
) -> Sureness:
    """Return how often the estimator was sure in the second half, and was right."""
    scored = case.reference.scored
    amplitude_uv = np.abs(estimate)
    slow_uv = slow_amplitude(amplitude_uv, case.sfreq_hz)
    kappa = np.exp(confidence.log_kappa(amplitude_uv[scored], slow_uv[scored]))
    sure = within(kappa, TOLERANCE_RAD) >= SURE
    if not sure.any():
        return Sureness(share=0.0)
    truth = advance(
        case.reference.analytic, case.sfreq_hz, case.frequency_hz, horizon_s
    )
    error_rad = np.angle(estimate[scored] * truth[scored].conj())
    landed = np.abs(error_rad[sure]) <= TOLERANCE_RAD
    return Sureness(share=float(sure.mean()), landed=float(landed.mean()))
