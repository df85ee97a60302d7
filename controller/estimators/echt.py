"""The endpoint-corrected Hilbert transform, as the complex FIR filter that it is."""

import numpy as np
import scipy.fft
import scipy.signal

from controller.core.records import Kernel
from controller.errors import ConfigError
from controller.estimators.base import Brief, Design
from controller.kernels.jit import ComplexArray, Float64Array

WINDOW_S = 1.0
_BUTTERWORTH_ORDER = 2  # as published: four poles in all


class EndpointCorrectedHilbert:
    """Hilbert transform of the last second with a causal filter in its spectrum.

    The published method transforms a window, doubles the positive frequencies, drops
    the negative ones, multiplies by the response of a causal Butterworth band-pass and
    transforms back; only the last sample is of use. That sample is a linear function of
    the window, so its weights are computed once: they are the inverse transform of the
    response itself. The estimate is carried to the horizon at the individual frequency.

    References
    ----------
    Schreglmann et al. (2021), Nature Communications 12:363.
    """

    name = "echt"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the filter for a brief; a rest recording is not looked at.

        Raises
        ------
        ConfigError
            If the rate is too low to hold a window.
        """
        n_taps = round(WINDOW_S * brief.sfreq_hz)
        if n_taps < 2:
            raise ConfigError(
                f"ecHT needs more than {n_taps} samples in its {WINDOW_S:g} s window; "
                f"a stream of {brief.sfreq_hz:g} Hz is too slow."
            )
        # The band-pass is exactly 0 at 0 Hz, and so is the sum of the weights up to
        # rounding; taking out their mean removes the rounding as well.
        weights = scipy.fft.ifft(window_response(brief, n_taps))
        weights -= weights.mean()
        turn = 2.0 * np.pi * brief.frequency_hz * brief.horizon_s
        return Design(
            name=self.name,
            brief=brief,
            kernel=Kernel.FIR,
            fir=np.ascontiguousarray((weights * np.exp(1j * turn))[np.newaxis]),
            warm_up_s=n_taps / brief.sfreq_hz,
        )


def window_response(brief: Brief, n_taps: int) -> ComplexArray:
    """Return what each line of the window's transform is multiplied by.

    Parameters
    ----------
    brief : Brief
    n_taps : int
        Samples in the window.

    Returns
    -------
    response : complex array, shape (n_taps,)
        In the order of `numpy.fft.fftfreq`.
    """
    sections = scipy.signal.butter(
        _BUTTERWORTH_ORDER, brief.band_hz, "bandpass", fs=brief.sfreq_hz, output="sos"
    )
    frequencies_hz = scipy.fft.fftfreq(n_taps, 1.0 / brief.sfreq_hz)
    _, response = scipy.signal.sosfreqz(sections, frequencies_hz, fs=brief.sfreq_hz)
    return np.asarray(np.where(frequencies_hz > 0.0, 2.0 * response, 0.0))
