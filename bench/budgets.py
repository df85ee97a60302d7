"""The loose limits that fail a build, one for every row and one row for every limit."""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.rows import Bound, Row

BUDGETS = Path(__file__).with_name("budgets.toml")


class BudgetError(Exception):
    """Rows and budgets do not match, or a budget cannot be read."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Limits by suite and row.

    Parameters
    ----------
    suites : mapping of str to mapping of str to Bound
    optional : frozenset of str
        Rows that need software which may be absent.
    smoke_factor : float
        By which short runs may exceed a limit.
    """

    suites: Mapping[str, Mapping[str, Bound]]
    optional: frozenset[str]
    smoke_factor: float

    def applied(
        self, suite: str, rows: Iterable[Row], *, smoke: bool = False
    ) -> list[Row]:
        """Return the rows of a suite with their budgets.

        Raises
        ------
        BudgetError
            If a row has no budget, appears twice, or a budget no row.
        """
        limits = self.suites.get(suite, {})
        measured = list(rows)
        names = [row.name for row in measured]
        doubled = {name for name in names if names.count(name) > 1}
        bare = set(names) - limits.keys()
        idle = limits.keys() - set(names) - self.optional
        for fault, what in (
            (doubled, "measured twice"),
            (bare, "without a budget in budgets.toml"),
            (idle, "in budgets.toml but not measured"),
        ):
            if fault:
                raise BudgetError(f"Suite {suite}: {', '.join(sorted(fault))} {what}.")
        factor = self.smoke_factor if smoke else 1.0
        return [
            dataclasses.replace(row, budget=limits[row.name].loosened(factor))
            for row in measured
        ]


def read_budgets(path: Path = BUDGETS) -> Budgets:
    """Return the budgets in a file.

    Raises
    ------
    BudgetError
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return Budgets(
            suites={
                suite: {name: Bound.parse(text) for name, text in limits.items()}
                for suite, limits in tables["budgets"].items()
            },
            optional=frozenset(tables["optional"]),
            smoke_factor=float(tables["smoke_factor"]),
        )
    except (OSError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise BudgetError(f"{path} cannot be used: {error!r}.") from error
