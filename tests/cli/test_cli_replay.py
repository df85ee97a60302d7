import json
from pathlib import Path

import pytest

from bench.session_maker import make_session
from controller.config import parse_config
from controller.session.folder import DECISIONS


@pytest.fixture(scope="module")
def session_folder(tmp_path_factory) -> Path:
    text = (
        Path("configs/demo.toml")
        .read_text(encoding="utf-8")
        .replace('"blend"', '"iir"')
        .replace("rest_s = 30", "rest_s = 16")
        .replace("duration_s = 60", "duration_s = 12")
    )
    root = tmp_path_factory.mktemp("sessions")
    return make_session(parse_config(text, where="test"), text, root)


def test_a_session_is_replayed_and_found_identical(invoke, session_folder):
    result = invoke("replay", session_folder)
    assert result.exit_code == 0, result.stderr
    assert "identical bit for bit" in result.stdout
    assert "not identical" not in result.stdout


def test_json_says_whether_all_decisions_came_out_again(
    invoke, read_json, session_folder
):
    told = read_json(invoke("replay", session_folder, "--json"))
    decisions = told["decisions"]
    assert decisions["identical"] is True
    assert decisions["first_difference"] is None
    assert decisions["count"] > 20
    assert told["folder"] == str(session_folder)


def test_a_difference_is_named_and_has_an_exit_code(invoke, session_folder):
    path = session_folder / DECISIONS
    kept = path.read_text()
    lines = kept.splitlines()
    at = next(i for i, line in enumerate(lines) if '"kind":"decision"' in line)
    entry = json.loads(lines[at])
    entry["threshold_uv"] += 1.0
    lines[at] = json.dumps(entry)
    path.write_text("\n".join(lines) + "\n")
    try:
        result = invoke("replay", session_folder, "--json")
    finally:
        path.write_text(kept)
    assert result.exit_code == 19
    assert "number 0 differs in threshold_uv" in result.stderr
    assert json.loads(result.stdout)["decisions"]["identical"] is False


@pytest.mark.parametrize("option", [("--speed", "2"), ("--channels", "O1")])
def test_options_of_a_recording_are_refused_for_a_session(
    invoke, session_folder, option
):
    result = invoke("replay", session_folder, *option)
    assert result.exit_code == 2
    assert f"{option[0]} is for a recording" in result.stderr


def test_a_folder_that_is_no_session_is_refused(invoke, tmp_path):
    result = invoke("replay", tmp_path)
    assert result.exit_code == 17
    assert "is not a session folder" in result.stderr


def test_what_if_shows_both_and_leaves_a_session(
    invoke, read_json, session_folder, tmp_path
):
    result = invoke(
        *("replay", session_folder, "--set", "gate.percentile=90"),
        *("--out", tmp_path, "--json"),
    )
    assert result.exit_code == 0, result.stderr
    told = read_json(result)
    assert told["same_samples"] is True
    assert told["b"]["fired"] < told["a"]["fired"]
    assert {"key": "gate.percentile", "a": "60", "b": "90"} in told["settings"]
    assert (Path(told["folder"]) / "report.html").is_file()
    assert invoke("verify", told["folder"]).exit_code == 0
    page = tmp_path / "both.html"
    shown = invoke("compare", session_folder, told["folder"], "--html", page)
    assert shown.exit_code == 0, shown.stderr
    assert "triggers per minute" in shown.stdout
    assert "virtual" in shown.stdout
    assert page.is_file()


def test_another_configuration_is_asked_on_the_same_samples(
    invoke, read_json, session_folder, tmp_path
):
    result = invoke(
        *("replay", session_folder, "--config", "configs/alpha-trough-line.toml"),
        *("--set", "montage.hjorth=", "--set", "montage.weights={O1=1.0}"),
        *("--set", "montage.neighbours=", "--set", "estimator.kind=iir"),
        *("--out", tmp_path, "--json"),
    )
    assert result.exit_code == 0, result.stderr
    told = read_json(result)
    assert told["same_samples"] is True
    assert told["b"]["target_deg"] == [180.0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("run.rest_s=30", "its samples and their times"),
        ("percentile", "names no key and value"),
        ("gate.percentile=140", "percentile"),
        ("gate.nonsense=1", "nonsense"),
        ("title.x=1", "title is a value"),
    ],
)
def test_what_cannot_be_asked_is_said(
    invoke, session_folder, tmp_path, change, sentence
):
    result = invoke("replay", session_folder, "--set", change, "--out", tmp_path)
    assert result.exit_code == 3
    assert sentence in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_set_is_refused_for_a_recording(invoke, tmp_path):
    result = invoke("replay", tmp_path / "rest.edf", "--set", "gate.percentile=1")
    assert result.exit_code == 2
