"""`phasegate export SESSION... KIND`: sessions for other programs."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from controller.cli.options import FiniteRange, json_option
from controller.cli.speech import say

if TYPE_CHECKING:
    from controller.export.bids import BidsExport, BidsWish

# The first of each is what comes if nobody asks.
_FORMATS = {
    "bids": ("brainvision", "edf"),
    "mne": ("fif",),
    "tables": ("csv", "parquet"),
    "methods": ("text",),
}
_OF_BIDS = (
    "subject",
    "session",
    "task",
    "run",
    "stimulation",
    "reference",
    "mains",
    "author",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Order:
    """What was asked for."""

    folders: tuple[Path, ...]
    out: Path
    kind_of_file: str
    overwrite: bool

    def told(self) -> Iterator[Path]:
        """Yield the sessions, and say which one is at work."""
        n = len(self.folders)
        for number, folder in enumerate(self.folders, start=1):
            of = f" ({number} of {n})" if n > 1 else ""
            say(f"Exporting {folder.name}{of} ...")
            yield folder


@click.command(short_help="Hand sessions to BIDS, MNE, tables, or a methods text.")
@click.argument(
    "sessions",
    metavar="SESSION...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
@click.argument(
    "kind", metavar="bids|mne|tables|methods", type=click.Choice(list(_FORMATS))
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("exports"),
    show_default="./exports",
    help="Where it goes; for bids the data set's folder. Made if it is not there.",
)
@click.option(
    "--format",
    "kind_of_file",
    type=click.Choice(sorted({name for names in _FORMATS.values() for name in names})),
    help="bids: brainvision or edf; tables: csv or parquet.  [default: brainvision, "
    "csv]",
)
@click.option("--overwrite", is_flag=True, help="Replace what stands there.")
@click.option("--subject", metavar="LABEL", help="bids  [default: the participant]")
@click.option("--session", metavar="LABEL", help="bids  [default: when it began]")
@click.option("--task", metavar="LABEL", help="bids  [default: the title]")
@click.option(
    "--run",
    type=click.IntRange(min=1),
    metavar="N",
    help="bids  [default: counted from 1]",
)
@click.option(
    "--stimulation",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="bids: what the loop cannot know: stimulator, coil, intensity, position "
    "(TOML).",
)
@click.option(
    "--reference", metavar="WORDS", help="bids: where the amplifier's reference was."
)
@click.option(
    "--mains",
    type=FiniteRange(min=0, min_open=True),
    metavar="HZ",
    help="bids: frequency of the mains, 50 or 60.",
)
@click.option(
    "--author",
    "author",
    metavar="NAME",
    multiple=True,
    help="bids: author of a new data set; may be given several times.",
)
@json_option
@click.pass_context
def export(
    context: click.Context,
    *,
    sessions: tuple[Path, ...],
    kind: str,
    out: Path,
    kind_of_file: str | None,
    overwrite: bool,
    subject: str | None,
    session: str | None,
    task: str | None,
    run: int | None,
    stimulation: Path | None,
    reference: str | None,
    mains: float | None,
    author: tuple[str, ...],
    as_json: bool,
) -> None:
    """Hand sessions to other programs, every decision and every "no" included.

    \b
    bids     a BIDS data set with NIBS-BIDS tables beside the EEG
    mne      annotated recordings and epochs around the pulses, as FIF
    tables   decisions, pulses, edges and events, as CSV or Parquet
    methods  a methods paragraph and filled reporting checklists, as text

    Nothing is replaced without --overwrite; a BIDS recording that stands there
    already, the same, is left as it is.

    \b
    Example:
      phasegate export sessions/* bids --out study --mains 50
      phasegate export sessions/20310506T070809Z_p01 bids --format edf
      phasegate export sessions/20310506T070809Z_p01 mne
      phasegate export sessions/20310506T070809Z_p01 tables --format parquet
    """  # noqa: D301 - \b keeps the lines apart
    kind_of_file = kind_of_file or _FORMATS[kind][0]
    _check(context, kind, kind_of_file)
    order = _Order(
        # By name, which begins with the instant, so that runs count in time.
        folders=tuple(sorted(sessions, key=lambda path: path.resolve().name)),
        out=out,
        kind_of_file=kind_of_file,
        overwrite=overwrite,
    )
    made: Iterator[dict[str, object]]
    if kind == "bids":
        from controller.export.bids import BidsWish
        from controller.export.entities import Wanted
        from controller.export.stimulation import read_stimulation

        wish = BidsWish(
            root=out,
            wanted=Wanted(subject=subject, session=session, task=task, run=run),
            kind="EDF" if kind_of_file == "edf" else "BrainVision",
            stimulation=None if stimulation is None else read_stimulation(stimulation),
            reference=reference,
            line_hz=mains,
            authors=author,
            overwrite=overwrite,
        )
        made = _to_bids(order, wish)
    else:
        made = _WRITERS[kind](order)
    exported = list(made)
    if as_json:
        click.echo(json.dumps({"exported": exported}, indent=1, ensure_ascii=False))


def _check(context: click.Context, kind: str, kind_of_file: str) -> None:
    """Refuse options that this kind of export would not heed."""
    if kind_of_file not in _FORMATS[kind]:
        raise click.UsageError(
            f"{kind} comes as {' or '.join(_FORMATS[kind])}, not as {kind_of_file}."
        )
    given = [name for name in _OF_BIDS if context.params[name]]
    if kind != "bids" and given:
        raise click.UsageError(f"--{given[0]} belongs to bids, not to {kind}.")


def _to_bids(order: _Order, wish: "BidsWish") -> Iterator[dict[str, object]]:
    from controller.export.bids import export_bids

    taken: frozenset[str] = frozenset()
    for folder in order.told():
        result = export_bids(folder, dataclasses.replace(wish, taken=taken))
        taken |= {result.stem}
        _tell(folder, result)
        yield {
            "session": str(folder),
            "recording": str(result.recording),
            "pulses": result.n_pulses,
            "decisions": result.n_decisions,
            **dataclasses.asdict(result.placed),
        }


def _tell(folder: Path, result: "BidsExport") -> None:
    if result.placed.written == 0 and result.placed.removed == 0:
        say(f"{folder.name} was exported already, the same: {result.recording}")
        return
    say(
        f"{folder.name}: {result.n_decisions} decisions, {result.n_pulses} pulses. "
        f"{result.recording}"
    )


def _to_fif(order: _Order) -> Iterator[dict[str, object]]:
    from controller.export.fif import write_fif
    from controller.export.opened import open_session

    for folder in order.told():
        paths = write_fif(open_session(folder), order.out, overwrite=order.overwrite)
        yield _written(folder, paths)


def _to_tables(order: _Order) -> Iterator[dict[str, object]]:
    from controller.export.tables import write_tables
    from controller.session.load import load_session

    kind: Literal["csv", "parquet"] = (
        "parquet" if order.kind_of_file == "parquet" else "csv"
    )
    for folder in order.told():
        paths = write_tables(
            load_session(folder), order.out, kind, overwrite=order.overwrite
        )
        yield _written(folder, paths)


def _to_methods(order: _Order) -> Iterator[dict[str, object]]:
    from controller.export.methods_file import write_methods
    from controller.session.load import load_session

    for folder in order.told():
        path = write_methods(load_session(folder), order.out, overwrite=order.overwrite)
        yield _written(folder, [path])


def _written(folder: Path, paths: list[Path]) -> dict[str, object]:
    for path in paths:
        say(f"Wrote {path}")
    return {"session": str(folder), "files": [str(path) for path in paths]}


_WRITERS = {"mne": _to_fif, "tables": _to_tables, "methods": _to_methods}
