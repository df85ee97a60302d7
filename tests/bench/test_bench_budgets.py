import pytest

from bench.budgets import BudgetError, Budgets, read_budgets
from bench.rows import Bound, Row

BUDGETS = Budgets(
    suites={"kernels": {"a": Bound("<=", 1.0), "maybe": Bound(">=", 6.0)}},
    optional=frozenset({"maybe"}),
    smoke_factor=3.0,
)


def row(name, value=1.0):
    return Row(name=name, value=value, unit="us")


def test_every_row_gets_its_budget():
    (first,) = BUDGETS.applied("kernels", [row("a")])
    assert first.budget == Bound("<=", 1.0)


def test_smoke_loosens_either_way():
    first, second = BUDGETS.applied("kernels", [row("a"), row("maybe")], smoke=True)
    assert first.budget == Bound("<=", 3.0)
    assert second.budget == Bound(">=", 2.0)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["a", "b"], "b without a budget"),
        ([], "a in budgets.toml but not measured"),
        (["a", "a"], "a measured twice"),
    ],
)
def test_rows_and_budgets_must_match(names, complaint):
    with pytest.raises(BudgetError, match=complaint):
        BUDGETS.applied("kernels", [row(name) for name in names])


def test_unknown_suite_has_no_budgets():
    with pytest.raises(BudgetError, match="a without a budget"):
        BUDGETS.applied("other", [row("a")])


def test_shipped_budgets_are_read():
    budgets = read_budgets()
    assert budgets.suites.keys() == {
        "kernels",
        "latency",
        "patterns",
        "virtual_session",
    }
    assert budgets.smoke_factor >= 1.0
    named = {name for suite in budgets.suites.values() for name in suite}
    assert budgets.optional <= named


@pytest.mark.parametrize(
    "text",
    [
        "",
        "smoke_factor = 3\noptional = []\nbudgets = 3",
        "smoke_factor = 3\noptional = []\n[budgets.kernels]\na = 3",
        "smoke_factor = 3\noptional = []\n[budgets.kernels]\na = '< 3'",
        "smoke_factor = 3\noptional = [",
    ],
)
def test_unreadable_budgets_are_refused(tmp_path, text):
    path = tmp_path / "budgets.toml"
    path.write_text(text)
    with pytest.raises(BudgetError, match=r"budgets\.toml cannot be used"):
        read_budgets(path)
