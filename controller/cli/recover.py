"""`phasegate recover`: finish what a killed session left."""

import dataclasses
import json
from pathlib import Path

import click

from controller.cli.options import json_option
from controller.cli.speech import say


@click.command(short_help="Finish the records of a session that was killed.")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@json_option
def recover(*, path: Path, as_json: bool) -> None:
    """Finish the records of a session that was killed, or cut a torn XDF file.

    PATH is a session's folder, or any XDF file. What still waits in memory is written,
    torn last pieces are cut off and kept beside as *.torn, and files are completed from
    each other. A session that is whole stays as it is.

    \b
    Example:
      phasegate recover sessions/20310506T070809Z_p01_alpha
    """  # noqa: D301 - \b keeps the lines apart
    from controller.engine.clock import host_clock
    from controller.session.recover import recover as recover_path

    found = recover_path(path, t_now=host_clock())
    if as_json:
        click.echo(json.dumps({"path": str(path), **dataclasses.asdict(found)}))
        return
    if found.was_finished:
        say(f"{path} is whole; nothing was changed.")
        return
    counts = {
        "samples": found.n_samples,
        "decisions": found.n_decisions,
        "edges": found.n_edges,
        "events": found.n_events,
    }
    added = ", ".join(f"{n} {name}" for name, n in counts.items() if n)
    say(f"{path} is whole again: {added or 'nothing'} added.")
    if found.n_cut_bytes:
        say(f"{found.n_cut_bytes} torn bytes were cut off and kept as *.torn.")
    if found.n_lost_samples:
        say(f"{found.n_lost_samples} samples are lost.")
