"""Phastimate: a band-passed window without its edge, continued to the horizon."""

import dataclasses
import math

import numpy as np
import scipy.fft
import scipy.signal

from controller.core.records import Kernel, LocalMethod
from controller.estimators.base import Brief, Decimation, Design, LocalPart
from controller.estimators.decimation import (
    decimation_for,
    filling_s,
    gain_at,
    order_at,
    rate_of,
    steps_ahead,
)
from controller.kernels.jit import ComplexArray, Float64Array

_SLOWEST_HZ = 10.0  # every time is longer for rhythms below


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PhastimateSettings:
    """Times for rhythms of 10 Hz or more; longer in proportion for slower ones.

    Parameters
    ----------
    window_s : float
        Newest samples that are band-passed.
    filter_s : float
        Length of the band-pass, shorter than the window; used forwards and backwards.
    trim_s : float
        Left off either end of the band-passed window.
    order : int
        Of the autoregressive model of what is left, at 250 Hz.
    hilbert_s : float
        Stretch around the horizon whose Hilbert transform gives the phase.
    """

    window_s: float
    filter_s: float
    trim_s: float
    order: int
    hilbert_s: float


PUBLISHED = PhastimateSettings(
    window_s=0.72, filter_s=0.192, trim_s=0.064, order=8, hilbert_s=0.128
)
"""Medians of the optimum over the paper's participants.

Order 30 there is at 1 kHz; 8 at 250 Hz looks as far back.
"""

TUNED = PhastimateSettings(
    window_s=1.5, filter_s=0.25, trim_s=0.06, order=8, hilbert_s=0.128
)
"""Best of some twenty settings on the first half of six people's rest.

A window twice as long gains most: the model is fitted to more of it. Orders beyond 8
and less trim than 40 ms lose.
"""


class Phastimate:
    """Band-pass without delay, trim, forecast by Yule-Walker, Hilbert transform.

    References
    ----------
    Zrenner et al. (2020), NeuroImage 214:116761.
    """

    name = "phastimate"
    needs_rest = False
    reads_others = False

    def __init__(self, settings: PhastimateSettings = PUBLISHED) -> None:
        self._settings = settings

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the design for a brief; a rest recording is not looked at."""
        return filtered_forecast(self.name, brief, self._settings)


class TunedPhastimate:
    """Phastimate with the settings that did best on rest recordings here."""

    name = "phastimate-tuned"
    needs_rest = False
    reads_others = False

    def __init__(self, settings: PhastimateSettings = TUNED) -> None:
        self._settings = settings

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the design for a brief; a rest recording is not looked at."""
        return filtered_forecast(self.name, brief, self._settings)


def filtered_forecast(name: str, brief: Brief, settings: PhastimateSettings) -> Design:
    """Return a design of one local part.

    Parameters
    ----------
    name : str
    brief : Brief
    settings : PhastimateSettings
    """
    decimation = decimation_for(brief.sfreq_hz, brief.band_hz[1])
    per_s = samples_per_second(brief, decimation)
    n_trim = round(settings.trim_s * per_s)
    n_half = round(settings.hilbert_s * per_s / 2.0)
    ahead = steps_ahead(brief, decimation)
    n_future = round(ahead) + n_half
    n_ahead = n_trim + n_future
    n_data = max(0, 2 * n_half - n_ahead)
    n_window = round(settings.window_s * per_s)
    row = np.zeros(n_data + n_ahead, dtype=np.complex128)
    row[row.size - 2 * n_half :] = hilbert_row(
        2 * n_half, ahead - n_future + 2 * n_half - 1
    )
    part = LocalPart(
        method=LocalMethod.FILTERED_FORECAST,
        n_fit=n_window,
        n_least=n_window,
        order=order_at(rate_of(brief, decimation), settings.order),
        n_data=n_data,
        n_ahead=n_ahead,
        row=row,
        taps=both_ways(brief, decimation, settings.filter_s),
        n_trim=n_trim,
        period=rate_of(brief, decimation) / brief.frequency_hz,
        weight=1.0 / float(gain_at(decimation, brief.sfreq_hz, brief.frequency_hz)),
    )
    return Design(
        name=name,
        brief=brief,
        kernel=Kernel.LOCAL,
        decimation=decimation,
        local=(part,),
        warm_up_s=filling_s(brief, decimation, n_window),
    )


def samples_per_second(brief: Brief, decimation: Decimation) -> float:
    """Return the decimated samples of a setting's second, more for slow rhythms."""
    return rate_of(brief, decimation) * max(1.0, _SLOWEST_HZ / brief.frequency_hz)


def both_ways(brief: Brief, decimation: Decimation, filter_s: float) -> Float64Array:
    """Return a Hamming band-pass convolved with itself: forwards and backwards."""
    n_half = math.ceil(filter_s * samples_per_second(brief, decimation) / 2.0)
    taps = scipy.signal.firwin(
        2 * n_half + 1,
        brief.band_hz,
        window="hamming",
        pass_zero=False,
        fs=rate_of(brief, decimation),
    )
    return np.asarray(np.convolve(taps, taps))


def hilbert_row(n: int, at: float) -> ComplexArray:
    """Return the weights of the discrete analytic signal at a place among n samples.

    Parameters
    ----------
    n : int
        Even.
    at : float
        From 0 to n - 1; between the samples, the transform's sines go on.
    """
    weights = np.full(n // 2 + 1, 2.0)
    weights[[0, -1]] = 1.0
    lines = np.arange(n // 2 + 1)
    turns = np.multiply.outer(at - np.arange(n), lines) / n
    return np.asarray(np.exp(2j * np.pi * turns) @ weights / n)
