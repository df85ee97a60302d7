"""Padding by an autoregressive model before the offline truth's own filter."""

import math

from controller.core.records import Kernel, LocalMethod
from controller.estimators.base import Brief, Design, LocalPart
from controller.estimators.decimation import (
    decimation_for,
    filling_s,
    forecast_row,
    order_at,
    rate_of,
    steps_ahead,
)
from controller.estimators.truth import filter_s
from controller.kernels.jit import Float64Array

_SLOWEST_HZ = 10.0  # windows are longer for rhythms below


class Peap:
    """An autoregressive model of the last 2 s continues them before they are filtered.

    The published method pads the window on both sides with what the model expects,
    applies a zero-phase band-pass and the Hilbert transform, and reads the last sample.
    All after the padding is linear, so it is one complex row times data and forecast;
    a window longer than the filter's reach needs no padding in the past. It learns from
    nothing but the window, so it needs no rest and follows a rhythm that changes.

    References
    ----------
    PEAP (2026), phase estimation by autoregressive padding; Burg (1975) for the fit.
    """

    name = "peap"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the design for a brief; a rest recording is not looked at."""
        return padded_forecast(self.name, brief, window_s=2.0, order=20)


class LongPeap:
    """The same with a model of order 40 over the last 4 s.

    It resolves the spectrum better and takes twice as long to fill up.
    """

    name = "peap-4s"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the design for a brief; a rest recording is not looked at."""
        return padded_forecast(self.name, brief, window_s=4.0, order=40)


def padded_forecast(name: str, brief: Brief, *, window_s: float, order: int) -> Design:
    """Return a design of one local part; half its window must fill before it speaks.

    Parameters
    ----------
    name : str
    brief : Brief
    window_s : float
        For rhythms of 10 Hz or more; longer in proportion for slower ones.
    order : int
        At 250 Hz.
    """
    decimation = decimation_for(brief.sfreq_hz, brief.band_hz[1])
    rate_hz = rate_of(brief, decimation)
    n_reach = round(filter_s(brief.band_hz) * rate_hz)
    n_fit = round(window_s * max(1.0, _SLOWEST_HZ / brief.frequency_hz) * rate_hz)
    n_least = max(n_fit // 2, n_reach)
    n_ahead = n_reach + math.ceil(steps_ahead(brief, decimation))
    part = LocalPart(
        method=LocalMethod.FORECAST,
        n_fit=max(n_fit, n_least),
        n_least=n_least,
        order=order_at(rate_hz, order),
        n_data=n_reach,
        n_ahead=n_ahead,
        row=forecast_row(brief, decimation, n_back=0, n_data=n_reach, n_ahead=n_ahead),
    )
    return Design(
        name=name,
        brief=brief,
        kernel=Kernel.LOCAL,
        decimation=decimation,
        local=(part,),
        warm_up_s=filling_s(brief, decimation, n_least),
    )
