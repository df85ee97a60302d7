"""Wiener predictor of the target channel, and what other channels add to it."""

import dataclasses
import math

import numpy as np

from controller.core.records import Kernel
from controller.estimators.align import aligned
from controller.estimators.base import Brief, Design
from controller.estimators.offline import run_design
from controller.estimators.rest import require_rows
from controller.estimators.ridge import (
    MINIMUM_RESIDUAL_ROWS,
    fit_residual_ridge,
    truth_at_horizon,
)
from controller.estimators.wiener import autoregressive_weights
from controller.kernels.jit import ComplexArray, Float64Array


class WienerResidual:
    """Wiener predictor plus a ridge regression of its error on all channels.

    A multichannel regression by itself overfits a minute of rest; fitted to what the
    target channel's own predictor leaves, under a penalty chosen by cross-validation
    with "none" among the choices, it adds what the other channels know and otherwise
    stays away. Predictor and regression are one filter over several rows.

    With a rest recording of one row, it is the Wiener predictor alone.

    References
    ----------
    Wiener (1949), Extrapolation, Interpolation, and Smoothing of Stationary Time
    Series. Hoerl and Kennard (1970), Technometrics 12(1):55.
    """

    name = "wiener-residual"
    needs_rest = True
    reads_others = True

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return the filter for a brief and the rest of this person.

        Parameters
        ----------
        brief : Brief
        rest : array, shape (n_virtual, n_samples)
            At least 15 s in microvolts, without gaps; the target channel first. The
            others are tried from 60 s and eight of them on.

        Returns
        -------
        design : Design
            A filter of `n_virtual` rows; those of the others are zero where they did
            not help.

        Raises
        ------
        ConfigError
            If there is no rest recording.
        RhythmTooWeak
            If the rest recording is too short.
        SignalFault
            If it is flat or holds a sample that is not a number.
        """
        rows = require_rows(self.name, brief, rest)
        fir = autoregressive_weights(brief, rows[0])[np.newaxis]
        alone = Design(
            name=self.name,
            brief=brief,
            kernel=Kernel.FIR,
            fir=fir,
            warm_up_s=fir.shape[1] / brief.sfreq_hz,
        )
        if rows.shape[0] == 1:
            return aligned(alone, rows)
        # The target's own row takes part: beside the others, it is worth other weights
        # than alone.
        added = fit_residual_ridge(
            brief,
            _left_over(alone, rows[:1]),
            rows,
            minimum_rows=1 + MINIMUM_RESIDUAL_ROWS,
        )
        return aligned(
            dataclasses.replace(alone, fir=_stacked(fir, added, rows.shape[0])), rows
        )


def _left_over(design: Design, target: Float64Array) -> ComplexArray:
    """Return truth minus estimate after each sample, NaN where one is not known."""
    left = truth_at_horizon(design.brief, target[0]) - run_design(design, target)
    left[: math.ceil(design.warm_up_s * design.brief.sfreq_hz)] = np.nan
    return left


def _stacked(
    fir: ComplexArray, added: ComplexArray | None, n_rows: int
) -> ComplexArray:
    n_taps = fir.shape[1] if added is None else max(fir.shape[1], added.shape[1])
    stacked = np.zeros((n_rows, n_taps), dtype=np.complex128)
    stacked[0, : fir.shape[1]] = fir[0]
    if added is not None:
        stacked[:, : added.shape[1]] += added
    return stacked
