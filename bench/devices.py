"""`python -m bench.devices`: every driver against its twin, how late it is.

The figures are those of this machine and of the latencies that the twins were told to
have; a real device adds its own.
"""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bench.outcome import conditions_now
from drivers.registry import BUILT_IN
from drivers.sim.latency import measure_all
from drivers.sim.stimulator_latency import SUBJECTS, measure


@click.command()
@click.option("--pulses", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--repeats", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--only", multiple=True, metavar="NAME", help="Some drivers only.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the rows as JSON.",
)
def main(
    pulses: int, repeats: int, only: tuple[str, ...], json_file: Path | None
) -> None:
    """Measure every trigger output and stimulator against its twin.

    From the call to the twin's stamp: PULSES triggers of each output, in microseconds;
    REPEATS pulses of each stimulator, medians in milliseconds. Some three minutes.

    \b
    Example:
      python -m bench.devices --json devices.json
      python -m bench.devices --only cedrus --only "Magstim 200²"
    """  # noqa: D301 - \b keeps the lines apart
    known = [*BUILT_IN, *(subject.title for subject in SUBJECTS)]
    strange = [name for name in only if name not in known]
    if strange:
        raise click.UsageError(
            f"There is no driver {strange[0]}; choose of {', '.join(known)}."
        )
    wanted = only or known
    console = Console(highlight=False)
    outputs, stimulators = [], []
    with console.status("measuring") as status:
        for name in (name for name in BUILT_IN if name in wanted):
            status.update(name)
            outputs += list(measure_all([name], pulses))
        for subject in (one for one in SUBJECTS if one.title in wanted):
            status.update(subject.title)
            stimulators.append(
                {"name": subject.title, "n": repeats} | measure(subject, repeats)
            )
    _print(console, "µs from the call to the twin's stamp", outputs)
    _print(console, "ms, medians", stimulators)
    if json_file is not None:
        rows = {"outputs": outputs, "stimulators": stimulators}
        text = json.dumps({"conditions": conditions_now(), **rows}, indent=1)
        json_file.write_text(f"{text}\n", encoding="utf-8")


def _print(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in rows[0]:
        table.add_column(column, justify="left" if column == "name" else "right")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    console.print(table)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
