import io
import json
import math

import pytest
from rich.console import Console

from bench.outcome import (
    conditions_now,
    exit_code,
    figure,
    keep_history,
    markdown,
    print_rows,
    to_json,
)
from bench.percentiles import summarise
from bench.rows import Bound, Row

GOOD = Row(
    name="loop.good",
    value=12.5,
    unit="us",
    target=Bound("<=", 20.0),
    budget=Bound("<=", 60.0),
    percentiles=summarise([12.0, 13.0]),
    detail="measured somehow",
)
INFORMATION = Row(name="loop.said", value=3.0, unit="us", budget=Bound("<=", 9.0))
BROKEN = Row(name="loop.bad", value=math.nan, unit="us", budget=Bound("<=", 9.0))


@pytest.mark.parametrize(
    ("rows", "code"),
    [([GOOD, INFORMATION], 0), ([GOOD, BROKEN], 1), ([], 1)],
)
def test_exit_code_is_the_budgets(rows, code):
    assert exit_code(rows) == code


def test_json_rows_have_what_machines_ask_for():
    first, second, third = json.loads(to_json([GOOD, INFORMATION, BROKEN]))
    assert first["name"] == "loop.good"
    assert first["value"] == 12.5
    assert first["unit"] == "us"
    assert first["target"] == "<= 20"
    assert first["holds"] is True
    assert first["percentiles"]["n"] == 2
    assert second["target"] is second["holds"] is None
    assert third["value"] is None
    assert third["within_budget"] is False


def test_table_shows_every_figure_whole():
    console = Console(width=120, record=True, file=io.StringIO())
    print_rows([GOOD, BROKEN], console)
    text = console.export_text()
    assert "loop.good" in text
    assert "<= 20" in text
    assert "measured somehow" in text
    assert "BUDGET BROKEN" in text


def test_markdown_has_one_line_for_each_row():
    page = markdown([GOOD, INFORMATION], {"machine": "a machine"})
    assert "machine: a machine" in page
    assert "| loop.good | 12.5 | us | <= 20 | <= 60 | holds |" in page
    assert "| loop.said | 3 | us |  | <= 9 | within budget |" in page


def test_history_keeps_rows_and_conditions(tmp_path):
    conditions = conditions_now("SCHED_FIFO refused")
    paths = {keep_history([GOOD], conditions, tmp_path / "history") for _ in range(2)}
    assert len(paths) == 2
    record = json.loads(paths.pop().read_text())
    assert record["conditions"]["privileges"] == "SCHED_FIFO refused"
    assert record["rows"][0]["name"] == "loop.good"


@pytest.mark.parametrize(
    ("value", "text"), [(4321.9, "4,322"), (0.12345, "0.1235"), (math.inf, "inf")]
)
def test_figures_have_the_digits_worth_reading(value, text):
    assert figure(value) == text
