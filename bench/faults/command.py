"""The command line: `python -m bench.faults`."""

import contextlib
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench.faults.evidence import Row, as_json
from bench.faults.run import timed
from bench.faults.scenarios import SCENARIOS
from bench.lifeline import REPOSITORY

_WIDTH = 110


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Some faults only.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the rows as JSON.",
)
def main(only: tuple[str, ...], json_file: Path | None) -> None:
    """Let each fault happen to a session of its own, and see that it stops.

    `phasegate run` fires into simulated devices that it takes for real ones; once two
    pulses were made, something goes wrong. Then no pulse may come any more, the line
    must be low, the stimulator disarmed, and the records must say why. Half a minute
    for each; the exit code is 1 if one does not hold.

    \b
    Example:
      python -m bench.faults --json faults.json
      python -m bench.faults --only "coil hot" --only "disk full"
    """  # noqa: D301 - \b keeps the lines apart
    known = [scenario.name for scenario in SCENARIOS]
    strange = [name for name in only if name not in known]
    if strange:
        raise click.UsageError(
            f"There is no fault {strange[0]!r}; choose of {', '.join(known)}."
        )
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="phasegate-faults-")
        )
        stack.enter_context(keep_to_ourselves(Path(folder)))
        click.echo("Loading the compiled loop ...", err=True)
        # The first time it is compiled, and no session should have to wait for that.
        subprocess.run(
            [sys.executable, "-c", "import controller.rig.run"],
            cwd=REPOSITORY,
            check=True,
        )
        rows = []
        for scenario in SCENARIOS:
            if only and scenario.name not in only:
                continue
            row, took_s = timed(scenario)
            rows.append(row)
            verdict = "holds" if row.holds else "DOES NOT HOLD"
            click.echo(f"{row.name}: {verdict}, {took_s:.0f} s. {row.reason}", err=True)
    Console(width=_WIDTH).print(table(rows))
    if json_file is not None:
        json_file.write_text(as_json(rows), encoding="utf-8")
    if not all(row.holds for row in rows):
        sys.exit(1)


def table(rows: list[Row]) -> Table:
    """Return the rows as a table for people."""
    shown = Table(title="Faults", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("fault", "pulses before", "after", "line low", "disarmed", "holds"):
        shown.add_column(name)
    for row in rows:
        counts = (str(row.pulses_before), str(row.pulses_after_fault))
        marks = (row.line_low, row.disarmed, row.holds)
        words = ("yes" if mark else "NO" for mark in marks)
        shown.add_row(row.name, *counts, *words)
    return shown


@contextlib.contextmanager
def keep_to_ourselves(folder: Path) -> Iterator[None]:
    """Let processes begun in a block see no streams but their own.

    Settings of liblsl that somebody has named win.

    Parameters
    ----------
    folder : Path
        For the settings.
    """
    if "LSLAPICFG" in os.environ:
        yield
        return
    settings = folder / "lsl_api.cfg"
    settings.write_text(
        f"[lab]\nSessionID = faults-{uuid.uuid4().hex[:12]}\n"
        "[ports]\nIPv6 = disable\n"
        "[multicast]\nAddressesOverride = {239.255.172.215}\nTTLOverride = 0\n"
        "Interfaces = {127.0.0.1}\n"
        "[log]\nlevel = -3\n",
        encoding="utf-8",
    )
    os.environ["LSLAPICFG"] = str(settings)
    try:
        yield
    finally:
        del os.environ["LSLAPICFG"]
