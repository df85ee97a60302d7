"""`phasegate dose PARTICIPANT`: what somebody has been given, by the dose book."""

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.options import json_option

if TYPE_CHECKING:
    from controller.session.books.dose_book import BookedSession, DoseBook


@click.command(short_help="Show what PARTICIPANT has been given on this computer.")
@click.argument("participant")
@click.option(
    "--count",
    "folder",
    type=click.Path(path_type=Path),
    metavar="SESSION",
    help="Count a session that crashed, from its folder, in place of its plan.",
)
@json_option
def dose(*, participant: str, folder: Path | None, as_json: bool) -> None:
    """Show what PARTICIPANT has been given on this computer, session by session.

    A session that crashed counts with all that it might have given, until --count has
    counted its pulses from its records.

    \b
    Example:
      phasegate dose P07
      phasegate dose P07 --json
      phasegate dose P07 --count sessions/20260301T093000Z_p07
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.speech import say
    from controller.rig.dose import count_session
    from controller.session.books.dose_book import DoseBook, book_path, books_folder

    if folder is not None:
        counted = count_session(participant, folder)
        say(f"Counted {counted.pulses} pulses of {folder}.")
    book = DoseBook(book_path(books_folder(), participant))
    told = _told(participant, book, dt.datetime.now(dt.UTC))
    if as_json:
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        _print(told)


def _told(participant: str, book: "DoseBook", t_now: dt.datetime) -> dict[str, Any]:
    sessions = book.sessions()
    modalities = sorted({booked.modality for booked in sessions})
    amounts = {}
    for modality in modalities:
        today, ever = book.given(modality, t_now)
        amounts[str(modality)] = {
            "last_24_h": dataclasses.asdict(today),
            "ever": dataclasses.asdict(ever),
        }
    return {
        "participant": participant,
        "book": str(book.path),
        "given": amounts,
        "sessions": [_row(booked) for booked in sessions],
    }


def _row(booked: "BookedSession") -> dict[str, Any]:
    return {
        "session": booked.session,
        "modality": str(booked.modality),
        "protocol": booked.protocol,
        "begin": booked.t_begin.isoformat(),
        "end": None if booked.t_end is None else booked.t_end.isoformat(),
        "counted": booked.is_counted,
        "dose": dataclasses.asdict(booked.dose),
    }


def _print(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not told["sessions"]:
        click.echo(f"{told['participant']} has been given nothing ({told['book']}).")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("begin (UTC)", "modality", "pulses", "trains", "", "session"):
        table.add_column(heading, no_wrap=heading != "session", overflow="fold")
    for row in told["sessions"]:
        table.add_row(
            row["begin"][:16].replace("T", " "),
            row["modality"],
            str(row["dose"]["pulses"]),
            str(row["dose"]["trains"]),
            "" if row["counted"] else "at most: not counted",
            row["session"],
        )
    console = Console()
    console.print(table)
    for modality, amounts in told["given"].items():
        today, ever = amounts["last_24_h"], amounts["ever"]
        console.print(
            f"{modality}: {today['pulses']} pulses and {today['trains']} trains in the "
            f"last 24 hours, {ever['pulses']} and {ever['trains']} ever.",
            highlight=False,
        )
