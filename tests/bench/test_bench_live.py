import sys

import numpy as np
import pytest

from bench import budgets, latency
from bench.disturbance import hogged_lock
from bench.scenes import AT_ONCE
from bench.stage import receiving, streaming

pytestmark = [
    pytest.mark.lsl,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs the address table"),
]


def test_both_loops_fire_at_every_cycle_and_every_byte_arrives():
    with (
        receiving() as receiver,
        streaming(receiver, 1.0, n_channels=8, rate_hz=1000.0, chunk=1) as bench,
    ):
        ours, theirs = bench.live(AT_ONCE), bench.reference(AT_ONCE)
        with hogged_lock():
            hogged = bench.live(AT_ONCE)
    for block in (ours, theirs, hogged):
        # How many depends on the machine's load; that any left says the path is whole.
        assert block.fired.t_fired.size > 0
        assert np.all(block.fired.push_to_arrival_us > 0.0)
        assert np.all(block.fired.t_fired >= block.fired.t_due)
        assert block.cpu_s > 0.0
    assert ours.push_to_decision_us.size > 0
    assert np.all(ours.push_to_decision_us > 0.0)


def test_stalled_loop_refuses_and_chunks_arrive_whole():
    with receiving() as receiver:
        with streaming(receiver, 1.0, n_channels=8, rate_hz=1000.0, chunk=1) as bench:
            late, refused = latency.stall_rows(bench)
        with streaming(receiver, 1.0, n_channels=16, rate_hz=2000.0, chunk=4) as bench:
            share, lost = latency.load_rows(bench)
    assert late.value == 0.0
    assert refused.value >= 1.0
    assert 0.0 < share.value < 100.0
    assert lost.value == 0.0


def test_every_latency_row_has_a_budget():
    names = budgets.read_budgets().suites[latency.SUITE]
    assert {"deadline.error_p99", "hog.p50_ratio", "stalls.fired_too_late"} <= set(
        names
    )
