"""Noisy oscillators that add up to a signal, and the filter that tells them apart.

Everything is stated in continuous time, so one model serves streams of every rate.
"""

import dataclasses
import math

import numpy as np
import scipy.linalg

from controller.kernels.jit import ComplexArray, Float64Array


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Oscillator:
    """A phasor that turns, fades and is kicked by white noise; its real part is seen.

    Parameters
    ----------
    variance_uv2 : float
        Of the real part, and of the imaginary part.
    decay_per_s : float
        Rate at which it fades; 2 pi times the half-width of its line in hertz.
    frequency_hz : float
        0 for a state that only fades: an autoregressive noise of order 1.
    """

    variance_uv2: float
    decay_per_s: float
    frequency_hz: float

    def step(self, seconds: float) -> complex:
        """Return the factor by which the expected phasor changes in some time."""
        turn = 2.0 * math.pi * self.frequency_hz
        return complex(np.exp((1j * turn - self.decay_per_s) * seconds))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OscillatorModel:
    """The sum of oscillators, red noise, white noise, and a wandering offset.

    Parameters
    ----------
    target : Oscillator
        The rhythm to be followed.
    others : tuple of Oscillator
        Rhythms to be told apart from it.
    noise : Oscillator
        Autoregressive noise of order 1, at 0 Hz.
    white_uv2_per_hz : float
        One-sided density of the observation noise.
    drift_uv2_per_s : float
        What the variance of the offset's random walk gains in a second. Being able to
        explain any constant by the offset, the filter passes none to the rhythm.
    """

    target: Oscillator
    others: tuple[Oscillator, ...]
    noise: Oscillator
    white_uv2_per_hz: float
    drift_uv2_per_s: float


def density(oscillator: Oscillator, angular_rad_s: float) -> float:
    """Return the one-sided spectral density of what is seen of an oscillator, uV^2/Hz.

    Two Lorentz lines, at its frequency and at the negative one.
    """
    decay = oscillator.decay_per_s
    turn = 2.0 * math.pi * oscillator.frequency_hz
    lines = (
        2.0 * decay / (decay**2 + (angular_rad_s - side * turn) ** 2)
        for side in (1.0, -1.0)
    )
    return oscillator.variance_uv2 * sum(lines)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KalmanFilter:
    """The steady filter x' = transition @ x + gain * sample for all states at a rate.

    Parameters
    ----------
    transition : array, shape (n_states, n_states)
        Of the closed loop: what the newest sample corrects is in it.
    gain : array, shape (n_states,)
        States 0 and 1 are the real and imaginary part of the target.
    """

    transition: Float64Array
    gain: Float64Array


def steady_filter(model: OscillatorModel, sfreq_hz: float) -> KalmanFilter:
    """Solve for the Kalman filter that no longer depends on where it started.

    Parameters
    ----------
    model : OscillatorModel
    sfreq_hz : float

    References
    ----------
    Anderson and Moore (1979), Optimal Filtering, chapter 4.
    """
    step, kicks, seen = state_equations(model, sfreq_hz)
    white_uv2 = model.white_uv2_per_hz * sfreq_hz / 2.0
    # In units of the white noise, so that the recording's unit changes no digit.
    kicks = kicks / white_uv2
    predicted = scipy.linalg.solve_discrete_are(
        step.T, seen[:, np.newaxis], np.diag(kicks), np.eye(1)
    )
    gain = predicted @ seen / (seen @ predicted @ seen + 1.0)
    return KalmanFilter(transition=step - np.outer(gain, seen @ step), gain=gain)


def state_equations(
    model: OscillatorModel, sfreq_hz: float
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return the model at a rate: step, variance of the kicks, and what is seen.

    The states are the target's and the others' real and imaginary parts, the noise, and
    the offset.

    Returns
    -------
    step : array, shape (n_states, n_states)
    kicks_uv2 : array, shape (n_states,)
    seen : array, shape (n_states,)
        The sample is `seen @ states` and white noise.
    """
    blocks, kicks, seen = [], [], []
    for oscillator in (model.target, *model.others):
        step = oscillator.step(1.0 / sfreq_hz)
        blocks.append(np.array([[step.real, -step.imag], [step.imag, step.real]]))
        kicks += [_kick_uv2(oscillator, sfreq_hz)] * 2
        seen += [1.0, 0.0]
    blocks += [np.array([[model.noise.step(1.0 / sfreq_hz).real]]), np.eye(1)]
    kicks += [_kick_uv2(model.noise, sfreq_hz), model.drift_uv2_per_s / sfreq_hz]
    seen += [1.0, 1.0]
    return scipy.linalg.block_diag(*blocks), np.array(kicks), np.array(seen)


def _kick_uv2(oscillator: Oscillator, sfreq_hz: float) -> float:
    # What fades in a step comes back, so that the variance stays.
    lost = -math.expm1(-2.0 * oscillator.decay_per_s / sfreq_hz)
    return oscillator.variance_uv2 * lost


def answer_to_impulse(
    steady: KalmanFilter, readout: ComplexArray, n_samples: int
) -> ComplexArray:
    """Return what a readout of the states shows after a single sample of 1.

    Parameters
    ----------
    steady : KalmanFilter
    readout : complex array, shape (n_states,)
    n_samples : int

    Returns
    -------
    answer : complex array, shape (n_samples,)
    """
    poles, modes = np.linalg.eig(steady.transition)
    shares = (readout @ modes) * np.linalg.solve(modes, steady.gain + 0j)
    return np.asarray(shares @ poles[:, np.newaxis] ** np.arange(n_samples))
