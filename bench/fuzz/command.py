"""The command line of the fuzz."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench.fuzz.hosts import hosts
from bench.fuzz.search import Found, search
from bench.fuzz.twins import twins

_FRAMES = 100_000


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--frames",
    type=click.IntRange(min=1),
    default=_FRAMES,
    show_default=True,
    help="Frames for each codec.",
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the rows as JSON.",
)
def main(
    names: tuple[str, ...], frames: int, seed: int, json_file: Path | None
) -> None:
    """Fuzz the codecs of the drivers and the simulated devices.

    NAME is part of a row's name, such as magpro or twin; all of them if left out.
    The exit code is 1 if anything but clean errors was found.

    \b
    Examples:
      python -m bench.fuzz --json fuzz.json
      python -m bench.fuzz magstim --frames 1000000 --seed 2
    """  # noqa: D301 - \b keeps the lines apart
    subjects = [
        subject
        for subject in (*hosts(), *twins())
        if not names or any(name in subject.name for name in names)
    ]
    if not subjects:
        known = ", ".join(subject.name for subject in (*hosts(), *twins()))
        raise click.UsageError(f"There is no codec like that; choose of {known}.")
    console = Console(highlight=False)
    rows = []
    for subject in subjects:
        with console.status(f"{subject.name}: {frames:,} frames"):
            rows.append(search(subject, frames, seed))
    console.print(_table(rows))
    for row in rows:
        if row.example is not None:
            console.print(f"{row.name}: {row.example}")
    if json_file is not None:
        listing = [row.as_dict() for row in rows]
        json_file.write_text(json.dumps(listing, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if all(row.holds for row in rows) else 1)


def _table(rows: list[Found]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("codec", no_wrap=True)
    for column in ("frames", "understood", "refused", "unclean", "damaged taken"):
        table.add_column(column, justify="right")
    table.add_column("holds")
    for row in rows:
        counts = (row.frames, row.understood, row.refused, row.unclean)
        cells = [f"{count:,}" for count in (*counts, row.damaged_understood)]
        table.add_row(row.name, *cells, "yes" if row.holds else "[red]no[/red]")
    return table
