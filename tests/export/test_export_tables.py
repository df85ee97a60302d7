import csv

import numpy as np
import pytest

from controller.core.reasons import Outcome
from controller.errors import FileError, MissingExtra, RecordingError
from controller.export.columns import Column, Table
from controller.export.opened import open_session
from controller.export.tables import TABLES, session_table, write_tables
from controller.safety.interlock import Refusal


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_decision_has_its_row_and_its_reason(opened):
    decisions = opened.session.decisions
    table = opened.table("decisions")
    assert len(table) == len(decisions)
    held = decisions["outcome"] == Outcome.HELD
    assert [status == "held" for status in table["status"]] == held.tolist()
    assert all(table["reason"][row] for row in np.flatnonzero(held))
    assert set(table["reason"]) == {
        None,
        "TOO_LATE",
        "INTERVAL",
        "AMPLITUDE|INTERVAL",
    }


def test_pulses_stand_beside_what_was_recorded_of_them(opened):
    table, pulses = opened.table("pulses"), opened.session.pulses
    assert list(table["decision"]) == pulses["decision"].tolist()
    late = pulses["refusal"] == Refusal.TOO_LATE
    assert late.any()
    assert [status == "refused" for status in table["status"]] == late.tolist()
    for row in np.flatnonzero(~late):
        observed = pulses["t_observed"][row]
        assert table["t_trigger_sent"][row] == pulses["t_fired"][row]
        assert table["t_pulse_observed"][row] == observed
        assert table["trigger_time_s"][row] == pytest.approx(
            observed - opened.grid.t_first, abs=1e-9
        )
    refused = int(np.flatnonzero(late)[0])
    assert table["t_trigger_sent"][refused] is None
    assert table["trigger_time_s"][refused] == pytest.approx(
        pulses["t_due"][refused] - opened.grid.t_first, abs=1e-9
    )


def test_without_the_devices_record_the_outputs_latency_is_added(make):
    opened = open_session(make(observed=False).folder)
    table = opened.table("pulses")
    fired = [row for row, status in enumerate(table["status"]) if status == "fired"]
    for row in fired:
        at = table["t_trigger_sent"][row] + 0.0002 - opened.grid.t_first
        assert table["trigger_time_s"][row] == pytest.approx(at, abs=1e-9)
        assert table["t_pulse_observed"][row] is None


def test_offline_phase_is_where_the_pulse_landed(opened, made):
    table = opened.table("pulses")
    landed = [
        np.radians(phase - target)
        for phase, target, status in zip(
            table["phase_offline_deg"],
            table["target_phase_deg"],
            table["status"],
            strict=True,
        )
        if status == "fired" and phase is not None
    ]
    assert len(landed) > 10
    far = [min(abs(np.angle(np.exp(1j * (x - made.errors_rad))))) for x in landed]
    assert max(np.degrees(far)) < 10


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_read_back_to_the_same_values(opened, tmp_path, kind):
    pandas = pytest.importorskip("pandas")
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    paths = write_tables(opened.session, tmp_path / "out", kind)
    assert [path.suffix for path in paths] == [f".{kind}"] * len(TABLES)
    read = pandas.read_csv if kind == "csv" else pandas.read_parquet
    for path, name in zip(paths, TABLES, strict=True):
        table, frame = session_table(opened.session, name), read(path)
        assert tuple(frame.columns) == table.names
        assert len(frame) == len(table)
        for column in ("t_decision", "phase_offline_deg", "t_fired"):
            if column in table.names:
                cells = [np.nan if c is None else c for c in table[column]]
                np.testing.assert_array_equal(frame[column].to_numpy(), cells)


def test_words_with_commas_stay_in_one_cell(opened, tmp_path):
    paths = write_tables(opened.session, tmp_path, "csv")
    events = rows_of(next(path for path in paths if "events" in path.name))
    assert {row["event"] for row in events} >= {"armed"}
    assert all(None not in row for row in events)


def test_nothing_is_overwritten_unless_asked(opened, tmp_path):
    write_tables(opened.session, tmp_path, "csv")
    with pytest.raises(RecordingError, match="exists already"):
        write_tables(opened.session, tmp_path, "csv")
    write_tables(opened.session, tmp_path, "csv", overwrite=True)


def test_parquet_without_its_package_is_refused_before_anything(
    opened, tmp_path, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"phasegate\[parquet\]"):
        write_tables(opened.session, tmp_path / "out", "parquet")
    assert not (tmp_path / "out").exists()


def test_an_unknown_table_is_refused(opened):
    with pytest.raises(FileError, match="decisions, pulses, edges, events"):
        opened.table("dreams")


def test_a_tab_in_a_text_does_not_break_its_row():
    column = Column(name="text", description="x", cells=["one\ttwo\nthree", None, 0.5])
    assert Table(columns=(column,)).text() == "text\none two three\nn/a\n0.5\n"
