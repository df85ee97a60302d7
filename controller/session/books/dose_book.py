"""A participant's dose book: what was given, session by session, kept for good.

One file per participant, a line of JSON per record, each with a checksum that covers
the record before it too. Before a session may arm, all that it may give is entered;
when it is over, what it has given takes its place. A session that crashed in between
counts in full until it is counted from its records.
"""

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import platformdirs
import portalocker

from controller.errors import DoseExceeded, FileError, RecordingError
from controller.safety.ceilings import Modality
from controller.safety.dose import NO_DOSE, Dose, DoseLimits, dose_complaint
from controller.session.jsonable import to_line
from controller.session.recording.append_file import reason_of

DAY = dt.timedelta(hours=24)

FOLDER_VARIABLE = "PHASEGATE_DOSE_BOOKS"
"""Names another folder for the books of real outputs."""

LOCK_WITHIN_S = 10.0
"""How long another program may hold a book before that is an error."""

_RESERVED = "reserved"
_COUNTED = "counted"
_FIRST = "0" * 64


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BookedSession:
    """One session in a book.

    Parameters
    ----------
    session : str
        Its folder.
    modality : Modality
    protocol : str
        Name of the protocol; empty without one.
    t_begin : datetime
    t_end : datetime or None
        When it was counted; None for a session that nobody has counted.
    dose : Dose
        What it gave, or all that it may have given.
    """

    session: str
    modality: Modality
    protocol: str
    t_begin: dt.datetime
    t_end: dt.datetime | None
    dose: Dose

    @property
    def is_counted(self) -> bool:
        """Whether `dose` is what was given, not what was planned."""
        return self.t_end is not None

    def is_of_today(self, t_now: dt.datetime) -> bool:
        """Return whether it counts for the 24 hours before now.

        One that nobody has counted does, and so does one from the future: the clock was
        wrong then, or is now.
        """
        return self.t_end is None or not self.t_end < t_now - DAY


def books_folder() -> Path:
    """Return where the books of real outputs are kept on this computer."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else platformdirs.user_data_path("phasegate") / "dose"


def book_path(folder: Path, participant: str) -> Path:
    """Return the file of a participant, whose name may have any letters."""
    return folder / f"{urllib.parse.quote(participant, safe=' ')}.jsonl"


class DoseBook:
    """The book in one file, which need not be there yet.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def sessions(self) -> tuple[BookedSession, ...]:
        """Return every session, the oldest first.

        Raises
        ------
        FileError
            If the book cannot be read, or a record has been changed.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise FileError(
                f"The dose book {self.path} cannot be read: {reason_of(error)}."
            ) from error
        return _sessions(self.path, _Records(self.path, content))

    def given(self, modality: Modality, t_now: dt.datetime) -> tuple[Dose, Dose]:
        """Return what was given of a modality in the last 24 hours, and ever.

        Raises
        ------
        FileError
        """
        return _given(self.sessions(), modality, t_now)

    def reserve(
        self,
        session: str,
        *,
        modality: Modality,
        planned: Dose,
        limits: DoseLimits | None,
        t_now: dt.datetime,
        protocol: str = "",
    ) -> None:
        """Enter all that a session may give; it is on the disk when this returns.

        Parameters
        ----------
        session : str
            Its folder.
        modality : Modality
        planned : Dose
            The most that it may give.
        limits : DoseLimits or None
            None where nobody is stimulated.
        t_now : datetime
            With a time zone.
        protocol : str

        Raises
        ------
        DoseExceeded
            If the plan would pass a limit, or the session is in the book already;
            nothing is entered.
        FileError, RecordingError
            If the book cannot be read or written.
        """
        with self._locked() as file:
            records = self._records(file)
            known = _sessions(self.path, records)
            if any(booked.session == session for booked in known):
                raise DoseExceeded(
                    f"The dose book {self.path} has the session {session} already; "
                    "start a new one."
                )
            if limits is not None:
                today, ever = _given(known, modality, t_now)
                complaint = dose_complaint(
                    limits, planned=planned, today=today, ever=ever
                )
                if complaint is not None:
                    raise DoseExceeded(complaint)
            entry = {
                "kind": _RESERVED,
                "session": session,
                "modality": str(modality),
                "protocol": protocol,
            }
            self._append(file, records, entry, planned, t_now)

    def settle(self, session: str, dose: Dose, t_now: dt.datetime) -> None:
        """Put what a session has given in the place of what it might have given.

        Parameters
        ----------
        session : str
        dose : Dose
        t_now : datetime

        Raises
        ------
        FileError
            If the session is not in the book, or has been counted: no pulse counts
            twice.
        RecordingError
            If the book cannot be written; the plan then stays in it.
        """
        with self._locked() as file:
            records = self._records(file)
            booked = {b.session: b for b in _sessions(self.path, records)}.get(session)
            if booked is None or booked.is_counted:
                what = "has no session" if booked is None else "has counted the session"
                raise FileError(
                    f"The dose book {self.path} {what} {session}; nothing was changed."
                )
            entry = {"kind": _COUNTED, "session": session}
            self._append(file, records, entry, dose, t_now)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        """Open the book for this process alone."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(exist_ok=True)
            _sync_folder(self.path.parent)
            lock = portalocker.Lock(self.path, mode="r+b", timeout=LOCK_WITHIN_S)
            file = lock.acquire()
        except portalocker.exceptions.LockException as error:
            raise RecordingError(
                f"The dose book {self.path} has been held by another program for "
                f"{LOCK_WITHIN_S:g} s, so nothing was entered; end that one, and start "
                "again."
            ) from error
        except OSError as error:
            raise RecordingError(
                f"The dose book {self.path} cannot be opened for writing: "
                f"{reason_of(error)}."
            ) from error
        try:
            yield file
        finally:
            lock.release()

    def _records(self, file: IO[bytes]) -> "_Records":
        try:
            return _Records(self.path, file.read())
        except OSError as error:
            raise FileError(
                f"The dose book {self.path} cannot be read: {reason_of(error)}."
            ) from error

    def _append(
        self,
        file: IO[bytes],
        records: "_Records",
        entry: Mapping[str, object],
        dose: Dose,
        t_now: dt.datetime,
    ) -> None:
        body = {**entry, "t": t_now.isoformat(), "dose": dataclasses.asdict(dose)}
        line = to_line({**body, "checksum": _checksum(body, records.last)})
        try:
            # A record that a crash tore was never relied on.
            file.seek(records.n_whole)
            file.truncate()
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise RecordingError(
                f"The dose book {self.path} took no record: {reason_of(error)}."
            ) from error


class _Records:
    """The whole records of a book's bytes, checked one by one."""

    def __init__(self, path: Path, content: bytes) -> None:
        whole, _, torn = content.rpartition(b"\n")
        self.n_whole = len(content) - len(torn)
        self.last = _FIRST
        self.bodies: list[dict[str, Any]] = []
        lines = whole.split(b"\n") if self.n_whole else []
        for number, line in enumerate(lines, start=1):
            self.bodies.append(self._checked(path, number, line))

    def _checked(self, path: Path, number: int, line: bytes) -> dict[str, Any]:
        try:
            body = json.loads(line)
            told = body.pop("checksum")
        except (ValueError, KeyError, AttributeError) as error:
            raise _damaged(path, number) from error
        if told != _checksum(body, self.last):
            raise _damaged(path, number)
        self.last = told
        return dict(body)


def _damaged(path: Path, number: int) -> FileError:
    return FileError(
        f"The dose book {path} is damaged in line {number}, so nobody can say what the "
        "participant was given; restore it from a copy."
    )


def _checksum(body: Mapping[str, object], before: str) -> str:
    return hashlib.sha256((before + to_line(body)).encode()).hexdigest()


def _sessions(path: Path, records: _Records) -> tuple[BookedSession, ...]:
    booked: dict[str, BookedSession] = {}
    for number, body in enumerate(records.bodies, start=1):
        try:
            booked[body["session"]] = _booked(body, booked.get(body["session"]))
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(path, number) from error
    return tuple(booked.values())


def _booked(body: Mapping[str, Any], before: BookedSession | None) -> BookedSession:
    dose, t = Dose(**body["dose"]), dt.datetime.fromisoformat(body["t"])
    if body["kind"] == _COUNTED and before is not None:
        return dataclasses.replace(before, t_end=t, dose=dose)
    if body["kind"] != _RESERVED or before is not None:
        raise ValueError(body["kind"])
    return BookedSession(
        session=body["session"],
        modality=Modality(body["modality"]),
        protocol=body["protocol"],
        t_begin=t,
        t_end=None,
        dose=dose,
    )


def _given(
    sessions: tuple[BookedSession, ...], modality: Modality, t_now: dt.datetime
) -> tuple[Dose, Dose]:
    own = [booked for booked in sessions if booked.modality is modality]
    today = _sum(b.dose for b in own if b.is_of_today(t_now))
    return today, _sum(b.dose for b in own)


def _sum(doses: Iterator[Dose]) -> Dose:
    total = NO_DOSE
    for dose in doses:
        total += dose
    return total


def _sync_folder(folder: Path) -> None:
    """Let a new file's name survive a crash, where the system can be asked to."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
