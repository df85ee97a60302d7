"""The causal complex filter that comes closest to an ideal analytic band-pass."""

import numpy as np

from controller.core.records import Kernel
from controller.estimators.align import aligned
from controller.estimators.base import Brief, Design
from controller.estimators.endpoint import calibrated
from controller.estimators.rest import require_rest
from controller.estimators.spectral import (
    band_gain,
    density_at,
    design_lines,
    least_squares_weights,
    loaded,
)
from controller.estimators.spectrum import welch_spectrum
from controller.kernels.jit import ComplexArray, Float64Array

_CYCLES = 5.0  # half a second at 10 Hz
_WEIGHTED_CYCLES = 10.0


class ComplexFir:
    """Least-squares complex FIR of half a second, all frequencies counting the same.

    The ideal filter passes the band doubled, nothing else and no negative frequency,
    and has the delay minus `horizon_s`. With all frequencies weighted alike, the
    closest causal filter is the piece of the ideal's impulse response that the window
    shows, which has a closed form. That piece holds less than half the ideal's gain, so
    the factor is added that makes a cosine at the individual frequency right.

    References
    ----------
    Smetanin, Belinskaya, Lebedev and Ossadtchi (2020), J. Neural Eng. 17:046022.
    """

    name = "cfir"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the filter for a brief; a rest recording is not looked at."""
        n_taps = round(_CYCLES / brief.frequency_hz * brief.sfreq_hz)
        weights = ideal_weights(brief, n_taps)
        weights -= weights.mean()
        return Design(
            name=self.name,
            brief=brief,
            kernel=Kernel.FIR,
            fir=np.ascontiguousarray(calibrated(weights, brief)[np.newaxis]),
            warm_up_s=n_taps / brief.sfreq_hz,
        )


class WeightedComplexFir:
    """Least-squares complex FIR of a second, weighted by the rest spectrum.

    As `ComplexFir`, but frequencies count by their power at rest, so that the filter
    spends its freedom where the person's EEG has something to suppress or to follow.

    References
    ----------
    Smetanin, Belinskaya, Lebedev and Ossadtchi (2020), J. Neural Eng. 17:046022.
    """

    name = "wcfir"
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
        samples = require_rest(self.name, brief, rest)
        n_taps = round(_WEIGHTED_CYCLES / brief.frequency_hz * brief.sfreq_hz)
        n_fft, frequencies_hz = design_lines(brief, n_taps)
        density = density_at(welch_spectrum(samples, brief.sfreq_hz), frequencies_hz)
        weights = least_squares_weights(
            brief,
            loaded(brief, frequencies_hz, density),
            band_gain(brief, n_fft),
            n_fft,
            n_taps,
        )
        design = Design(
            name=self.name,
            brief=brief,
            kernel=Kernel.FIR,
            fir=np.ascontiguousarray(weights[np.newaxis]),
            warm_up_s=n_taps / brief.sfreq_hz,
        )
        return aligned(design, samples[np.newaxis])


def ideal_weights(brief: Brief, n_taps: int) -> ComplexArray:
    """Return the ideal filter's impulse response from the newest sample back.

    Parameters
    ----------
    brief : Brief
    n_taps : int

    Returns
    -------
    weights : complex array, shape (n_taps,)
    """
    low_hz, high_hz = brief.band_hz
    at_s = np.arange(n_taps) / brief.sfreq_hz + brief.horizon_s
    width_hz = high_hz - low_hz
    turn = np.exp(1j * np.pi * (low_hz + high_hz) * at_s)
    return np.asarray(2.0 * width_hz / brief.sfreq_hz * np.sinc(width_hz * at_s) * turn)
