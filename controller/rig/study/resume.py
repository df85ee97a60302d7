"""Take up a session with a protocol where it ended: mend its books, then go on."""

import dataclasses
from pathlib import Path

from controller.config import Config, parse_config
from controller.engine.clock import host_clock
from controller.errors import FileError
from controller.protocol.protocol_file import parse_protocol
from controller.rig.dose import count_session, is_counted
from controller.rig.study.prepared import Study
from controller.session.books.seal_file import read_seal
from controller.session.books.study_file import (
    Begun,
    parts_of,
    read_begun,
    recorded_pulses,
)
from controller.session.books.trial_file import TRIALS, TrialFile
from controller.session.folder import MANIFEST, PROTOCOL, SessionFolder
from controller.session.manifest import write_manifest
from controller.session.recover import recover


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A session that can go on.

    Parameters
    ----------
    first : Path
        Its first folder.
    study : Study
    begun : Begun
    config : Config
    text : str
        The configuration's.
    n_pulses : int
        Given so far.
    n_left : int
        Trials still to come.
    """

    first: Path
    study: Study
    begun: Begun
    config: Config
    text: str
    n_pulses: int
    n_left: int


def study_begun(begun: Begun, protocol_text: str, *, where: str) -> Study:
    """Return the study that a session was begun with.

    Raises
    ------
    ConfigError, FileError, SealError
    """
    protocol = parse_protocol(protocol_text, where=where)
    arm = None
    if begun.seal is not None and begun.code is not None:
        allocation = read_seal(Path(begun.seal))
        allocation.fits(protocol)
        arm = allocation.arm_of(begun.code)
    return Study.of(
        protocol,
        protocol_text,
        seed=begun.seed,
        arm=arm,
        rmt_pct_mso=begun.rmt_pct_mso,
        beside=Path(begun.beside),
    )


def resume(first: Path) -> Resumed:
    """Mend the records, the trial log and the dose book of a session that ended early.

    Every pulse that the loop made is in its rings, which outlive it: what the disk has
    not got is written there first, then counted, once.

    Parameters
    ----------
    first : Path
        The session's first folder.

    Raises
    ------
    FileError
        It is no such folder, or the session is over.
    RecordingError
        It runs still.
    """
    first = first.resolve()
    begun, protocol_text, text = read_begun(first)
    study = study_begun(begun, protocol_text, where=str(first / PROTOCOL))
    progress = study.new_progress()
    file = TrialFile(first / TRIALS, progress)
    try:
        parts = parts_of(first)
        for folder in parts:
            if not (folder / MANIFEST).exists():
                recover(folder, t_now=host_clock())
        for folder in parts:
            if not is_counted(begun.participant, folder):
                count_session(begun.participant, folder)
        # A process that ended before it took the session up has left nothing to mend.
        if progress.n_starts:
            fired = [each for folder in parts for each in recorded_pulses(folder)]
            file.mend(fired, host_clock())
    finally:
        file.close()
    write_manifest(SessionFolder(first))
    if progress.n_starts and progress.next_stage is None:
        raise FileError(f"The session {first} is over; there is nothing to resume.")
    return Resumed(
        first=first,
        study=study,
        begun=begun,
        config=parse_config(text, where=str(first)),
        text=text,
        n_pulses=progress.n_pulses,
        n_left=len(study.left(progress)),
    )
