"""Angles: wrapping, waiting, and the statistics of directions.

Phases are radians with 0 at the positive peak; a wrapped phase lies in (-pi, pi].
"""

import math

import numpy as np
import numpy.typing as npt

from controller.kernels.jit import Float64Array, compiled, f8

_TWO_PI = 2.0 * math.pi


@compiled(f8(f8))
def wrap(phase: float) -> float:
    """Return the phase in (-pi, pi] that points the same way."""
    if -math.pi < phase <= math.pi:
        return phase
    wrapped = math.pi - (math.pi - phase) % (2.0 * math.pi)
    # A remainder of a hair below zero rounds up to the whole turn.
    if wrapped <= -math.pi:
        return math.pi
    return wrapped


@compiled(f8(f8, f8))
def phase_to_wait(phase: float, target: float) -> float:
    """Return the forward rotation from `phase` to `target`, in [0, 2 pi)."""
    rotation = (target - phase) % (2.0 * math.pi)
    if rotation >= 2.0 * math.pi:
        return 0.0
    return rotation


def wrap_phase(phase: npt.ArrayLike) -> Float64Array:
    """Return phases in (-pi, pi] that point the same way, element by element."""
    angles = np.asarray(phase, dtype=np.float64)
    wrapped = math.pi - np.mod(math.pi - angles, _TWO_PI)
    wrapped = np.where(wrapped <= -math.pi, math.pi, wrapped)
    return np.where((-math.pi < angles) & (angles <= math.pi), angles, wrapped)


def resultant_length(phase: npt.ArrayLike) -> float:
    """Return how far the mean of the unit vectors reaches, 0 (scattered) to 1.

    Raises
    ------
    ValueError
        If there are no phases.
    """
    # Rounding may carry the mean of equal unit vectors a hair beyond one.
    return min(abs(_mean_vector(phase)), 1.0)


def circular_mean(phase: npt.ArrayLike) -> float:
    """Return the direction of the mean unit vector, in (-pi, pi].

    Raises
    ------
    ValueError
        If there are no phases.
    """
    mean = _mean_vector(phase)
    return wrap(math.atan2(mean.imag, mean.real))


def circular_sd(phase: npt.ArrayLike) -> float:
    """Return sqrt(-2 ln R), radians; infinite where the directions cancel out.

    Raises
    ------
    ValueError
        If there are no phases.

    References
    ----------
    Mardia and Jupp (2000), Directional Statistics, section 2.3.1.
    """
    length = resultant_length(phase)
    if length == 0.0:
        return math.inf
    return math.sqrt(-2.0 * math.log(length))


def _mean_vector(phase: npt.ArrayLike) -> complex:
    angles = np.asarray(phase, dtype=np.float64)
    if angles.size == 0:
        raise ValueError("phase is empty; circular statistics need at least one angle")
    return complex(np.mean(np.exp(1j * angles)))
