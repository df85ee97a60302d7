"""The decision log: every yes, every no and every event, one JSON object a line."""

import enum
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from controller.core.reasons import Artifact, HoldReason, Outcome
from controller.core.records import DECISION
from controller.errors import FileError
from controller.kernels.jit import new_records
from controller.safety.interlock import Refusal
from controller.session.jsonable import to_line
from controller.session.recording.append_file import AppendFile, reason_of

SEAL_BYTES = 8
FIRST_SEAL = "0" * (2 * SEAL_BYTES)
"""What the first line carries, which has no line before it."""

Flag = TypeVar("Flag", bound=enum.IntFlag)

_ANGLES = (
    "phase_rad",
    "target_phase_rad",
    "sd_rad",
    "phase_lag_rad",
    "second_phase_rad",
)

# What only some sessions measure; left out of the line where there is no value.
_MEASURES: dict[str, float] = {
    "sd_rad": np.nan,
    "p_within": np.nan,
    "snr_db": np.nan,
    "peak_ratio": np.nan,
    "frequency_sd_hz": np.nan,
    "frequency_offset_hz": np.nan,
    "coherence": np.nan,
    "phase_lag_rad": np.nan,
    "second_phase_rad": np.nan,
    "second_amplitude_uv": np.nan,
    "veto_channel": -1,
}


class DecisionLog:
    """Append decisions and events to `decisions.jsonl`, each line sealed to the last.

    Parameters
    ----------
    file : AppendFile
        Closed by `close`.
    seal : str
        Of the last line that is in the file already; nothing for an empty file.
    """

    def __init__(self, file: AppendFile, *, seal: str = FIRST_SEAL) -> None:
        self._file = file
        self._seal = seal

    @property
    def n_bytes(self) -> int:
        """How many bytes the log holds."""
        return self._file.n_bytes

    def append(self, decisions: Any) -> None:
        """Append one line for each row of `decisions`, an array of `DECISION`.

        Raises
        ------
        RecordingError
            If the disk is full or gone.
        """
        if len(decisions) > 0:
            self._write([decision_object(row) for row in decisions])

    def event(
        self, kind: str, fields: Mapping[str, object], *, number: int | None = None
    ) -> None:
        """Append one event, a fault or a change of stage for example.

        Parameters
        ----------
        kind : str
        fields : mapping
        number : int, optional
            Of the message that it came by, so that nobody writes it twice.
        """
        numbered = {} if number is None else {"number": number}
        self._write([{"kind": "event", "event": kind, **fields, **numbered}])

    def sync(self) -> None:
        """Hand what was appended to the disk."""
        self._file.sync()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()

    def _write(self, entries: list[dict[str, object]]) -> None:
        seal, lines = self._seal, []
        for entry in entries:
            line = to_line({**entry, "after": seal}).encode()
            seal = seal_of(line)
            lines.append(line + b"\n")
        self._file.append(b"".join(lines))
        # Only now: what the disk did not take has no successor.
        self._seal = seal


def seal_of(line: bytes) -> str:
    """Return what the line after this one carries as `after`."""
    return hashlib.blake2b(line, digest_size=SEAL_BYTES).hexdigest()


def last_seal(path: Path) -> str:
    """Return what the next line of a log carries as `after`.

    Raises
    ------
    FileError
        If the log cannot be read.
    """
    try:
        *_, last = [b"", *path.read_bytes().splitlines()]
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
    return seal_of(last) if last else FIRST_SEAL


def decision_object(row: Any) -> dict[str, object]:
    """Return one decision as the log holds it.

    Instants are seconds on the host clock. Angles stand twice: in radians to the last
    digit, and in degrees for people.
    """
    entry: dict[str, object] = {"kind": "decision"}
    for name, value in zip(DECISION.names or (), row.tolist(), strict=True):
        if name in _MEASURES and not _is_measured(name, value):
            continue
        entry[name] = value
        if name in _ANGLES:
            entry[name.removesuffix("_rad") + "_deg"] = _degrees(value)
    entry["outcome"] = Outcome(int(row["outcome"]))
    entry["holds"] = HoldReason(int(row["holds"]))
    entry["refusal"] = Refusal(int(row["refusal"]))
    entry["artifacts"] = Artifact(int(row["artifacts"]))
    return entry


def read_decisions(path: Path) -> tuple[Any, list[dict[str, Any]], int]:
    """Return the decisions (array of `DECISION`), the events, and the torn bytes.

    A last line without its end is left out and counted.

    Raises
    ------
    FileError
        If the log cannot be read or a line before the last is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
    whole, newline, torn = content.rpartition(b"\n")
    rows: list[tuple[Any, ...]] = []
    events: list[dict[str, Any]] = []
    for number, line in enumerate((whole + newline).splitlines(), start=1):
        try:
            entry = json.loads(line)
            if entry["kind"] == "decision":
                rows.append(_row(entry))
            else:
                entry.pop("after", None)
                events.append(entry)
        except (ValueError, KeyError, TypeError) as error:
            raise FileError(
                f"{path} is damaged in line {number}; the lines before it are good."
            ) from error
    decisions = new_records(DECISION, len(rows))
    for i, row in enumerate(rows):
        decisions[i] = row
    return decisions, events, len(torn)


def _row(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    words = {
        "outcome": Outcome[entry["outcome"]],
        "refusal": Refusal[entry["refusal"]],
        "holds": _flag(HoldReason, entry["holds"]),
        "artifacts": _flag(Artifact, entry["artifacts"]),
    }
    known = {**_MEASURES, **entry, **words}
    values = (known[name] for name in DECISION.names or ())
    return tuple(np.nan if value is None else value for value in values)


def _is_measured(name: str, value: float) -> bool:
    return value >= 0 if name == "veto_channel" else not math.isnan(value)


def _flag(kind: type[Flag], names: list[str]) -> Flag:
    value = kind(0)
    for name in names:
        value |= kind[name]
    return value


def _degrees(radians: float) -> float:
    return round(math.degrees(radians), 2) if math.isfinite(radians) else math.nan
