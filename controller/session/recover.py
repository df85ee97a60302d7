"""Recover what a killed session left: a torn file, or a whole folder and its rings."""

from pathlib import Path

from controller.errors import FileError, RecordingError
from controller.session.folder import EEG, MANIFEST, SessionFolder
from controller.session.manifest import write_manifest
from controller.session.recording.process_marks import is_alive
from controller.session.recording.rings import Rings, open_rings, rings_of
from controller.session.salvage import Salvaged, cut_to_whole, salvage
from controller.session.xdf_reader import whole_bytes


def recover(path: Path, *, t_now: float, directory: Path | None = None) -> Salvaged:
    """Recover a session's folder, or cut any XDF file off at its last whole chunk.

    Parameters
    ----------
    path : Path
        Of the folder or the file.
    t_now : float
        Host clock.
    directory : Path, optional
        Where rings may have been left; the system's place for them if absent.

    Raises
    ------
    FileError
        If there is nothing to recover.
    RecordingError
        If somebody records the session still, or the disk does not take it.
    """
    if path.is_file():
        n_cut = cut_to_whole(path, whole_bytes(path))
        return Salvaged(n_cut_bytes=n_cut, was_finished=n_cut == 0)
    if not (path / EEG).is_file():
        raise FileError(
            f"{path} is neither a session folder nor an XDF file; name the folder that "
            f"holds {EEG}."
        )
    left = [open_rings(name) for name in rings_of(path, directory)]
    for rings in left:
        _refuse_if_alive(path, rings)
    found = salvage(SessionFolder(path), left[0] if left else None, t_now=t_now)
    for rings in left:
        rings.remove()
    if not found.was_finished or not (path / MANIFEST).exists():
        write_manifest(SessionFolder(path))
    return found


def _refuse_if_alive(path: Path, rings: Rings) -> None:
    words = rings.recorder[0]
    who = {"its recorder": (int(words["pid"]), int(words["ticks"]))}
    if not rings.controller["closing"][0]:
        header = rings.header
        who["the session"] = (int(header["pid"]), int(header["ticks"]))
    for name, (pid, ticks) in who.items():
        if is_alive(pid, ticks):
            raise RecordingError(
                f"{path} is still being written, {name} runs as process {pid}; wait "
                "until it has ended."
            )
