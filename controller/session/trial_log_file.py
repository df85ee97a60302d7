"""`trials.jsonl`: the trial log on disk, begun once and taken up after every crash."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from controller.errors import FileError, RecordingError
from controller.protocol.trial_events import Event, read_events, to_line
from controller.protocol.trial_log import Progress
from controller.session.append_file import AppendFile, reason_of

TRIAL_LOG = "trials.jsonl"

Kind = TypeVar("Kind", bound=Event)


class TrialLogFile:
    """Add each event to where the session stands, and write it.

    Parameters
    ----------
    path : Path
    progress : Progress
        Without events; those in the file are added to it.
    resume : bool
        False for a new file, True for one that another process has left.

    Raises
    ------
    FileError
        The log is damaged or belongs to another session.
    RecordingError
        It cannot be made, or exists already.
    """

    def __init__(self, path: Path, progress: Progress, *, resume: bool) -> None:
        self.progress = progress
        if not resume:
            self._file = AppendFile(path)
            return
        try:
            content = path.read_bytes()
        except OSError as error:
            raise FileError(
                f"The trial log {path} cannot be read: {reason_of(error)}."
            ) from error
        events, n_torn = read_events(content, where=str(path))
        progress.take_all(events)
        whole = content[: len(content) - n_torn]
        # A new file that takes the old one's place: a crash here leaves one of them.
        beside = path.with_name(path.name + ".resumed")
        try:
            beside.unlink(missing_ok=True)
            self._file = AppendFile(beside)
            self._file.append(whole)
            beside.replace(path)
        except OSError as error:
            raise RecordingError(
                f"The trial log {path} cannot be taken up: {reason_of(error)}."
            ) from error

    def write(self, kind: type[Kind], t: float, **fields: Any) -> Kind:
        """Append an event, then take it.

        Parameters
        ----------
        kind : type of Event
        t : float
            Host clock, seconds.
        **fields
            The event's own.

        Raises
        ------
        FileError
            It cannot follow those before it; nothing is written.
        RecordingError
            The disk did not take it; the session has to end.
        """
        event: Kind = kind(seq=self.progress.n_events, t=t, **fields)
        self.add(event)
        return event

    def add(self, event: Event) -> None:
        """Append an event that exists already, such as those after a crash.

        Raises
        ------
        FileError, RecordingError
            As `write`.
        """
        self.progress.take(event)
        self._file.append(to_line(event))

    def close(self) -> None:
        """Hand the file to the disk and close it; a second call does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
