"""Tables for other programs: every column says what it is and in what unit."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

from controller.session.jsonable import JsonValue

Cell = str | int | float | None
"""None where a value is missing."""

MISSING = "n/a"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        With its unit, where it has one.
    description : str
        One sentence.
    cells : sequence
        Of one type; None for what is missing.
    units : str
        As BIDS writes them, empty for none.
    levels : mapping of str to str
        What each word of a column of words means.
    """

    name: str
    description: str
    cells: Sequence[Cell]
    units: str = ""
    levels: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def explained(self) -> dict[str, JsonValue]:
        """Return the entry of a BIDS sidecar."""
        entry: dict[str, JsonValue] = {"Description": self.description}
        if self.units:
            entry["Units"] = self.units
        if self.levels:
            entry["Levels"] = dict(self.levels)
        return entry


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of one length."""

    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns[0].cells)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in their order."""
        return tuple(column.name for column in self.columns)

    def __getitem__(self, name: str) -> Sequence[Cell]:
        return next(column.cells for column in self.columns if column.name == name)

    def picked(self, rows: Sequence[int]) -> "Table":
        """Return some of the rows, in the order given."""
        return Table(
            columns=tuple(
                dataclasses.replace(column, cells=[column.cells[row] for row in rows])
                for column in self.columns
            )
        )

    def only(self, *names: str) -> "Table":
        """Return some of the columns, in the order given."""
        by_name = {column.name: column for column in self.columns}
        return Table(columns=tuple(by_name[name] for name in names))

    def sidecar(self) -> dict[str, JsonValue]:
        """Return what a BIDS sidecar says of the columns; of `HED` it may not speak."""
        return {
            column.name: column.explained()
            for column in self.columns
            if column.name != "HED"
        }

    def text(self, separator: str = "\t") -> str:
        """Return header and rows as text, `n/a` for what is missing."""
        lines = [separator.join(self.names)]
        cells = [[cell_text(cell) for cell in c.cells] for c in self.columns]
        lines += [separator.join(row) for row in zip(*cells, strict=True)]
        return "\n".join(lines) + "\n"


def numbers(values: Iterable[float]) -> list[Cell]:
    """Return numbers as cells; those that are not finite are missing."""
    return [float(value) if math.isfinite(value) else None for value in values]


def cell_text(cell: Cell) -> str:
    """Return a cell as text that reads back to the same value."""
    if cell is None:
        return MISSING
    if isinstance(cell, float):
        return repr(cell).removesuffix(".0")
    # A tab or a line end in an event's words would break the row.
    return " ".join(str(cell).split())
