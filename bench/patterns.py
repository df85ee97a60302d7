"""How punctual every edge of a pattern is, beside a plain-Python scheduler.

`python -m bench.patterns` needs Linux. The protocol of `bench.pattern_scene` has theta
bursts (triplets at 50 Hz, five a second) locked by their first pulse or at every
burst, pairs 2 ms apart and a train of 10 Hz. The compiled loop fires it over a real
stream, at the simulated serial trigger box. The scheduler writes the same patterns to
a box of the same kind in the same run, turn and turn about: it sleeps until each edge
is due, as a script would, and has no stream to look after.

edge error
    From the planned instant to the stamp of the simulated box, so that the way through
    the pseudo-terminal and the box's own waking up count as well.
call error
    From the planned instant to the reading of the clock just before the call.
spacing error
    How far a pulse is off its place after its pattern's first, at the box.
"""

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from bench.budgets import read_budgets
from bench.latency import median_ratio
from bench.measured import Float64Array
from bench.outcome import conditions_now, exit_code, print_rows, to_json
from bench.pattern_runs import MAX_LATENESS_S, Pulses, run_patterns, run_script
from bench.pattern_scene import CONDITIONS
from bench.percentiles import summarise
from bench.rows import Bound, Row
from bench.stage import streamed

SUITE = "patterns"

_N_CHANNELS = 8
_RATE_HZ = 1000.0
_SMOKE_S = 4.0
_KINDS = {"triplet": (0, 1), "pair": (2,), "train": (3,)}
_WHAT = {
    "triplet": "triplets at 50 Hz, 5 a second, locked once or at every burst",
    "pair": "pairs 2 ms apart",
    "train": "trains of 10 Hz",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long each block counts, and how many turns there are.

    Parameters
    ----------
    seconds : float
    turns : int
    """

    seconds: float = 20.0
    turns: int = 3


def planned(*, seconds: float | None, smoke: bool) -> Plan:
    """Return the plan that the options ask for."""
    plan = Plan(seconds=_SMOKE_S, turns=1) if smoke else Plan()
    return plan if seconds is None else dataclasses.replace(plan, seconds=seconds)


def measure(plan: Plan) -> tuple[list[Row], str]:
    """Return the rows of this suite, and the privileges they were measured with."""
    ours, theirs = [], []
    with streamed(n_channels=_N_CHANNELS, rate_hz=_RATE_HZ, chunk=1) as stream:
        for _ in range(plan.turns):
            ours.append(run_patterns(stream, seconds=plan.seconds))
            # The stream goes on beside it, so both have the same company.
            theirs.append(run_script(seconds=plan.seconds))
    return rows_of(ours, theirs), ours[0].privileges


def rows_of(ours: Sequence[Pulses], theirs: Sequence[Pulses]) -> list[Row]:
    """Return the rows of turns, one block of each loop a turn.

    Parameters
    ----------
    ours, theirs : sequence of Pulses
        With the conditions of `CONDITIONS`.
    """
    rows = [_edge_row(kind, ours, theirs) for kind in _KINDS]
    call_us = _pooled(ours, "call_error_us")
    spacing_us = _pooled(ours, "spacing_error_us")
    line_us = _pooled(ours, "edge_error_us") - call_us
    late_us = call_us - 1e6 * MAX_LATENESS_S
    rows += [
        Row(
            name="patterns.call_p99",
            value=summarise(call_us).p99,
            unit="us",
            target=Bound("<=", 100.0),
            percentiles=summarise(call_us),
            detail="all patterns, to the call; from there to the box in us: "
            f"{summarise(line_us)}; scheduler, to the call, in us: "
            f"{summarise(_pooled(theirs, 'call_error_us'))}",
        ),
        Row(
            name="patterns.spacing_p99",
            value=summarise(spacing_us).p99,
            unit="us",
            percentiles=summarise(spacing_us),
            detail="all patterns, from the pattern's first pulse; scheduler in us: "
            f"{summarise(_pooled(theirs, 'spacing_error_us'))}",
        ),
        _ratio_row("edge", ours, theirs),
        _ratio_row("call", ours, theirs),
        Row(
            name="patterns.fired_late",
            value=float(np.count_nonzero(~(late_us <= 0.0))),
            unit="pulses",
            target=Bound("<=", 0.0),
            detail=f"later than the limit of {1e3 * MAX_LATENESS_S:g} ms; of the "
            f"scheduler {_n_late(theirs)}",
        ),
        Row(
            name="patterns.ended_share",
            value=100.0 * sum(block.n_ended for block in ours) / _n_patterns(ours),
            unit="%",
            detail=f"of {_n_patterns(ours)} patterns ended inside, because an edge "
            f"would have been late; {sum(b.n_not_begun for b in ours)} not begun; "
            f"{sum(b.n_merged for b in ours)} edges read together by the box",
        ),
    ]
    return rows


def _edge_row(kind: str, ours: Sequence[Pulses], theirs: Sequence[Pulses]) -> Row:
    places = _KINDS[kind]
    error = summarise(_pooled([b.of(*places) for b in ours], "edge_error_us"))
    beside = summarise(_pooled([b.of(*places) for b in theirs], "edge_error_us"))
    names = ", ".join(CONDITIONS[place] for place in places)
    return Row(
        name=f"patterns.{kind}_edge_p99",
        value=error.p99,
        unit="us",
        target=Bound("<=", 100.0),
        percentiles=error,
        detail=f"{_WHAT[kind]} ({names}), to the box; scheduler in us: {beside}",
    )


def _ratio_row(what: str, ours: Sequence[Pulses], theirs: Sequence[Pulses]) -> Row:
    name = f"{what}_error_us"
    values = [
        [summarise(getattr(block.of(*_KINDS["triplet"]), name)).p99 for block in blocks]
        for blocks in (ours, theirs)
    ]
    return Row(
        name=f"patterns.triplet_{what}_p99_ratio",
        value=median_ratio(*values),
        unit="ratio",
        target=Bound("<=", 1.0),
        detail=f"{what} error of triplets over the scheduler's, p99 of each turn",
    )


def _pooled(blocks: Sequence[Pulses], name: str) -> Float64Array:
    return np.concatenate([getattr(block, name) for block in blocks])


def _n_late(blocks: Sequence[Pulses]) -> int:
    late = _pooled(blocks, "call_error_us") > 1e6 * MAX_LATENESS_S
    return int(np.count_nonzero(late))


def _n_patterns(blocks: Sequence[Pulses]) -> int:
    return sum(np.unique(block.pattern).size for block in blocks)


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Rows.")
@click.option("--seconds", type=click.FloatRange(1.0, 600.0), help="Of each block.")
@click.option("--smoke", is_flag=True, help="Short, with looser budgets.")
def main(json_file: Path | None, seconds: float | None, *, smoke: bool) -> None:
    """Measure the edges of patterns on this machine."""
    load_before = os.getloadavg()[0]
    measured, privileges = measure(planned(seconds=seconds, smoke=smoke))
    rows = read_budgets().applied(SUITE, measured, smoke=smoke)
    print_rows(rows)
    for name, value in conditions_now(privileges).items():
        click.echo(f"{name}: {value}")
    click.echo(f"load average before: {load_before:.2f}")
    if json_file is not None:
        json_file.write_text(to_json(rows), encoding="utf-8")
    sys.exit(exit_code(rows))


if __name__ == "__main__":
    main()
