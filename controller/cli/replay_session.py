"""`phasegate replay SESSION`: whether a session's decisions come out again."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.speech import say

if TYPE_CHECKING:
    from controller.rig.replay.report import ReplayReport, Speed
    from controller.rig.replay.verdict import Verdict


def replay_session(folder: Path, *, as_json: bool) -> int:
    """Run a session again, say whether every decision came out the same.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    FileError
        No session, a damaged one, or one of another version.
    """
    from controller.errors import ReplayDiffers

    say(f"Replaying {folder.name} on a virtual clock ...")
    from controller.rig.replay.report import replay_folder

    report = replay_folder(folder)
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=1, ensure_ascii=False))
    else:
        show_replay(report)
    if report.identical:
        return 0
    differs = ReplayDiffers(
        f"The replay of {folder} differs from its record: "
        f"{difference_words(report.decisions)}; replay it with the version and on the "
        "machine that recorded it, and look whether a file of it was changed."
    )
    say(f"phasegate: {differs}")
    return differs.exit_code


def show_replay(report: "ReplayReport") -> None:
    """Print what came out, for a person."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for topic, words in replay_rows(report):
        table.add_row(topic, words)
    Console(highlight=False).print(table)


def replay_rows(report: "ReplayReport") -> list[tuple[str, str]]:
    """Return topics and words."""
    sign = "= identical" if report.identical else "! not identical"
    rows = [
        ("result", sign),
        ("decisions", verdict_words(report.decisions)),
        ("wire actions", verdict_words(report.edges)),
        ("estimates", verdict_words(report.samples)),
        ("fingerprint", report.decisions.replayed_fingerprint[:16]),
        ("speed", speed_words(report.speed)),
    ]
    return rows + [("note", note) for note in report.notes]


def speed_words(speed: "Speed") -> str:
    """Return how many times faster than real time a replay was."""
    return (
        f"{speed.times:,.0f} times real time; with the reading of the files, "
        f"{speed.times_with_reading:,.0f} times"
    )


def verdict_words(verdict: "Verdict") -> str:
    """Return how recorded and replayed rows of one kind compare."""
    if verdict.identical:
        return f"{verdict.count:,} recorded, all identical bit for bit"
    return f"{verdict.count:,} recorded; {difference_words(verdict)}"


def difference_words(verdict: "Verdict") -> str:
    """Return where recorded and replayed rows first differ."""
    first = verdict.first_difference
    if first is None:
        return "no difference"
    if not first.field:
        return (
            f"{verdict.count:,} were recorded, but {verdict.n_replayed:,} came out of "
            "the replay"
        )
    return (
        f"number {first.row} differs in {first.field}: {_value(first.recorded)} was "
        f"recorded, {_value(first.replayed)} replayed"
    )


def _value(value: Any) -> str:
    return "none" if value is None else repr(value)
