"""Can the pulses be seen in the recording itself?"""

import numpy as np

from controller.kernels.jit import Float64Array
from controller.report.achieved import Virtual, segments

_WINDOW_S = 0.010
_BEFORE_S = 0.050
_TIMES = 3.0
_LEAST = 3


def has_artifact(virtual: Virtual, instants: Float64Array) -> bool:
    """Return whether the signal moves far more just after pulses than just before.

    In the median over the pulses, three times as far from peak to peak within 10 ms.

    Parameters
    ----------
    virtual : Virtual
    instants : array, shape (n_pulses,)
        When the edge was at the device; NaN is left out.
    """
    after, before = [], []
    for part in segments(virtual):
        stamps, microvolts = virtual.stamps[part], virtual.microvolts[part]
        inside = (instants >= stamps[0] + _BEFORE_S) & (
            instants <= stamps[-1] - _WINDOW_S
        )
        for instant in instants[inside]:
            after.append(_reach(stamps, microvolts, instant))
            before.append(_reach(stamps, microvolts, instant - _BEFORE_S))
    if len(after) < _LEAST:
        return False
    return bool(np.median(after) > _TIMES * np.median(before))


def _reach(stamps: Float64Array, microvolts: Float64Array, start: float) -> float:
    first, last = np.searchsorted(stamps, [start, start + _WINDOW_S])
    return float(np.ptp(microvolts[first : max(last, first + 1)]))
