"""The report's figure over the time of the session."""

import numpy as np
from matplotlib.axes import Axes

from controller.kernels.jit import Float64Array
from controller.report.svg import BLUE, ORANGE, VERMILION, drawing, new_figure, to_svg
from controller.report.timecourse import Course

_MINUTES_FROM_S = 600.0


def course_figure(
    amplitude: Course, threshold: Course, age: Course, pulse_s: Float64Array
) -> str:
    """Draw amplitude with its gate, and data age, over the session.

    Parameters
    ----------
    amplitude, threshold : Course
        Microvolts.
    age : Course
        Seconds.
    pulse_s : array, shape (n_pulses,)
        When pulses were fired, from the beginning of the session.
    """
    duration_s = float(2 * amplitude.t_s[-1] - amplitude.t_s[-2])
    in_minutes = duration_s > _MINUTES_FROM_S
    scale = 1 / 60 if in_minutes else 1.0
    with drawing():
        figure = new_figure(12.2, 5.2)
        above, below = figure.subplots(2, 1, sharex=True)
        _draw_amplitude(above, amplitude, threshold, scale)
        if len(pulse_s) > 0:
            _draw_pulses(above, pulse_s * scale)
        _draw_age(below, age, scale)
        below.set_xlabel(f"time in the session ({'minutes' if in_minutes else 's'})")
        below.set_xlim(0, duration_s * scale)
        for axes in (above, below):
            axes.grid(axis="y")
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderpad=0)
        label = "Amplitude of the rhythm, gate and data age over the session"
        return to_svg(figure, "course", label)


def _draw_amplitude(
    axes: Axes, amplitude: Course, threshold: Course, scale: float
) -> None:
    _band(axes, amplitude, scale, 1.0)
    t, gate_t = amplitude.t_s * scale, threshold.t_s * scale
    axes.plot(t, amplitude.middle, color=BLUE, lw=1.4, label="amplitude")
    known = np.isfinite(threshold.middle)
    axes.plot(
        gate_t[known],
        threshold.middle[known],
        color=ORANGE,
        ls="--",
        lw=2.2,
        label="gate",
    )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("rhythm (µV)")


def _draw_pulses(axes: Axes, t: Float64Array) -> None:
    axes.vlines(
        t,
        0.0,
        0.09,
        color=VERMILION,
        lw=1.6,
        transform=axes.get_xaxis_transform(),
        label="pulse",
    )


def _draw_age(axes: Axes, age: Course, scale: float) -> None:
    t = age.t_s * scale
    axes.plot(t, age.high * 1e3, color=VERMILION, lw=1, label="largest")
    axes.plot(t, age.middle * 1e3, color=BLUE, lw=1.6, label="median")
    lowest = age.low[np.isfinite(age.low)] * 1e3
    axes.set_ylim(bottom=min([0.0, *lowest]))
    axes.set_ylabel("data age (ms)")


def _band(axes: Axes, course: Course, scale: float, factor: float) -> None:
    axes.fill_between(
        course.t_s * scale,
        course.low * factor,
        course.high * factor,
        color=BLUE,
        alpha=0.2,
        lw=0,
    )
