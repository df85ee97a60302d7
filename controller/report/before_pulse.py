"""The phase at a pulse from the data before it alone, and how far off that is.

A zero-phase filter reaches a second beyond the pulse, into its artifact and into what
it evoked. Here nothing after the pulse is looked at: a linear predictor, fitted to the
longest stretch of the session without pulses, continues the data up to `GUARD_S` before
it. What the predictor gets wrong is measured against the zero-phase truth at moments
without pulses that it was not fitted to, and at which the rhythm was as strong as at
the pulses.

Predictor and loop see the same past, so the predicted errors look narrower than they
are: what came between is missing from both. It is independent of the past, so that the
lengths of mean vectors multiply and mean errors add. `Corrected` does that.
"""

import dataclasses
import math

import numpy as np
import scipy.signal

from controller.errors import PhasegateError
from controller.estimators.base import Brief
from controller.estimators.truth import analytic_truth, filter_s
from controller.estimators.wiener import PersonalWiener
from controller.kernels.circular import circular_mean, resultant_length, wrap_phase
from controller.kernels.jit import ComplexArray, Float64Array, Int64Array
from controller.report.achieved import Virtual, segments

GUARD_S = 0.003
"""Newest data used, before the pulse: an amplifier's filter may begin to feel it."""

MINIMUM_FREE_S = 32.0
"""Stretch without pulses: two halves, one to fit and one to test on, and their ends."""

_MOCKS_PER_CYCLE = 4.0
_NEIGHBOURS = 5
_RECOVERY_S = 0.1  # of a pulse's artifact, before data may be used again


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BeforePulse:
    """Phases from before the pulses, and what is known of their error.

    Parameters
    ----------
    phase_rad : array, shape (n_pulses,)
        NaN where the data before a pulse do not reach back far enough.
    spread_rad : array, shape (n_pulses, n_neighbours)
        The method's errors at the moments most like each pulse; NaN as above.
    bias_rad, sd_rad : float
        Mean and circular SD of the method's own error (its phase less the zero-phase
        truth) at moments without pulses, matched in amplitude to the pulses.
    n_mock : int
        How many such moments there were.
    """

    phase_rad: Float64Array
    spread_rad: Float64Array
    bias_rad: float
    sd_rad: float
    n_mock: int

    def corrected(self, errors_rad: Float64Array) -> tuple[float, float]:
        """Return mean and circular SD of the phase errors as the truth would show them.

        Parameters
        ----------
        errors_rad : array, shape (n,)
            Phases of this method less their targets; at least one.
        """
        length = resultant_length(errors_rad) * math.exp(-(self.sd_rad**2) / 2.0)
        sd_rad = math.sqrt(-2.0 * math.log(length)) if length > 0.0 else math.inf
        mean = float(wrap_phase(circular_mean(errors_rad) - self.bias_rad))
        return mean, sd_rad


def before_pulse(
    virtual: Virtual,
    band_hz: tuple[float, float],
    instants: Float64Array,
    pulses: Float64Array,
) -> BeforePulse | None:
    """Return the phase at each instant from the data before it.

    None if no stretch without pulses is long enough, or it holds no rhythm to fit.

    Parameters
    ----------
    virtual : Virtual
    band_hz : tuple of float
    instants : array, shape (n,)
        When the edge was at the device, or would have been.
    pulses : array, shape (n_pulses,)
        When pulses really came: what is not to be seen.
    """
    free = longest_free(virtual, pulses)
    if free is None:
        return None
    brief = Brief(
        sfreq_hz=virtual.sfreq_hz,
        frequency_hz=float(np.mean(band_hz)),
        band_hz=band_hz,
        horizon_s=_guard_samples(virtual.sfreq_hz) / virtual.sfreq_hz,
    )
    try:
        mock, true = _mock_moments(virtual.microvolts[free], brief)
        predictor = _predictor(virtual.microvolts[free], brief)
    except PhasegateError:  # too short, too weak or flat: there is nothing to fit
        return None
    found = _predicted(virtual, predictor, brief, instants, pulses)
    known = np.isfinite(found)
    if not known.any() or len(mock) == 0:
        return None
    errors = wrap_phase(np.angle(mock) - np.angle(true))
    errors = errors[_matched(np.abs(mock), np.abs(found[known]))]
    spread = np.full((len(found), errors.shape[1]), np.nan)
    spread[known] = errors
    errors = errors.ravel()
    length = max(resultant_length(errors), 1e-12)
    return BeforePulse(
        phase_rad=np.where(known, np.angle(found), np.nan),
        spread_rad=spread,
        bias_rad=circular_mean(errors),
        sd_rad=math.sqrt(max(0.0, -2.0 * math.log(length))),
        n_mock=len(mock),
    )


def longest_free(virtual: Virtual, pulses: Float64Array) -> slice | None:
    """Return the longest stretch without gap and pulse; None if it is too short."""
    pulses = np.sort(pulses[np.isfinite(pulses)])
    best: slice | None = None
    for part in segments(virtual):
        stamps = virtual.stamps[part]
        first = part.start + np.searchsorted(stamps, pulses + _RECOVERY_S)
        last = part.start + np.searchsorted(stamps, pulses - GUARD_S)
        starts = np.concatenate(([part.start], first))
        stops = np.concatenate((last, [part.stop]))
        longest = int(np.argmax(stops - starts))
        found = slice(int(starts[longest]), int(stops[longest]))
        if best is None or found.stop - found.start > best.stop - best.start:
            best = found
    if best is None or (best.stop - best.start) < MINIMUM_FREE_S * virtual.sfreq_hz:
        return None
    return best


def _guard_samples(sfreq_hz: float) -> int:
    return math.ceil(GUARD_S * sfreq_hz)


def _predictor(samples: Float64Array, brief: Brief) -> ComplexArray:
    """Return the weights that give the analytic signal a guard after the newest sample.

    `weights[k]` multiplies the sample `k` before the newest.
    """
    design = PersonalWiener().design(brief, samples[np.newaxis])
    assert design.fir is not None
    return np.ascontiguousarray(design.fir[0])


def _mock_moments(
    samples: Float64Array, brief: Brief
) -> tuple[ComplexArray, ComplexArray]:
    """Return predicted and true analytic signal where there was no pulse.

    Either half is predicted with weights of the other.
    """
    n_guard = _guard_samples(brief.sfreq_hz)
    step = max(1, round(brief.sfreq_hz / brief.frequency_hz / _MOCKS_PER_CYCLE))
    middle = len(samples) // 2
    halves = samples[:middle], samples[middle:]
    predicted, true = [], []
    for fitted, tested in (halves, halves[::-1]):
        weights = _predictor(fitted, brief)
        truth = analytic_truth(tested - tested.mean(), brief.sfreq_hz, brief.band_hz)
        followed = scipy.signal.oaconvolve(tested, weights)[: len(tested)]
        n_edge = math.ceil(filter_s(brief.band_hz) * brief.sfreq_hz)
        at = np.arange(max(n_edge, len(weights)) + n_guard, len(tested) - n_edge, step)
        predicted.append(followed[at - n_guard])
        true.append(truth[at])
    return np.concatenate(predicted), np.concatenate(true)


def _predicted(
    virtual: Virtual,
    weights: ComplexArray,
    brief: Brief,
    instants: Float64Array,
    pulses: Float64Array,
) -> ComplexArray:
    """Return the predicted analytic signal at each instant, NaN where it is not known.

    The newest sample lies a guard before the instant or up to one sample more; what it
    lies more is turned on at the rhythm's pace.
    """
    guard_s = brief.horizon_s
    found = np.full(len(instants), np.nan, np.complex128)
    pulses = np.sort(pulses[np.isfinite(pulses)])
    n = len(weights)
    turn = 2.0 * np.pi * brief.frequency_hz
    for part in segments(virtual):
        stamps, microvolts = virtual.stamps[part], virtual.microvolts[part]
        newest = np.searchsorted(stamps, instants - guard_s, side="right") - 1
        for k in np.flatnonzero((newest >= n - 1) & (instants <= stamps[-1] + guard_s)):
            oldest = newest[k] - n + 1
            before = np.searchsorted(pulses, instants[k] - guard_s, side="right")
            if before and pulses[before - 1] + _RECOVERY_S > stamps[oldest]:
                continue
            window = microvolts[oldest : newest[k] + 1][::-1]
            late_s = instants[k] - guard_s - stamps[newest[k]]
            found[k] = (weights @ window) * np.exp(1j * turn * late_s)
    return found


def _matched(mock: Float64Array, wanted: Float64Array) -> Int64Array:
    """Return the nearest of the mock moments for each amplitude wanted, row by row."""
    order = np.argsort(mock, kind="stable")
    n = min(_NEIGHBOURS, len(order))
    at = np.searchsorted(mock[order], wanted)
    first = np.clip(at - n // 2, 0, len(order) - n)
    return np.asarray(order[first[:, np.newaxis] + np.arange(n)])
