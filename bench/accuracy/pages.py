"""A run as a Markdown fragment, and as one HTML page that needs nothing else."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

from bench.accuracy.evaluate import Result
from bench.accuracy.figures import bars_figure, promise_figure, triggers_figure
from bench.accuracy.summary import scored
from bench.accuracy.tables import Table

_TEMPLATE = "page.html.j2"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure as SVG text, and what it shows."""

    svg: str
    caption: str
    square: bool = False


def markdown(tables: Sequence[Table], conditions: Mapping[str, str]) -> str:
    """Return the tables as Markdown, the conditions first."""
    lines = [f"{key}: {value}  " for key, value in conditions.items()]
    for table in tables:
        lines += ["", f"**{table.title}.** {table.note}".rstrip(), ""]
        aligned = "---:|" if table.figures else "---|"
        lines.append("| " + " | ".join(table.header) + " |")
        lines.append("|---|" + aligned * (len(table.header) - 1))
        lines += ["| " + " | ".join(map(_escaped, row)) + " |" for row in table.rows]
    return "\n".join(lines) + "\n"


def html(
    results: Sequence[Result],
    tables: Sequence[Table],
    conditions: Mapping[str, str],
    *,
    default: str,
    title: str,
) -> str:
    """Return the page.

    Parameters
    ----------
    results : sequence of Result
    tables : sequence of Table
    conditions : mapping of str to str
    default : str
        The estimator that the figures bring out.
    title : str
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(_TEMPLATE).render(
        title=title,
        tables=tables,
        conditions=conditions,
        drawings=_drawings(results, default),
    )


def _drawings(results: Sequence[Result], default: str) -> list[Drawing]:
    if not scored(results):
        return []
    found = [
        Drawing(
            svg=bars_figure(results, default),
            caption="Bars: median over recordings, all samples; dots: recordings; "
            "white stroke: median behind the gate at the calibration's median "
            f"amplitude. Orange: {default}, the default.",
        ),
        Drawing(
            svg=triggers_figure(results),
            caption="Triggers behind the median gate, all recordings together: true "
            "phase about the target, which is on top with 45° on either side shaded; "
            "time runs clockwise. Black: mean direction and resultant length.",
        ),
        Drawing(
            svg=promise_figure(results, default),
            caption="Each dot a recording and estimator; shaded: promise kept within "
            f"3°. Red: {default}, the default.",
            square=True,
        ),
    ]
    return [drawing for drawing in found if drawing.svg]


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
