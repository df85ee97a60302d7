"""What becomes of measured rows: a table, JSON, a page, the history, an exit code."""

import datetime as dt
import json
import math
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.rows import Row

HISTORY = Path(__file__).with_name("history")

_STYLES = {"holds": "green", "within budget": "", "target missed": "yellow"}
_WIDTH = 120
_LIBRARIES = ("phasegate", "numba", "llvmlite", "numpy", "scipy", "pylsl", "pyserial")


def exit_code(rows: Sequence[Row]) -> int:
    """Return 1 if a budget is broken, else 0."""
    return 0 if rows and all(row.within_budget for row in rows) else 1


def figure(value: float) -> str:
    """Return a value with as many digits as are worth reading."""
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"


def print_rows(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print measured, target, budget and verdict, then how each was measured."""
    # A pipe has no width of its own, and cells cut in half say nothing.
    console = console or Console(width=max(_WIDTH, Console().width))
    table = Table(title="Benchmarks", title_justify="left")
    for name, justify in (
        ("row", "left"),
        ("measured", "right"),
        ("unit", "left"),
        ("target", "right"),
        ("budget", "right"),
        ("verdict", "left"),
    ):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in rows:
        cells = _cells(row)
        table.add_row(*cells, style=_STYLES.get(row.verdict, "bold red"))
    console.print(table)
    for row in rows:
        if row.detail or row.percentiles:
            console.print(f"{row.name}: {_explanation(row)}", highlight=False)


def markdown(rows: Sequence[Row], conditions: dict[str, str]) -> str:
    """Return the rows as a Markdown page fragment."""
    lines = [f"{key}: {value}  " for key, value in conditions.items()]
    lines += ["", "| row | measured | unit | target | budget | verdict |"]
    lines.append("|---|---:|---|---:|---:|---|")
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    lines += ["", "| row | distribution and method |", "|---|---|"]
    lines += [
        f"| {row.name} | {_explanation(row)} |"
        for row in rows
        if row.detail or row.percentiles
    ]
    return "\n".join(lines) + "\n"


def to_json(rows: Sequence[Row]) -> str:
    """Return the rows as a JSON list of objects; NaN does not occur in it."""
    return json.dumps([_finite(row.as_dict()) for row in rows], indent=2) + "\n"


def conditions_now(privileges: str | None = None) -> dict[str, str]:
    """Return what the figures depend on: machine, versions, privileges."""
    conditions = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": f"{_processor()}, {os.cpu_count()} processors",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
    }
    if hasattr(os, "getloadavg"):
        conditions["load average"] = f"{os.getloadavg()[0]:.2f}"
    if privileges is not None:
        conditions["privileges"] = privileges
    return conditions


def keep_history(
    rows: Sequence[Row], conditions: dict[str, str], folder: Path = HISTORY
) -> Path:
    """Write the run to a file of its own and return where."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = folder / f"{stamp}.json"
    record = {
        "conditions": conditions,
        "rows": [_finite(row.as_dict()) for row in rows],
    }
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return path


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        figure(row.value),
        row.unit,
        "" if row.target is None else str(row.target),
        "" if row.budget is None else str(row.budget),
        row.verdict,
    )


def _explanation(row: Row) -> str:
    parts = [str(row.percentiles)] if row.percentiles is not None else []
    return "; ".join([*parts, *([row.detail] if row.detail else [])])


def _finite(fields: dict[str, object]) -> dict[str, object]:
    value = fields["value"]
    if isinstance(value, float) and not math.isfinite(value):
        return {**fields, "value": None}
    return fields


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
