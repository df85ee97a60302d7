"""A session as files of MNE: the recording, annotated, and epochs around its pulses."""

from pathlib import Path

from controller.errors import RecordingError
from controller.export.mne_objects import require
from controller.export.opened import OpenedSession
from controller.session.recording.append_file import reason_of


def write_fif(
    opened: OpenedSession, folder: Path, *, overwrite: bool = False
) -> list[Path]:
    """Write `NAME_raw.fif` and, where pulses were fired, `NAME_epo.fif`.

    Samples are kept as doubles, so that what was recorded comes back exactly.

    Parameters
    ----------
    opened : OpenedSession
    folder : Path
        Made if it is not there.
    overwrite : bool
        Whether files of the same names may be replaced.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    MissingExtra, ChannelError
        As from `OpenedSession.raw`.
    RecordingError
        If a file exists already and may not be replaced, or cannot be written.
    """
    require("mne", "pandas")
    name = opened.session.path.name
    raw_path, epochs_path = folder / f"{name}_raw.fif", folder / f"{name}_epo.fif"
    there = [path for path in (raw_path, epochs_path) if path.exists()]
    if there and not overwrite:
        raise RecordingError(
            f"{there[0]} exists already; choose another folder with --out, or replace "
            "it with --overwrite."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in there:
            path.unlink()
        opened.raw().save(raw_path, fmt="double", verbose="ERROR")
        if not opened.has_pulses:
            return [raw_path]
        opened.epochs().save(epochs_path, fmt="double", verbose="ERROR")
    except OSError as error:
        raise RecordingError(
            f"The recording cannot be written to {folder}: {reason_of(error)}."
        ) from error
    return [raw_path, epochs_path]
