"""Independent readers on a session and its exports.

`python -m bench.bids_validator` makes a session on a virtual clock, exports it as
BrainVision and as EDF into one data set, and lets pyxdf, mne, mne-bids and two BIDS
validators read it. It exits with 1 if one of them disagrees. The validator of npm is
installed once, some 700 MB, into the user's cache. `bids-validator-deno`, which follows
the newest schema, is asked too where it is installed.
"""

import dataclasses
import json
import shutil
import sys
import tempfile
from functools import partial
from importlib import metadata
from pathlib import Path

import click
import platformdirs
from rich.console import Console
from rich.table import Table

from bench.export_readers import (
    SCHEMA_VALIDATOR,
    VALIDATOR,
    Verdict,
    checked_by_npm_validator,
    checked_by_schema_validator,
    installed_npm_validator,
    names_by_pypi_validator,
    read_by_mne,
    read_by_mne_bids,
    read_by_pyxdf,
    verdict,
)
from bench.session_maker import make_session
from controller.cli.shipped import shipped_config
from controller.config import parse_config
from controller.export.bids import BidsExport, BidsFormat, BidsWish, export_bids
from controller.export.entities import Wanted
from controller.export.opened import open_session

_FORMATS: tuple[tuple[BidsFormat, str], ...] = (("BrainVision", "bv"), ("EDF", "edf"))
_CACHE = Path(platformdirs.user_cache_dir("phasegate")) / VALIDATOR.replace("@", "-")


def made_session(root: Path) -> Path:
    """Make a short session of the demonstration's kind on a virtual clock."""
    demo = shipped_config("demo.toml").read_text(encoding="utf-8")
    text = (
        demo.replace('kind = "blend"', 'kind = "iir"')
        .replace("percentile = 60", "percentile = 30")
        .replace("rest_s = 30", "rest_s = 16")
        .replace("duration_s = 60", "duration_s = 30")
    )
    return make_session(parse_config(text, where="bench"), text, root)


def export_both(session: Path, root: Path) -> list[BidsExport]:
    """Export one session as two subjects of one data set, one per format."""
    return [
        export_bids(
            session,
            BidsWish(
                root=root,
                wanted=Wanted(subject=subject),
                kind=kind,
                line_hz=50.0,
                reference="n/a",
                authors=("phasegate", "bench"),
            ),
        )
        for kind, subject in _FORMATS
    ]


def verdicts(session: Path, root: Path, npm_folder: Path | None) -> list[Verdict]:
    """Export a session and return what every reader says of it.

    Parameters
    ----------
    session : Path
    root : Path
        The data set to make.
    npm_folder : Path or None
        Where npm's validator is or goes; None leaves it out.
    """
    opened = open_session(session)
    said = [verdict(_named("pyxdf"), "eeg.xdf", lambda: read_by_pyxdf(opened))]
    for export in export_both(session, root):
        name = export.recording.name
        said += [
            verdict(_named("mne"), name, partial(read_by_mne, opened, export)),
            verdict(
                _named("mne-bids"),
                name,
                partial(read_by_mne_bids, opened, export, root),
            ),
        ]
    said.append(
        verdict(
            _named("bids-validator"),
            "names of the data set",
            lambda: names_by_pypi_validator(root),
        )
    )
    if npm_folder is not None:
        said.append(
            verdict(
                f"npm {VALIDATOR}",
                "the data set",
                lambda: checked_by_npm_validator(
                    installed_npm_validator(npm_folder), root
                ),
            )
        )
    newer = shutil.which(SCHEMA_VALIDATOR)
    if newer is not None:
        said.append(
            verdict(
                SCHEMA_VALIDATOR,
                "the data set",
                lambda: checked_by_schema_validator(newer, root),
            )
        )
    return said


def _named(package: str) -> str:
    return f"{package} {metadata.version(package)}"


def _print(said: list[Verdict]) -> None:
    table = Table(title="Independent readers", title_justify="left")
    for column in ("reader", "of", "verdict", "said"):
        table.add_column(column, overflow="fold")
    for one in said:
        mark = "passes" if one.passed else "FAILS"
        style = "" if one.passed else "bold red"
        table.add_row(one.reader, one.subject, mark, one.said, style=style)
    Console().print(table)


@click.command()
@click.argument(
    "session", required=False, type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--npm/--no-npm",
    "with_npm",
    default=True,
    help="Install and ask npm's validator, or leave it out.",
)
@click.option(
    "--npm-folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=_CACHE,
    show_default=True,
    help="Where it is or goes.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the verdicts as JSON.",
)
def main(
    session: Path | None, npm_folder: Path, json_file: Path | None, *, with_npm: bool
) -> None:
    """Export SESSION, or one made for it, and let independent programs read it."""
    with tempfile.TemporaryDirectory(prefix="phasegate-export-") as made:
        if session is None:
            click.echo("Making a session on a virtual clock ...")
            session = made_session(Path(made))
        click.echo("Exporting and reading; npm's validator is installed if need be ...")
        said = verdicts(session, Path(made) / "study", npm_folder if with_npm else None)
    _print(said)
    if json_file is not None:
        page = {"verdicts": [dataclasses.asdict(one) for one in said]}
        json_file.write_text(json.dumps(page, indent=1), encoding="utf-8")
    sys.exit(0 if all(one.passed for one in said) else 1)


if __name__ == "__main__":
    main()
