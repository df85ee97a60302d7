"""What a complex filter makes of a cosine, and the factor that sets it right."""

import numpy as np

from controller.estimators.base import Brief
from controller.kernels.jit import ComplexArray


def response_at(weights: ComplexArray, frequency_hz: float, sfreq_hz: float) -> complex:
    """Return the filter's answer to exp(2j pi f t) at t = 0, its newest sample.

    Parameters
    ----------
    weights : complex array, shape (n_taps,)
        Newest sample first.
    frequency_hz : float
        Negative for the other direction of turning.
    sfreq_hz : float
    """
    turn = -2j * np.pi * frequency_hz / sfreq_hz
    return complex(weights @ np.exp(turn * np.arange(weights.size)))


def calibrated(weights: ComplexArray, brief: Brief) -> ComplexArray:
    """Return the weights times the factor that is best for a cosine of any phase.

    A cosine is two rotations, and a filter answers both: to the positive one with the
    gain that should be that of the analytic signal at the horizon, to the negative one
    with a leak that should not be. The factor has the least squared error over all
    phases; the mean phase error then is 0, and only the leak's ripple is left.

    Parameters
    ----------
    weights : complex array, shape (n_taps,)
        Newest sample first.
    brief : Brief

    References
    ----------
    Osmers and Kolossa (2026), arXiv:2601.13962: the closed form for ecHT.
    """
    # A cosine of amplitude 1 holds each rotation with amplitude 1/2.
    gain = 0.5 * response_at(weights, brief.frequency_hz, brief.sfreq_hz)
    leak = 0.5 * response_at(weights, -brief.frequency_hz, brief.sfreq_hz)
    ahead = np.exp(2j * np.pi * brief.frequency_hz * brief.horizon_s)
    factor = ahead * np.conj(gain) / (abs(gain) ** 2 + abs(leak) ** 2)
    return np.asarray(weights * factor)
