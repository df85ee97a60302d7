"""Scores of one estimate against one truth; angles in degrees, as published."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from bench.accuracy.triggers import due_instants
from controller.errors import SignalFault
from controller.estimators.truth import phase_at
from controller.kernels.circular import (
    circular_mean,
    circular_sd,
    resultant_length,
    wrap_phase,
)
from controller.kernels.jit import ComplexArray, Float64Array

GATE_PERCENTILES = (50.0, 80.0)
WITHIN_DEG = 45.0

BoolArray = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PhaseScores:
    """All samples, those of large true amplitude, and those behind a causal gate.

    NaN where there was nothing to score.
    """

    circ_sd_deg: float
    r: float
    bias_deg: float
    mean_abs_error_deg: float
    sd_top50_deg: float
    sd_top20_deg: float
    sd_gate50_deg: float
    sd_gate20_deg: float
    gate50_open: float
    gate20_open: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TriggerScores:
    """Where triggers would have landed; true phase minus target.

    NaN where there was no trigger.
    """

    sd_deg: float
    bias_deg: float
    within_45: float
    per_minute: float
    errors_deg: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What triggers are aimed at, and how estimates are placed in time."""

    sfreq_hz: float
    frequency_hz: float
    horizon_s: float
    target_rad: float


def require_estimates(estimate: ComplexArray, scored: BoolArray) -> None:
    """Refuse to score samples without an estimate: an angle of 0 is none.

    Raises
    ------
    SignalFault
    """
    given = np.isfinite(estimate[scored]) & (np.abs(estimate[scored]) > 0.0)
    if not given.all():
        raise SignalFault(
            f"No estimate at {int((~given).sum())} of {given.size} scored samples: "
            "the output there is zero or not a number."
        )


def gate_thresholds(
    estimate: ComplexArray, n_warm_up: int, n_calibration: int
) -> tuple[float, float]:
    """Return the amplitudes of the two gates, from the calibration alone.

    Parameters
    ----------
    estimate : complex array, shape (n_samples,)
    n_warm_up, n_calibration : int
        First sample that counts, and the first that does not.

    Raises
    ------
    SignalFault
        If the estimator is not warm before the calibration ends.
    """
    amplitude = np.abs(estimate[n_warm_up:n_calibration])
    if amplitude.size == 0:
        raise SignalFault(
            f"The estimator warms up for {n_warm_up} samples, the whole calibration; "
            "use longer recordings."
        )
    median, eightieth = np.percentile(amplitude, GATE_PERCENTILES)
    return float(median), float(eightieth)


def score_phase(
    estimate: ComplexArray,
    later: ComplexArray,
    scored: BoolArray,
    thresholds: tuple[float, float],
) -> PhaseScores:
    """Score an estimate at every scored sample.

    Parameters
    ----------
    estimate : complex array, shape (n_samples,)
    later : complex array, shape (n_samples,)
        The truth at the estimate's horizon after each sample.
    scored : array of bool, shape (n_samples,)
    thresholds : tuple of float
        Amplitudes of the gates at the median and the 80th percentile.
    """
    ours, true = estimate[scored], later[scored]
    error = np.angle(ours * true.conj())
    size = np.abs(true)
    half, fifth = np.percentile(size, GATE_PERCENTILES)
    open50, open20 = (np.abs(ours) >= threshold for threshold in thresholds)
    return PhaseScores(
        circ_sd_deg=_sd_deg(error),
        r=resultant_length(error),
        bias_deg=math.degrees(circular_mean(error)),
        mean_abs_error_deg=math.degrees(float(np.abs(error).mean())),
        sd_top50_deg=_sd_deg(error[size >= half]),
        sd_top20_deg=_sd_deg(error[size >= fifth]),
        sd_gate50_deg=_sd_deg(error[open50]),
        sd_gate20_deg=_sd_deg(error[open20]),
        gate50_open=float(open50.mean()),
        gate20_open=float(open20.mean()),
    )


def score_triggers(
    estimate: ComplexArray,
    truth: ComplexArray,
    scored: BoolArray,
    threshold: float,
    task: Task,
) -> TriggerScores:
    """Find the triggers that an estimate would give, and score them.

    Parameters
    ----------
    estimate : complex array, shape (n_samples,)
    truth : complex array, shape (n_samples,)
        At each sample, not at the horizon.
    scored : array of bool, shape (n_samples,)
    threshold : float
        Amplitude below which no trigger is given; 0 for no gate.
    task : Task
    """
    allowed = scored & (np.abs(estimate) >= threshold)
    instants = due_instants(
        estimate,
        allowed,
        sfreq_hz=task.sfreq_hz,
        frequency_hz=task.frequency_hz,
        horizon_s=task.horizon_s,
        target_rad=task.target_rad,
    )
    minutes = float(scored.sum()) / task.sfreq_hz / 60.0
    if instants.size == 0:
        return TriggerScores(
            sd_deg=math.nan,
            bias_deg=math.nan,
            within_45=math.nan,
            per_minute=0.0,
            errors_deg=(),
        )
    true = phase_at(
        truth, instants, sfreq_hz=task.sfreq_hz, frequency_hz=task.frequency_hz
    )
    error = wrap_phase(true - task.target_rad)
    return TriggerScores(
        sd_deg=_sd_deg(error),
        bias_deg=math.degrees(circular_mean(error)),
        within_45=float((np.abs(np.degrees(error)) <= WITHIN_DEG).mean()),
        per_minute=instants.size / minutes,
        errors_deg=tuple(np.degrees(error).tolist()),
    )


def _sd_deg(error_rad: Float64Array) -> float:
    return math.degrees(circular_sd(error_rad)) if error_rad.size else math.nan
