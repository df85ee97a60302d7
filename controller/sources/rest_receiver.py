"""Receive a stretch of a live stream, for a calibration: nothing is fired here."""

import ctypes
import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pylsl

from controller.errors import StreamLost
from controller.kernels.jit import Float32Array, Float64Array
from controller.sources.lsl import LslInlet

_PULL_TIMEOUT_S = 0.2
_SPARE_S = 1.0
_SILENCE_S = 2.0
_TELL_EVERY_S = 0.1

Progress = Callable[[float], bool]
"""Told the seconds received so far; answers whether to go on."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Received:
    """What came in.

    Parameters
    ----------
    t_sample, t_arrival : array, shape (n_samples,)
        Host clock.
    raw : float32 array, shape (n_samples, n_channels)
        Stream units.
    """

    t_sample: Float64Array
    t_arrival: Float64Array
    raw: Float32Array


def receive(inlet: LslInlet, seconds: float, progress: Progress) -> Received:
    """Receive until the time is up or `progress` says no.

    Parameters
    ----------
    inlet : LslInlet
        Open. What it received before the call is dropped.
    seconds : float
    progress : callable

    Raises
    ------
    StreamLost
        The stream ended or fell silent.
    """
    offset_s = inlet.clock_offset_s()
    inlet.flush()
    pull = pylsl.lib.lib.lsl_pull_sample_f
    handle = ctypes.c_void_p(inlet.handle)
    n_channels = inlet.description.n_channels
    row = (ctypes.c_float * n_channels)()
    view: Float32Array = np.ctypeslib.as_array(row)
    timeout_s, error = ctypes.c_double(_PULL_TIMEOUT_S), ctypes.c_int(0)
    stamps: list[float] = []
    arrivals: list[float] = []
    rows: list[Float32Array] = []
    t_start = t_told = t_latest = pylsl.local_clock()
    # The first sample comes an instant late: without the spare second, 30 s asked for
    # would be some samples less than 30 s.
    n_wanted = math.ceil(seconds * inlet.description.sfreq_hz)
    while t_latest - t_start < seconds or (
        len(rows) < n_wanted and t_latest - t_start < seconds + _SPARE_S
    ):
        stamp = pull(handle, row, n_channels, timeout_s, ctypes.byref(error))
        now = pylsl.local_clock()
        if error.value < 0:
            raise StreamLost(
                f"Stream {inlet.description.name!r} ended after {now - t_start:.0f} s "
                "of rest; check the program that streams, and start again."
            )
        if stamp:
            stamps.append(stamp)
            arrivals.append(now)
            rows.append(view.copy())
            t_latest = now
        elif now - t_latest > _SILENCE_S:
            raise StreamLost(
                f"Stream {inlet.description.name!r} is connected but sends no samples; "
                "check that the amplifier is running."
            )
        if now - t_told >= _TELL_EVERY_S:
            t_told = now
            if not progress(now - t_start):
                break
    return Received(
        t_sample=np.array(stamps) + offset_s,
        t_arrival=np.array(arrivals),
        raw=np.ascontiguousarray(np.reshape(rows, (len(stamps), n_channels))),
    )
