"""Latency, punctuality and load over a real stream and a real line: targets 1 to 4, 7.

`python -m bench.latency` needs Linux. An outlet, the loop and the far end of the
trigger line are three processes. Two ways to time a trigger:

at once
    The deadline of every trigger has passed when it is decided, so it leaves as soon as
    the loop can send it. *Sample to arrival* runs from the push of the deciding sample
    in the outlet's process to the byte's stamp in the receiver's: LSL transport, the
    decision, the call and the line.
scheduled
    The trigger is due at the target phase, up to 2.5 ms after the decision. *Deadline
    error* runs from the deadline to the reading of the clock just before the call.

The plain-Python reference does the same work on the same stream in the same run, turn
and turn about. Ratios are those of one turn, the median of all turns; percentiles pool
the turns. The hog computes and collects garbage in a thread of the loop's own process.
"""

import dataclasses
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from bench.budgets import read_budgets
from bench.disturbance import StallingRunner, hogged_lock
from bench.measured import Block, Float64Array
from bench.outcome import exit_code, print_rows, to_json
from bench.percentiles import Percentiles, summarise
from bench.rows import Bound, Row
from bench.scenes import AT_ONCE, SCHEDULED
from bench.stage import Bench, receiving, streaming

SUITE = "latency"

_STALL_S = 4e-3
_STALL_EVERY_PULLS = 41
_STALL_EVERY_READINGS = 20_011
_SMOKE_S = 2.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long each block counts, and how many turns the comparisons take.

    Parameters
    ----------
    seconds : float
    turns : int
    """

    seconds: float = 10.0
    turns: int = 3


def measure(plan: Plan) -> tuple[list[Row], str]:
    """Return the rows of this suite, and the privileges they were measured with."""
    with receiving() as receiver:
        with streaming(
            receiver, plan.seconds, n_channels=8, rate_hz=1000.0, chunk=1
        ) as bench:
            rows, privileges = comparison_rows(bench, plan.turns)
            rows += hog_rows(bench, max(1, plan.turns - 1))
            rows += deadline_rows(bench)
            rows += stall_rows(bench)
            rows += pipe_rows(bench)
        with streaming(
            receiver, plan.seconds, n_channels=128, rate_hz=5000.0, chunk=5
        ) as bench:
            rows += load_rows(bench)
    return rows, privileges


def comparison_rows(bench: Bench, turns: int) -> tuple[list[Row], str]:
    """Return target 1: the compiled loop beside the plain-Python one."""
    ours, theirs = [], []
    for _ in range(turns):
        ours.append(bench.live(AT_ONCE))
        theirs.append(bench.reference(AT_ONCE))
    arrival = pooled(ours, "push_to_arrival_us")
    reference = pooled(theirs, "push_to_arrival_us")
    decision = summarise(np.concatenate([b.push_to_decision_us for b in ours]))
    line = pooled(ours, "fire_to_arrival_us")
    cpu_us = [1e6 * block.cpu_s / block.n_samples for block in ours]
    reference_cpu_us = [1e6 * block.cpu_s / block.n_samples for block in theirs]
    rows = [
        Row(
            name="loop.sample_to_arrival_ratio",
            value=median_ratio(medians(ours), medians(theirs)),
            unit="ratio",
            target=Bound("<=", 0.6),
            detail=f"of medians, 1 kHz x 8; reference in us: {reference}",
        ),
        Row(
            name="loop.cpu_ratio",
            value=median_ratio(cpu_us, reference_cpu_us),
            unit="ratio",
            target=Bound("<=", 0.3),
            detail=f"processor time of the loop's thread, "
            f"{statistics.median(cpu_us):.1f} against "
            f"{statistics.median(reference_cpu_us):.1f} us/sample",
        ),
        _distribution("loop.sample_to_arrival_p50", arrival, _counts(ours)),
        _distribution("loop.sample_to_decision_p50", decision, "push to decision"),
        _distribution("line.fire_to_arrival_p50", line, "pseudo-terminal"),
    ]
    return rows, ours[0].privileges


def hog_rows(bench: Bench, turns: int) -> list[Row]:
    """Return target 2: what a thread that hogs Python's lock does to the loop."""
    calm, hogged = [], []
    for _ in range(turns):
        calm.append(bench.live(AT_ONCE))
        with hogged_lock():
            hogged.append(bench.live(AT_ONCE))
    with hogged_lock():
        reference = bench.reference(AT_ONCE)
    n_reference = reference.fired.t_fired.size / reference.wall_s
    n_ours = sum(b.fired.t_fired.size for b in hogged) / sum(b.wall_s for b in hogged)
    return [
        Row(
            name="hog.p50_ratio",
            value=median_ratio(medians(hogged), medians(calm)),
            unit="ratio",
            target=Bound("<=", 1.2),
            percentiles=None,
            detail="sample to arrival with the hog over without; with it, in us: "
            f"{pooled(hogged, 'push_to_arrival_us')}; triggers that left per second: "
            f"{n_ours:.0f}, reference beside the hog {n_reference:.0f}",
        )
    ]


def deadline_rows(bench: Bench) -> list[Row]:
    """Return target 3: how punctual the call is."""
    block = bench.live(SCHEDULED)
    reference = bench.reference(SCHEDULED)
    error = summarise(block.fired.deadline_error_us)
    beside = f"reference in us: {summarise(reference.fired.deadline_error_us)}"
    real_time = "SCHED_FIFO granted" in block.privileges
    return [
        Row(
            name="deadline.error_p50",
            value=error.p50,
            unit="us",
            target=Bound("<=", 1.0),
            percentiles=error,
            detail=beside,
        ),
        Row(
            name="deadline.error_p99",
            value=error.p99,
            unit="us",
            target=Bound("<=", 50.0) if real_time else None,
            detail=""
            if real_time
            else "the target of 50 us is for SCHED_FIFO, which was not granted",
        ),
    ]


def stall_rows(bench: Bench) -> list[Row]:
    """Return target 4: stalls make the loop refuse, never fire late."""
    runner = StallingRunner(
        stall_s=_STALL_S,
        every_pulls=_STALL_EVERY_PULLS,
        every_readings=_STALL_EVERY_READINGS,
    )
    block = bench.live(SCHEDULED, runner=runner)
    late_s = block.fired.t_fired - block.fired.t_due
    beyond = int(np.count_nonzero(~(late_s <= SCHEDULED.max_lateness_s)))
    return [
        Row(
            name="stalls.fired_too_late",
            value=float(beyond),
            unit="triggers",
            target=Bound("<=", 0.0),
            detail=f"{runner.n_stalls} stalls of {1e3 * _STALL_S:g} ms, limit "
            f"{1e3 * SCHEDULED.max_lateness_s:g} ms; {late_s.size} fired, the latest "
            f"{1e6 * late_s.max(initial=0.0):.1f} us after its deadline",
        ),
        Row(
            name="stalls.refused_as_late",
            value=float(block.refused_late),
            unit="triggers",
            target=Bound(">=", 1.0),
            detail="refused at the deadline and counted",
        ),
    ]


def pipe_rows(bench: Bench) -> list[Row]:
    """Return a control: the same byte through a pipe."""
    with receiving(pipe=True) as pipe:
        block = bench.live(AT_ONCE, receiver=pipe)
    line = summarise(block.fired.fire_to_arrival_us)
    return [_distribution("line.pipe_fire_to_arrival_p50", line, "a pipe, as control")]


def load_rows(bench: Bench) -> list[Row]:
    """Return target 7: 5 kHz x 128 channels, pushed five samples at a time."""
    block = bench.live(AT_ONCE)
    return [
        Row(
            name="load.loop_share",
            value=100.0 * block.cpu_share,
            unit="% of a core",
            target=Bound("<=", 10.0),
            detail=f"5 kHz x 128, pushes of 5 samples, {block.n_samples} samples in "
            f"{block.wall_s:.1f} s; sample to arrival in us: "
            f"{summarise(block.fired.push_to_arrival_us)}",
        ),
        Row(
            name="load.samples_lost",
            value=float(block.n_lost),
            unit="samples",
            target=Bound("<=", 0.0),
            detail="by gaps between stamps",
        ),
    ]


def medians(blocks: Sequence[Block]) -> list[float]:
    """Return each block's median from push to arrival, in microseconds."""
    return [summarise(block.fired.push_to_arrival_us).p50 for block in blocks]


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median over the turns of the ratio within each turn."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def pooled(blocks: Sequence[Block], name: str) -> Percentiles:
    """Return the percentiles of a property of `Fired` over all blocks."""
    values: list[Float64Array] = [getattr(block.fired, name) for block in blocks]
    return summarise(np.concatenate(values))


def _distribution(name: str, values: Percentiles, detail: str) -> Row:
    return Row(
        name=name, value=values.p50, unit="us", percentiles=values, detail=detail
    )


def _counts(blocks: Sequence[Block]) -> str:
    refused = sum(block.refused_late for block in blocks)
    merged = sum(block.merged for block in blocks)
    lost = sum(block.n_lost for block in blocks)
    return f"{refused} refused as late, {merged} read together, {lost} samples lost"


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Rows.")
@click.option("--seconds", type=click.FloatRange(1.0, 600.0), help="Of each block.")
@click.option("--smoke", is_flag=True, help="Short, with looser budgets.")
def main(json_file: Path | None, seconds: float | None, *, smoke: bool) -> None:
    """Measure latency, punctuality and load on this machine."""
    measured, privileges = measure(planned(seconds=seconds, smoke=smoke))
    rows = read_budgets().applied(SUITE, measured, smoke=smoke)
    print_rows(rows)
    click.echo(f"Privileges: {privileges}.")
    if json_file is not None:
        json_file.write_text(to_json(rows), encoding="utf-8")
    sys.exit(exit_code(rows))


def planned(*, seconds: float | None, smoke: bool) -> Plan:
    """Return the plan that the options ask for."""
    plan = Plan(seconds=_SMOKE_S, turns=1) if smoke else Plan()
    return plan if seconds is None else dataclasses.replace(plan, seconds=seconds)


if __name__ == "__main__":
    main()
