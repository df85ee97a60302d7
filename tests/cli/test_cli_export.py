import json

import pytest
from click.testing import CliRunner
from made_session import Recipe, make_session

from controller.cli.main import cli

pytest.importorskip("mne_bids")


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    root = tmp_path_factory.mktemp("sessions")
    recipes = (Recipe(duration_s=10.0, seed=seed) for seed in (1, 2))
    return [str(make_session(root, recipe).folder) for recipe in recipes]


def run(*arguments):
    return CliRunner().invoke(cli, ["export", *arguments])


def exported(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["exported"]


def test_several_sessions_become_runs_of_one_data_set(sessions, tmp_path):
    result = run(*reversed(sessions), "bids", "--out", str(tmp_path / "st"), "--json")
    made = exported(result)
    assert [entry["session"] for entry in made] == sessions
    assert ["run-01" in made[0]["recording"], "run-02" in made[1]["recording"]] == [
        True,
        True,
    ]
    assert all(entry["pulses"] > 0 < entry["decisions"] for entry in made)
    again = run(*sessions, "bids", "--out", str(tmp_path / "st"))
    assert again.stderr.count("exported already, the same") == 2


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["mne"], ["raw.fif", "epo.fif"]),
        (["tables"], ["decisions.csv", "pulses.csv", "edges.csv", "events.csv"]),
        (["methods"], ["methods.md"]),
    ],
    ids=["mne", "tables", "methods"],
)
def test_files_are_written_and_named(sessions, tmp_path, arguments, names):
    out = tmp_path / "out"
    (made,) = exported(run(sessions[0], *arguments, "--out", str(out), "--json"))
    assert [path.rpartition("_")[2] for path in made["files"]] == names
    assert sorted(map(str, out.iterdir())) == sorted(made["files"])


@pytest.mark.parametrize("kind", ["mne", "tables", "methods"])
def test_what_stands_there_is_not_replaced_unasked(sessions, tmp_path, kind):
    out = ["--out", str(tmp_path)]
    run(sessions[0], kind, *out)
    refused = run(sessions[0], kind, *out)
    assert refused.exit_code == 13
    assert "--overwrite" in refused.stderr
    assert run(sessions[0], kind, *out, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bids"], "Missing argument"),
        (["x", "video"], "'video' is not one of"),
        (["x", "bids", "--format", "csv"], "brainvision or edf, not as csv"),
        (["x", "tables", "--format", "edf"], "csv or parquet, not as edf"),
        (["x", "mne", "--mains", "50"], "--mains belongs to bids"),
        (["x", "tables", "--author", "A"], "--author belongs to bids"),
        (["x", "bids", "--mains", "nan"], "nan"),
        (["x", "bids", "--run", "0"], "0 is not in the range"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_told(arguments, words):
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_no_session_there_is_one_sentence(tmp_path):
    result = run(str(tmp_path / "none"), "bids", "--out", str(tmp_path / "study"))
    assert result.exit_code == 17
    assert "There is no session folder" in result.stderr
    assert not (tmp_path / "study").exists()
