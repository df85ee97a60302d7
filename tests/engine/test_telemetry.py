import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.engine.telemetry import backlog, drain, join, new_telemetry


def write(telemetry, written, samples, decisions, edges):
    """Write numbered rows as the loop does: first the rows, then the heads."""
    for _ in range(samples):
        place = written["samples"] % len(telemetry.samples)
        telemetry.samples[place].t_sample = written["samples"]
        telemetry.raw[place] = written["samples"]
        written["samples"] += 1
    for name, count, field in (
        ("decisions", decisions, "decision"),
        ("edges", edges, "decision"),
    ):
        ring = getattr(telemetry, name)
        for _ in range(count):
            ring[written[name] % len(ring)][field] = written[name]
            written[name] += 1
    telemetry.heads[:] = [written[name] for name in ("samples", "decisions", "edges")]


@settings(max_examples=60)
@given(
    turns=st.lists(
        st.tuples(st.integers(0, 16), st.integers(0, 150), st.integers(0, 150)),
        max_size=12,
    ),
    start=st.sampled_from([0, 1, 15, 4000, 4095, 10**12]),
)
def test_drained_rows_are_all_rows_in_order(turns, start):
    telemetry = new_telemetry(2, n_samples=16)
    written = dict.fromkeys(("samples", "decisions", "edges"), start)
    telemetry.heads[:] = telemetry.tails[:] = start
    batches = [drain(telemetry)]
    for turn in turns:
        write(telemetry, written, *turn)
        batches.append(drain(telemetry))
        assert np.array_equal(telemetry.tails, telemetry.heads)
    batch = join(batches)
    expected = {name: list(range(start, end)) for name, end in written.items()}
    assert batch.samples["t_sample"].tolist() == expected["samples"]
    assert batch.raw[:, 1].tolist() == [
        float(np.float32(k)) for k in expected["samples"]
    ]
    assert batch.decisions["decision"].tolist() == expected["decisions"]
    assert batch.edges["decision"].tolist() == expected["edges"]


def test_a_batch_is_a_copy():
    telemetry = new_telemetry(1, n_samples=16)
    written = dict.fromkeys(("samples", "decisions", "edges"), 0)
    write(telemetry, written, 3, 1, 1)
    batch = drain(telemetry)
    write(telemetry, written, 16, 0, 0)
    assert batch.samples["t_sample"].tolist() == [0.0, 1.0, 2.0]


def test_rows_above_the_head_are_not_handed_out():
    telemetry = new_telemetry(1, n_samples=16)
    telemetry.samples[0].t_sample = 9.0
    assert len(drain(telemetry).samples) == 0


def test_raw_samples_can_be_left_out():
    telemetry = new_telemetry(3, n_samples=16, with_raw=False)
    telemetry.heads[0] = 5
    batch = drain(telemetry)
    assert (len(batch.samples), batch.raw.shape) == (5, (0, 3))


@pytest.mark.parametrize(("asked", "got"), [(1, 16), (16, 16), (17, 32), (8192, 8192)])
def test_rings_are_powers_of_two_that_hold_what_was_asked(asked, got):
    telemetry = new_telemetry(1, n_samples=asked)
    assert len(telemetry.samples) == len(telemetry.raw) == got
    for ring in (telemetry.decisions, telemetry.edges):
        assert len(ring) & (len(ring) - 1) == 0


def test_backlog_is_the_share_that_waits():
    telemetry = new_telemetry(1, n_samples=16)
    write(telemetry, dict.fromkeys(("samples", "decisions", "edges"), 0), 4, 0, 0)
    assert backlog(telemetry) == 0.25
    drain(telemetry)
    assert backlog(telemetry) == 0.0
