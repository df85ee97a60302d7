"""The rhythm over the session: how strong it was, and at which frequency."""

import dataclasses

import numpy as np

from controller.errors import PhasegateError
from controller.estimators.rhythm import (
    HALF_WIDTH_HZ,
    MINIMUM_REST_S,
    MINIMUM_SNR_DB,
    WITHOUT_PEAK,
    find_rhythm,
)
from controller.kernels.jit import Float64Array
from controller.report.achieved import Virtual, segments
from controller.report.svg import BLUE, ORANGE, VERMILION, drawing, new_figure, to_svg

WINDOW_S = 20.0
STEP_S = 10.0
_MOST_WINDOWS = 400
_MASK_S = (-0.002, 0.030)
_MINUTES_FROM_S = 600.0
_LEAST_REACH_HZ = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RhythmCourse:
    """One value for each stretch.

    Parameters
    ----------
    t_s : array, shape (n,)
        Middle of the stretch, from the beginning of the recording.
    snr_db, frequency_hz : array, shape (n,)
        NaN where no rhythm stood out of the 1/f line.
    """

    t_s: Float64Array
    snr_db: Float64Array
    frequency_hz: Float64Array

    @property
    def found_share(self) -> float:
        """Share of the stretches in which there was a rhythm."""
        return float(np.mean(np.isfinite(self.snr_db))) if len(self.t_s) else 0.0


def rhythm_course(
    virtual: Virtual, band: str, pulses: Float64Array
) -> RhythmCourse | None:
    """Look for the rhythm in stretches of `WINDOW_S`; None if there is none to look at.

    Parameters
    ----------
    virtual : Virtual
    band : str
        Name of the band, `alpha` for example.
    pulses : array, shape (n_pulses,)
        When pulses came; 30 ms after each are bridged by a straight line.
    """
    if band not in HALF_WIDTH_HZ or band in WITHOUT_PEAK or len(virtual.stamps) == 0:
        return None
    n, t_start = round(WINDOW_S * virtual.sfreq_hz), virtual.stamps[0]
    least = round(MINIMUM_REST_S * virtual.sfreq_hz)
    times, heights, frequencies = [], [], []
    duration_s = len(virtual.stamps) / virtual.sfreq_hz
    step = round(max(STEP_S, duration_s / _MOST_WINDOWS) * virtual.sfreq_hz)
    for part in segments(virtual):
        length = part.stop - part.start
        for first in range(
            part.start, part.stop - min(n, max(length, least)) + 1, step
        ):
            window = slice(first, min(first + n, part.stop))
            stamps = virtual.stamps[window]
            height, frequency = _found(virtual, window, band, pulses)
            times.append(float(stamps[0] + stamps[-1]) / 2 - t_start)
            heights.append(height)
            frequencies.append(frequency)
    if not times:
        return None
    return RhythmCourse(
        t_s=np.array(times),
        snr_db=np.array(heights),
        frequency_hz=np.array(frequencies),
    )


def bridged(
    stamps: Float64Array, microvolts: Float64Array, pulses: Float64Array
) -> Float64Array:
    """Return the signal with a straight line over each pulse."""
    bridged = microvolts.copy()
    for pulse in pulses[(pulses >= stamps[0]) & (pulses <= stamps[-1])]:
        first, last = np.searchsorted(stamps, [pulse + _MASK_S[0], pulse + _MASK_S[1]])
        left, right = max(first - 1, 0), min(last, len(stamps) - 1)
        at = np.arange(left, right + 1)
        bridged[at] = np.interp(at, [left, right], microvolts[[left, right]])
    return bridged


def rhythm_figure(course: RhythmCourse, expected_hz: float | None) -> str:
    """Draw strength and frequency of the rhythm over the session."""
    in_minutes = course.t_s[-1] > _MINUTES_FROM_S
    t = course.t_s / (60.0 if in_minutes else 1.0)
    with drawing():
        figure = new_figure(12.2, 4.4)
        above, below = figure.subplots(2, 1, sharex=True)
        above.plot(t, course.snr_db, "o-", color=BLUE, ms=4, lw=1.2)
        label = f"least for a phase, {MINIMUM_SNR_DB:g} dB"
        above.axhline(MINIMUM_SNR_DB, color=ORANGE, ls="--", lw=1.6, label=label)
        above.set_ylim(bottom=0)
        above.set_ylabel("over 1/f (dB)")
        below.plot(t, course.frequency_hz, "o-", color=BLUE, ms=4, lw=1.2)
        if expected_hz is not None:
            label = f"calibrated, {expected_hz:.2f} Hz"
            below.axhline(expected_hz, color=VERMILION, ls="--", lw=1.6, label=label)
        low, high = below.get_ylim()
        # Not so close that a hundredth of a hertz looks like a change.
        middle, reach = (low + high) / 2, max((high - low) / 2, _LEAST_REACH_HZ)
        below.set_ylim(middle - reach, middle + reach)
        below.set_ylabel("frequency (Hz)")
        below.set_xlabel(f"time in the recording ({'minutes' if in_minutes else 's'})")
        for axes in (above, below):
            axes.grid(axis="y")
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderpad=0)
        return to_svg(
            figure, "rhythm", "Strength and frequency of the rhythm over time"
        )


def _found(
    virtual: Virtual, window: slice, band: str, pulses: Float64Array
) -> tuple[float, float]:
    stamps = virtual.stamps[window]
    samples = bridged(stamps, virtual.microvolts[window], pulses)
    try:
        rhythm = find_rhythm(samples - samples.mean(), virtual.sfreq_hz, band)
    except PhasegateError:  # too weak, flat, or the band does not fit the rate
        return np.nan, np.nan
    return rhythm.snr_db, rhythm.frequency_hz
