import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.reasons import Outcome
from controller.core.records import DECISION, EDGE
from controller.errors import FileError, RecordingError
from controller.kernels.jit import new_records
from controller.safety.interlock import REFUSAL_SENTENCES, Refusal
from controller.session.arrivals import match_arrivals
from controller.session.pulses import (
    COLUMNS,
    NEVER_DUE,
    PULSE,
    PulseTable,
    fired,
    read_pulses,
    refusal_name,
    refusal_sentence,
    rewrite_pulses,
)
from controller.session.recording.append_file import AppendFile

NO_DECISIONS = new_records(DECISION, 0)
NO_EDGES = new_records(EDGE, 0)


def planned(decision, outcome=Outcome.PLANNED, refusal=Refusal.NONE):
    row = new_records(DECISION)
    row["decision"] = decision
    row["trial"] = decision + 100
    row["outcome"] = outcome
    row["refusal"] = refusal
    row["t_due"] = decision + 0.002
    row["t_write"] = decision + 0.001
    row["phase_rad"] = -math.pi / 2
    row["target_phase_rad"] = math.pi
    row["amplitude_uv"] = 12.25
    return row


def edge(decision, refusal=Refusal.NONE, *, number=0, rises=1):
    row = new_records(EDGE)
    row["decision"] = decision
    row["edge"] = number
    row["rises"] = rises
    row["t_due"] = decision + 0.0015
    row["t_fired"] = decision + 0.0015 + 12e-6
    row["t_after"] = decision + 0.0015 + 30e-6
    row["refusal"] = refusal
    return row


@pytest.fixture
def table(tmp_path):
    table = PulseTable(AppendFile(tmp_path / "pulses.tsv"))
    yield table
    table.close()


def test_a_fired_pulse_is_one_row(table, tmp_path):
    assert len(table.append(planned(5), NO_EDGES)) == 0
    pulses = table.append(
        NO_DECISIONS, np.concatenate([edge(5), edge(5, number=1, rises=0)])
    )
    assert pulses["decision"].tolist() == [5]
    header, row = (tmp_path / "pulses.tsv").read_text().splitlines()
    cells = dict(zip(header.split("\t"), row.split("\t"), strict=True))
    assert tuple(cells) == COLUMNS
    assert cells["outcome"] == "fired"
    assert cells["refusal"] == "n/a"
    assert cells["lateness_us"] == "12"
    assert cells["t_observed"] == "n/a"
    assert cells["target_phase_deg"] == "180"
    assert cells["predicted_phase_deg"] == "-90"
    assert cells["amplitude_uv"] == "12.25"
    assert cells["trial"] == "105"


def test_an_edge_may_come_before_its_decision(table):
    assert len(table.append(NO_DECISIONS, edge(5))) == 0
    pulses = table.append(planned(5), NO_EDGES)
    assert len(fired(pulses)) == 1


def test_refusal_at_the_deadline_is_a_row_without_a_call(table):
    pulses = table.append(planned(5), edge(5, Refusal.TOO_LATE))
    assert pulses["refusal"].tolist() == [Refusal.TOO_LATE]
    assert math.isnan(pulses["t_fired"][0])
    assert len(fired(pulses)) == 0


def test_refusal_when_planning_is_a_row(table):
    rows = planned(5, Outcome.REFUSED, Refusal.NOT_ARMED)
    assert table.append(rows, NO_EDGES)["refusal"].tolist() == [Refusal.NOT_ARMED]


def test_held_decisions_are_no_pulses(table):
    assert len(table.append(planned(5, Outcome.HELD), NO_EDGES)) == 0


def test_a_pulse_that_never_came_due_is_told_at_the_end(table):
    table.append(planned(5), NO_EDGES)
    assert table.close()["refusal"].tolist() == [NEVER_DUE]


def test_every_refusal_has_a_word_and_a_sentence():
    for refusal in REFUSAL_SENTENCES:
        assert refusal_sentence(refusal_name(refusal)) == REFUSAL_SENTENCES[refusal]
    assert "before the pulse was due" in refusal_sentence(refusal_name(NEVER_DUE))


def test_the_table_comes_back(table, tmp_path):
    decisions = np.concatenate([planned(k) for k in range(4)])
    edges = np.concatenate([edge(0), edge(1, Refusal.DATA_TOO_OLD), edge(2)])
    written = [table.append(decisions, edges), table.close()]
    back = read_pulses(tmp_path / "pulses.tsv")
    expected = np.concatenate(written)
    assert len(back) == 4
    for name in PULSE.names:
        tolerance = 1e-6 if name.endswith("_rad") else 0.0
        np.testing.assert_allclose(back[name], expected[name], rtol=0, atol=tolerance)


def test_rewriting_puts_arrivals_in(table, tmp_path):
    pulses = table.append(planned(5), edge(5))
    table.close()
    pulses["t_observed"] = 5.25
    rewrite_pulses(tmp_path / "pulses.tsv", pulses)
    assert read_pulses(tmp_path / "pulses.tsv")["t_observed"].tolist() == [5.25]
    assert [p.name for p in tmp_path.iterdir()] == ["pulses.tsv"]


def test_rewriting_without_a_disk_is_one_sentence(tmp_path):
    with pytest.raises(RecordingError, match="cannot be completed: no such file"):
        rewrite_pulses(tmp_path / "gone" / "pulses.tsv", new_records(PULSE, 0))


def test_torn_last_row_is_left_out(table, tmp_path):
    table.append(planned(5), edge(5))
    path = tmp_path / "pulses.tsv"
    path.write_text(path.read_text() + "6\t10")
    assert read_pulses(path)["decision"].tolist() == [5]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\tb\n", "does not have the columns"),
        ("", "does not have the columns"),
        ("\t".join(COLUMNS) + "\n1\t2\n", "damaged in line 2"),
        ("\t".join(COLUMNS) + "\n" + "\t".join(["x"] * len(COLUMNS)) + "\n", "line 2"),
    ],
)
def test_damaged_table_is_refused(tmp_path, text, sentence):
    (tmp_path / "pulses.tsv").write_text(text)
    with pytest.raises(FileError, match=sentence):
        read_pulses(tmp_path / "pulses.tsv")


def test_arrivals_in_order_are_matched():
    match = match_arrivals([1.0, 2.0, 3.0], [(1.001, 1), (2.002, 1), (3.003, 1)])
    np.testing.assert_array_equal(match.t_observed, [1.001, 2.002, 3.003])
    assert (match.n_missing, match.n_extra) == (0, 0)


@pytest.mark.parametrize(
    ("arrivals", "expected", "n_missing", "n_extra"),
    [
        ([], [np.nan, np.nan], 2, 0),
        ([(2.001, 1)], [np.nan, 2.001], 1, 0),
        ([(1.001, 1)], [1.001, np.nan], 1, 0),
        ([(0.5, 1), (1.001, 1), (2.001, 1)], [1.001, 2.001], 0, 1),
        ([(1.001, 1), (1.002, 1), (2.001, 1)], [1.001, 2.001], 0, 1),
        ([(1.001, 1), (1.006, 0), (2.001, 1), (2.006, 0)], [1.001, 2.001], 0, 0),
        ([(1.05, 1), (2.051, 1)], [1.05, np.nan], 1, 1),
        ([(2.001, 1), (1.001, 1)], [1.001, 2.001], 0, 0),
        ([(math.nan, 1), (1.001, 1)], [1.001, np.nan], 1, 1),
    ],
)
def test_missing_and_extra_arrivals_are_counted(arrivals, expected, n_missing, n_extra):
    match = match_arrivals([1.0, 2.0], arrivals, max_latency_s=0.05 + 1e-12)
    np.testing.assert_array_equal(match.t_observed, expected)
    assert (match.n_missing, match.n_extra) == (n_missing, n_extra)


@settings(max_examples=50, deadline=None)
@given(
    kept=st.lists(st.booleans(), max_size=30),
    extra=st.lists(st.floats(0, 30), max_size=10),
    latency_s=st.floats(0, 0.04),
)
def test_no_arrival_is_used_twice_and_none_is_early(kept, extra, latency_s):
    t_fired = 1.0 + np.arange(len(kept))
    true = [(float(t) + latency_s, 1) for t, k in zip(t_fired, kept, strict=True) if k]
    arrivals = true + [(t, 1) for t in extra]
    match = match_arrivals(t_fired, arrivals)
    seen = match.t_observed[np.isfinite(match.t_observed)]
    latency = match.t_observed - t_fired
    assert np.all(latency[np.isfinite(latency)] >= 0)
    assert np.all(latency[np.isfinite(latency)] <= 0.05)
    assert len(seen) + match.n_extra == len(arrivals)
    assert len(seen) + match.n_missing == len(t_fired)
    assert len(seen) >= len(true)
