"""The sealed allocation on disk, and the log of everybody who opened it.

Each line of the log carries the hash of the line before it, the first one the
commitment's: a line that is changed or taken out from the middle is noticed.
"""

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from controller.errors import SealError
from controller.protocol.allocation import Allocation, unsealed
from controller.session.recording.append_file import reason_of

EVERYTHING = "everything"
COILS = "coils"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One look at what was sealed.

    Parameters
    ----------
    who, why : str
    when : str
        ISO 8601, with its time zone.
    what : str
        A code, `coils`, or `everything`.
    """

    who: str
    why: str
    when: str
    what: str


def write_seal(path: Path, allocation: Allocation) -> Path:
    """Write the sealed file and, beside it, what may be published; return its path.

    Raises
    ------
    SealError
        One of them exists already, or cannot be written.
    """
    beside = commitment_path(path)
    public = json.dumps(allocation.public(), indent=1, ensure_ascii=False) + "\n"
    for place in (path, beside, log_path(path)):
        if place.exists():
            raise SealError(
                f"{place} exists already, and an allocation is sealed once; choose "
                "another name."
            )
    for place, content in (
        (path, allocation.sealed()),
        (beside, public.encode("utf-8")),
    ):
        try:
            with place.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SealError(
                f"{place} cannot be written: {reason_of(error)}."
            ) from error
    return beside


def read_seal(path: Path) -> Allocation:
    """Return what was sealed. For the session's machinery; people use `open_seal`.

    Raises
    ------
    SealError
        It cannot be read, or is not what was committed to.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SealError(f"{path} cannot be read: {reason_of(error)}.") from error
    return unsealed(content, where=str(path))


def open_seal(path: Path, opening: Opening) -> Allocation:
    """Log that somebody looks, then return what was sealed.

    Raises
    ------
    SealError
        As `read_seal`, or the log cannot be written: then nothing is opened. A log that
        was tampered with hinders nobody: in an emergency the arm must be known, and the
        damage stays to be seen.
    """
    allocation = read_seal(path)
    if opening.what not in (EVERYTHING, COILS):
        allocation.arm_of(opening.what)
    lines = _lines(path)
    entry: dict[str, Any] = {
        "number": len(lines),
        **dataclasses.asdict(opening),
        "previous": _digest(lines[-1] if lines else allocation.commitment.encode()),
    }
    line = json.dumps(entry, ensure_ascii=False, sort_keys=True).encode("utf-8")
    try:
        with log_path(path).open("ab") as file:
            # A line that a crash tore stays a line of its own.
            file.write(_end_of_line(path) + line + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SealError(
            f"{log_path(path)} cannot be written: {reason_of(error)}; nothing was "
            "opened."
        ) from error
    return allocation


def openings(path: Path, allocation: Allocation) -> tuple[Opening, ...]:
    """Return who opened what, if the log is whole.

    Raises
    ------
    SealError
        A line was changed, or one in the middle is missing.
    """
    before = allocation.commitment.encode()
    found: list[Opening] = []
    for number, line in enumerate(_lines(path)):
        try:
            entry = json.loads(line)
            sound = entry["previous"] == _digest(before) and entry["number"] == number
            opening = Opening(
                who=entry["who"],
                why=entry["why"],
                when=entry["when"],
                what=entry["what"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise _broken(path, number) from error
        if not sound:
            raise _broken(path, number)
        found.append(opening)
        before = line
    return tuple(found)


def is_open(path: Path, code: str | None = None) -> bool:
    """Return whether everything, or this code, was opened: the report may then tell.

    Raises
    ------
    SealError
        As `openings`.
    """
    told = {opening.what for opening in openings(path, read_seal(path))}
    return EVERYTHING in told or (code is not None and code in told)


def log_path(path: Path) -> Path:
    """Return where the log of a sealed file is."""
    return path.with_name(path.name + ".unblinding.jsonl")


def commitment_path(path: Path) -> Path:
    """Return where a sealed file's commitment is."""
    return path.with_name(path.name + ".commitment.json")


def _lines(path: Path) -> list[bytes]:
    try:
        return log_path(path).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SealError(
            f"{log_path(path)} cannot be read: {reason_of(error)}."
        ) from error


def _end_of_line(path: Path) -> bytes:
    content = log_path(path).read_bytes() if log_path(path).exists() else b""
    return b"" if content.endswith(b"\n") or not content else b"\n"


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _broken(path: Path, number: int) -> SealError:
    return SealError(
        f"The log {log_path(path)} was changed at line {number + 1}, so nobody can say "
        "who opened the allocation; tell whoever answers for the study."
    )
