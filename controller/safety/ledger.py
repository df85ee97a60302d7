"""What has been fired so far, as the review needs it: counted here and nowhere else."""

import math
from typing import Any

import numpy as np
from numba import types

from controller.kernels.jit import (
    Float64Array,
    compiled,
    f8,
    f8_vector,
    i8,
    new_records,
    record_type,
)

LEDGER = np.dtype(
    [
        ("pulses", "i8"),  # fired in the session
        ("t_last_pulse", "f8"),
        ("fault", "i8"),
        ("train_pulses", "i8"),  # fired of the pattern under way, or the last one
        ("t_train_first", "f8"),  # its first pulse
        ("trains", "i8"),  # patterns of which more than one pulse was fired
        ("t_rate", "f8"),  # the pulse that is `max_per_minute` pulses ago
    ],
    align=True,
)


def new_ledger() -> Any:
    """Return one record of `LEDGER` as before the first pulse."""
    ledger = new_records(LEDGER)
    ledger.t_last_pulse = ledger.t_train_first = ledger.t_rate = -math.inf
    return ledger


def new_rate_ring(max_per_minute: int) -> Float64Array:
    """Return room for the instants of as many pulses as a minute may have."""
    return np.full(max(1, max_per_minute), -math.inf)


@compiled(types.void(record_type(LEDGER), f8_vector, i8, f8))
def count_pulse(ledger: Any, ring: Float64Array, rise: int, t_pulse: float) -> None:
    """Count a pulse that was fired, or may have been.

    Parameters
    ----------
    ledger
        A record of `LEDGER`.
    ring : array, shape (max_per_minute,)
        Instants of the newest pulses.
    rise : int
        Its place in its pattern, from 0.
    t_pulse : float
        The latest instant at which it can have left.
    """
    if rise == 0:
        ledger.train_pulses = 0
        ledger.t_train_first = t_pulse
    elif ledger.train_pulses == 1:
        ledger.trains += 1
    ledger.train_pulses += 1
    ledger.t_last_pulse = t_pulse
    ring[ledger.pulses % ring.shape[0]] = t_pulse
    ledger.pulses += 1
    # The place that is written next holds the oldest.
    ledger.t_rate = ring[ledger.pulses % ring.shape[0]]
