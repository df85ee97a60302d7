"""Decisions, pulses, edges and events as flat tables, written as CSV or Parquet."""

import csv
import importlib.util
import io
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np

from controller.core.records import DECISION, EDGE
from controller.errors import FileError, MissingExtra, RecordingError
from controller.export.columns import Cell, Column, Table
from controller.export.grid import grid_of
from controller.export.trials import trial_table
from controller.safety.interlock import Refusal
from controller.session.jsonable import to_line
from controller.session.load import Session
from controller.session.recording.append_file import reason_of

TableFormat = Literal["csv", "parquet"]
TABLES = ("decisions", "pulses", "edges", "events")

# What a loop's number needs to say beside its name.
_UNITS = {
    "_s": "s",
    "_uv": "uV",
    "_deg": "deg",
    "_db": "dB",
    "_hz": "Hz",
    "_ms": "ms",
}
_OWN_WORDS = {"outcome", "holds", "refusal", "decision", "trial", "condition"}


def session_table(session: Session, name: str) -> Table:
    """Return one of `TABLES` of a session.

    Raises
    ------
    FileError
        If there is no such table.
    """
    if name == "decisions":
        return _decisions(session)
    if name == "pulses":
        trials = trial_table(session, grid_of(session))
        return trials.picked(
            [
                row
                for row, status in enumerate(trials["status"])
                if status not in ("held", "as-if")
            ]
        )
    if name == "edges":
        return _edges(session)
    if name == "events":
        return _events(session)
    raise FileError(f"There is no table {name}; choose one of {', '.join(TABLES)}.")


def write_tables(
    session: Session, folder: Path, kind: TableFormat, *, overwrite: bool = False
) -> list[Path]:
    """Write every table of a session into a folder and return the paths.

    Parameters
    ----------
    session : Session
    folder : Path
        Made if it is not there.
    kind : {"csv", "parquet"}
    overwrite : bool
        Whether files of the same names may be replaced.

    Raises
    ------
    MissingExtra
        Parquet without its package.
    RecordingError
        If a file exists already and may not be replaced, or cannot be written.
    """
    if kind == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise MissingExtra(
            "Parquet is written by pyarrow, which is not installed; install it with "
            "`pip install 'phasegate[parquet]'`, or choose csv."
        )
    paths = [folder / f"{session.path.name}_{name}.{kind}" for name in TABLES]
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        raise RecordingError(
            f"{there[0]} exists already; choose another folder with --out, or replace "
            "it with --overwrite."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in zip(TABLES, paths, strict=True):
            table = session_table(session, name)
            path.write_bytes(_csv(table) if kind == "csv" else _parquet(table))
    except OSError as error:
        raise RecordingError(
            f"The tables cannot be written to {folder}: {reason_of(error)}."
        ) from error
    return paths


def _decisions(session: Session) -> Table:
    """Return the trial table and what else the gates measured, column by column."""
    table = trial_table(session, grid_of(session))
    known = {*table.names, *_OWN_WORDS, "t_decided", "phase_rad", "target_phase_rad"}
    extra = [
        _recorded(session.decisions, name)
        for name in DECISION.names or ()
        if name not in known and name != "sd_rad"
    ]
    return Table(columns=(*table.columns, *extra))


def _edges(session: Session) -> Table:
    edges = session.edges if session.edges is not None else np.zeros(0, EDGE)
    columns = [_recorded(edges, name) for name in EDGE.names or () if name != "refusal"]
    words: list[Cell] = [
        None if value == Refusal.NONE else Refusal(int(value)).name
        for value in edges["refusal"]
    ]
    reason = Column(name="refusal", description="Why it was refused.", cells=words)
    return Table(columns=(*columns, reason))


def _events(session: Session) -> Table:
    events = session.events
    rest = [
        {k: v for k, v in event.items() if k not in ("kind", "event", "t")}
        for event in events
    ]
    return Table(
        columns=(
            Column(
                name="t",
                description="When, seconds on the host's LSL clock.",
                cells=[_instant(event.get("t")) for event in events],
                units="s",
            ),
            Column(
                name="event",
                description="What happened.",
                cells=[str(event.get("event", "")) for event in events],
            ),
            Column(
                name="details",
                description="What belongs to it, as JSON.",
                cells=[to_line(fields) for fields in rest],
            ),
        )
    )


def _instant(value: object) -> Cell:
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def _recorded(rows: Any, name: str) -> Column:
    """Return a field of the loop's records; angles in degrees."""
    values = rows[name]
    if name.endswith("_rad"):
        name, values = name.removesuffix("_rad") + "_deg", np.degrees(values)
    units = next((u for end, u in _UNITS.items() if name.endswith(end)), "")
    if name.startswith("t_"):
        units = "s"
    cells: list[Cell] = [
        None if isinstance(value, float) and not math.isfinite(value) else value
        for value in values.tolist()
    ]
    return Column(
        name=name, description="As recorded by the loop.", cells=cells, units=units
    )


def _csv(table: Table) -> bytes:
    # The writer quotes what needs it; a missing value is an empty cell, as
    # spreadsheets and pandas expect.
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.names)
    cells = [column.cells for column in table.columns]
    writer.writerows(
        [
            "" if cell is None else repr(cell) if isinstance(cell, float) else cell
            for cell in row
        ]
        for row in zip(*cells, strict=True)
    )
    return text.getvalue().encode()


def _parquet(table: Table) -> bytes:
    # Here and not above: pyarrow is an optional extra.
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields, arrays = [], []
    for column in table.columns:
        array = pa.array(list(column.cells))
        if pa.types.is_null(array.type):
            array = array.cast(pa.float64())
        told = {"description": column.description, "units": column.units}
        fields.append(pa.field(column.name, array.type, metadata=told))
        arrays.append(array)
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), sink)
    return sink.getvalue()
