"""The session folder: a place of its own for every session, never written over."""

import datetime as dt
import os
import re
import shutil
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from controller.errors import RecordingError
from controller.session.jsonable import to_page
from controller.session.recording.append_file import reason_of

CONFIG = "config.toml"
PROVENANCE = "provenance.json"
DESIGN = "design.npz"
PROGRAM = "program.npz"
PROFILE = "profile"
DECISIONS = "decisions.jsonl"
PULSES = "pulses.tsv"
EEG = "eeg.xdf"
SUMMARY = "summary.json"
PROTOCOL = "protocol.toml"
REPORT = "report.html"
MANIFEST = "manifest.json"

_STAMP = "%Y%m%dT%H%M%SZ"

WHAT_IF = "what if"
"""The event of a session on a virtual clock, of which nothing was fired."""

MARGIN_BYTES = 64 * 2**20
"""Room for the report and for what else happens on the disk."""

OPEN_ENDED_S = 3600.0
"""A session whose end only the operator knows is given room for so long."""

_DECISION_BYTES_PER_S = 10_000.0
_SAMPLE_OVERHEAD_BYTES = 9 + 65  # stamp of the sample; arrival, permits, estimate
_LONGEST_NAME = 40
_MOST_NAMESAKES = 99


def bytes_needed(*, sfreq_hz: float, n_channels: int, duration_s: float) -> int:
    """Return about how many bytes a session takes, its margin included."""
    per_second = sfreq_hz * (4 * n_channels + _SAMPLE_OVERHEAD_BYTES)
    return int(duration_s * (per_second + _DECISION_BYTES_PER_S)) + MARGIN_BYTES


class SessionFolder:
    """A new folder for one session.

    Parameters
    ----------
    path : Path
        The folder, which must be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(
        cls,
        root: Path,
        *,
        title: str = "",
        participant: str = "",
        n_bytes_needed: int = MARGIN_BYTES,
        started: dt.datetime | None = None,
    ) -> "SessionFolder":
        """Make a folder named after the instant, the participant and the title.

        Two sessions of one name get different folders.

        Parameters
        ----------
        root : Path
            Where sessions go; made if it is not there.
        title, participant : str
        n_bytes_needed : int
            As from `bytes_needed`; less free space is refused.
        started : datetime, optional
            The present if absent.

        Raises
        ------
        RecordingError
            If the folder cannot be made, or the disk has too little room.
        """
        instant = started or dt.datetime.now(dt.UTC)
        stamp = instant.astimezone(dt.UTC).strftime(_STAMP)
        name = "_".join(filter(None, (stamp, _slug(participant), _slug(title))))
        try:
            root.mkdir(parents=True, exist_ok=True)
            _check_room(root, n_bytes_needed)
            return cls(_new_folder(root, name).resolve())
        except OSError as error:
            raise RecordingError(
                f"No session folder can be made in {root}: {reason_of(error)}; choose "
                "another place with --out."
            ) from error

    def write_text(self, name: str, text: str) -> Path:
        """Write a whole text file, all at once, and return its path.

        Raises
        ------
        RecordingError
            If the disk is full or gone.
        """
        return self._write(name, text.encode())

    def write_config(self, text: str) -> Path:
        """Write the configuration as it was run."""
        return self.write_text(CONFIG, text)

    def write_json(self, name: str, value: Mapping[str, object]) -> Path:
        """Write indented JSON, null for numbers that are not finite."""
        return self.write_text(name, to_page(value))

    def write_design(self, arrays: Mapping[str, npt.ArrayLike]) -> Path:
        """Write the arrays that the loop was given.

        Parameters
        ----------
        arrays : mapping of str to array
            The report needs `mixing`, shape (n_virtual, n_channels), microvolts per
            stream unit, `band_hz`, shape (2,), and `output_latency_s`.
        """
        return self._write_arrays(DESIGN, arrays)

    def write_program(self, arrays: Mapping[str, npt.ArrayLike]) -> Path:
        """Write everything that the loop was entered with, for a replay."""
        return self._write_arrays(PROGRAM, arrays)

    def _write_arrays(self, name: str, arrays: Mapping[str, npt.ArrayLike]) -> Path:
        path = self.path / name
        try:
            with path.open("xb") as file:
                np.savez(file, allow_pickle=False, **dict(arrays))
        except OSError as error:
            raise RecordingError(
                f"{path} cannot be written: {reason_of(error)}."
            ) from error
        return path

    def _write(self, name: str, content: bytes) -> Path:
        path = self.path / name
        beside = path.with_name(path.name + ".new")
        try:
            beside.write_bytes(content)
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise RecordingError(
                f"{path} cannot be written: {reason_of(error)}."
            ) from error
        return path


def started_of(name: str) -> dt.datetime | None:
    """Return when a session was begun, by its folder's name; None if that is silent."""
    stamp = re.match(r"\d{8}T\d{6}Z", name)
    if stamp is None:
        return None
    return dt.datetime.strptime(stamp[0], _STAMP).replace(tzinfo=dt.UTC)


def _new_folder(root: Path, name: str) -> Path:
    for number in range(1, _MOST_NAMESAKES + 1):
        path = root / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise RecordingError(
        f"{root} holds {_MOST_NAMESAKES} sessions named {name} already; wait a second "
        "or choose another place with --out."
    )


def _check_room(root: Path, n_bytes_needed: int) -> None:
    if not os.access(root, os.W_OK | os.X_OK):
        raise RecordingError(
            f"This user may not write to {root}; choose another place with --out."
        )
    n_free = shutil.disk_usage(root).free
    if not n_free >= n_bytes_needed:
        raise RecordingError(
            f"{root} has {n_free / 1e9:.2f} GB free, but this session needs about "
            f"{n_bytes_needed / 1e9:.2f} GB; free some space or choose another place "
            "with --out."
        )


def _slug(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()
    return slug[:_LONGEST_NAME].rstrip("-")
