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
from controller.errors import ConfigError, DoseExceeded
from controller.rig.dose import (
    SessionDose,
    count_session,
    intensity_of,
    most_of,
    require_accountable,
    with_pairs,
)
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
    recorded = SimpleNamespace(edges=edges_of(3), config_text=config_text(**given))
    monkeypatch.setattr("controller.rig.dose.load_session", lambda _: recorded)
    counted = count_session("P01", tmp_path)
    assert (counted.pulses, counted.trains) == (6, 3)
    assert counted.highest_pct_mso == 45.0
    (booked,) = dose.book.sessions()
    assert (booked.is_counted, booked.dose) == (True, counted)


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
