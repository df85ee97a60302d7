"""The command line: `python -m bench.kill`."""

import collections
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

import click

from bench.kill.run import Kill, run_kills


@click.command()
@click.option("--kills", default=50, show_default=True, type=click.IntRange(1))
@click.option(
    "--seconds",
    default=300.0,
    show_default=True,
    help="Length of each session, in its own time.",
)
@click.option(
    "--speed", default=60.0, show_default=True, help="How much too fast it runs."
)
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "where", type=click.Path(path_type=Path))
def main(
    *, kills: int, seconds: float, speed: float, seed: int, where: Path | None
) -> None:
    """Kill recorder, loop and supervisor at random moments of a session.

    After each kill everything that the loop wrote must be readable by pyxdf, log and
    file must hold the same decisions, and no value may be torn. Sessions where that
    does not hold are kept, and the exit code is 1.

    \b
    Example:
      python -m bench.kill --kills 8 --seconds 30
    """  # noqa: D301 - \b keeps the lines apart
    work = Path(tempfile.mkdtemp(prefix="phasegate-kill-"))

    def tell(number: int, kill: Kill) -> None:
        words = "; ".join(kill.problems) or "nothing lost"
        click.echo(
            f"{number + 1:3d}/{kills}  {kill.victim:36s} at {kill.at_s:7.2f} s  "
            f"acknowledged {kill.n_acknowledged:6d}  written {kill.n_written:6d}  "
            f"read {kill.n_read:6d}  recovered {kill.n_recovered:5d}  {words}",
            err=True,
        )

    done = run_kills(kills, work, duration_s=seconds, speed=speed, seed=seed, tell=tell)
    failed = [kill for kill in done if kill.problems]
    outcome = {
        "kills": len(done),
        "failed": len(failed),
        "by_victim": dict(collections.Counter(kill.victim for kill in done)),
        "lost_samples": sum(kill.n_written - kill.n_read for kill in done),
        "lost_acknowledged": sum(
            max(0, kill.n_acknowledged - kill.n_read) for kill in done
        ),
        "decisions": sum(kill.n_decisions for kill in done),
        "each": [dataclasses.asdict(kill) for kill in done],
    }
    (work / "raw.npy").unlink()
    if not failed:
        work.rmdir()
    if where is not None:
        where.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
    click.echo(
        f"{len(done)} kills, {len(failed)} of them with a loss; "
        f"{outcome['lost_acknowledged']} acknowledged samples lost."
    )
    if failed:
        click.echo(f"What they left is in {work}.", err=True)
        sys.exit(1)
