"""What more rest would gain: the learning curve of a design, drawn out."""

import math
from collections.abc import Callable

import numpy as np

from controller.calibration.result import MORE_REST_S
from controller.estimators.align import compare
from controller.estimators.base import Design
from controller.kernels.circular import circular_sd
from controller.kernels.jit import Float64Array

_LEAST_S = 15.0
_LONGEST_SCORED_S = 30.0


def gain_deg(
    designed: Callable[[Float64Array], Design], rest: Float64Array, sfreq_hz: float
) -> float | None:
    """Return by how much `MORE_REST_S` more rest would lower the circular SD.

    A design from a quarter and one from half of the rest are scored on the same stretch
    of the other half. The excess error of a design falls as one over the rest that it
    had.

    Parameters
    ----------
    designed : callable
        Returns the design from a rest recording.
    rest : array, shape (n_virtual, n_samples)
        Microvolts.
    sfreq_hz : float

    Returns
    -------
    float or None
        Degrees, at least 0; None if a quarter of the rest is too short for a design.

    Raises
    ------
    RhythmTooWeak, ConfigError, SignalFault
        As the designer.
    """
    n_samples = rest.shape[1]
    quarter, half = n_samples // 4, n_samples // 2
    if not quarter >= _LEAST_S * sfreq_hz:
        return None
    scored = rest[:, half : half + round(_LONGEST_SCORED_S * sfreq_hz)]
    few, more = (
        math.degrees(circular_sd(compare(design, scored).error_rad))
        for design in (designed(rest[:, :quarter]), designed(rest[:, :half]))
    )
    if not math.isfinite(few) or not math.isfinite(more):
        return None
    total_s = n_samples / sfreq_hz
    excess_deg = (few - more) / (1.0 / quarter - 1.0 / half) / sfreq_hz
    gain = excess_deg * (1.0 / total_s - 1.0 / (total_s + MORE_REST_S))
    return float(np.maximum(0.0, gain))
