"""The manifest: what made a session, and fingerprints of every file it left.

A manifest shows damage and careless edits. It does not stand against somebody who
writes a new one; whoever needs that keeps its hash elsewhere, in the lab book for
example.
"""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from controller.errors import FileError
from controller.session.decisions import FIRST_SEAL, seal_of
from controller.session.fingerprint import Fingerprint, fingerprint, first_difference
from controller.session.folder import (
    CONFIG,
    DECISIONS,
    MANIFEST,
    PROVENANCE,
    SessionFolder,
)
from controller.session.recording.append_file import reason_of

FORMAT = "phasegate manifest 1"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check of a session's files came to.

    Parameters
    ----------
    file : str or None
        The first file that differs, by name; None where none does.
    first_byte, last_byte : int or None
        Between which bytes, counted from 0, the first difference lies.
    words : str
        What is the matter; empty where nothing is.
    n_files, n_bytes : int
        That were looked at.
    manifest_sha256 : str or None
    unlisted : tuple of str
        Files that came later.
    """

    file: str | None = None
    first_byte: int | None = None
    last_byte: int | None = None
    words: str = ""
    n_files: int = 0
    n_bytes: int = 0
    manifest_sha256: str | None = None
    unlisted: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether every file is what it was."""
        return self.file is None


def write_manifest(folder: SessionFolder) -> Path:
    """Write the manifest of a session that is over; nothing may be written after it.

    Raises
    ------
    FileError, RecordingError
        If a file cannot be read or the disk does not take the manifest.
    """
    path = folder.path
    files = {
        name: dataclasses.asdict(fingerprint(path / name)) for name in _names(path)
    }
    return folder.write_json(
        MANIFEST,
        {
            "format": FORMAT,
            "config": _text(path / CONFIG),
            "provenance": _object(path / PROVENANCE),
            "files": files,
        },
    )


def renew_manifest(folder: SessionFolder, changed: Collection[str]) -> None:
    """Take files that were written anew into the manifest, and leave all others.

    A session without a manifest stays without one.

    Parameters
    ----------
    folder : SessionFolder
    changed : collection of str
        Their names.
    """
    path = folder.path / MANIFEST
    if not path.is_file():
        return
    manifest = _manifest(path)
    for name in changed:
        manifest["files"][name] = dataclasses.asdict(fingerprint(folder.path / name))
    folder.write_json(MANIFEST, manifest)


def verify(path: Path) -> Verdict:
    """Compare every file with the manifest, and go along the log's chain.

    Raises
    ------
    FileError
        If the folder is no session, or was never finished.
    """
    if not (path / DECISIONS).is_file() and not (path / MANIFEST).is_file():
        raise FileError(f"{path} is not a session folder.")
    if not (path / MANIFEST).is_file():
        raise FileError(
            f"{path} has no {MANIFEST}, because the session was not finished; run "
            "`phasegate recover` on it."
        )
    manifest = _manifest(path / MANIFEST)
    kept = {name: _kept(entry) for name, entry in manifest["files"].items()}
    verdict = Verdict(
        n_files=len(kept),
        n_bytes=sum(one.n_bytes for one in kept.values()),
        manifest_sha256=hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest(),
        unlisted=tuple(name for name in _names(path) if name not in kept),
    )
    for name in sorted(kept):
        if not (path / name).is_file():
            return dataclasses.replace(verdict, file=name, words="is missing")
        found = first_difference(path / name, kept[name])
        if found is not None:
            return dataclasses.replace(
                verdict,
                file=name,
                first_byte=found.first,
                last_byte=found.last,
                words=found.words,
            )
    broken = first_broken_line(path / DECISIONS)
    if broken is not None:
        number, at = broken
        return dataclasses.replace(
            verdict,
            file=DECISIONS,
            first_byte=at,
            last_byte=at,
            words=f"line {number} does not follow the line before it",
        )
    return verdict


def first_broken_line(path: Path) -> tuple[int, int] | None:
    """Return number and first byte of the first line that breaks a log's chain.

    The line that is named, or the one before it, is not what was written. Logs from
    before there was a chain have none to break.
    """
    seal, at = FIRST_SEAL, 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                entry = json.loads(line)
                if number == 1 and "after" not in entry:
                    return None
                if entry.get("after") != seal:
                    return number, at
                seal = seal_of(line.removesuffix(b"\n"))
                at += len(line)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
    except (ValueError, AttributeError):
        return number, at
    return None


def _names(path: Path) -> list[str]:
    """Return every file of a session but the manifest, relative, in order."""
    return sorted(
        file.relative_to(path).as_posix()
        for file in path.rglob("*")
        if file.is_file() and file != path / MANIFEST
    )


def _manifest(path: Path) -> dict[str, Any]:
    manifest = _object(path)
    if manifest is None or manifest.get("format") != FORMAT:
        raise FileError(f"{path} is no manifest of this version of phasegate.")
    return manifest


def _kept(entry: Mapping[str, Any]) -> Fingerprint:
    return Fingerprint(
        n_bytes=int(entry["n_bytes"]),
        sha256=str(entry["sha256"]),
        blocks=tuple(entry["blocks"]),
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read: {error}.") from error


def _object(path: Path) -> dict[str, Any] | None:
    text = _text(path)
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise FileError(f"{path} is damaged: {error}.") from error
    return value if isinstance(value, dict) else None
