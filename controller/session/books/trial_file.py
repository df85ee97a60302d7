"""The trial log on the disk, `trials.jsonl`: only what can follow is written."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from controller.errors import FileError
from controller.protocol.trial_events import Event, Fired, Started, read_events, to_line
from controller.protocol.trial_log import Progress
from controller.session.recording.append_file import AppendFile, reason_of

TRIALS: Final = "trials.jsonl"


class TrialFile:
    """A session's trial log, and where it has come to.

    Parameters
    ----------
    path : Path
        Gone on with if it is there; a torn last line is cut off first.
    progress : Progress
        Of the same protocol, trials and seed, without events.

    Raises
    ------
    FileError
        It is damaged, or belongs to another protocol or seed.
    RecordingError
        The disk does not take it.
    """

    def __init__(self, path: Path, progress: Progress) -> None:
        self.progress = progress
        there = path.exists()
        if there:
            _take_up(path, progress)
        self._file = AppendFile(path, resume=there)

    def add(self, kind: type[Any], t: float, **fields: Any) -> None:
        """Take an event and write it; on trouble with the disk the session has to end.

        Parameters
        ----------
        kind : type
            Of `controller.protocol.trial_events`.
        t : float
            Host clock.
        **fields
            What the event has beside.

        Raises
        ------
        FileError
            It cannot follow those before it; then it is not written.
        RecordingError
        """
        self.append(kind(seq=self.progress.n_events, t=t, **fields))

    def append(self, event: Event) -> None:
        """Write an event that is complete; raises as `add`."""
        # Taken first: what cannot follow must not be written.
        self.progress.take(event)
        self._file.append(to_line(event))
        if isinstance(event, Started | Fired):
            self._file.sync()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()

    def mend(self, recorded: Iterable[Fired], t: float) -> None:
        """Add what the log lacks when a process ended without finishing."""
        for event in list(self.progress.after_crash(recorded, t)):
            self.append(event)


def _take_up(path: Path, progress: Progress) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
    events, n_torn = read_events(content, where=str(path))
    progress.take_all(events)
    if n_torn:
        with path.open("r+b") as file:
            file.truncate(len(content) - n_torn)
