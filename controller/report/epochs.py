"""The average EEG around the pulses."""

import dataclasses

import numpy as np

from controller.kernels.jit import Float64Array
from controller.report.achieved import Virtual, segments

REACH_S = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """Mean of the virtual channel around the pulses.

    Parameters
    ----------
    n : int
        Pulses in it.
    t_s : array, shape (n_times,)
        Relative to the edge at the device.
    mean_uv, sem_uv : array, shape (n_times,)
        `sem_uv` is zero for a single pulse.
    """

    n: int
    t_s: Float64Array
    mean_uv: Float64Array
    sem_uv: Float64Array


def average_around(virtual: Virtual, instants: Float64Array) -> Average | None:
    """Return the average, each epoch less its own mean; None without a whole epoch.

    Epochs with a gap or beyond an end are left out.
    """
    half = round(REACH_S * virtual.sfreq_hz)
    t_s = np.arange(-half, half + 1) / virtual.sfreq_hz
    epochs = []
    for part in segments(virtual):
        stamps, microvolts = virtual.stamps[part], virtual.microvolts[part]
        first, last = instants - REACH_S >= stamps[0], instants + REACH_S <= stamps[-1]
        for instant in instants[first & last]:
            epoch = np.interp(instant + t_s, stamps, microvolts)
            epochs.append(epoch - epoch.mean())
    if not epochs:
        return None
    n = len(epochs)
    sem = np.std(epochs, axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.zeros(len(t_s))
    return Average(n=n, t_s=t_s, mean_uv=np.mean(epochs, axis=0), sem_uv=sem)
