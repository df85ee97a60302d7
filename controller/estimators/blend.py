"""The default: one person's predictor, models of the last seconds, other channels."""

import cmath
import dataclasses
import math

import numpy as np

from controller.core.records import Kernel, LocalMethod
from controller.errors import RhythmTooWeak
from controller.estimators.base import Brief, Decimation, Design, LocalPart
from controller.estimators.decimation import (
    decimation_for,
    filling_s,
    forecast_row,
    order_at,
    rate_of,
    steps_ahead,
)
from controller.estimators.fit_grid import FitGrid, fit_grid, fit_step, outside
from controller.estimators.offline import run_design
from controller.estimators.residual_ridge import Correction, fit_correction
from controller.estimators.rest import require_rows
from controller.estimators.truth import filter_s
from controller.estimators.wiener import predictor_weights
from controller.kernels.circular import circular_mean
from controller.kernels.jit import ComplexArray, Float64Array

WINDOWS_S = (1.0, 2.0, 4.0, 8.0)
"""What the autoregressive models are fitted to, at 10 Hz."""

_SLOWEST_HZ = 10.0  # windows are longer for rhythms below
_ORDER = 20  # at 250 Hz
_LEAST_HZ = 500.0
_REFIT_S = 0.060  # a model every 2 ms gives the same phase to a degree or two
_PERSONAL_CYCLES = 5.0
_N_MEMBERS = 1 + len(WINDOWS_S)

MINIMUM_OTHERS_S = 60.0
MINIMUM_OTHERS = 8
"""Less rest or fewer other channels than that are not fitted."""


class Blend:
    """The mean of a personal predictor and four local ones, and what others add.

    The members are one person's Wiener predictor, which knows the spectrum well and
    takes it to stay the same, and autoregressive forecasts from the last 1, 2, 4 and
    8 s, which know it badly and follow it. Their errors differ, so the mean is better
    than each of them; weights fitted to them are no better than the mean. What
    it leaves is regressed on all channels, if there are enough. The constant bias is
    taken out last, as estimates show it that were fitted to other parts of the rest,
    where their amplitude is above its median.

    References
    ----------
    Wiener (1949), Extrapolation, Interpolation, and Smoothing of Stationary Time
    Series. PEAP (2026), phase estimation by autoregressive padding. Bates and Granger
    (1969), The combination of forecasts, Operational Research Quarterly 20:451.
    """

    name = "blend"
    needs_rest = True
    reads_others = True

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return the design for a brief and the rest of this person.

        Parameters
        ----------
        brief : Brief
        rest : array, shape (n_virtual, n_samples)
            At least 15 s in microvolts, without gaps. With 60 s or more, the rows after
            the first are read as well if there are 8 of them or more.

        Raises
        ------
        ConfigError
            If there is no rest recording.
        RhythmTooWeak
            If the rest recording is too short, or has nothing in the band.
        SignalFault
            If it is flat or holds a sample that is not a number.
        """
        rows = np.ascontiguousarray(require_rows(self.name, brief, rest))
        local = local_forecasts(self.name, brief)
        grid = fit_grid(
            brief,
            rows[0],
            warm_up_s=local.warm_up_s,
            step=fit_step(brief.sfreq_hz),
        )
        forecasts = run_design(local, rows[:1])[grid.at]
        mix = _fit_mix(brief, grid, rows[0], forecasts)
        correction = None
        if _has_enough(brief, rows):
            correction = fit_correction(brief, grid, rows, mix.held_out)
        return _assembled(self.name, brief, grid, mix, correction)


def local_forecasts(name: str, brief: Brief) -> Design:
    """Return the sum of the local members' shares in the mean.

    All of them speak when one second is there, and grow to their windows; each fits
    anew at other samples than the others.

    Parameters
    ----------
    name : str
    brief : Brief
    """
    decimation = decimation_for(brief.sfreq_hz, brief.band_hz[1], least_hz=_LEAST_HZ)
    rate_hz = rate_of(brief, decimation)
    stride = max(1, round(_REFIT_S * rate_hz))
    parts = tuple(
        _part(brief, decimation, window_s, stride, index * stride // len(WINDOWS_S))
        for index, window_s in enumerate(WINDOWS_S)
    )
    n_least = max(part.n_least for part in parts)
    return Design(
        name=name,
        brief=brief,
        kernel=Kernel.LOCAL,
        decimation=decimation,
        local=parts,
        warm_up_s=filling_s(brief, decimation, n_least),
    )


def _part(
    brief: Brief, decimation: Decimation, window_s: float, stride: int, later: int
) -> LocalPart:
    rate_hz = rate_of(brief, decimation)
    n_reach = round(filter_s(brief.band_hz) * rate_hz)
    n_least = n_reach + later
    longer = max(1.0, _SLOWEST_HZ / brief.frequency_hz)
    n_ahead = n_reach + math.ceil(steps_ahead(brief, decimation))
    return LocalPart(
        method=LocalMethod.FORECAST,
        n_fit=max(round(window_s * longer * rate_hz), n_least),
        n_least=n_least,
        order=order_at(rate_hz, _ORDER),
        n_data=n_reach,
        n_ahead=n_ahead,
        row=forecast_row(brief, decimation, n_back=0, n_data=n_reach, n_ahead=n_ahead),
        stride=stride,
        weight=1.0 / _N_MEMBERS,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Mix:
    """The mean of the members, times one factor.

    Parameters
    ----------
    personal : complex array, shape (n_taps,)
        The personal predictor's share, newest sample first, without the factor.
    factor : complex
    held_out : complex array, shape (n_instants,)
        At the grid's instants, each fold's from the rest without it.
    """

    personal: ComplexArray
    factor: complex
    held_out: ComplexArray


def _fit_mix(
    brief: Brief, grid: FitGrid, samples: Float64Array, forecasts: ComplexArray
) -> _Mix:
    held_out = np.empty_like(forecasts)
    for fold in grid.folds:
        begin, end = fold.away.start, fold.away.stop
        gone = slice((grid.first + begin) * grid.step, (grid.first + end) * grid.step)
        personal = _personal(brief, np.delete(samples, gone))
        mean = forecasts + grid.read(samples, personal[np.newaxis])[0]
        seen = outside(mean.size, fold.away)
        factor = _factor(mean[seen], grid.truth[seen])
        held_out[fold.held_out] = factor * mean[fold.held_out]
    personal = _personal(brief, samples)
    mean = forecasts + grid.read(samples, personal[np.newaxis])[0]
    return _Mix(personal=personal, factor=_factor(mean, grid.truth), held_out=held_out)


def _personal(brief: Brief, samples: Float64Array) -> ComplexArray:
    n_taps = round(_PERSONAL_CYCLES / brief.frequency_hz * brief.sfreq_hz)
    return predictor_weights(brief, samples, n_taps) / _N_MEMBERS


def _factor(estimate: ComplexArray, truth: ComplexArray) -> complex:
    """Return the factor that brings an estimate nearest to the truth."""
    power = float(np.vdot(estimate, estimate).real)
    if not power > 0.0:
        raise RhythmTooWeak(
            "The rest recording has no amplitude in the rhythm's band; check that the "
            "channels of the montage are connected."
        )
    return complex(np.vdot(estimate, truth)) / power


def _has_enough(brief: Brief, rows: Float64Array) -> bool:
    enough_s = rows.shape[1] >= MINIMUM_OTHERS_S * brief.sfreq_hz
    return bool(enough_s and rows.shape[0] > MINIMUM_OTHERS)


def _assembled(
    name: str, brief: Brief, grid: FitGrid, mix: _Mix, correction: Correction | None
) -> Design:
    held_out = mix.held_out
    fir = (mix.factor * mix.personal)[np.newaxis]
    if correction is not None:
        held_out = held_out + correction.held_out
        fir = _added(fir, correction.weights)
    right = _setting_right(held_out, grid.truth)
    local = local_forecasts(name, brief)
    parts = tuple(
        dataclasses.replace(part, weight=part.weight * mix.factor * right)
        for part in local.local
    )
    return dataclasses.replace(
        local,
        kernel=Kernel.FIR | Kernel.LOCAL,
        fir=np.ascontiguousarray(fir * right),
        local=parts,
        warm_up_s=max(local.warm_up_s, fir.shape[1] / brief.sfreq_hz),
    )


def _added(one: ComplexArray, other: ComplexArray) -> ComplexArray:
    n_taps = max(one.shape[1], other.shape[1])
    total = np.zeros((other.shape[0], n_taps), np.complex128)
    total[: one.shape[0], : one.shape[1]] += one
    total[:, : other.shape[1]] += other
    return total


def _setting_right(estimate: ComplexArray, truth: ComplexArray) -> complex:
    """Return the factor that takes bias and shrinkage out.

    The bias is that behind a median gate. The nearest estimate is smaller than the
    truth, the more so the less is known; its median amplitude is made the truth's.
    """
    size = np.abs(estimate)
    error_rad = np.angle(estimate * truth.conj())
    bias_rad = circular_mean(error_rad[size >= np.median(size)])
    return cmath.rect(float(np.median(np.abs(truth)) / np.median(size)), -bias_rad)
