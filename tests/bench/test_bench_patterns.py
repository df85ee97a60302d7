import sys

import numpy as np
import pytest

from bench import budgets, patterns
from bench.pattern_runs import MAX_LATENESS_S, Pulses, run_patterns, run_script
from bench.pattern_scene import CONDITIONS, pattern_program, pattern_rows
from bench.signals import RHYTHM_HZ, rhythm
from bench.stage import streamed
from controller.core.memory import new_memory
from controller.engine.virtual import regular_tape, run_virtual
from controller.safety.interlock import Refusal
from drivers.base import TriggerEdges, WireAction

EDGES = TriggerEdges(
    rise=WireAction(kind="write", descriptor=3, payload=b"\1"),
    fall=WireAction(kind="write", descriptor=3, payload=b"\0"),
)


def pulses(call_s=1e-6, line_s=5e-5, n_ended=0):
    """Return ten triplets, pairs and trains each, all equally late."""
    condition = np.repeat([0, 1, 2, 3], 30)
    t_due = 1.0 + 0.02 * np.arange(condition.size)
    return Pulses(
        condition=condition,
        pattern=np.arange(condition.size) // 3,
        t_due=t_due,
        t_fired=t_due + call_s,
        t_observed=t_due + call_s + line_s,
        n_ended=n_ended,
    )


def measured(ours, theirs):
    return {row.name: row for row in patterns.rows_of(ours, theirs)}


def test_every_row_has_a_budget():
    rows = patterns.rows_of([pulses()], [pulses()])
    applied = budgets.read_budgets().applied(patterns.SUITE, rows)
    assert len(applied) == len(rows)


def test_errors_are_counted_from_the_planned_instant():
    rows = measured([pulses(), pulses()], [pulses(call_s=4e-6, line_s=9.8e-5)] * 2)
    assert rows["patterns.triplet_edge_p99"].value == pytest.approx(51.0, rel=1e-6)
    assert rows["patterns.triplet_edge_p99"].percentiles.n == 2 * 60
    assert rows["patterns.call_p99"].value == pytest.approx(1.0, rel=1e-6)
    assert rows["patterns.triplet_edge_p99_ratio"].value == pytest.approx(0.5)
    assert rows["patterns.triplet_call_p99_ratio"].value == pytest.approx(0.25)
    assert rows["patterns.spacing_p99"].value == pytest.approx(0.0, abs=1e-6)


def test_a_pulse_off_its_place_shows_in_the_spacing():
    one = pulses()
    one.t_observed[2::3] += 3e-4
    off_us = one.spacing_error_us
    assert off_us.size == 2 * 40
    assert sorted(set(np.round(off_us, 3))) == [0.0, 300.0]


def test_pulses_beyond_the_limit_and_ended_patterns_are_told():
    late = pulses(n_ended=4)
    late.t_fired[:2] = late.t_due[:2] + MAX_LATENESS_S + 1e-5
    rows = measured([late], [pulses()])
    assert rows["patterns.fired_late"].value == 2
    assert rows["patterns.ended_share"].value == pytest.approx(10.0)
    applied = budgets.read_budgets().applied(patterns.SUITE, rows.values())
    broken = {row.name for row in applied if not row.within_budget}
    assert {"patterns.fired_late", "patterns.ended_share"} <= broken


def test_the_protocol_is_fired_as_it_is_laid_out():
    rows = pattern_rows(13)
    program = pattern_program(
        rows, sfreq_hz=1000.0, n_channels=8, edges=EDGES, max_lateness_s=MAX_LATENESS_S
    )
    tape = regular_tape(rhythm(9000, 8, 1000.0, RHYTHM_HZ), 1000.0)
    result = run_virtual(program, new_memory(program, n_window=1), tape)
    edges = result.batch.edges
    assert (edges["refusal"] == Refusal.NONE).all()
    fired = np.unique(edges["decision"])
    conditions = result.batch.decisions["condition"][fired]
    assert conditions.tolist() == [row.condition for row in rows.rows]
    assert set(conditions.tolist()) == set(range(len(CONDITIONS)))
    for decision, row in zip(fired, rows.rows, strict=True):
        rises = edges[(edges["decision"] == decision) & (edges["rises"] == 1)]
        planned_s = [edge.offset_s for edge in rows.patterns[row.pattern] if edge.rises]
        since_s = rises["t_fired"] - rises["t_due"][0]
        assert since_s == pytest.approx(planned_s, abs=1e-5)


@pytest.mark.lsl
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs the address table")
def test_the_loop_is_closer_to_each_edge_than_a_script_that_sleeps():
    with streamed(n_channels=8, rate_hz=1000.0, chunk=1) as stream:
        ours = run_patterns(stream, seconds=2.0)
    theirs = run_script(seconds=2.0)
    assert ours.t_due.size > 0
    assert np.all(ours.call_error_us >= 0.0)
    assert np.all(ours.t_observed > ours.t_due)
    assert np.all(ours.call_error_us <= 1e6 * MAX_LATENESS_S)
    # Medians, for seconds of a busy machine have no tail worth the name.
    assert np.median(ours.call_error_us) <= 0.5 * np.median(theirs.call_error_us)
