"""From decisions and edges to what became of each row that the core was offered."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from controller.core.reasons import Outcome
from controller.protocol.core_rows import Rows
from controller.safety.interlock import REFUSAL_SENTENCES, Refusal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RowNews:
    """What became of one decision.

    Parameters
    ----------
    row : int
        Place among the rows.
    decision : int
    t : float
        When its first pulse came or would have come, host clock.
    n_pulses : int
        Given, or perhaps given: a call that failed counts.
    outcome : str
        `given`, `cut-short`, `as-if`, `refused`.
    reason : str
    """

    row: int
    decision: int
    t: float
    n_pulses: int
    outcome: Literal["given", "cut-short", "as-if", "refused"]
    reason: str = ""


@dataclasses.dataclass(slots=True, kw_only=True)
class _UnderWay:
    row: int
    t: float
    n_rises: int
    n_given: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RowPlan:
    """What a row is to give, as far as its outcome depends on it.

    Parameters
    ----------
    trial : int
        Number of its trial.
    n_rises : int
        Of its pattern.
    pulses_per_rise : int
    """

    trial: int
    n_rises: int
    pulses_per_rise: int


def plans_of(rows: Rows) -> tuple[RowPlan, ...]:
    """Return what each row is to give."""
    n_rises = [sum(edge.rises for edge in each) for each in rows.patterns]
    return tuple(
        RowPlan(
            trial=row.trial,
            n_rises=n_rises[row.pattern],
            pulses_per_rise=rows.pulses_per_edge[row.pattern],
        )
        for row in rows.rows
    )


class Tally:
    """Follows the rows of one program through what its loop wrote.

    Parameters
    ----------
    plans : sequence of RowPlan
    """

    def __init__(self, plans: Sequence[RowPlan]) -> None:
        self._plans = plans
        self._under_way: dict[int, _UnderWay] = {}

    @property
    def is_idle(self) -> bool:
        """Whether no pattern is under way."""
        return not self._under_way

    def take(self, decisions: Any, edges: Any) -> list[RowNews]:
        """Return what is over with these records of DECISION and EDGE, in order."""
        news = [*self._decided(decisions), *self._edged(edges)]
        return sorted(news, key=lambda each: each.decision)

    def left(self) -> list[RowNews]:
        """Return what was under way when the records ended."""
        why = "the session ended within it"
        over = [
            self._over(decision, "cut-short", why)
            for decision, pattern in sorted(self._under_way.items())
            if pattern.n_given > 0
        ]
        self._under_way.clear()
        return over

    def _decided(self, decisions: Any) -> Iterator[RowNews]:
        for each in decisions:
            row, decision = int(each["trial"]), int(each["decision"])
            if not row < len(self._plans):
                continue
            t = float(each["t_due"])
            if each["outcome"] == Outcome.PLANNED:
                n_rises = self._plans[row].n_rises
                self._under_way[decision] = _UnderWay(row=row, t=t, n_rises=n_rises)
            elif each["outcome"] == Outcome.REFUSED:
                reason = REFUSAL_SENTENCES[Refusal(int(each["refusal"]))]
                yield RowNews(
                    row=row,
                    decision=decision,
                    t=t,
                    n_pulses=0,
                    outcome="refused",
                    reason=reason,
                )
            elif each["outcome"] == Outcome.AS_IF:
                yield RowNews(
                    row=row, decision=decision, t=t, n_pulses=0, outcome="as-if"
                )

    def _edged(self, edges: Any) -> Iterator[RowNews]:
        for edge in edges[edges["rises"] == 1]:
            decision = int(edge["decision"])
            pattern = self._under_way.get(decision)
            if pattern is None:
                continue
            refusal = Refusal(int(edge["refusal"]))
            if refusal in (Refusal.NONE, Refusal.OUTPUT_FAILED):
                pattern.n_given += 1
            if refusal is Refusal.NONE:
                if pattern.n_given == pattern.n_rises:
                    yield self._over(decision, "given", "")
                continue
            outcome: Literal["cut-short", "refused"] = (
                "cut-short" if pattern.n_given > 0 else "refused"
            )
            yield self._over(decision, outcome, REFUSAL_SENTENCES[refusal])

    def _over(
        self,
        decision: int,
        outcome: Literal["given", "cut-short", "refused"],
        reason: str,
    ) -> RowNews:
        pattern = self._under_way.pop(decision)
        return RowNews(
            row=pattern.row,
            decision=decision,
            t=pattern.t,
            n_pulses=pattern.n_given * self._plans[pattern.row].pulses_per_rise,
            outcome=outcome,
            reason=reason,
        )
