"""What accuracy a design may promise, scored on rest it was not designed from."""

import dataclasses

import numpy as np
import numpy.typing as npt

from controller.errors import RhythmTooWeak
from controller.estimators.align import compare, designed
from controller.estimators.base import Brief, Design, Designer
from controller.estimators.confidence import fit_confidence, slow_amplitude
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """Estimates of rest that their design was not made from.

    Parameters
    ----------
    estimate : complex array, shape (n_samples,)
    slow_uv : array, shape (n_samples,)
        Running average of its amplitude.
    error_rad : array, shape (n_samples,)
        Phase of the estimate minus that of the truth.
    folds : tuple of slice
        Which entries belong together.
    others_uv : tuple of array
        For each fold, amplitudes outside of it by the same design.
    """

    estimate: ComplexArray
    slow_uv: Float64Array
    error_rad: Float64Array
    folds: tuple[slice, ...]
    others_uv: tuple[Float64Array, ...]


def held_out(designer: Designer, brief: Brief, rest: Float64Array) -> HeldOut:
    """Estimate each third of the rest with a design from the other two.

    The frequency in the brief usually comes from all of it, which flatters the errors a
    little; what nobody can know from rest is how drowsy the session will be.

    Parameters
    ----------
    designer : Designer
    brief : Brief
    rest : array, shape (n_virtual, n_samples)
        Microvolts, without gaps.

    Raises
    ------
    RhythmTooWeak
        If two thirds of the rest are too short for the designer.
    ConfigError, SignalFault
        As the designer.
    """
    estimates, slows, errors, folds, others_uv = [], [], [], [], []
    n_before = 0
    for fold in np.array_split(np.arange(rest.shape[1]), _FOLDS):
        others = np.ascontiguousarray(np.delete(rest, fold, axis=1))
        design = designed(designer, brief, others)
        beside = compare(design, rest)
        inside = np.zeros(beside.truth.size, dtype=np.bool_)
        inside[max(0, fold[0] - beside.first) : fold[-1] + 1 - beside.first] = True
        amplitude_uv = np.abs(beside.estimate)
        estimates.append(beside.estimate[inside])
        slows.append(slow_amplitude(amplitude_uv, brief.sfreq_hz)[inside])
        errors.append(beside.error_rad[inside])
        others_uv.append(amplitude_uv[~inside])
        folds.append(slice(n_before, n_before + int(np.count_nonzero(inside))))
        n_before += int(np.count_nonzero(inside))
    return HeldOut(
        estimate=np.concatenate(estimates),
        slow_uv=np.concatenate(slows),
        error_rad=np.concatenate(errors),
        folds=tuple(folds),
        others_uv=tuple(others_uv),
    )


def accuracy_of(held: HeldOut, *, percentile: float) -> ExpectedAccuracy:
    """Score held-out estimates; each fold's gate comes from the other folds.

    Parameters
    ----------
    held : HeldOut
    percentile : float
        Of the estimated amplitude, 0 up to but not including 100.

    Raises
    ------
    RhythmTooWeak
        If the gate never opens.
    """
    gate = np.zeros(held.estimate.size, dtype=np.bool_)
    thresholds = []
    for fold, others_uv in zip(held.folds, held.others_uv, strict=True):
        threshold_uv = float(np.percentile(others_uv, percentile))
        gate[fold] = np.abs(held.estimate[fold]) >= threshold_uv
        thresholds.append(threshold_uv)
    return _expect(held.error_rad, gate, float(np.mean(thresholds)), held_out=True)


def confident(design: Design, held: HeldOut, tolerance_rad: float) -> Design:
    """Return the design knowing how sure it is of each phase.

    Parameters
    ----------
    design : Design
    held : HeldOut
        Of the same designer, brief and rest.
    tolerance_rad : float
        That its probabilities speak of.

    Raises
    ------
    RhythmTooWeak
        If there is too little rest to learn it from.
    """
    confidence = fit_confidence(
        held.estimate,
        held.slow_uv,
        held.error_rad,
        design.brief.sfreq_hz,
        tolerance_rad=tolerance_rad,
    )
    return dataclasses.replace(design, confidence=confidence)


def expected_accuracy(
    designer: Designer, brief: Brief, rest: Float64Array, *, percentile: float
) -> ExpectedAccuracy:
    """Score each third of the rest with a design from the other two, and pool.

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
    return accuracy_of(held_out(designer, brief, rest), percentile=percentile)


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
