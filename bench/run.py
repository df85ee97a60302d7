"""Every benchmark, one table: measured, target, budget, verdict.

`python -m bench.run` exits with 1 when a budget is broken. A missed target is shown and
fails nothing: targets are for a quiet machine with real-time privileges, budgets for
every machine that builds.
"""

import sys
from pathlib import Path

import click

from bench import kernels, latency, patterns
from bench.budgets import read_budgets
from bench.outcome import (
    conditions_now,
    exit_code,
    keep_history,
    markdown,
    print_rows,
    to_json,
)
from bench.rows import Row
from controller.engine.ports import platform_has_table

_FILE = click.Path(dir_okay=False, path_type=Path)


def measure(*, seconds: float | None, smoke: bool) -> tuple[list[Row], str | None]:
    """Return all rows that this platform can measure, and the privileges it gave.

    Raises
    ------
    BudgetError
        If rows and budgets do not match.
    """
    budgets = read_budgets()
    click.echo("Kernels, replay and start ...")
    rows = budgets.applied(kernels.SUITE, kernels.measure(smoke=smoke), smoke=smoke)
    if not platform_has_table():
        click.echo("Latency is not measured: this platform runs the Python loop.")
        return rows, None
    click.echo("Latency over LSL and a pseudo-terminal ...")
    measured, privileges = latency.measure(
        latency.planned(seconds=seconds, smoke=smoke)
    )
    rows += budgets.applied(latency.SUITE, measured, smoke=smoke)
    click.echo("Edges of patterns at the simulated trigger box ...")
    measured, _ = patterns.measure(patterns.planned(seconds=seconds, smoke=smoke))
    return rows + budgets.applied(patterns.SUITE, measured, smoke=smoke), privileges


@click.command()
@click.option("--smoke", is_flag=True, help="Under two minutes, with looser budgets.")
@click.option("--seconds", type=click.FloatRange(1.0, 600.0), help="Of each block.")
@click.option("--json", "json_file", type=_FILE, help="Write the rows as JSON.")
@click.option("--markdown", "page", type=_FILE, help="Write the table as Markdown.")
def main(
    json_file: Path | None, page: Path | None, seconds: float | None, *, smoke: bool
) -> None:
    """Measure everything on this machine and compare it with targets and budgets."""
    rows, privileges = measure(seconds=seconds, smoke=smoke)
    conditions = conditions_now(privileges)
    print_rows(rows)
    for name, value in conditions.items():
        click.echo(f"{name}: {value}")
    if json_file is not None:
        json_file.write_text(to_json(rows), encoding="utf-8")
    if page is not None:
        page.write_text(markdown(rows, conditions), encoding="utf-8")
    click.echo(f"Kept in {keep_history(rows, conditions)}.")
    sys.exit(exit_code(rows))


if __name__ == "__main__":
    main()
