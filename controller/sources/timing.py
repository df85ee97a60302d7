"""How regularly a stream's samples are stamped, and how they arrive."""

import ctypes
import dataclasses
import math

import numpy as np
import numpy.typing as npt
import pylsl

from controller.errors import SignalFault, StreamFormatError, StreamLost
from controller.sources.lsl import LslInlet

Instants = npt.NDArray[np.float64]

_RATE_TOLERANCE = 0.02
_FEWEST_SAMPLES = 40
# A stamp taken when the sample was pushed wobbles by a fraction of the interval, though
# the samples are regular; beyond this the stamps no longer say which sample is which.
_JITTER_LIMIT = 0.25
_FURTHEST_CLOCK_S = 5.0
_PULL_TIMEOUT_S = 0.2
_SILENCE_S = 2.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StreamTiming:
    """What a stretch of stamps and arrivals shows.

    Parameters
    ----------
    n_samples : int
    nominal_hz, effective_hz : float
        Rate that the stream announces, and rate of its stamps.
    interval_jitter_s : float
        Robust standard deviation of the distance from stamp to stamp.
    n_gaps : int
        Places where samples are missing.
    block_samples : int
        Samples that usually arrive together.
    arrival_interval_s : float
        Largest regular distance between arrivals: how long to wait for newer data.
    data_age_p50_s, data_age_p95_s, data_age_p99_s, data_age_max_s : float
        From a sample's stamp to its arrival.
    """

    n_samples: int
    nominal_hz: float
    effective_hz: float
    interval_jitter_s: float
    n_gaps: int
    block_samples: int
    arrival_interval_s: float
    data_age_p50_s: float
    data_age_p95_s: float
    data_age_p99_s: float
    data_age_max_s: float


def judge_timing(
    t_sample: Instants, t_arrival: Instants, nominal_hz: float
) -> StreamTiming:
    """Describe stamps and arrivals, and refuse those that phase cannot be told from.

    Parameters
    ----------
    t_sample, t_arrival : array, shape (n_samples,)
        Stamp of each sample and when it was there, both on the host clock.
    nominal_hz : float
        Rate that the stream announces.

    Raises
    ------
    SignalFault
        A stamp that repeats the one before it, lies before it, or is not finite.
    StreamFormatError
        Irregular stamps, an effective rate more than 2 % off the nominal one, or a
        clock that is not the host's. Gaps alone are none of these.
    StreamLost
        Too few samples to tell.
    """
    if not len(t_sample) >= _FEWEST_SAMPLES:
        raise StreamLost(
            f"Only {len(t_sample)} samples arrived, too few to judge the stream's "
            "timing; check that the amplifier is running."
        )
    intervals_s = np.diff(t_sample)
    _check_order(t_sample, intervals_s)
    interval_s = float(np.median(intervals_s))
    steps = np.maximum(1.0, np.round(intervals_s / interval_s))
    deviation_s = np.abs(intervals_s - steps * interval_s)
    jitter_s = 1.4826 * float(np.median(deviation_s))
    effective_hz = _rate(t_sample)
    _check_regular(jitter_s, deviation_s, interval_s)
    _check_rate(effective_hz, nominal_hz)
    age_s = t_arrival - t_sample
    ages = [float(age) for age in np.percentile(age_s, (50, 95, 99, 100))]
    _check_clock(ages[0])
    block_samples, arrival_interval_s = _arrivals(t_arrival, 1.0 / nominal_hz)
    return StreamTiming(
        n_samples=len(t_sample),
        nominal_hz=nominal_hz,
        effective_hz=effective_hz,
        interval_jitter_s=jitter_s,
        n_gaps=int(np.count_nonzero(steps > 1)),
        block_samples=block_samples,
        arrival_interval_s=arrival_interval_s,
        data_age_p50_s=ages[0],
        data_age_p95_s=ages[1],
        data_age_p99_s=ages[2],
        data_age_max_s=ages[3],
    )


def measure_stream(inlet: LslInlet, seconds: float) -> StreamTiming:
    """Receive for some seconds and judge the stream's timing.

    Parameters
    ----------
    inlet : LslInlet
        Open. What it received before the call is dropped.
    seconds : float

    Raises
    ------
    StreamLost, SignalFault, StreamFormatError
    """
    offset_s = inlet.clock_offset_s()
    inlet.flush()
    t_sample, t_arrival = _receive(inlet, seconds)
    return judge_timing(t_sample + offset_s, t_arrival, inlet.description.sfreq_hz)


def _receive(inlet: LslInlet, seconds: float) -> tuple[Instants, Instants]:
    pull = pylsl.lib.lib.lsl_pull_sample_f
    handle = ctypes.c_void_p(inlet.handle)
    n_channels = inlet.description.n_channels
    row = (ctypes.c_float * n_channels)()
    timeout_s = ctypes.c_double(_PULL_TIMEOUT_S)
    error = ctypes.c_int(0)
    stamps: list[float] = []
    arrivals: list[float] = []
    t_latest = pylsl.local_clock()
    t_end = t_latest + seconds
    while t_latest < t_end:
        stamp = pull(handle, row, n_channels, timeout_s, ctypes.byref(error))
        now = pylsl.local_clock()
        if error.value < 0:
            raise StreamLost(
                f"Stream {inlet.description.name!r} ended while its timing was "
                "measured; check the program that streams."
            )
        if stamp:
            stamps.append(stamp)
            arrivals.append(now)
            t_latest = now
        elif now - t_latest > _SILENCE_S:
            raise StreamLost(
                f"Stream {inlet.description.name!r} is connected but sends no samples; "
                "check that the amplifier is running."
            )
    return np.array(stamps), np.array(arrivals)


def _check_order(t_sample: Instants, intervals_s: Instants) -> None:
    if not np.all(np.isfinite(t_sample)):
        raise SignalFault("A time stamp of the stream is not a finite number.")
    wrong = np.flatnonzero(intervals_s <= 0)
    if len(wrong) == 0:
        return
    first = int(wrong[0])
    interval_s = float(intervals_s[first])
    what = "repeats" if interval_s == 0 else f"lies {-interval_s * 1e3:.3g} ms before"
    raise SignalFault(
        f"The time stamp of sample {first + 2} {what} the stamp of the sample before "
        f"it ({len(wrong)} such of {len(t_sample)}); check how the amplifier's program "
        "stamps its samples."
    )


def _check_regular(jitter_s: float, deviation_s: Instants, interval_s: float) -> None:
    scattered = float(np.mean(deviation_s > _JITTER_LIMIT * interval_s))
    if jitter_s <= _JITTER_LIMIT * interval_s and scattered <= 1 / 3:
        return
    raise StreamFormatError(
        f"The stream's time stamps are irregular: their distance of "
        f"{interval_s * 1e3:.3g} ms wobbles by {jitter_s * 1e3:.3g} ms; let the "
        "amplifier's program stamp samples by its sampling clock, not when it sends."
    )


def _check_rate(effective_hz: float, nominal_hz: float) -> None:
    if abs(effective_hz / nominal_hz - 1) <= _RATE_TOLERANCE:
        return
    raise StreamFormatError(
        f"The stream announces {nominal_hz:g} Hz but its time stamps run at "
        f"{effective_hz:.4g} Hz; correct the rate in the program that streams."
    )


def _check_clock(age_s: float) -> None:
    if abs(age_s) <= _FURTHEST_CLOCK_S:
        return
    raise StreamFormatError(
        f"The stream's time stamps lie {age_s:.4g} s behind this machine's clock; let "
        "the program that streams stamp its samples with the LSL clock."
    )


def _rate(t_sample: Instants) -> float:
    """Return the median slope over a twentieth of the stretch; few gaps move it not."""
    lag = max(1, (len(t_sample) - 1) // 20)
    return lag / float(np.median(t_sample[lag:] - t_sample[:-lag]))


def _arrivals(t_arrival: Instants, interval_s: float) -> tuple[int, float]:
    """Return how many samples come together, and how far apart their arrivals are."""
    starts = np.flatnonzero(np.diff(t_arrival) > 0.5 * interval_s) + 1
    if len(starts) < 2:
        return len(t_arrival), float(t_arrival[-1] - t_arrival[0])
    block_samples = max(1, math.floor(float(np.median(np.diff(starts))) + 0.5))
    # The third quartile: the longer of two alternating distances counts, a stall not.
    distance_s = float(np.percentile(np.diff(t_arrival[starts]), 75))
    return block_samples, max(distance_s, interval_s)
