"""What accuracy a design may promise, scored on rest it was not designed from."""

import dataclasses

import numpy as np
import numpy.typing as npt

from controller.errors import RhythmTooWeak
from controller.estimators.align import compare
from controller.estimators.base import Brief, Design, Designer
from controller.kernels.circular import (
    circular_mean,
    circular_sd,
    resultant_length,
)
from controller.kernels.jit import ComplexArray, Float64Array

_FOLDS = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PhaseScore:
    """Phase of an estimate against the offline truth.

    Parameters
    ----------
    n : int
        Samples scored; neighbours are alike, so they are far fewer observations.
    circular_sd_rad : float
    bias_rad : float
        Circular mean of estimate minus truth.
    resultant_length : float
    """

    n: int
    circular_sd_rad: float
    bias_rad: float
    resultant_length: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAccuracy:
    """Scores over all samples, and over those that an amplitude gate lets through.

    Parameters
    ----------
    every : PhaseScore
    gated : PhaseScore
    threshold_uv : float
        Amplitude of the gate.
    held_out : bool
        False if the design, or its gate, was fitted on the samples scored: then the
        scores flatter it.
    """

    every: PhaseScore
    gated: PhaseScore
    threshold_uv: float
    held_out: bool


def expected_accuracy(
    designer: Designer, brief: Brief, rest: Float64Array, *, percentile: float
) -> ExpectedAccuracy:
    """Score each third of the rest with a design from the other two, and pool.

    The gate's threshold of a third comes from the other two as well. The frequency in
    the brief usually does not, which flatters the score a little; what nobody can know
    from rest is how drowsy the session will be.

    Parameters
    ----------
    designer : Designer
    brief : Brief
    rest : array, shape (n_virtual, n_samples)
        Microvolts, without gaps.
    percentile : float
        Of the estimated amplitude, 0 up to but not including 100.

    Raises
    ------
    RhythmTooWeak
        If two thirds of the rest are too short for the designer.
    ConfigError, SignalFault
        As the designer.
    """
    folds = np.array_split(np.arange(rest.shape[1]), _FOLDS)
    errors, gates, thresholds = [], [], []
    for held_out in folds:
        others = np.ascontiguousarray(np.delete(rest, held_out, axis=1))
        design = designer.design(brief, others)
        beside = compare(design, rest)
        outside = np.ones(beside.truth.size, dtype=np.bool_)
        start = max(0, held_out[0] - beside.first)
        outside[start : held_out[-1] + 1 - beside.first] = False
        threshold_uv = _quantile(beside.estimate[outside], percentile)
        errors.append(beside.error_rad[~outside])
        gates.append(np.abs(beside.estimate[~outside]) >= threshold_uv)
        thresholds.append(threshold_uv)
    return _expect(
        np.concatenate(errors),
        np.concatenate(gates),
        float(np.mean(thresholds)),
        held_out=True,
    )


def fitted_accuracy(
    design: Design, rest: Float64Array, *, percentile: float
) -> ExpectedAccuracy:
    """Score a finished design on a rest recording, most likely its own.

    Parameters
    ----------
    design : Design
    rest : array, shape (n_virtual, n_samples)
        Microvolts, without gaps.
    percentile : float
        Of the estimated amplitude over this recording.

    Raises
    ------
    RhythmTooWeak
        If the recording is too short.
    ConfigError, SignalFault
        As `run_design` and `analytic_truth`.
    """
    beside = compare(design, rest)
    threshold_uv = _quantile(beside.estimate, percentile)
    open_gate = np.abs(beside.estimate) >= threshold_uv
    return _expect(beside.error_rad, open_gate, threshold_uv, held_out=False)


def _quantile(estimate: ComplexArray, percentile: float) -> float:
    return float(np.percentile(np.abs(estimate), percentile))


def _expect(
    error_rad: Float64Array,
    open_gate: npt.NDArray[np.bool_],
    threshold_uv: float,
    *,
    held_out: bool,
) -> ExpectedAccuracy:
    if not open_gate.any():
        raise RhythmTooWeak(
            f"The estimated amplitude never reaches {threshold_uv:.1f} uV where it is "
            "scored; record more rest, or lower gate.percentile."
        )
    return ExpectedAccuracy(
        every=_score(error_rad),
        gated=_score(error_rad[open_gate]),
        threshold_uv=threshold_uv,
        held_out=held_out,
    )


def _score(error_rad: Float64Array) -> PhaseScore:
    return PhaseScore(
        n=error_rad.size,
        circular_sd_rad=circular_sd(error_rad),
        bias_rad=circular_mean(error_rad),
        resultant_length=resultant_length(error_rad),
    )
