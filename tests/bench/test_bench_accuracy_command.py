import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import bench.accuracy.inputs
from bench.accuracy.command import default_estimator, main
from bench.accuracy.evaluate import Result
from bench.accuracy.inputs import horizons, synthetic_specs
from bench.accuracy.smoke import smoke_rows, smoke_specs
from bench.accuracy.synthetic import SyntheticSpec
from bench.budgets import BudgetError
from controller.errors import ConfigError
from controller.sources.recording import Recording

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def few(monkeypatch):
    """Two short synthetic recordings instead of 27 long ones."""
    specs = [
        SyntheticSpec(kind=kind, snr_db=3.0, seed=1, calibration_s=20.0, test_s=15.0)
        for kind in ("bursts", "stationary")
    ]
    monkeypatch.setattr("bench.accuracy.command.synthetic_specs", lambda _: specs)


def test_one_command_writes_every_page(few, tmp_path):
    page, html, rows = (tmp_path / name for name in ("a.md", "a.html", "a.json"))
    done = run(
        *("--synthetic", "--estimators", "echt,wiener", "--horizon-ms", "0,10"),
        *("--jobs", 1, "--markdown", page, "--html", html, "--json", rows),
    )
    assert done.exit_code == 0, done.output
    found = json.loads(rows.read_text())
    assert found["default"] == default_estimator()
    assert [row["estimator"] for row in found["rows"]] == ["echt", "wiener"] * 2
    assert all(0.0 < row["r"] < 1.0 for row in found["rows"])
    assert all(row["horizon_ms"] == 10.0 for row in found["rows"])
    assert "offline truth, not causal" in page.read_text()
    assert "</html>" in html.read_text()


def test_without_a_file_for_it_the_table_is_printed(few):
    done = run("--synthetic", "--estimators", "echt", "--jobs", 1, "--no-promise")
    assert done.exit_code == 0
    assert "| echt |" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([], 3, "nothing to score"),
        (["a.edf"], 3, "--montage"),
        (["a.edf", "--montage", "fz", "--weights", "O1=1"], 3, "either --montage"),
        (["a.edf", "--montage", "fz"], 17, "no recording a.edf"),
        (["a.edf", "b/a.fif", "--montage", "fz"], 3, "Two recordings are called a"),
        (["a.edf", "--weights", "O1:1"], 3, "O1=0.5,O2=0.5"),
        (["a.edf", "--synthetic"], 3, "does not go with recordings"),
        (["--synthetic", "--montage", "fz"], 3, "does not go with --montage"),
        (["--synthetic", "--estimators", "ehct"], 3, "did you mean 'echt'"),
        (["--synthetic", "--horizon-ms", "-1"], 3, "--horizon-ms: '-1'"),
        (["--synthetic", "--horizon-ms", "nan"], 3, "--horizon-ms: 'nan'"),
        (["--synthetic", "--reference", "none"], 3, "--reference none"),
        (["--synthetic", "--json", "no/such/a.json"], 17, "no folder no/such"),
        (["--synthetic", "--target", "400"], 2, "400"),
        (["--montage", "oz"], 2, "oz"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(words, code, sentence):
    done = run(*words)
    assert done.exit_code == code, done.output
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_channels_end_the_run_before_it_starts(monkeypatch):
    monkeypatch.setattr(
        bench.accuracy.inputs,
        "read_recording",
        lambda _: Recording(
            samples=np.zeros((10, 1), dtype=np.float32),
            sfreq_hz=100.0,
            labels=("O1",),
            types=("EEG",),
        ),
    )
    done = run("mine.edf", "--montage", "occipital")
    assert done.exit_code == 6
    assert "mine.edf: the montage occipital needs O1 O2" in done.stderr


def test_a_defect_of_one_estimator_fails_the_run_at_its_end(few, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("bench.accuracy.evaluate.run_design", broken)
    done = run("--synthetic", "--estimators", "echt", "--jobs", 1)
    assert done.exit_code == 1
    assert "echt broke on bursts +3 dB #1: ZeroDivisionError: oh" in done.stderr
    assert "| bursts +3 dB #1 | echt |" in done.stdout


def test_main_horizon_comes_first():
    assert horizons("0,5,10,20") == (0.01, 0.0, 0.005, 0.02)
    assert horizons("20, 5,5") == (0.02, 0.005)
    with pytest.raises(ConfigError):
        horizons("1,,2")


def test_synthetic_part_is_three_by_three_by_seeds():
    specs = synthetic_specs(2)
    assert len({spec.cell for spec in specs}) == 9
    assert len({spec.name for spec in specs}) == len(specs) == 18


def test_a_worse_estimator_breaks_the_budget(tmp_path):
    budgets = tmp_path / "budgets.toml"
    results = [
        Result(estimator="echt", recording=spec.name, cell=spec.cell)
        for spec in smoke_specs()
    ]
    budgets.write_text(
        "smoke_factor = 1.0\noptional = []\n[budgets.accuracy]\n"
        '"any.stationary" = ">= 0.3"\n"any.bursts" = ">= 0.3"\n"any.resets" = ">= 0.3"'
    )
    assert not any(row.within_budget for row in smoke_rows(results, budgets))
    budgets.write_text(budgets.read_text() + '\n"ehct.bursts" = ">= 0.3"')
    with pytest.raises(BudgetError, match=r"ehct\.bursts belongs to no estimator"):
        smoke_rows(results, budgets)
    budgets.write_text("smoke_factor = 1.0\noptional = []\n[budgets.accuracy]")
    with pytest.raises(BudgetError, match=r"no budget echt\.stationary"):
        smoke_rows(results, budgets)


@pytest.mark.slow
def test_no_estimator_has_become_worse():
    done = run("--smoke")
    assert done.exit_code == 0, done.output


@pytest.mark.slow
def test_processes_give_the_same_rows_as_none(few, tmp_path):
    found = []
    for jobs in (1, 2):
        path = tmp_path / f"{jobs}.json"
        done = run(
            *("--synthetic", "--estimators", "echt,iir", "--jobs", jobs),
            *("--json", path),
        )
        assert done.exit_code == 0, done.output
        found.append(json.loads(path.read_text()))
    assert found[0] == found[1]


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER.is_dir(), reason="no real EEG beside the repository")
def test_a_real_recording_from_the_command_line(tmp_path):
    pytest.importorskip("mne")
    path = tmp_path / "rows.json"
    subprocess.run(
        [
            *(sys.executable, "-m", "bench.accuracy"),
            str(FOLDER / "eegmat" / "Subject00_1.edf"),
            *("--montage", "occipital", "--estimators", "echt,wiener"),
            *("--jobs", "2", "--json", str(path)),
        ],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=100,
    )
    echt, wiener = json.loads(path.read_text())["rows"]
    assert wiener["circ_sd_deg"] < echt["circ_sd_deg"] < 50.0
    assert wiener["trigger_within_45"] > 0.9
