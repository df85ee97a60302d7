"""Instants of a rest recording that weights are fitted at, and filters read at them.

A rhythm's envelope changes slowly, so a fit needs an instant every few milliseconds,
not every sample; reading long filters only there keeps a design quick at any rate.
"""

import dataclasses
import itertools
import math

import numpy as np
import numpy.typing as npt

from controller.errors import RhythmTooWeak
from controller.estimators.base import Brief
from controller.estimators.truth import advance, analytic_truth, filter_s
from controller.kernels.jit import ComplexArray, Float64Array

_STEP_S = 0.016
_FOLDS = 5

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """A block of instants to be judged, and what a fit for it may see.

    Parameters
    ----------
    held_out : slice
        Of the grid's instants.
    away : slice
        The same and a guard on either side, over which the truth's filter reaches:
        not seen by the fit.
    """

    held_out: slice
    away: slice


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitGrid:
    """Every `step`-th sample at which both truth and estimates are known.

    Parameters
    ----------
    step : int
        Samples from one instant to the next.
    first, last : int
        Instants `first` up to but not including `last` of those at the samples
        `step - 1`, `2 step - 1` and so on.
    truth : complex array, shape (last - first,)
        The offline truth at the horizon after each instant.
    folds : tuple of Fold
    """

    step: int
    first: int
    last: int
    truth: ComplexArray
    folds: tuple[Fold, ...]

    @property
    def at(self) -> IntArray:
        """Samples of the instants."""
        return np.arange(self.first + 1, self.last + 1) * self.step - 1

    def read(self, samples: Float64Array, filters: ComplexArray) -> ComplexArray:
        """Return what filters answer to a channel at the instants.

        Parameters
        ----------
        samples : array, shape (n_samples,)
        filters : complex array, shape (n_filters, n_taps)
            Newest sample first.

        Returns
        -------
        answers : complex array, shape (n_filters, last - first)
        """
        # In blocks of `step` samples, a filter is a few small matrices, one for each
        # block that it reaches back: one product, then a sum along its diagonals.
        n_filters, n_taps = filters.shape
        n_back = min(math.ceil(n_taps / self.step), self.last)
        padded = np.zeros((n_filters, n_back * self.step), np.complex128)
        n_used = min(n_taps, padded.shape[1])
        padded[:, :n_used] = filters[:, :n_used]
        weights = padded.reshape(n_filters, n_back, self.step)[:, :, ::-1]
        by_sample = np.moveaxis(weights, 2, 0).reshape(self.step, -1)
        blocks = samples[: self.last * self.step].reshape(self.last, self.step)
        both = np.concatenate((by_sample.real, by_sample.imag), axis=1)
        products = (blocks @ both).reshape(self.last, 2, n_filters, n_back)
        answers = np.zeros((2, n_filters, self.last - self.first))
        for back in range(n_back):
            begin = max(self.first, back)
            seen = products[begin - back : self.last - back, :, :, back]
            answers[:, :, begin - self.first :] += np.moveaxis(seen, 0, 2)
        return np.asarray(answers[0] + 1j * answers[1])


def fit_grid(
    brief: Brief, samples: Float64Array, *, warm_up_s: float, step: int
) -> FitGrid:
    """Return the grid over a rest recording, with its truth and five folds.

    Parameters
    ----------
    brief : Brief
    samples : array, shape (n_samples,)
        The channel that is followed, microvolts.
    warm_up_s : float
        No instant before.
    step : int

    Raises
    ------
    RhythmTooWeak
        If the recording leaves less than a second.
    ConfigError, SignalFault
        As `analytic_truth`.
    """
    edge_s = filter_s(brief.band_hz)
    n_first = math.ceil(max(edge_s, warm_up_s) * brief.sfreq_hz)
    n_last = samples.size - math.ceil((edge_s + brief.horizon_s) * brief.sfreq_hz)
    if not n_last - n_first >= brief.sfreq_hz:
        raise RhythmTooWeak(
            f"The rest recording lasts {samples.size / brief.sfreq_hz:.1f} s, too "
            "short to fit an estimator to its offline phase; record more rest."
        )
    first, last = math.ceil((n_first + 1) / step) - 1, n_last // step
    at = np.arange(first + 1, last + 1) * step - 1
    analytic = analytic_truth(samples, brief.sfreq_hz, brief.band_hz)
    later = advance(analytic, brief.sfreq_hz, brief.frequency_hz, brief.horizon_s)
    guard = math.ceil(edge_s * brief.sfreq_hz / step)
    return FitGrid(
        step=step,
        first=first,
        last=last,
        truth=np.ascontiguousarray(later[at]),
        folds=_folds(at.size, guard),
    )


def fit_step(sfreq_hz: float) -> int:
    """Return the samples between two instants, about 16 ms."""
    return max(1, round(_STEP_S * sfreq_hz))


def outside(n: int, away: slice) -> BoolArray:
    """Return which of `n` entries a fit may see."""
    seen = np.ones(n, dtype=np.bool_)
    seen[away] = False
    return seen


def _folds(n: int, guard: int) -> tuple[Fold, ...]:
    # In a recording too short for the whole guard, fits must keep half of it.
    guard = min(guard, n // (4 * _FOLDS))
    edges = np.linspace(0, n, _FOLDS + 1).astype(int)
    return tuple(
        Fold(
            held_out=slice(int(begin), int(end)),
            away=slice(max(0, int(begin) - guard), int(end) + guard),
        )
        for begin, end in itertools.pairwise(edges)
    )
