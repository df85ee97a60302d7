"""The endpoint-corrected Hilbert transform, as the complex FIR filter that it is."""

import numpy as np
import scipy.fft
import scipy.signal

from controller.core.records import Kernel
from controller.errors import ConfigError
from controller.estimators.base import Brief, Design
from controller.estimators.endpoint import calibrated
from controller.kernels.jit import ComplexArray, Float64Array

WINDOW_S = 0.5
LONG_WINDOW_S = 1.0
_BUTTERWORTH_ORDER = 2  # as published: four poles in all


class EndpointCorrectedHilbert:
    """Hilbert transform of the last half second, with a causal filter in its spectrum.

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
    window_s = WINDOW_S

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the filter for a brief; a rest recording is not looked at.

        Raises
        ------
        ConfigError
            If the rate is too low to hold a window.
        """
        turn = 2.0 * np.pi * brief.frequency_hz * brief.horizon_s
        weights = endpoint_weights(brief, self.window_s) * np.exp(1j * turn)
        return _fir_design(self.name, brief, weights)


class LongEndpointCorrectedHilbert(EndpointCorrectedHilbert):
    """As `EndpointCorrectedHilbert`, with a window of one second.

    References
    ----------
    Schreglmann et al. (2021), Nature Communications 12:363.
    """

    name = "echt-1s"
    window_s = LONG_WINDOW_S


class CalibratedEndpointHilbert:
    """ecHT with the factor that makes its end point right, in closed form.

    The end point answers a cosine at the individual frequency with a complex gain, the
    same at every phase, and with a leak of the negative frequency. The gain is divided
    out, in phase and amplitude, by the factor of least squared error over all phases;
    the leak, which a factor cannot remove, stays as a small ripple.

    References
    ----------
    Osmers and Kolossa (2026), Optimal Calibration of the Endpoint-corrected Hilbert
    Transform, arXiv:2601.13962. Schreglmann et al. (2021), Nature Communications
    12:363.
    """

    name = "echt-calibrated"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the filter for a brief; a rest recording is not looked at.

        Raises
        ------
        ConfigError
            If the rate is too low to hold a window.
        """
        weights = calibrated(endpoint_weights(brief, WINDOW_S), brief)
        return _fir_design(self.name, brief, weights)


def endpoint_weights(brief: Brief, window_s: float) -> ComplexArray:
    """Return the weights that give the transform's last sample, for now.

    Parameters
    ----------
    brief : Brief
        Its horizon is not looked at.
    window_s : float

    Returns
    -------
    weights : complex array, shape (n_taps,)
        Newest sample first, summing to zero.

    Raises
    ------
    ConfigError
        If the rate is too low to hold a window.
    """
    n_taps = round(window_s * brief.sfreq_hz)
    if n_taps < 2:
        raise ConfigError(
            f"ecHT needs more than {n_taps} samples in its {window_s:g} s window; a "
            f"stream of {brief.sfreq_hz:g} Hz is too slow."
        )
    # The band-pass is exactly 0 at 0 Hz, and so is the sum of the weights up to
    # rounding; taking out their mean removes the rounding as well.
    weights = scipy.fft.ifft(window_response(brief, n_taps))
    return np.asarray(weights - weights.mean())


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


def _fir_design(name: str, brief: Brief, weights: ComplexArray) -> Design:
    return Design(
        name=name,
        brief=brief,
        kernel=Kernel.FIR,
        fir=np.ascontiguousarray(weights[np.newaxis]),
        warm_up_s=weights.size / brief.sfreq_hz,
    )
