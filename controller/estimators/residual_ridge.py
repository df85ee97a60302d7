"""What all channels know of a rhythm beyond an estimate from the followed one alone."""

import dataclasses

import numpy as np
import scipy.linalg

from controller.estimators.base import Brief
from controller.estimators.fit_grid import FitGrid
from controller.kernels.jit import ComplexArray, Float64Array

LENGTHS_S = (0.1, 0.2, 0.4)
"""Reach of the basis filters at 10 Hz."""

_SLOWEST_HZ = 10.0  # windows are longer for rhythms below
_PENALTIES = tuple(10.0 ** np.arange(-3.0, 2.1, 0.5))
_FLAT = 1e-9  # of a channel's largest sample; less is rounding


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Correction:
    """What the channels add to an estimate.

    Parameters
    ----------
    weights : complex array, shape (n_rows, n_taps)
        `weights[c, k]` multiplies the sample `k` before the newest; each row sums to
        zero.
    held_out : complex array, shape (n_instants,)
        What weights fitted without a fold add at its instants.
    penalty : float
        The one that was chosen.
    """

    weights: ComplexArray
    held_out: ComplexArray
    penalty: float


def fit_correction(
    brief: Brief, grid: FitGrid, rows: Float64Array, estimate: ComplexArray
) -> Correction | None:
    """Fit what the truth shows beyond an estimate, from all channels.

    A few smooth filters around the rhythm's frequency read each channel; their weights
    are shrunk by a penalty. It is chosen for the phase: the mean cosine of the error on
    held-out blocks shall be greatest, and "no correction" takes part in the choice.

    Parameters
    ----------
    brief : Brief
    grid : FitGrid
    rows : array, shape (n_rows, n_samples)
        Rest recording, microvolts.
    estimate : complex array, shape (n_instants,)
        Of the truth at the grid's instants, each fold's from a fit without it.

    Returns
    -------
    Correction or None
        None if no penalty helps.

    References
    ----------
    Hoerl and Kennard (1970), Ridge regression, Technometrics 12:55.
    """
    basis = basis_filters(brief)
    features, scale = _features(grid, rows, basis)
    if not features.shape[1]:
        return None
    held_out = _held_out(grid, features, grid.truth - estimate)
    cosine = [_mean_cosine(estimate, grid.truth)]
    cosine += [_mean_cosine(estimate + left, grid.truth) for left in held_out]
    best = int(np.argmax(cosine))
    if best == 0:
        return None
    penalty = _PENALTIES[best - 1]
    solved = ridge_weights(features, grid.truth - estimate, penalty)
    weights = np.zeros((rows.shape[0], basis.shape[1]), np.complex128)
    used = scale > 0.0
    by_row = solved.reshape(np.count_nonzero(used), -1) / scale[used, np.newaxis]
    real_basis = np.concatenate((basis.real, basis.imag))
    weights[used] = by_row @ real_basis
    weights -= weights.mean(axis=1, keepdims=True)
    return Correction(weights=weights, held_out=held_out[best - 1], penalty=penalty)


def basis_filters(brief: Brief) -> ComplexArray:
    """Return the basis, newest sample first: falling windows that turn with the rhythm.

    Each passes no constant, and answers a unit cosine by about a half.

    Parameters
    ----------
    brief : Brief

    Returns
    -------
    filters : complex array, shape (len(LENGTHS_S), n_taps)
    """
    longer = max(1.0, _SLOWEST_HZ / brief.frequency_hz)
    sizes = [max(2, round(s * longer * brief.sfreq_hz)) for s in LENGTHS_S]
    filters = np.zeros((len(sizes), max(sizes)), np.complex128)
    for row, n in zip(filters, sizes, strict=True):
        age_s = np.arange(n) / brief.sfreq_hz
        window = np.cos(0.5 * np.pi * np.arange(n) / n) ** 2
        shape = window * np.exp(2j * np.pi * brief.frequency_hz * age_s)
        shape -= shape.mean()
        row[:n] = shape / np.abs(shape).sum()
    return filters


def ridge_weights(
    features: Float64Array, target: ComplexArray, penalty: float
) -> ComplexArray:
    """Solve a ridge regression of a complex target on real features.

    Complex weights on the real and imaginary part of a complex feature are weights on
    it and on its conjugate: the most general linear answer.

    Parameters
    ----------
    features : array, shape (n, n_features)
    target : complex array, shape (n,)
    penalty : float
        In units of the features' mean square.
    """
    gram, cross = _normal(features, target)
    loaded = gram + penalty * float(np.mean(np.diag(gram))) * np.eye(gram.shape[0])
    # The penalty makes it positive definite.
    solved = scipy.linalg.cho_solve(scipy.linalg.cho_factor(loaded), cross)
    return np.asarray(solved[:, 0] + 1j * solved[:, 1])


def _features(
    grid: FitGrid, rows: Float64Array, basis: ComplexArray
) -> tuple[Float64Array, Float64Array]:
    """Return the basis's answers to the rows that are not flat, and the rows' scale."""
    scale = np.zeros(rows.shape[0])
    answers = []
    for index, row in enumerate(rows):
        answer = grid.read(row, basis)
        size = float(np.sqrt(np.mean(np.abs(answer) ** 2)))
        if not size > _FLAT * float(np.abs(row).max()):
            continue
        scale[index] = size
        answers += [answer.real / size, answer.imag / size]
    if not answers:
        return np.zeros((grid.truth.size, 0)), scale
    return np.ascontiguousarray(np.concatenate(answers).T), scale


def _held_out(
    grid: FitGrid, features: Float64Array, residual: ComplexArray
) -> ComplexArray:
    """Return, for each penalty, what fits without a fold say of it."""
    gram, cross = _normal(features, residual)
    load = float(np.mean(np.diag(gram)))
    said = np.zeros((len(_PENALTIES), residual.size), np.complex128)
    for fold in grid.folds:
        near_gram, near_cross = _normal(features[fold.away], residual[fold.away])
        # One decomposition answers for every penalty.
        values, vectors = scipy.linalg.eigh(gram - near_gram)
        turned = vectors.T @ (cross - near_cross)
        there = features[fold.held_out] @ vectors
        for row, penalty in zip(said, _PENALTIES, strict=True):
            answer = there @ (turned / (values + penalty * load)[:, np.newaxis])
            row[fold.held_out] = answer[:, 0] + 1j * answer[:, 1]
    return said


def _normal(
    features: Float64Array, target: ComplexArray
) -> tuple[Float64Array, Float64Array]:
    both = np.column_stack((target.real, target.imag))
    return features.T @ features, features.T @ both


def _mean_cosine(estimate: ComplexArray, truth: ComplexArray) -> float:
    return float(np.mean(np.cos(np.angle(estimate * truth.conj()))))
