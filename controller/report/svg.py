"""A figure as text that stands inside a page, without anything from outside."""

import contextlib
import io
import re
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# Colours that people with any kind of colour vision tell apart (Okabe and Ito 2008).
BLUE = "#0072B2"
ORANGE = "#E69F00"
VERMILION = "#D55E00"
GREEN = "#009E73"
INK = "#222222"
GREY = "#767676"
PALE = "#D9E6EF"

_STYLE: Any = {
    "font.size": 12.0,
    "font.family": ["DejaVu Sans"],  # matplotlib brings it along
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 12.0,
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "grid.color": "#E3E3E3",
    "legend.frameon": False,
    "svg.fonttype": "path",
}


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure in the report's style."""
    return Figure(figsize=(width_in, height_in), layout="constrained")


def drawing() -> contextlib.AbstractContextManager[None]:
    """Return the context that figures are made in."""
    return mpl.rc_context(_STYLE)


def to_svg(figure: Figure, name: str, label: str) -> str:
    """Return a figure as an SVG element.

    Parameters
    ----------
    figure : Figure
    name : str
        Distinguishes the names inside the element from those of other figures.
    label : str
        What the figure shows, for people who do not see it.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return _inline(buffer.getvalue(), name, label)


def _inline(text: str, name: str, label: str) -> str:
    element = text[text.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(
        r'<style type="text/css">.*?</style>', "", element, flags=re.DOTALL
    )
    element = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", element)
    element = re.sub(r"<!--.*?-->\n?", "", element, flags=re.DOTALL)
    element = element.replace("xlink:href", "href")
    element = re.sub(r'\bid="', f'id="{name}-', element)
    element = re.sub(r'(href="|url\()#', rf"\g<1>#{name}-", element)
    element = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", element, count=1)
    return element.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
