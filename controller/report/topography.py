"""Heads seen from above, with a value at each electrode."""

import math
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Circle, Polygon

from controller.calibration.positions import position_of
from controller.report.svg import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    drawing,
    new_figure,
    to_svg,
)

_COLOURS = LinearSegmentedColormap.from_list("house", [BLUE, "#F7F7F7", VERMILION])
_REACH = 1.16  # head radii on either side
_HEAD_IN = 4.6  # inches across
# So many electrodes leave room for dots of that radius, and labels of that size.
_SIZES = ((24, 0.07, 8.5), (40, 0.055, 7.0), (math.inf, 0.036, 5.2))
_GROWTH = 0.035  # of the strongest electrode's dot
_DARK = 0.62  # of the largest value, from which a label is white
_NOSE = ((-0.1, 0.995), (0.0, 1.1), (0.1, 0.995))


def topography_figure(
    heads: Mapping[str, Mapping[str, float]], crossed_out: Sequence[str] = ()
) -> str:
    """Draw one head for each set of values.

    Every head has its own scale, symmetric about zero.

    Parameters
    ----------
    heads : mapping of str to mapping
        Values by label, by the title of the head; electrodes without a known position
        are not drawn, see `without_position`.
    crossed_out : sequence of str
        Labels of channels without a value, drawn as crosses.
    """
    with drawing():
        figure = new_figure(_HEAD_IN * len(heads), _HEAD_IN * 1.02)
        places = figure.subplots(1, len(heads), squeeze=False)[0]
        for axes, (title, values) in zip(places, heads.items(), strict=True):
            _outline(axes)
            _electrodes(axes, values)
            _crosses(axes, crossed_out)
            axes.set_title(title, loc="center")
            axes.set_xlim(-_REACH, _REACH)
            axes.set_ylim(-_REACH, _REACH)
            axes.set_aspect("equal")
            axes.set_axis_off()
        return to_svg(figure, "topography", f"Heads from above: {', '.join(heads)}")


def without_position(labels: Sequence[str]) -> list[str]:
    """Return the labels that cannot be drawn."""
    return [label for label in labels if position_of(label) is None]


def _outline(axes: Axes) -> None:
    line = {"fill": False, "edgecolor": GREY, "linewidth": 1.4}
    axes.add_patch(Polygon(_NOSE, closed=False, **line))
    for side in (-1.0, 1.0):
        turns = np.linspace(-0.42 * math.pi, 0.42 * math.pi, 30)
        x, y = side * (0.985 + 0.07 * np.cos(turns)), 0.16 * np.sin(turns)
        axes.plot(x, y, color=GREY, lw=1.4)
    axes.add_patch(Circle((0, 0), 1.0, **line))


def _electrodes(axes: Axes, values: Mapping[str, float]) -> None:
    largest = max(map(abs, values.values()), default=0.0)
    scale = Normalize(-largest, largest)
    smallest, size = next((r, t) for n, r, t in _SIZES if len(values) <= n)
    # The strongest on top, where electrodes are dense.
    for label, value in sorted(values.items(), key=lambda item: abs(item[1])):
        place = position_of(label)
        if place is None:
            continue
        share = abs(value) / largest if largest > 0.0 else 0.0
        face = mpl.colors.to_hex(_COLOURS(scale(value)))
        radius = smallest + _GROWTH * share
        axes.add_patch(Circle(place, radius, facecolor=face, edgecolor=GREY, lw=0.8))
        axes.text(
            *place,
            label,
            ha="center",
            va="center_baseline",
            fontsize=size,
            color="white" if share > _DARK else INK,
        )


def _crosses(axes: Axes, labels: Sequence[str]) -> None:
    for label in labels:
        place = position_of(label)
        if place is None:
            continue
        axes.plot(*place, "x", color=GREY, ms=15, mew=1.6)
        x, y = place
        axes.text(x, y - 0.13, label, ha="center", va="top", fontsize=8, color=GREY)
