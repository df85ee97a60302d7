"""The decision log: every yes, every no and every event, one JSON object a line."""

import enum
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
from controller.session.append_file import AppendFile, reason_of
from controller.session.jsonable import to_line

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
    """Append decisions and events to `decisions.jsonl`.

    Parameters
    ----------
    file : AppendFile
        Empty; closed by `close`.
    """

    def __init__(self, file: AppendFile) -> None:
        self._file = file

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
        if len(decisions) == 0:
            return
        lines = [to_line(decision_object(row)) + "\n" for row in decisions]
        self._file.append("".join(lines).encode())

    def event(self, kind: str, fields: Mapping[str, object]) -> None:
        """Append one event, a fault or a change of stage for example."""
        entry: dict[str, object] = {"kind": "event", "event": kind, **fields}
        self._file.append((to_line(entry) + "\n").encode())

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()


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
