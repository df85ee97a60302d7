"""Tests and intervals for directions; angles in radians."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from controller.kernels.circular import circular_mean, resultant_length, wrap_phase

P_FLOOR = 1e-16
"""Below it the approximations say nothing but "small"."""

_BOOTSTRAP_SAMPLES = 2000
_BOOTSTRAP_SEED = 20
_BOOTSTRAP_CELLS = 2_000_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A range of directions, `low` to `high` in the sense of growing angles."""

    low: float
    high: float


def rayleigh_p(phase: npt.ArrayLike) -> float:
    """Return how likely uniform directions are to be as concentrated as these.

    References
    ----------
    Zar (2010), Biostatistical Analysis, 5th ed., eq. 27.4.
    """
    return rayleigh_p_of(np.size(phase), resultant_length(phase))


def rayleigh_p_of(n: int, length: float) -> float:
    """Return what `rayleigh_p` does, from the number and the mean vector's length."""
    reach = n * length
    exponent = math.sqrt(1 + 4 * n + 4 * (n**2 - reach**2)) - (1 + 2 * n)
    return min(1.0, math.exp(exponent))


def v_test_p(phase: npt.ArrayLike, target: float) -> float:
    """Return how likely uniform directions are to gather so much around `target`.

    One-sided: directions gathered opposite the target give values close to 1.

    References
    ----------
    Zar (2010), Biostatistical Analysis, 5th ed., eqs. 27.5-27.6.
    """
    length = resultant_length(phase)
    return v_test_p_of(np.size(phase), length, circular_mean(phase) - target)


def v_test_p_of(n: int, length: float, mean_error: float) -> float:
    """Return what `v_test_p` does, from number, length and direction of the mean."""
    towards = length * math.cos(mean_error)
    return 0.5 * math.erfc(towards * math.sqrt(2 * n) / math.sqrt(2))


def mean_direction_interval(
    phase: npt.ArrayLike, *, confidence: float = 0.95
) -> Interval | None:
    """Return the bootstrap interval of the mean direction; None below five directions.

    It assumes no distribution, and is the same at every call.

    References
    ----------
    Fisher (1993), Statistical Analysis of Circular Data, section 8.3.
    """
    units = np.exp(1j * np.asarray(phase, np.float64))
    n = units.size
    if n < 5:
        return None
    mean = circular_mean(phase)
    rng = np.random.default_rng(_BOOTSTRAP_SEED)
    means = np.empty(_BOOTSTRAP_SAMPLES, np.complex128)
    at_once = max(1, _BOOTSTRAP_CELLS // n)
    for start in range(0, _BOOTSTRAP_SAMPLES, at_once):
        stop = min(start + at_once, _BOOTSTRAP_SAMPLES)
        means[start:stop] = units[rng.integers(0, n, (stop - start, n))].mean(axis=1)
    deviations = wrap_phase(np.angle(means) - mean)
    low, high = np.quantile(deviations, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(low=mean + float(low), high=mean + float(high))


def p_words(p: float) -> str:
    """Return a probability as it is printed, with a floor."""
    if p < P_FLOOR:
        return "p < 1e-16"
    return f"p = {p:.2g}" if p < 0.1 else f"p = {p:.2f}"
