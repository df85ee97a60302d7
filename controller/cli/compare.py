"""`phasegate compare A B`: two sessions side by side."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.options import json_option
from controller.cli.speech import say

if TYPE_CHECKING:
    from controller.report.comparison import Comparison


@click.command()
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the comparison as a page of its own.",
)
@json_option
def compare(*, first: Path, second: Path, page: Path | None, as_json: bool) -> None:
    """Set two sessions side by side.

    A and B are session folders: of two days, of two configurations, or a session and
    what `phasegate replay --set` made of it. Shown are triggers per minute, achieved
    phase, refusals, dose, and the settings that differ.

    \b
    Example:
      phasegate compare sessions/monday sessions/tuesday
      phasegate compare sessions/monday sessions/what-if --html both.html
    """  # noqa: D301 - \b keeps the lines apart
    from controller.report.comparison import compare_sessions
    from controller.report.comparison_page import write_comparison
    from controller.session.load import load_session

    a, b = load_session(first), load_session(second)
    if page is None:
        comparison = compare_sessions(a, b)
    else:
        comparison = write_comparison(a, b, page)
    if as_json:
        told = comparison.as_dict() | {"page": page and str(page)}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    show_comparison(comparison)
    if page is not None:
        say(f"The page is {page}.")


def show_comparison(comparison: "Comparison") -> None:
    """Print two sessions side by side, for a person."""
    from rich.console import Console
    from rich.table import Table

    from controller.report.comparison import rows_of

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in ("A", "B", "B less A"):
        table.add_column(heading, justify="right")
    for row in comparison.settings:
        table.add_row(row.name, row.a, row.b, "", style="bold")
    for row in rows_of(comparison):
        table.add_row(row.name, row.a, row.b, row.change)
    click.echo(f"A  {comparison.a.folder}\nB  {comparison.b.folder}\n")
    Console(highlight=False).print(table)
    click.echo(comparison.sentence)
