"""Read a session folder back into the arrays that the loop wrote."""

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from controller.core.records import EDGE, SAMPLE
from controller.errors import FileError
from controller.kernels.jit import Float32Array, new_records
from controller.session import folder as names
from controller.session.decisions import read_decisions
from controller.session.pulses import read_pulses
from controller.session.recording.append_file import reason_of
from controller.session.recording.recorder import (
    ARRIVAL_CHANNELS,
    ARRIVAL_STREAM,
    EDGE_STREAM,
    EEG_STREAM,
    records_of,
)
from controller.session.recording.streams import StreamDescription
from controller.session.xdf_reader import XdfFile, XdfStream, read_xdf

NEEDED = (names.CONFIG, names.EEG, names.DECISIONS, names.PULSES)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session, from its folder alone.

    Parameters
    ----------
    path : Path
    config_text : str
        The configuration as run.
    stream : StreamDescription
    samples : array of SAMPLE, shape (n,)
    raw : array, shape (n, n_channels)
        As received, stream units.
    decisions : array of DECISION
    edges : array of EDGE or None
        Every wire action that came due, falling edges and refused ones included; None
        where the session was recorded before edges were.
    events : list of dict
    pulses : array of PULSE
    design : dict of str to array
        Empty where the session ended before there was one.
    summary, provenance : dict or None
        None where the session did not get as far.
    notes : tuple of str
        One sentence for each thing that is not whole.
    """

    path: Path
    config_text: str
    stream: StreamDescription
    samples: Any
    raw: Float32Array
    decisions: Any
    edges: Any | None
    events: list[dict[str, Any]]
    pulses: Any
    design: dict[str, npt.NDArray[Any]]
    summary: dict[str, Any] | None
    provenance: dict[str, Any] | None
    notes: tuple[str, ...]

    @property
    def is_live(self) -> bool:
        """Whether it ran on a real clock; of what did not, nothing was fired."""
        return not any(event.get("event") == names.WHAT_IF for event in self.events)


def load_session(path: Path) -> Session:
    """Read a session folder.

    A session whose process was killed opens too: what is torn off at the end of a file
    is left out, and `notes` says so.

    Raises
    ------
    FileError
        If the folder is not a session, or a file is missing or damaged.
    """
    _require_files(path)
    xdf = read_xdf(path / names.EEG)
    eeg, arrival = _stream(path, xdf, EEG_STREAM), _stream(path, xdf, ARRIVAL_STREAM)
    n = min(len(eeg.stamps), len(arrival.stamps))
    decisions, events, n_torn = read_decisions(path / names.DECISIONS)
    return Session(
        path=path,
        config_text=(path / names.CONFIG).read_text(encoding="utf-8"),
        stream=eeg.description,
        samples=_samples(eeg, arrival, n),
        raw=eeg.values[:n],
        decisions=decisions,
        edges=_edges(xdf),
        events=events,
        pulses=read_pulses(path / names.PULSES),
        design=read_arrays(path / names.DESIGN),
        summary=_json(path / names.SUMMARY),
        provenance=_json(path / names.PROVENANCE),
        notes=_notes(eeg, arrival, xdf.n_torn_bytes, n_torn),
    )


def _require_files(path: Path) -> None:
    if not path.is_dir():
        raise FileError(f"There is no session folder {path}.")
    missing = [name for name in NEEDED if not (path / name).is_file()]
    if len(missing) == len(NEEDED):
        raise FileError(f"{path} is not a session folder: it has no {names.EEG}.")
    if missing:
        raise FileError(f"The session {path} is incomplete: no {', '.join(missing)}.")


def _stream(path: Path, xdf: XdfFile, name: str) -> XdfStream:
    if name not in xdf.streams:
        raise FileError(f"{path / names.EEG} holds no stream {name}.")
    return xdf.streams[name]


def _samples(eeg: XdfStream, arrival: XdfStream, n: int) -> Any:
    samples = new_records(SAMPLE, n)
    samples["t_sample"] = eeg.stamps[:n]
    # Sessions recorded before there was a confidence have fewer columns.
    n_columns = arrival.values.shape[1]
    for column, channel in enumerate(ARRIVAL_CHANNELS):
        samples[channel.label] = (
            arrival.values[:n, column] if column < n_columns else np.nan
        )
    return samples


def _edges(xdf: XdfFile) -> Any | None:
    if EDGE_STREAM not in xdf.streams:
        return None
    stream = xdf.streams[EDGE_STREAM]
    return records_of(stream.values, stream.description.labels, EDGE)


def _notes(
    eeg: XdfStream, arrival: XdfStream, n_torn_eeg: int, n_torn_log: int
) -> tuple[str, ...]:
    notes = []
    if not eeg.finished:
        notes.append(f"{names.EEG} was not closed: the recording ended abruptly.")
    if n_torn_eeg:
        notes.append(f"The last {n_torn_eeg} bytes of {names.EEG} are torn: left out.")
    if len(eeg.stamps) != len(arrival.stamps):
        notes.append(f"The last block of {names.EEG} has no arrival times: left out.")
    if n_torn_log:
        notes.append(f"The last line of {names.DECISIONS} is torn: left out.")
    return tuple(notes)


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an `npz` file by name; none where there is no such file.

    Raises
    ------
    FileError
        If the file cannot be read or is damaged.
    """
    if not path.is_file():
        return {}
    try:
        # Opened here: numpy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FileError(f"{path} is damaged: {error}.") from error


def _json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {error}.") from error
    if not isinstance(value, dict):
        raise FileError(f"{path} does not hold what its name says.")
    return value
