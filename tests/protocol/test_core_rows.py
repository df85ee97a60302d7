import itertools
import math

import numpy as np
import pytest

from controller.core.records import PATTERN, PATTERN_EDGE, TRIAL, TrialKind
from controller.errors import ConfigError
from controller.protocol.core_rows import (
    FALL,
    NO_PATTERN,
    RISE,
    Wiring,
    rows_of,
)
from controller.protocol.protocol_file import load_protocol
from controller.protocol.trial_list import trial_list
from tests.protocol.conftest import READY

MORE = """[[stages]]
kind = "run"
name = "before"
n_trials = 2
conditions = ["trough"]
[[stages]]"""
WIRING = Wiring(pulse_s=0.001, falls=True, device_pairs=False, rhythm_hz=10.0)


def rows_from(protocol, wiring=WIRING):
    trials = trial_list(protocol)
    return trials, rows_of(protocol, trials, wiring)


def test_a_single_pulse_is_a_row_with_two_edges(small) -> None:
    trials, rows = rows_from(small())
    assert [row.trial for row in rows.rows] == [trial.number for trial in trials]
    assert rows.patterns[NO_PATTERN] == ()
    records = rows.trial_records()
    assert records.dtype == TRIAL
    expected = [{"peak": 0.0, "trough": math.pi}[t.condition] for t in trials]
    assert records.target_phase_rad.tolist() == expected
    assert records.condition.tolist() == [int(value > 0) for value in expected]
    assert set(records.iti_s.tolist()) == {3.0}
    patterns, edges = rows.pattern_records(falls=True)
    assert (patterns.dtype, edges.dtype) == (PATTERN, PATTERN_EDGE)
    assert patterns.n_edges.tolist() == [0, 2]
    assert edges.offset_s.tolist() == [0.0, 0.001]
    assert edges.action.tolist() == [RISE, FALL]
    assert edges.rises.tolist() == [1, 0]


def test_an_output_that_falls_by_itself_has_rises_only(small) -> None:
    protocol = small(
        ("[intervals]", '[pattern]\nkind = "burst"\nn_pulses=3\ninterval_ms=20\n'
         "[dose]".replace("[dose]", "[intervals]"))
    )  # fmt: skip
    _, rows = rows_from(protocol)
    patterns, edges = rows.pattern_records(falls=False)
    assert patterns.n_edges.tolist() == [0, 3]
    assert edges.rises.tolist() == [1, 1, 1]
    assert edges.offset_s == pytest.approx([0, 0.02, 0.04])


def test_shadows_and_controls_have_no_edge(small) -> None:
    protocol = small(
        ("[dose]", "[shadow]\nshare = 0.5\n[dose]"),
        ('{ kind = "phase", phase_deg = 180 }', '{ kind = "control" }'),
    )
    trials, rows = rows_from(protocol)
    records = rows.trial_records()
    for trial, row, record in zip(trials, rows.rows, records, strict=True):
        fires = trial.condition == "peak" and not trial.shadow
        assert row.fires is fires
        assert (record.pattern != NO_PATTERN) == fires
        if trial.condition == "trough":
            assert row.kind == TrialKind.CLOCK
            assert math.isnan(row.target_phase_rad)


def test_power_gates_say_which_side(small) -> None:
    protocol = small(
        (
            '{ kind = "phase", phase_deg = 0 }',
            '{ kind = "power", level = "high", percentile = 75 }',
        ),
        (
            '{ kind = "phase", phase_deg = 180 }',
            '{ kind = "power", level = "low", percentile = 25, phase_deg = 180 }',
        ),
    )
    _, rows = rows_from(protocol)
    sides = {
        (row.condition, row.kind, row.power_side, row.power_quantile)
        for row in rows.rows
    }
    assert sides == {(0, TrialKind.ANY_PHASE, 1, 0.75), (1, TrialKind.PHASE, -1, 0.25)}


def test_bursts_locked_by_themselves_are_rows_of_one_trial() -> None:
    protocol = load_protocol(READY / "itbs-phase-locked.toml")
    trials, rows = rows_from(protocol)
    assert len(rows.rows) == 10 * len(trials)
    first = rows.rows[:10]
    assert [row.burst for row in first] == list(range(10))
    assert [row.is_last for row in first] == [False] * 9 + [True]
    assert [row.n_before for row in first] == list(range(0, 30, 3))
    assert [row.n_left for row in first] == list(range(30, 0, -3))
    # In its turn, 200 ms, or half a cycle of 10 Hz early.
    assert [row.earliest_s for row in first[1:]] == pytest.approx([0.15] * 9)
    # Onset to onset of trials stays the interval: 10 s, less what the bursts took.
    assert rows.rows[10].earliest_s == pytest.approx(10.0)
    patterns, edges = rows.pattern_records(falls=True)
    assert patterns.n_edges.tolist() == [0, 6]
    rises = np.asarray(edges.offset_s)[np.asarray(edges.rises) == 1]
    assert rises == pytest.approx([0, 0.02, 0.04])


@pytest.mark.parametrize("rhythm_hz", [0.8, 4.0, 10.0, 30.0, 0.0])
def test_a_burst_never_begins_in_the_one_before(rhythm_hz) -> None:
    protocol = load_protocol(READY / "itbs-phase-locked.toml")
    wiring = Wiring(pulse_s=0.001, falls=True, device_pairs=False, rhythm_hz=rhythm_hz)
    _, rows = rows_from(protocol, wiring)
    for before, row in itertools.pairwise(rows.rows):
        if row.trial == before.trial:
            assert 0.04 + 0.02 - 1e-9 <= row.earliest_s <= 0.2 + 1e-9


def test_a_yoked_condition_comes_when_the_other_session_s_trials_came(small) -> None:
    protocol = small(
        ('{ kind = "phase", phase_deg = 0 }', '{ kind = "yoked", session = "x" }'),
        ("n_trials = 40", 'n_trials = 3\nconditions = ["peak"]'),
        ("[[stages]]", MORE),
    )
    trials = trial_list(protocol)
    rows = rows_of(protocol, trials, WIRING, {"peak": (0.0, 4.5, 9.25)})
    yoked = [row for row in rows.rows if row.kind == TrialKind.YOKED]
    assert [row.at_s for row in yoked] == [0.0, 4.5, 9.25]
    assert all(math.isnan(row.at_s) for row in rows.rows if row not in yoked)
    with pytest.raises(ConfigError, match="a session with 2 trials, fewer"):
        rows_of(protocol, trials, WIRING, {"peak": (0.0, 4.5)})


def test_a_burst_locked_once_is_one_row_with_every_edge() -> None:
    protocol = load_protocol(READY / "ctbs.toml")
    _, rows = rows_from(protocol)
    patterns, edges = rows.pattern_records(falls=True)
    assert len(rows.rows) == 1
    assert patterns.n_edges.tolist() == [0, 1200]
    assert int(np.sum(edges.rises)) == 600


def test_a_device_that_makes_pairs_gets_one_edge_that_counts_twice() -> None:
    protocol = load_protocol(READY / "sici-icf-mu.toml")
    wiring = Wiring(pulse_s=0.001, falls=True, device_pairs=True, rhythm_hz=10.0)
    _, by_device = rows_from(protocol, wiring)
    assert by_device.pulses_per_edge == (0, 1, 2)
    assert [len(edges) for edges in by_device.patterns] == [0, 2, 2]
    _, by_edges = rows_from(protocol)
    assert by_edges.pulses_per_edge == (0, 1, 1, 1)
    assert [len(edges) for edges in by_edges.patterns] == [0, 2, 4, 4]


@pytest.mark.parametrize("name", sorted(path.stem for path in READY.glob("*.toml")))
def test_edges_that_rise_are_the_planned_dose(name) -> None:
    from controller.protocol.dose import planned_dose

    protocol = load_protocol(READY / f"{name}.toml")
    trials, rows = rows_from(protocol)
    n_rises = [sum(edge.rises for edge in edges) for edges in rows.patterns]
    given = sum(
        n_rises[row.pattern] * rows.pulses_per_edge[row.pattern]
        for row in rows.rows
        if row.fires
    )
    assert given == planned_dose(protocol, trials).per_session
