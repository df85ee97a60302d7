"""The pulse table: one row for every pulse that was planned, and what became of it."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from controller.core.reasons import Outcome
from controller.errors import FileError, RecordingError
from controller.kernels.jit import new_records
from controller.safety.interlock import REFUSAL_SENTENCES, Refusal
from controller.session.recording.append_file import AppendFile, reason_of

NEVER_DUE = -1
"""In place of a `Refusal`: the session ended between planning and deadline."""

PULSE = np.dtype(
    [
        ("decision", "i8"),
        ("trial", "i8"),
        ("condition", "i8"),
        ("refusal", "i8"),  # Refusal, or NEVER_DUE; NONE for a pulse that was fired
        ("system_error", "i8"),
        ("t_due", "f8"),  # planned edge at the device
        ("t_write", "f8"),  # planned call
        ("t_fired", "f8"),  # just before the call; NaN if it was refused
        ("t_after", "f8"),
        ("t_observed", "f8"),  # the device's own record; NaN without one
        ("target_phase_rad", "f8"),
        ("predicted_phase_rad", "f8"),  # at the newest sample plus the horizon
        ("achieved_phase_rad", "f8"),  # offline; NaN until scored, or if it cannot be
        ("amplitude_uv", "f8"),
        ("threshold_uv", "f8"),
    ],
    align=True,
)

MISSING = "n/a"
COLUMNS = (
    "decision",
    "trial",
    "condition",
    "outcome",
    "refusal",
    "system_error",
    "t_due",
    "t_write",
    "t_fired",
    "t_after",
    "t_observed",
    "lateness_us",
    "target_phase_deg",
    "predicted_phase_deg",
    "achieved_phase_deg",
    "amplitude_uv",
    "threshold_uv",
)


class PulseTable:
    """Join decisions and edges to rows, and append them to `pulses.tsv` as they end.

    Parameters
    ----------
    file : AppendFile
        Empty; closed by `close`.
    """

    def __init__(self, file: AppendFile) -> None:
        self._file = file
        self._planned: dict[int, Any] = {}
        self._edges: dict[int, Any] = {}
        file.append(("\t".join(COLUMNS) + "\n").encode())

    @property
    def n_bytes(self) -> int:
        """How many bytes the table holds."""
        return self._file.n_bytes

    def append(self, decisions: Any, edges: Any) -> Any:
        """Append every pulse that has ended, and return them as an array of `PULSE`.

        An edge may come before its decision: the two arrive by different rings.
        """
        pulses = [
            pulse_of(row, None)
            for row in decisions[decisions["outcome"] == Outcome.REFUSED]
        ]
        for row in decisions[decisions["outcome"] == Outcome.PLANNED]:
            self._planned[int(row["decision"])] = row.copy()
        for row in edges[(edges["edge"] == 0) & (edges["rises"] == 1)]:
            self._edges[int(row["decision"])] = row.copy()
        for decision in sorted(self._planned.keys() & self._edges.keys()):
            planned, edge = self._planned.pop(decision), self._edges.pop(decision)
            pulses.append(pulse_of(planned, edge))
        return self._write(pulses)

    def sync(self) -> None:
        """Hand what was appended to the disk."""
        self._file.sync()

    def close(self) -> Any:
        """Append the pulses that never came due, close, and return those pulses."""
        left = [pulse_of(row, None) for row in self._planned.values()]
        self._planned = {}
        try:
            return self._write(left)
        finally:
            self._file.close()

    def _write(self, pulses: list[Any]) -> Any:
        table = np.array(pulses, PULSE) if pulses else new_records(PULSE, 0)
        if pulses:
            self._file.append(rows_of(table).encode())
        return table


def pulse_of(decision: Any, edge: Any | None) -> Any:
    """Return the row (`PULSE`) of a planned pulse.

    Parameters
    ----------
    decision
        Its record of `DECISION`.
    edge
        The record of `EDGE` of its first edge, or None if that never came due.
    """
    pulse = new_records(PULSE)[0]
    for name in (
        "decision",
        "trial",
        "condition",
        "t_due",
        "t_write",
        "target_phase_rad",
        "amplitude_uv",
        "threshold_uv",
    ):
        pulse[name] = decision[name]
    pulse["predicted_phase_rad"] = decision["phase_rad"]
    for name in ("t_fired", "t_after", "t_observed", "achieved_phase_rad"):
        pulse[name] = np.nan
    if edge is None:
        was_planned = decision["outcome"] == Outcome.PLANNED
        pulse["refusal"] = NEVER_DUE if was_planned else decision["refusal"]
        return pulse
    pulse["refusal"] = edge["refusal"]
    pulse["system_error"] = edge["system_error"]
    pulse["t_write"] = edge["t_due"]
    if edge["refusal"] == Refusal.NONE:
        pulse["t_fired"], pulse["t_after"] = edge["t_fired"], edge["t_after"]
    return pulse


def fired(pulses: Any) -> Any:
    """Return the pulses that were fired."""
    return pulses[pulses["refusal"] == Refusal.NONE]


def refusal_name(refusal: int) -> str:
    """Return the word for why a planned pulse did not leave."""
    return "NEVER_DUE" if refusal == NEVER_DUE else Refusal(refusal).name


def refusal_sentence(name: str) -> str:
    """Return what an operator reads for a reason of `refusal_name`."""
    if name == "NEVER_DUE":
        return "the session ended before the pulse was due"
    return REFUSAL_SENTENCES[Refusal[name]]


def rows_of(pulses: Any) -> str:
    """Return the rows of `pulses` as tab-separated text, `n/a` for what is missing."""
    return "".join("\t".join(_cells(pulse)) + "\n" for pulse in pulses)


def rewrite_pulses(path: Path, pulses: Any) -> None:
    """Put `pulses` in the place of the table at `path`, all at once.

    Raises
    ------
    RecordingError
        If the disk is full or gone; the table is then what it was.
    """
    beside = path.with_suffix(".new")
    text = "\t".join(COLUMNS) + "\n" + rows_of(pulses)
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise RecordingError(
            f"The pulse table {path} cannot be completed: {reason_of(error)}."
        ) from error


def read_pulses(path: Path) -> Any:
    """Return the table as an array of `PULSE`; a torn last line is left out.

    Angles come back as written, to 1e-4 degrees.

    Raises
    ------
    FileError
        If the table cannot be read or is damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
    whole, _, _ = text.rpartition("\n")
    header, *lines = whole.split("\n")
    if tuple(header.split("\t")) != COLUMNS:
        raise FileError(f"{path} does not have the columns of a pulse table.")
    pulses = new_records(PULSE, len(lines))
    for i, line in enumerate(lines):
        try:
            _fill(pulses[i], dict(zip(COLUMNS, line.split("\t"), strict=True)))
        except (ValueError, KeyError) as error:
            raise FileError(f"{path} is damaged in line {i + 2}.") from error
    return pulses


def _cells(pulse: Any) -> list[str]:
    name = refusal_name(int(pulse["refusal"]))
    derived = {
        "outcome": "fired" if name == "NONE" else "refused",
        "refusal": MISSING if name == "NONE" else name,
        "lateness_us": _number(round((pulse["t_fired"] - pulse["t_write"]) * 1e6, 3)),
    }
    cells = []
    for column in COLUMNS:
        if column in derived:
            cells.append(derived[column])
        elif column.endswith("_deg"):
            radians = float(pulse[column.removesuffix("_deg") + "_rad"])
            cells.append(_number(round(math.degrees(radians), 4)))
        else:
            cells.append(_number(pulse[column].item()))
    return cells


def _fill(pulse: Any, cells: dict[str, str]) -> None:
    for column, cell in cells.items():
        if column in ("outcome", "lateness_us"):
            continue
        if column == "refusal":
            known = {"NEVER_DUE": NEVER_DUE, MISSING: int(Refusal.NONE)}
            pulse[column] = known[cell] if cell in known else Refusal[cell]
        elif column.endswith("_deg"):
            pulse[column.removesuffix("_deg") + "_rad"] = math.radians(_value(cell))
        elif PULSE[column].kind == "i":
            pulse[column] = int(cell)
        else:
            pulse[column] = _value(cell)


def _number(value: float) -> str:
    return MISSING if math.isnan(value) else repr(float(value)).removesuffix(".0")


def _value(cell: str) -> float:
    return math.nan if cell == MISSING else float(cell)
