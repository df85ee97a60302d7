"""Real sessions in processes of their own: every shipped configuration, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.cli.settings import as_toml
from controller.cli.shipped import shipped_config
from controller.session.load import load_session

pytestmark = [pytest.mark.lsl, pytest.mark.slow]

SHIPPED = sorted(shipped_config("demo.toml").parent.glob("*.toml"))
PARTICIPANT = {
    "kind": "synthetic",
    "sfreq_hz": 500.0,
    "alpha_uv": 45.0,
    "noise_uv": 2.0,
    "blinks_per_minute": 0.0,
    "channels": ["C3", "FC1", "FC5", "CP1", "CP5", "O1", "O2", "Fz"],
}
TIMEOUT_S = 100.0


def start(*arguments: str | Path) -> "subprocess.Popen[str]":
    code = "from controller.cli.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )


def shortened(path: Path, folder: Path) -> Path:
    """Return the configuration for a few seconds, without anything real."""
    tables = tomllib.loads(path.read_text())
    if tables["source"]["kind"] != "synthetic":
        tables["source"] = PARTICIPANT
    tables["output"] = {"kind": "simulated-serial-byte"}
    tables["run"] = {"rest_s": 15.0, "duration_s": 4.0}
    written = folder / path.name
    written.write_text(as_toml(tables))
    return written


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, "subprocess.Popen[str]"]]:
    """Run all at once, since each spends its time waiting."""
    folder = tmp_path_factory.mktemp("shipped")
    started = {
        path.stem: start("run", shortened(path, folder), "--out", folder, "--json")
        for path in SHIPPED
    }
    yield started
    for process in started.values():
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", [path.stem for path in SHIPPED])
def test_every_shipped_configuration_runs(running, name: str) -> None:
    stdout, stderr = running[name].communicate(timeout=TIMEOUT_S)
    assert running[name].returncode == 0, stderr
    summary = json.loads(stdout)
    assert summary["exit"] == {"code": 0, "reason": "as planned"}
    assert summary["decisions"]["count"] > 0
    session = load_session(Path(summary["folder"]))
    assert session.notes == ()
    assert len(session.samples) == summary["samples"]["received"]
    assert "closed loop" in stderr


@pytest.fixture
def restless(tmp_path: Path) -> Path:
    """Return a configuration whose loop closes at once and stays closed."""
    tables = tomllib.loads(shipped_config("demo.toml").read_text())
    tables["rhythm"]["frequency_hz"] = 10.2
    tables["estimator"]["kind"] = "iir"
    tables["gate"] = {"amplitude": "open"}
    tables["run"] = {"rest_s": 0.0}
    path = tmp_path / "restless.toml"
    path.write_text(as_toml(tables))
    return path


def test_ctrl_c_ends_the_session_with_complete_records(
    restless: Path, tmp_path: Path
) -> None:
    process = start("run", restless, "--out", tmp_path / "sessions", "--json")
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("closed loop"):
                break
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert "the records are complete" in stderr
    summary = json.loads(stdout)
    folder = Path(summary["folder"])
    assert folder.parent == tmp_path / "sessions"
    assert json.loads((folder / "summary.json").read_text()) == summary
    assert (folder / "report.html").stat().st_size > 10_000
    assert load_session(folder).notes == ()


def test_ctrl_c_before_the_session_stands_leaves_no_folder(tmp_path: Path) -> None:
    config = tmp_path / "absent.toml"
    tables = tomllib.loads(shipped_config("demo.toml").read_text())
    tables["source"] = {
        "kind": "lsl",
        "source_id": "nobody-streams-this",
        "resolve_timeout_s": 4.0,
    }
    config.write_text(as_toml(tables))
    process = start("run", config, "--out", tmp_path / "sessions")
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Looking for the stream"):
                break
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert not (tmp_path / "sessions").exists()
