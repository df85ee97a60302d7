"""Profiles on disk: a folder for each version, written whole and never over another."""

import contextlib
import dataclasses
import datetime as dt
import fcntl
import hashlib
import io
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from controller.calibration.profile import Array, Profile, check_participant
from controller.calibration.profile_form import form_text, parse_form, profile_from
from controller.errors import ConfigError, FileError, RecordingError
from controller.session.recording.append_file import reason_of

PROFILE = "profile.toml"
ARRAYS = "arrays.npz"

_FOLDER = re.compile(r"v(\d{4,})-\d{4}-\d\d-\d\dT\d\d-\d\d")
_UNFINISHED = ".unfinished-"


def save_profile(profile: Profile, root: Path) -> Path:
    """Write a profile as the participant's next version and return its folder.

    The folder appears under its name only when it is complete.

    Parameters
    ----------
    profile : Profile
        Not saved before.
    root : Path
        Where all participants' profiles go; made if it is not there.

    Raises
    ------
    ConfigError
        If the profile has a version already, or holds what a file cannot.
    RecordingError
        If the disk is full or gone.
    """
    if profile.version is not None:
        raise ConfigError(
            f"The {profile.name} is saved already and is never written again; "
            "calibrate again to make the next version."
        )
    home = root / profile.participant
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone_in(home):
            number = max((n for n, _ in _versions(home)), default=0) + 1
            return _write(dataclasses.replace(profile, version=number), home)
    except OSError as error:
        raise RecordingError(
            f"The profile cannot be written to {home}: {reason_of(error)}."
        ) from error


def copy_profile(profile: Profile, folder: Path) -> None:
    """Write a saved profile once more, into a new folder of a session's records.

    Raises
    ------
    RecordingError
        If the disk is full or gone.
    """
    files = _files_of(profile)
    try:
        folder.mkdir()
        for name, content in files.items():
            _write_whole(folder / name, content)
    except OSError as error:
        raise RecordingError(
            f"The profile cannot be written to {folder}: {reason_of(error)}."
        ) from error


def load_profile(path: Path) -> Profile:
    """Read a profile and check that its arrays are those it was saved with.

    Parameters
    ----------
    path : Path
        The version's folder, or the `profile.toml` in it.

    Raises
    ------
    FileError
        If there is no profile, or its arrays are missing or were changed.
    ConfigError
        If the file has a mistake or another format.
    """
    form_path = path if path.name == PROFILE else path / PROFILE
    text = _read(form_path, "profile").decode("utf-8", errors="replace")
    form, told = parse_form(text, where=str(form_path))
    if told.file != ARRAYS:
        raise ConfigError(
            f"{form_path}: arrays.file is {told.file!r}, but must be {ARRAYS!r}."
        )
    arrays_path = form_path.with_name(ARRAYS)
    content = _read(arrays_path, "profile's arrays")
    if hashlib.sha256(content).hexdigest() != told.sha256:
        raise FileError(
            f"{arrays_path} is not the file that this profile was saved with (its hash "
            "differs); restore it or calibrate again."
        )
    return profile_from(form, _unpacked(content, arrays_path))


def profile_folders(root: Path, participant: str) -> list[Path]:
    """Return the folders of a participant's versions, the oldest first.

    Raises
    ------
    ConfigError
        If the participant's name cannot name a folder.
    """
    check_participant(participant)
    return [path for _, path in _versions(root / participant)]


def latest_profile(root: Path, participant: str) -> Path:
    """Return the folder of a participant's newest version.

    Raises
    ------
    FileError
        If there is none.
    ConfigError
        If the participant's name cannot name a folder.
    """
    folders = profile_folders(root, participant)
    if not folders:
        raise FileError(
            f"{root} holds no profile of {participant}; run `phasegate calibrate` "
            "first."
        )
    return folders[-1]


def samples_sha256(samples: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    """Return the hash of samples, their shape and their type."""
    digest = hashlib.sha256(f"{samples.dtype.str} {samples.shape}".encode())
    digest.update(np.ascontiguousarray(samples).data)
    return digest.hexdigest()


def _versions(home: Path) -> list[tuple[int, Path]]:
    if not home.is_dir():
        return []
    found = ((_FOLDER.fullmatch(path.name), path) for path in home.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


def _write(profile: Profile, home: Path) -> Path:
    stamp = profile.created.astimezone(dt.UTC).strftime("%Y-%m-%dT%H-%M")
    final = home / f"v{profile.version:04d}-{stamp}"
    files = _files_of(profile)
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=home))
    try:
        unfinished.chmod(0o755)
        for name, content in files.items():
            _write_whole(unfinished / name, content)
        unfinished.rename(final)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    _sync(home)
    return final


def _files_of(profile: Profile) -> dict[str, bytes]:
    packed = _packed(profile.arrays)
    text = form_text(
        profile,
        arrays_file=ARRAYS,
        arrays_sha256=hashlib.sha256(packed).hexdigest(),
    )
    return {ARRAYS: packed, PROFILE: text.encode()}


def _write_whole(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _packed(arrays: Mapping[str, Array]) -> bytes:
    for name, array in arrays.items():
        if not name.isidentifier() or np.asarray(array).dtype.hasobject:
            raise ConfigError(
                f"The profile cannot keep the array {name!r}; give numbers or text "
                "under a name of letters, digits and _."
            )
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **dict(arrays))
    return buffer.getvalue()


def _unpacked(content: bytes, path: Path) -> dict[str, Array]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (ValueError, zipfile.BadZipFile, KeyError) as error:
        raise FileError(
            f"{path} holds no arrays that can be read: {error}; calibrate again."
        ) from error


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FileError(f"There is no {what} {path}; check the path.") from error
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process numbers a version in this folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
