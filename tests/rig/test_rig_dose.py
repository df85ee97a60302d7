"""What a session enters in a dose book, and which one."""

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bad_days import config_of, config_text
from click.testing import CliRunner
from scenario import program_of
from test_config_stimulator import TRAIN, tables

from controller.cli.main import cli
from controller.config import Config
from controller.core.records import EDGE
from controller.errors import ConfigError, DoseExceeded, FileError
from controller.protocol.form import Protocol
from controller.protocol.protocol_file import load_protocol
from controller.rig.dose import (
    SessionDose,
    count_session,
    intensity_of,
    most_of,
    require_accountable,
    trigger_limits,
    with_pairs,
)
from controller.rig.stages import Stages
from controller.safety.ceilings import Modality
from controller.safety.interlock import Refusal

SPANS = ("per_session", "per_day", "total")
SERIAL: dict[str, object] = {"kind": "serial-byte", "port": "/dev/ttyX"}


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PHASEGATE_DOSE_BOOKS", str(tmp_path / "books"))
    return tmp_path / "books"


def real_config(**tables: dict[str, object]) -> Config:
    return config_of(output=SERIAL, **tables)


def edges_of(n: int) -> np.ndarray:
    edges = np.zeros(n, EDGE)
    edges["rises"] = 1
    edges["decision"] = np.arange(n)
    return edges


def test_a_real_output_needs_a_participant_and_a_dose() -> None:
    require_accountable(real_config())
    require_accountable(config_of())
    with pytest.raises(ConfigError, match=r"run\.participant is missing"):
        require_accountable(real_config(run={"participant": "unnamed"}))
    for blank in (" ", "P01 ", "\tP01"):
        with pytest.raises(ConfigError, match="blanks around it"):
            require_accountable(real_config(run={"participant": blank}))
    config = real_config()
    bare = config.model_copy(
        update={"limits": config.limits.model_copy(update={"dose": None})}
    )
    with pytest.raises(ConfigError, match=r"limits\.dose is missing"):
        require_accountable(bare)


def test_a_simulated_session_keeps_its_book_in_its_folder(
    books: Path, tmp_path: Path
) -> None:
    dose = SessionDose.of(config_of(), tmp_path)
    dose.reserve(program_of(n_trials=5))
    assert (tmp_path / "dose.jsonl").exists()
    assert not books.exists()


def test_what_runs_on_a_virtual_clock_stays_out_of_a_participants_book(
    books: Path, tmp_path: Path
) -> None:
    dose = SessionDose.of(real_config(), tmp_path, fires=False)
    dose.reserve(program_of(n_trials=5))
    assert (tmp_path / "dose.jsonl").exists()
    assert not books.exists()


def test_a_real_session_is_counted_in_its_participants_book(
    books: Path, tmp_path: Path
) -> None:
    dose = SessionDose.of(real_config(), tmp_path)
    assert dose.reserve(program_of(n_trials=5)).pulses == 5
    failed = edges_of(2)
    failed["decision"] += 100
    failed["refusal"] = [Refusal.OUTPUT_FAILED, Refusal.TOO_LATE]
    assert dose.settle([edges_of(3), failed]).pulses == 4
    result = CliRunner().invoke(cli, ["dose", "P01", "--json"])
    told = json.loads(result.stdout)
    assert told["given"]["marker"]["ever"]["pulses"] == 4
    assert told["given"]["marker"]["last_24_h"]["full_pulses"] == 4.0
    (row,) = told["sessions"]
    assert (row["session"], row["counted"]) == (str(tmp_path), True)
    words = CliRunner().invoke(cli, ["dose", "P01"]).output
    assert "4 pulses and 0 trains in the last 24 hours" in words
    assert "given nothing" in CliRunner().invoke(cli, ["dose", "P02"]).output


def test_a_crashed_session_is_counted_as_one_that_ended_would_have_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tables("magstim-bistim", second_intensity_pct_mso=30)
    given["limits"]["train"] = TRAIN
    given["limits.dose"] = {f"max_trains_{name}": 9 for name in SPANS}
    dose = SessionDose.of(config_of(**given), tmp_path)
    assert dose.reserve(program_of(n_trials=5)).pulses == 10
    recorded = SimpleNamespace(
        edges=edges_of(3), config_text=config_text(**given), notes=(), events=[]
    )
    monkeypatch.setattr("controller.rig.dose.load_session", lambda _: recorded)
    counted = count_session("P01", tmp_path)
    # One trigger more than is recorded may have been on its way.
    assert (counted.pulses, counted.trains) == (8, 4)
    assert counted.highest_pct_mso == 45.0
    (booked,) = dose.book.sessions()
    assert (booked.is_counted, booked.dose) == (True, counted)


@pytest.mark.parametrize(
    ("recovered", "n_pulses"),
    [
        ([], 4),
        ([{"event": "recovered", "without_memory": False}], 4),
        ([{"event": "recovered", "without_memory": True}], 3 + 20),
        ([{"event": "recovered"}], 3 + 20),
    ],
)
def test_what_the_records_may_lack_counts_as_given_up_to_the_plan(
    books: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recovered: list[dict[str, object]],
    n_pulses: int,
) -> None:
    slow = {"limits": {"max_per_minute": 20}}
    recorded = SimpleNamespace(
        edges=edges_of(3),
        config_text=config_text(output=SERIAL, **slow),
        notes=(),
        events=[{"event": "armed"}, *recovered],
    )
    monkeypatch.setattr("controller.rig.dose.load_session", lambda _: recorded)
    for name, n_planned in (("long", 90), ("short", 3)):
        folder = tmp_path / name
        dose = SessionDose.of(real_config(**slow), folder)
        dose.reserve(program_of(n_trials=n_planned))
        assert count_session("P01", folder).pulses == min(n_planned, n_pulses)


def test_records_that_are_not_whole_are_not_counted(
    books: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = SimpleNamespace(edges=edges_of(3), notes=("eeg.xdf was not closed.",))
    monkeypatch.setattr("controller.rig.dose.load_session", lambda _: recorded)
    dose = SessionDose.of(real_config(), tmp_path)
    dose.reserve(program_of(n_trials=5))
    with pytest.raises(FileError, match="phasegate recover"):
        count_session("P01", tmp_path)
    (booked,) = dose.book.sessions()
    assert (booked.is_counted, booked.dose.pulses) == (False, 5)


def test_a_session_whose_last_edge_nobody_knows_keeps_its_plan(
    books: Path, tmp_path: Path
) -> None:
    dose = SessionDose.of(real_config(), tmp_path)
    planned = dose.reserve(program_of(n_trials=5))
    notes: list[str] = []
    session = SimpleNamespace(
        outcome=SimpleNamespace(planned_dose=planned),
        _dose=dose,
        _listener=SimpleNamespace(note=notes.append),
    )
    hung = SimpleNamespace(edges=[edges_of(1)], knows_every_edge=False)
    assert Stages._counted(session, hung) is None  # type: ignore[arg-type]
    assert not dose.book.sessions()[0].is_counted
    assert "might have given" in notes[0]
    hung.knows_every_edge = True
    assert Stages._counted(session, hung) is None  # type: ignore[arg-type]
    assert dose.book.sessions()[0].dose.pulses == 1


def test_a_session_too_soon_by_its_protocols_schedule_is_not_entered(
    books: Path, tmp_path: Path
) -> None:
    path = Path(__file__).parents[2] / "configs/protocols/accelerated-theta-burst.toml"
    protocol = load_protocol(path)
    config = real_config()

    def session(name: str, protocol: Protocol | None) -> SessionDose:
        return SessionDose.of(config, tmp_path / name, protocol=protocol)

    first = session("first", protocol)
    first.reserve(program_of(n_trials=5))
    first.settle([edges_of(5)])
    (booked,) = first.book.sessions()
    assert booked.protocol == protocol.title
    with pytest.raises(DoseExceeded, match="min"):
        session("second", protocol).reserve(program_of(n_trials=5))
    assert len(first.book.sessions()) == 1
    # The part of a session that is resumed belongs to the visit under way.
    session("resumed", None).reserve(program_of(n_trials=5))
    assert len(first.book.sessions()) == 2


def test_a_session_that_would_pass_the_dose_is_not_entered(
    books: Path, tmp_path: Path
) -> None:
    config = real_config()
    for name in "ab":
        SessionDose.of(config, tmp_path / name).reserve(program_of(n_trials=100))
    limits = config.limits.dose
    assert limits is not None
    tight = config.limits.model_copy(
        update={"dose": limits.model_copy(update={"max_pulses_per_day": 250})}
    )
    config = config.model_copy(update={"limits": tight})
    with pytest.raises(DoseExceeded, match="300 pulses within 24 hours"):
        SessionDose.of(config, tmp_path / "c").reserve(program_of(n_trials=100))
    given = SessionDose.of(config, tmp_path / "c").book.given(
        Modality.MARKER, dt.datetime.now(dt.UTC)
    )
    assert given[0].pulses == 200


def test_a_program_may_give_no_more_than_its_trials_and_its_limit() -> None:
    program = program_of(n_trials=40)
    assert most_of(program, 100).pulses == 40
    assert most_of(program, 30).pulses == 30
    assert most_of(program, 30).trains == 0


def test_half_as_many_pairs_as_pulses_are_allowed() -> None:
    config = config_of(**tables("magstim-bistim"))
    assert trigger_limits(config) == config.limits.to_limits()
    given = tables("magstim-bistim", second_intensity_pct_mso=30)
    given["limits"] |= {"train": TRAIN, "max_pulses": 81, "max_per_minute": 9}
    limits = trigger_limits(config_of(**given))
    assert (limits.max_pulses, limits.max_per_minute) == (40, 4)
    given["limits"]["max_pulses"] = 1
    with pytest.raises(ConfigError, match="max_pulses is 0"):
        trigger_limits(config_of(**given))


def test_intensity_counts_where_the_device_tells_it_and_pairs_count_twice() -> None:
    triggers = most_of(program_of(n_trials=10), 100, 50.0)
    assert triggers.full_pulses == 5.0
    assert intensity_of(config_of()) is None
    assert intensity_of(config_of(**tables("ttl"))) is None
    assert intensity_of(config_of(**tables("magpro"))) == 45.0
    single = config_of(**tables("magstim-bistim"))
    assert with_pairs(triggers, single) == triggers
    given = tables("magstim-bistim", second_intensity_pct_mso=30)
    given["limits"]["train"] = TRAIN
    pairs = with_pairs(triggers, config_of(**given))
    assert (pairs.pulses, pairs.trains) == (20, 10)
    assert pairs.full_pulses == pytest.approx(10 * 0.75)
    assert pairs.highest_pct_mso == 45.0
    assert pairs.stimulated_s == pytest.approx(10 * 0.01)
