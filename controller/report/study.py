"""What a session knows of its protocol: names, criteria, and what became of trials."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from controller.errors import FileError
from controller.protocol.condition_forms import Control
from controller.protocol.form import Protocol
from controller.protocol.protocol_file import parse_protocol
from controller.protocol.trial_events import Event, Started, read_events
from controller.protocol.trial_list import trial_list
from controller.protocol.trial_log import Progress, progress_of
from controller.report.parts import first_folder
from controller.session.books.trial_file import TRIALS
from controller.session.folder import PROTOCOL
from controller.session.load import Session
from controller.session.recording.append_file import reason_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """The protocol side of one session.

    Parameters
    ----------
    protocol : Protocol or None
        None for a session that was run from a configuration alone.
    events : tuple of Event
        Of the trial log; none without one.
    progress : Progress or None
        What they add up to.
    """

    protocol: Protocol | None
    events: tuple[Event, ...] = ()
    progress: Progress | None = None

    def condition_name(self, condition: int) -> str | None:
        """Return the name of a condition by its place; None without a protocol."""
        if self.protocol is None or not 0 <= condition < len(self.protocol.conditions):
            return None
        return self.protocol.conditions[condition].name

    @property
    def pulse_conditions(self) -> Mapping[int, str]:
        """Names of the conditions that give pulses, by place."""
        if self.protocol is None:
            return {}
        return {
            place: condition.name
            for place, condition in enumerate(self.protocol.conditions)
            if not isinstance(condition.when, Control)
        }


def study_of(session: Session) -> Study:
    """Read the protocol and the trial log of a session, where it has them.

    Raises
    ------
    FileError
        One of them is damaged, or they do not belong together.
    ConfigError
        The protocol is of another version.
    """
    folder = first_folder(session)
    if folder is None:
        return Study(protocol=None)
    path = folder / PROTOCOL
    if not path.is_file():
        return Study(protocol=None)
    protocol = parse_protocol(_read(path).decode("utf-8"), where=str(path))
    log = folder / TRIALS
    if not log.is_file():
        return Study(protocol=protocol)
    events, _ = read_events(_read(log), where=str(log))
    begun = next((event for event in events if isinstance(event, Started)), None)
    if begun is None:
        return Study(protocol=protocol)
    trials = trial_list(protocol, begun.seed)
    return Study(
        protocol=protocol,
        events=tuple(events),
        progress=progress_of(protocol, trials, begun.seed, events),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
