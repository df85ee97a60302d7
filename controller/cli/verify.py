"""`phasegate verify`: whether a session's files are what they were."""

import dataclasses
import json
from pathlib import Path

import click

from controller.cli.options import json_option
from controller.cli.speech import say
from controller.errors import RecordsChanged


@click.command(short_help="Check that a session's files are what they were.")
@click.argument("path", metavar="SESSION", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def verify(context: click.Context, *, path: Path, as_json: bool) -> None:
    """Check that every file of SESSION is what it was when the session ended.

    Names the first file and byte that differ; the exit code is then 21. Also checks the
    chain of hashes that runs through the decision log. The manifest's own hash is
    printed, to be kept where nobody can change it.

    \b
    Example:
      phasegate verify sessions/20310506T070809Z_p01_alpha
    """  # noqa: D301 - \b keeps the lines apart
    from controller.session.manifest import verify as verify_session

    verdict = verify_session(path)
    if as_json:
        found = {"path": str(path), "intact": verdict.intact}
        click.echo(json.dumps(found | dataclasses.asdict(verdict), indent=1))
    if not verdict.intact:
        where = ""
        if verdict.first_byte is not None:
            where = f" at byte {verdict.first_byte}"
            if verdict.last_byte != verdict.first_byte:
                where = f" between bytes {verdict.first_byte} and {verdict.last_byte}"
        sentence = f"{path / str(verdict.file)} differs{where}: {verdict.words}."
        if verdict.first_byte is None:
            sentence = f"{path / str(verdict.file)} {verdict.words}."
        if not as_json:
            raise RecordsChanged(sentence)
        say(f"phasegate: {sentence}")
        context.exit(RecordsChanged.exit_code)
    if not as_json:
        say(
            f"{path} is intact: {verdict.n_files} files, "
            f"{verdict.n_bytes / 1e6:.1f} MB; the manifest's SHA-256 is "
            f"{verdict.manifest_sha256}."
        )
        if verdict.unlisted:
            say(f"Files that came later: {', '.join(verdict.unlisted)}.")
