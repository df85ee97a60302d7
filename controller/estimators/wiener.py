"""The best linear predictor of one person's rhythm, from that person's spectrum."""

import numpy as np
import scipy.fft
import scipy.linalg

from controller.core.records import Kernel
from controller.errors import ConfigError, RhythmTooWeak, SignalFault
from controller.estimators.align import aligned
from controller.estimators.base import Brief, Design
from controller.estimators.spectrum import require_finite, welch_spectrum
from controller.estimators.truth import truth_filter
from controller.kernels.jit import ComplexArray, Float64Array

MINIMUM_REST_S = 15.0

_WINDOW_CYCLES = 5.0
"""Half a second at 10 Hz; longer windows predict no better."""

_LOADING_DB = -30.0
"""White noise added to the spectrum, relative to the rhythm's own peak density.

A design trusts the rest spectrum down to this floor. Without one, it leans on
frequencies where a recording is empty (above an offline low-pass, say) and amplifies
whatever appears there later. On twelve occipital recordings that end at 45 Hz, at 250,
500 and 1000 Hz alike, the median circular SD is 48 deg at -30 dB and 47 at -60, but
3 uV of new line noise cost 1 deg at -30, 7 at -40 and 41 at -60. Being a density, the
floor means the same at every rate.
"""


class PersonalWiener:
    """Wiener predictor of the analytic signal that the offline truth will show.

    The rest recording's Welch spectrum gives the covariance of the samples in a window,
    and, through the truth's own filter, their covariance with its analytic signal at
    the horizon; a Toeplitz system gives the weights, under the constraint that their
    sum is zero. The constant bias that is left against the truth on the rest itself is
    taken out, and the median amplitude made the truth's.

    References
    ----------
    Wiener (1949), Extrapolation, Interpolation, and Smoothing of Stationary Time
    Series.
    """

    name = "wiener"
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
        samples = _require_rest(brief, rest)
        n_taps = round(_WINDOW_CYCLES / brief.frequency_hz * brief.sfreq_hz)
        weights = predictor_weights(brief, samples, n_taps)
        design = Design(
            name=self.name,
            brief=brief,
            kernel=Kernel.FIR,
            fir=np.ascontiguousarray(weights[np.newaxis]),
            warm_up_s=n_taps / brief.sfreq_hz,
        )
        return aligned(design, samples[np.newaxis])


def predictor_weights(brief: Brief, samples: Float64Array, n_taps: int) -> ComplexArray:
    """Solve for the weights, newest sample first, that sum to zero.

    Parameters
    ----------
    brief : Brief
    samples : array, shape (n_samples,)
        Rest recording.
    n_taps : int
    """
    covariance, cross = _covariances(brief, samples, n_taps)
    right_hand = np.column_stack((cross.real, cross.imag, np.ones(n_taps)))
    real, imaginary, flat = scipy.linalg.solve_toeplitz(covariance, right_hand).T
    weights = real + 1j * imaginary
    # Lagrange's multiplier for a zero sum, then the sum's own rounding.
    weights -= flat * (weights.sum() / flat.sum())
    return np.asarray(weights - weights.mean())


def _covariances(
    brief: Brief, samples: Float64Array, n_taps: int
) -> tuple[Float64Array, ComplexArray]:
    """Return lags 0..n-1 of the samples' autocovariance and that with the truth."""
    truth_taps = truth_filter(brief.sfreq_hz, brief.band_hz)
    spectrum = welch_spectrum(samples, brief.sfreq_hz)
    # Long enough that neither the window nor the truth's filter wraps around.
    n_fft = scipy.fft.next_fast_len(4 * max(n_taps, truth_taps.size), real=True)
    frequencies_hz = scipy.fft.rfftfreq(n_fft, 1.0 / brief.sfreq_hz)
    # The mean is taken out of every segment, so the line at 0 Hz says nothing.
    density = np.interp(
        frequencies_hz, spectrum.frequencies_hz[1:], spectrum.power_uv2_per_hz[1:]
    )
    low_hz, high_hz = brief.band_hz
    in_band = (frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)
    peak = float(density[in_band].max())
    if not peak > 0.0:
        raise SignalFault(
            f"The rest recording is flat between {low_hz:g} and {high_hz:g} Hz; check "
            "that the channels of the montage are connected."
        )
    density += peak * 10.0 ** (_LOADING_DB / 10.0)
    covariance = scipy.fft.irfft(density, n_fft)[:n_taps]
    # Both ways through the truth's filter, and twice the positive frequencies.
    truth_gain = 2.0 * np.abs(scipy.fft.rfft(truth_taps, n_fft)) ** 2
    ahead = np.exp(2j * np.pi * frequencies_hz * brief.horizon_s)
    one_sided = np.zeros(n_fft, dtype=np.complex128)
    one_sided[: density.size] = truth_gain * density * ahead
    one_sided[0] = 0.0
    return covariance, scipy.fft.ifft(one_sided)[:n_taps]


def _require_rest(brief: Brief, rest: Float64Array | None) -> Float64Array:
    if rest is None:
        raise ConfigError(
            "The estimator wiener is designed from a rest recording and got none; give "
            "run.rest_s, or choose echt or iir."
        )
    if rest.ndim != 2 or rest.shape[0] != 1:
        raise ConfigError(
            f"The estimator wiener reads one virtual channel, but the rest recording "
            f"has the shape {rest.shape}; give (1, n_samples)."
        )
    if not rest.shape[1] / brief.sfreq_hz >= MINIMUM_REST_S:
        raise RhythmTooWeak(
            f"The rest recording lasts {rest.shape[1] / brief.sfreq_hz:.1f} s, but the "
            f"estimator wiener needs at least {MINIMUM_REST_S:g} s; give a longer "
            "run.rest_s, or choose echt or iir."
        )
    require_finite(rest, "The rest recording")
    return np.ascontiguousarray(rest[0])
