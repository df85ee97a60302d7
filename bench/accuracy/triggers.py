"""When triggers would be due, and what the true phase is at those instants."""

import numpy as np
import numpy.typing as npt

from controller.kernels.circular import wrap_phase
from controller.kernels.jit import ComplexArray, Float64Array

REFRACTORY_S = 0.5

_ROUNDING_RAD = 1e-9
"""A phase that has reached the target up to rounding has reached it."""

BoolArray = npt.NDArray[np.bool_]


def due_instants(
    estimate: ComplexArray,
    allowed: BoolArray,
    *,
    sfreq_hz: float,
    frequency_hz: float,
    horizon_s: float,
    target_rad: float,
) -> Float64Array:
    """Return when triggers are due, in samples of the recording.

    A trigger is due where the phase, predicted for `horizon_s` after a sample, comes to
    the target before the next sample's prediction; none within the refractory time.

    Parameters
    ----------
    estimate : complex array, shape (n_samples,)
        Predictions for `horizon_s` after each sample.
    allowed : array of bool, shape (n_samples,)
        Samples that may decide.
    sfreq_hz, frequency_hz, horizon_s, target_rad : float

    Returns
    -------
    instants : array, shape (n_triggers,)
    """
    step_rad = 2.0 * np.pi * frequency_hz / sfreq_hz
    wait_rad = wrap_phase(target_rad - np.angle(estimate))
    reached = (wait_rad >= -_ROUNDING_RAD) & (wait_rad < step_rad - _ROUNDING_RAD)
    at = np.flatnonzero(reached & allowed)
    due = at + horizon_s * sfreq_hz + wait_rad[at] / step_rad
    kept: list[float] = []
    for instant in due.tolist():
        if not kept or instant - kept[-1] >= REFRACTORY_S * sfreq_hz:
            kept.append(instant)
    return np.array(kept, dtype=np.float64)
