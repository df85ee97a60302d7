"""One measured figure beside its target and its budget."""

import dataclasses
import math
import re
from typing import Self

from bench.percentiles import Percentiles

_BOUND = re.compile(r"\s*(<=|>=)\s*(\S+)\s*")


@dataclasses.dataclass(frozen=True, slots=True)
class Bound:
    """What a figure may be at most, or has to be at least.

    Parameters
    ----------
    relation : {"<=", ">="}
    limit : float
        Finite.
    """

    relation: str
    limit: float

    def __post_init__(self) -> None:
        """Refuse a bound that bounds nothing."""
        if self.relation not in ("<=", ">="):
            raise ValueError(
                f"A bound is given with <= or >=, not with {self.relation!r}."
            )
        if not math.isfinite(self.limit):
            raise ValueError(f"The limit of a bound is {self.limit}; give a number.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the bound that a text such as `<= 0.3` names.

        Raises
        ------
        ValueError
        """
        match = _BOUND.fullmatch(text)
        try:
            if match is not None:
                return cls(match[1], float(match[2]))
        except ValueError:
            pass
        raise ValueError(f"{text!r} is no bound; write '<= 0.3' or '>= 400'.")

    def admits(self, value: float) -> bool:
        """Return whether a value keeps the bound; a NaN keeps none."""
        if self.relation == "<=":
            return value <= self.limit
        return value >= self.limit

    def loosened(self, factor: float) -> "Bound":
        """Return a bound `factor` times as wide."""
        scale = factor if self.relation == "<=" else 1.0 / factor
        return Bound(self.relation, self.limit * scale)

    def __str__(self) -> str:
        """Return the bound as it is written in `budgets.toml`."""
        return f"{self.relation} {self.limit:g}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure.

    Parameters
    ----------
    name : str
        The key under which `budgets.toml` has its budget.
    value : float
    unit : str
    target : Bound or None
        What the design asks for; None for information.
    budget : Bound or None
        The loose limit that fails a build; None before the budgets were read.
    percentiles : Percentiles or None
        Of the distribution that the figure comes from, in the row's unit.
    detail : str
        How it was measured, in a few words.
    """

    name: str
    value: float
    unit: str
    target: Bound | None = None
    budget: Bound | None = None
    percentiles: Percentiles | None = None
    detail: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None without one."""
        return None if self.target is None else self.target.admits(self.value)

    @property
    def within_budget(self) -> bool:
        """Whether the budget is kept; a row without one keeps none."""
        return self.budget is not None and self.budget.admits(self.value)

    @property
    def verdict(self) -> str:
        """What to think of it, in a word or three."""
        if not self.within_budget:
            return "BUDGET BROKEN"
        if self.holds is None:
            return "within budget"
        return "holds" if self.holds else "target missed"

    def as_dict(self) -> dict[str, object]:
        """Return the row for machines."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": _text(self.target),
            "holds": self.holds,
            "budget": _text(self.budget),
            "within_budget": self.within_budget,
            "percentiles": None
            if self.percentiles is None
            else self.percentiles.as_dict(),
            "detail": self.detail,
        }


def _text(bound: Bound | None) -> str | None:
    return None if bound is None else str(bound)
