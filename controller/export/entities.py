"""What BIDS calls a session: subject, session, task and run."""

import dataclasses
import re
import unicodedata

from controller.errors import ConfigError
from controller.export.signals import configured
from controller.session.load import Session

_NO_NAME = {"", "unnamed"}
_FIRST_RUN = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entities:
    """The labels of one exported recording.

    Parameters
    ----------
    subject, session, task : str
        Letters and digits.
    run : int
        1 or more.
    """

    subject: str
    session: str
    task: str
    run: int

    @property
    def stem(self) -> str:
        """Beginning of every file name of the recording."""
        return (
            f"sub-{self.subject}_ses-{self.session}_task-{self.task}_run-{self.run:02d}"
        )

    @property
    def without_run(self) -> str:
        """Beginning of the names of files that all runs share."""
        return self.stem.rpartition("_")[0]

    @property
    def folder(self) -> str:
        """Folder of the session, below the data set's."""
        return f"sub-{self.subject}/ses-{self.session}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Labels that a person asks for; None where the session's own will do."""

    subject: str | None = None
    session: str | None = None
    task: str | None = None
    run: int | None = None


def entities_of(session: Session, wanted: Wanted) -> Entities:
    """Return the labels of a session.

    The subject is the participant, the session the instant in the folder's name, the
    task the title.

    Raises
    ------
    ConfigError
        A label with other characters than letters and digits, a session without a
        participant, or a run below 1.
    """
    for name in ("subject", "session", "task"):
        label = getattr(wanted, name)
        if label is not None and not re.fullmatch(r"[A-Za-z0-9]+", label):
            raise ConfigError(
                f"{label!r} cannot be a label of BIDS; give --{name} letters and "
                "digits only."
            )
    if wanted.run is not None and wanted.run < _FIRST_RUN:
        raise ConfigError(f"There is no run {wanted.run}; runs count from 1.")
    config = configured(session)
    participant = str(config.get("run", {}).get("participant", ""))
    if session.summary is not None:
        participant = str(session.summary.get("participant") or participant)
    subject = wanted.subject or _label("" if participant in _NO_NAME else participant)
    if not subject:
        raise ConfigError(
            f"The session {session.path.name} names no participant; give --subject."
        )
    stamp = re.match(r"\d{8}T\d{6}Z", session.path.name)
    return Entities(
        subject=subject,
        session=wanted.session or (stamp[0] if stamp else _label(session.path.name)),
        task=wanted.task or _label(str(config.get("title", ""))) or "closedloop",
        run=wanted.run or _FIRST_RUN,
    )


def _label(words: str) -> str:
    """Return words as one of letters and digits: `alpha peak` becomes `alphaPeak`."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    words_found: list[str] = re.findall(r"[A-Za-z0-9]+", plain)
    first, others = "".join(words_found[:1]), words_found[1:]
    return first + "".join(word[0].upper() + word[1:] for word in others)
