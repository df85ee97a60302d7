"""What a protocol's session was begun with, so that it can be resumed: `study.json`.

The first folder of a session holds the protocol, the trial log and the list of its
parts; every part is a session folder of its own, with `rows.json` beside its records.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from controller.errors import FileError, RecordingError
from controller.protocol.row_news import RowPlan, Tally
from controller.protocol.trial_events import Fired
from controller.session.folder import CONFIG, PROTOCOL
from controller.session.load import load_session
from controller.session.recording.append_file import AppendFile, reason_of

STUDY: Final = "study.json"
PARTS: Final = "parts.jsonl"
ROWS: Final = "rows.json"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a session was begun with, beside protocol and configuration.

    Parameters
    ----------
    seed : int
        Of its trials.
    participant : str
    rmt_pct_mso : float or None
    seal, code : str or None
        Where the arm is sealed, and under which code; the arm itself is nowhere.
    beside : str
        The folder that the protocol was in.
    profile : str or None
        Of the calibration that was used.
    """

    seed: int
    participant: str
    rmt_pct_mso: float | None = None
    seal: str | None = None
    code: str | None = None
    beside: str = ""
    profile: str | None = None


def write_begun(folder: Path, begun: Begun, protocol_text: str) -> None:
    """Write what a session is begun with into its first folder.

    Raises
    ------
    RecordingError
    """
    _write(folder / PROTOCOL, protocol_text)
    _write(folder / STUDY, json.dumps(dataclasses.asdict(begun), indent=1) + "\n")


def read_begun(folder: Path) -> tuple[Begun, str, str]:
    """Return what a session was begun with, its protocol and its configuration.

    Raises
    ------
    FileError
        The folder is not that of a session with a protocol.
    """
    texts = []
    for name in (STUDY, PROTOCOL, CONFIG):
        try:
            texts.append((folder / name).read_text(encoding="utf-8"))
        except OSError as error:
            raise FileError(
                f"{folder} is not the first folder of a session with a protocol: "
                f"{name} cannot be read ({reason_of(error)})."
            ) from error
    try:
        begun = Begun(**json.loads(texts[0]))
    except (ValueError, TypeError) as error:
        raise FileError(f"{folder / STUDY} is damaged.") from error
    return begun, texts[1], texts[2]


def add_part(first: Path, folder: Path) -> None:
    """Say where a part of a session is recorded, before it gives anything.

    Parameters
    ----------
    first : Path
        The session's first folder.
    folder : Path
        The part's.

    Raises
    ------
    RecordingError
    """
    path = first / PARTS
    with AppendFile(path, resume=path.exists()) as file:
        file.append((json.dumps({"folder": str(folder)}) + "\n").encode())


def write_rows(folder: Path, number: int, plans: Sequence[RowPlan]) -> None:
    """Write what the loop of a part is offered, before it is.

    Parameters
    ----------
    folder : Path
    number : int
        Counts the session's parts, from 1: the keys of its pulses begin with it.
    plans : sequence of RowPlan

    Raises
    ------
    RecordingError
    """
    rows = [dataclasses.astuple(plan) for plan in plans]
    _write(folder / ROWS, json.dumps({"part": number, "rows": rows}) + "\n")


def parts_of(first: Path) -> list[Path]:
    """Return the folders of a session's parts that were begun, in order."""
    path = first / PARTS
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [Path(json.loads(line)["folder"]) for line in lines]


def recorded_pulses(folder: Path) -> list[Fired]:
    """Return what a part's records of edges say was given, decision by decision.

    A part that ended before it was offered anything has no rows, and gave nothing.

    Raises
    ------
    FileError
    """
    if not (folder / ROWS).exists():
        return []
    try:
        told: dict[str, Any] = json.loads((folder / ROWS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(
            f"{folder / ROWS} cannot be read, so nobody knows which trials of {folder} "
            "were given; begin a new session."
        ) from error
    plans = [
        RowPlan(trial=trial, n_rises=n_rises, pulses_per_rise=per_rise)
        for trial, n_rises, per_rise in told["rows"]
    ]
    session = load_session(folder)
    if session.edges is None:
        raise FileError(f"{folder} was recorded without its edges.")
    tally = Tally(plans)
    news = [*tally.take(session.decisions, session.edges), *tally.left()]
    return [
        Fired(
            seq=0,
            t=each.t,
            trial=plans[each.row].trial,
            key=f"{told['part']}:{each.decision}",
            n_pulses=each.n_pulses,
        )
        for each in news
        if each.n_pulses > 0
    ]


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be written: {reason_of(error)}."
        ) from error
