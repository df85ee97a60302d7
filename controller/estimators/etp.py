"""Educated temporal prediction: cycles counted from the last peak."""

import dataclasses

import numpy as np

from controller.core.records import Kernel, LocalMethod
from controller.errors import RhythmTooWeak
from controller.estimators.base import Brief, Design, LocalPart
from controller.estimators.decimation import (
    decimation_for,
    filling_s,
    gain_at,
    rate_of,
    steps_ahead,
)
from controller.estimators.phastimate import both_ways, samples_per_second
from controller.estimators.truth import analytic_truth, filter_s
from controller.kernels.jit import Float64Array


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EtpSettings:
    """Times for rhythms of 10 Hz or more; longer in proportion for slower ones.

    Parameters
    ----------
    window_s : float
        Newest samples that are band-passed.
    filter_s : float
        Length of the band-pass, shorter than the window; used forwards and backwards.
    trim_s : float
        Left off either end of the band-passed window.
    """

    window_s: float
    filter_s: float
    trim_s: float


PUBLISHED = EtpSettings(window_s=0.5, filter_s=0.2, trim_s=0.04)
"""Window and trim of the paper, whose band-pass was of another kind."""


class EducatedTemporalPrediction:
    """The next peak comes one typical cycle after the last one in the window.

    The window is band-passed without delay and trimmed where that band-pass has no
    future. A rest recording teaches the typical distance from peak to peak; without
    one it is that of the individual frequency.

    References
    ----------
    Shirinpour et al. (2020), Journal of Neural Engineering 17:046002.
    """

    name = "etp"
    needs_rest = False
    reads_others = False

    def __init__(self, settings: EtpSettings = PUBLISHED) -> None:
        self._settings = settings

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the design for a brief.

        Parameters
        ----------
        brief : Brief
        rest : array, shape (1, n_samples), optional
            Microvolts, without gaps.

        Raises
        ------
        RhythmTooWeak
            If the rest recording shows no two peaks.
        SignalFault
            If it is shorter than 2 s or holds a sample that is not a number.
        """
        decimation = decimation_for(brief.sfreq_hz, brief.band_hz[1])
        rate_hz = rate_of(brief, decimation)
        per_s = samples_per_second(brief, decimation)
        n_window = round(self._settings.window_s * per_s)
        cycle_s = 1.0 / brief.frequency_hz
        if rest is not None:
            cycle_s = typical_cycle_s(brief, rest[0])
        part = LocalPart(
            method=LocalMethod.PEAK_TIMING,
            n_fit=n_window,
            n_least=n_window,
            order=1,
            n_data=0,
            n_ahead=0,
            row=np.zeros(0, dtype=np.complex128),
            taps=both_ways(brief, decimation, self._settings.filter_s),
            n_trim=round(self._settings.trim_s * per_s),
            period=cycle_s * rate_hz,
            ahead=steps_ahead(brief, decimation),
            weight=1.0 / float(gain_at(decimation, brief.sfreq_hz, brief.frequency_hz)),
        )
        return Design(
            name=self.name,
            brief=brief,
            kernel=Kernel.LOCAL,
            decimation=decimation,
            local=(part,),
            warm_up_s=filling_s(brief, decimation, n_window),
        )


def typical_cycle_s(brief: Brief, samples: Float64Array) -> float:
    """Return the median time from peak to peak of the offline truth.

    Parameters
    ----------
    brief : Brief
    samples : array, shape (n_samples,)

    Raises
    ------
    RhythmTooWeak
        If there are no two peaks.
    SignalFault
        As `analytic_truth`.
    """
    analytic = analytic_truth(samples, brief.sfreq_hz, brief.band_hz)
    n_edge = round(filter_s(brief.band_hz) * brief.sfreq_hz)
    phase = np.angle(analytic[n_edge : analytic.size - n_edge])
    # A peak is where the phase comes up through 0.
    before = np.flatnonzero(
        (phase[:-1] < 0.0) & (phase[1:] >= 0.0) & (np.diff(phase) < np.pi)
    )
    if not before.size >= 2:
        raise RhythmTooWeak(
            "The rest recording shows no two peaks of the rhythm in a row, so the "
            "estimator etp cannot learn its cycle; record more rest, or give none."
        )
    peaks = before - phase[before] / (phase[before + 1] - phase[before])
    return float(np.median(np.diff(peaks)) / brief.sfreq_hz)
