"""How sure a phase is: fitted on rest, looked up in the loop."""

import dataclasses
import math

import numpy as np
import scipy.optimize
import scipy.special
import scipy.stats

from controller.errors import RhythmTooWeak
from controller.kernels.jit import ComplexArray, Float64Array

SLOW_S = 0.5
"""Time constant of the slow amplitude: some cycles of alpha."""

_LOG_KAPPAS = np.linspace(-6.0, 8.0, 113)
_EVERY_S = 0.02  # neighbours say the same about the phase
_FEWEST = 100


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Concentration of the phase error as a product of powers of two amplitudes.

    Parameters
    ----------
    constant : float
        Logarithm of kappa where both amplitudes are 1 uV.
    exponent, slow_exponent : float
        Of the amplitude and of its average over `SLOW_S`.
    tolerance_rad : float
        That `p_within` speaks of.
    """

    constant: float
    exponent: float
    slow_exponent: float
    tolerance_rad: float

    def log_kappa(
        self, amplitude_uv: Float64Array, slow_uv: Float64Array
    ) -> Float64Array:
        """Return the logarithm of the concentration, shape as given."""
        return np.asarray(
            self.constant
            + self.exponent * np.log(amplitude_uv)
            + self.slow_exponent * np.log(slow_uv)
        )

    def arrays(self) -> dict[str, Float64Array]:
        """Return the fields of `Program` that the loop reads."""
        kappas = np.exp(_LOG_KAPPAS)
        return {
            "confidence": np.array(
                [self.constant, self.exponent, self.slow_exponent, SLOW_S]
            ),
            "log_kappas": _LOG_KAPPAS.copy(),
            "sd_table": circular_sd_of(kappas),
            "within_table": within(kappas, self.tolerance_rad),
        }


def no_confidence() -> dict[str, Float64Array]:
    """Return the same for a design that cannot tell."""
    return {
        "confidence": np.zeros(0),
        "log_kappas": np.zeros(2),
        "sd_table": np.zeros(1),
        "within_table": np.zeros(1),
    }


def circular_sd_of(kappa: Float64Array) -> Float64Array:
    """Return sqrt(-2 ln R) of von Mises distributions, radians.

    References
    ----------
    Mardia and Jupp (2000), Directional Statistics, section 3.5.4: R = I1 / I0.
    """
    return np.asarray(np.sqrt(-2.0 * np.log(_resultant(kappa))))


def within(kappa: Float64Array, tolerance_rad: float) -> Float64Array:
    """Return the probability of an error no larger than the tolerance."""
    return np.asarray(
        scipy.stats.vonmises.cdf(tolerance_rad, kappa)
        - scipy.stats.vonmises.cdf(-tolerance_rad, kappa)
    )


def slow_amplitude(amplitude_uv: Float64Array, sfreq_hz: float) -> Float64Array:
    """Return the exponential average as the loop keeps it, NaN where there is none.

    Parameters
    ----------
    amplitude_uv : array, shape (n_samples,)
        NaN during the warm-up.
    sfreq_hz : float
    """
    slow = np.full(amplitude_uv.size, np.nan)
    follow = min(1.0, 1.0 / sfreq_hz / SLOW_S)
    value = math.nan
    for at, amplitude in enumerate(amplitude_uv.tolist()):
        if not amplitude > 0.0:
            value = math.nan
        elif math.isnan(value):
            value = amplitude
        else:
            value += follow * (amplitude - value)
        slow[at] = value
    return slow


def fit_confidence(
    estimate: ComplexArray,
    slow_uv: Float64Array,
    error_rad: Float64Array,
    sfreq_hz: float,
    *,
    tolerance_rad: float,
) -> Confidence:
    """Fit by maximum likelihood, on estimates that were not fitted to their errors.

    Parameters
    ----------
    estimate : complex array, shape (n_samples,)
    slow_uv, error_rad : array, shape (n_samples,)
    sfreq_hz : float
    tolerance_rad : float

    Raises
    ------
    RhythmTooWeak
        If there is too little to fit.
    """
    every = max(1, round(_EVERY_S * sfreq_hz))
    amplitude_uv = np.abs(estimate)
    known = np.isfinite(slow_uv) & (amplitude_uv > 0.0) & np.isfinite(error_rad)
    if np.count_nonzero(known) < _FEWEST * every:
        raise RhythmTooWeak(
            "The rest is too short to learn how sure the phase is; record more rest."
        )
    at = np.flatnonzero(known)[::every]
    logs = np.log([amplitude_uv[at], slow_uv[at]])
    middle = np.median(logs, axis=1)
    features = np.vstack([np.ones(at.size), logs - middle[:, np.newaxis]])
    cosine = np.cos(error_rad[at])

    def cost(weights: Float64Array) -> tuple[float, Float64Array]:
        kappa = np.exp(np.clip(weights @ features, _LOG_KAPPAS[0], _LOG_KAPPAS[-1]))
        # ln I0 = ln i0e + kappa; the density's logarithm, its sign turned.
        loss = np.log(scipy.special.i0e(kappa)) + kappa * (1.0 - cosine)
        slope = kappa * (_resultant(kappa) - cosine)
        return float(loss.mean()), features @ slope / at.size

    found = scipy.optimize.minimize(cost, np.array([1.0, 1.0, 0.0]), jac=True)
    constant, exponent, slow_exponent = (float(weight) for weight in found.x)
    return Confidence(
        constant=constant - exponent * middle[0] - slow_exponent * middle[1],
        exponent=exponent,
        slow_exponent=slow_exponent,
        tolerance_rad=tolerance_rad,
    )


def _resultant(kappa: Float64Array) -> Float64Array:
    return np.asarray(scipy.special.i1e(kappa) / scipy.special.i0e(kappa))
