"""Ridge regression of an analytic signal on the last samples of some channels."""

import dataclasses
import itertools
import math

import numpy as np
import scipy.linalg

from controller.core.records import Kernel
from controller.errors import RhythmTooWeak, SignalFault
from controller.estimators.align import aligned
from controller.estimators.base import Brief, Design
from controller.estimators.lag_grid import LagGrid, expanded, lag_grid, lagged
from controller.estimators.rest import require_rest
from controller.estimators.truth import advance, analytic_truth, filter_s
from controller.kernels.jit import ComplexArray, Float64Array

_CYCLES = 6.0  # 0.6 s at 10 Hz
_LAGS_PER_CYCLE = 25.0  # 250 Hz at 10 Hz
_PENALTIES = tuple(10.0 ** np.arange(-6.0, 0.5, 0.5))

_RESIDUAL_CYCLES = 3.0  # 0.3 s at 10 Hz
_RESIDUAL_LAGS_PER_CYCLE = 8.0
_RESIDUAL_PENALTIES = tuple(10.0 ** np.arange(-2.0, 1.5, 0.5))
_LEAST_GAIN = 0.01  # of the squared error; channels that know nothing gain less
MINIMUM_RESIDUAL_S = 60.0
MINIMUM_RESIDUAL_ROWS = 8

_FOLDS = 5
_FLAT = 1e-9  # of a channel's largest value; less is rounding
_MOST_ROWS = 12_000  # of the regression: two minutes at 100 Hz


class PersonalRidge:
    """Ridge regression of the offline truth on the last 0.6 s of the target channel.

    No spectrum is estimated: the weights are those that follow the truth's analytic
    signal best on the rest itself, with a penalty on their size that is chosen by
    cross-validation over blocks of time.

    References
    ----------
    Hoerl and Kennard (1970), Technometrics 12(1):55.
    """

    name = "ridge"
    needs_rest = True
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return the filter for a brief and the rest of this person.

        Parameters
        ----------
        brief : Brief
        rest : array, shape (1, n_samples)
            At least 15 s in microvolts, without gaps.

        Raises
        ------
        ConfigError
            If there is no rest recording, or not of one virtual channel.
        RhythmTooWeak
            If the rest recording is too short.
        SignalFault
            If it is flat or holds a sample that is not a number.
        """
        samples = require_rest(self.name, brief, rest)[np.newaxis]
        grid = lag_grid(brief, _CYCLES, _LAGS_PER_CYCLE)
        target = truth_at_horizon(brief, samples[0])
        problem = _problem(brief, grid, target, samples)
        best = min(_PENALTIES, key=_held_out(problem, _PENALTIES).__getitem__)
        fir = expanded(_solve(problem, best), grid)
        design = Design(
            name=self.name,
            brief=brief,
            kernel=Kernel.FIR,
            fir=fir,
            warm_up_s=fir.shape[1] / brief.sfreq_hz,
        )
        return aligned(design, samples)


def fit_residual_ridge(
    brief: Brief,
    target: ComplexArray,
    others: Float64Array,
    *,
    minimum_s: float = MINIMUM_RESIDUAL_S,
    minimum_rows: int = MINIMUM_RESIDUAL_ROWS,
) -> ComplexArray | None:
    """Fit what other channels know of a target that is left to explain.

    The penalty is chosen by cross-validation over blocks of time, and "no weights at
    all" takes part in the choice.

    Parameters
    ----------
    brief : Brief
    target : complex array, shape (n_samples,)
        After each sample: the truth at the horizon minus what is estimated already.
        NaN where it is not known, as in a warm-up.
    others : array, shape (n_rows, n_samples)
        Rest recording of the channels, in microvolts.
    minimum_s, minimum_rows : float, int
        Less rest or fewer channels than that are not tried.

    Returns
    -------
    weights : complex array, shape (n_rows, n_taps), or None
        `weights[c, k]` multiplies the sample `k` before the newest; each row sums to
        zero. None if there is too little to fit, or nothing to gain.
    """
    known_s = np.count_nonzero(np.isfinite(target)) / brief.sfreq_hz
    # Warm-up and filter edges are no reason to call a minute less than a minute.
    if (
        others.shape[0] < minimum_rows
        or not known_s + 4.0 * filter_s(brief.band_hz) >= minimum_s
    ):
        return None
    grid = lag_grid(brief, _RESIDUAL_CYCLES, _RESIDUAL_LAGS_PER_CYCLE)
    problem = _problem(brief, grid, target, others)
    left = _held_out(problem, _RESIDUAL_PENALTIES)
    best = min(left, key=left.__getitem__)
    if not left[best] < (1.0 - _LEAST_GAIN) * left[math.inf]:
        return None
    return expanded(_solve(problem, best), grid)


def truth_at_horizon(brief: Brief, samples: Float64Array) -> ComplexArray:
    """Return the truth at the horizon after each sample, NaN near the ends.

    Parameters
    ----------
    brief : Brief
    samples : array, shape (n_samples,)

    Raises
    ------
    ConfigError, SignalFault
        As `analytic_truth`.
    """
    truth = analytic_truth(samples, brief.sfreq_hz, brief.band_hz)
    later = advance(truth, brief.sfreq_hz, brief.frequency_hz, brief.horizon_s)
    later[: math.ceil(filter_s(brief.band_hz) * brief.sfreq_hz)] = np.nan
    later[
        later.size
        - math.ceil((filter_s(brief.band_hz) + brief.horizon_s) * brief.sfreq_hz) :
    ] = np.nan
    return later


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Problem:
    """A regression: features (n, n_rows * n_lags), scaled to 1, and its target.

    The target (n, 2) holds real and imaginary part, `scale` the rows' root mean
    squares, `folds` pairs of (held out, kept away from the fit) as half-open ranges.
    """

    features: Float64Array
    target: Float64Array
    scale: Float64Array
    folds: tuple[tuple[slice, slice], ...]


def _problem(
    brief: Brief, grid: LagGrid, target: ComplexArray, rows: Float64Array
) -> _Problem:
    n_grid = (rows.shape[1] - grid.step) // grid.step + 1
    at = np.arange(grid.n_lags + 1, n_grid)
    at = at[np.isfinite(target[at * grid.step])]
    stride = math.ceil(at.size / _MOST_ROWS)
    at = at[::stride]
    if at.size < _FOLDS * 2:
        raise RhythmTooWeak(
            "The rest recording leaves too few samples to fit a ridge regression; "
            "record more rest."
        )
    features = lagged(rows, grid, at)
    largest = np.abs(features).max(axis=(0, 2))
    # What is the same at all lags, an offset, must not be answered.
    features -= features.mean(axis=2, keepdims=True)
    scale = np.sqrt(np.mean(features**2, axis=(0, 2)))
    scale[scale <= _FLAT * largest] = 0.0
    if not scale.any():
        raise SignalFault(
            "The rest recording is flat; check that the channels of the montage are "
            "connected."
        )
    # A channel that is flat at rest has nothing to say and gets no weight.
    features *= _reciprocal(scale)[:, np.newaxis]
    known = target[at * grid.step]
    guard = math.ceil(filter_s(brief.band_hz) * brief.sfreq_hz / grid.step / stride)
    return _Problem(
        features=features.reshape(at.size, -1),
        target=np.column_stack((known.real, known.imag)),
        scale=scale,
        folds=_blocks(at.size, guard),
    )


def _blocks(n: int, guard: int) -> tuple[tuple[slice, slice], ...]:
    """Return held-out blocks, and the same with a guard on either side.

    The truth's filter reaches over a block's edge; without the guard, the fit would
    have seen some of what it is judged by.
    """
    edges = np.linspace(0, n, _FOLDS + 1).astype(int)
    return tuple(
        (slice(first, last), slice(max(0, first - guard), last + guard))
        for first, last in itertools.pairwise(edges)
    )


def _held_out(problem: _Problem, penalties: tuple[float, ...]) -> dict[float, float]:
    """Return the squared error left on held-out blocks; infinite is no weights."""
    features, target = problem.features, problem.target
    gram, cross = _normal(features, target)
    left = dict.fromkeys((*penalties, math.inf), 0.0)
    for held_out, away in problem.folds:
        near_gram, near_cross = _normal(features[away], target[away])
        wanted = target[held_out]
        for penalty in penalties:
            weights = _penalised(gram - near_gram, cross - near_cross, penalty)
            error = wanted - features[held_out] @ weights
            left[penalty] += float(np.sum(error**2))
        left[math.inf] += float(np.sum(wanted**2))
    return left


def _solve(problem: _Problem, penalty: float) -> ComplexArray:
    """Return the weights for unscaled features, shape (n_rows, n_lags)."""
    gram, cross = _normal(problem.features, problem.target)
    real, imaginary = _penalised(gram, cross, penalty).T
    weights = (real + 1j * imaginary).reshape(problem.scale.size, -1)
    return np.asarray(weights * _reciprocal(problem.scale)[:, np.newaxis])


def _reciprocal(scale: Float64Array) -> Float64Array:
    """Return one over the scale of each row, 0 where that is 0."""
    return np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0.0)


def _normal(
    features: Float64Array, target: Float64Array
) -> tuple[Float64Array, Float64Array]:
    return features.T @ features, features.T @ target


def _penalised(gram: Float64Array, cross: Float64Array, penalty: float) -> Float64Array:
    """Solve the normal equations, with the penalty in units of the mean diagonal."""
    loaded = gram.copy()
    loaded[np.diag_indices_from(loaded)] += penalty * float(np.mean(np.diag(gram)))
    # The penalty makes it positive definite; this spares an estimate of the condition.
    factor = scipy.linalg.cho_factor(loaded, overwrite_a=True, check_finite=False)
    return np.asarray(scipy.linalg.cho_solve(factor, cross, check_finite=False))
