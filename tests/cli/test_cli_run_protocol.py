"""`phasegate run --protocol`: on a virtual clock, and what it refuses beforehand."""

from pathlib import Path

import pytest

from controller.cli.shipped import shipped_config
from controller.errors import ConfigError, FileError
from tests.rig.test_virtual_study import SHORT

RIG = shipped_config("mu-protocols-simulated.toml")


@pytest.fixture
def short(tmp_path) -> Path:
    path = tmp_path / "short.toml"
    path.write_text(SHORT)
    return path


def test_a_protocol_in_virtual_time_is_told_in_words(invoke, short, tmp_path) -> None:
    result = invoke(
        *("run", RIG, "--protocol", short, "--virtual", "--rmt", "50"),
        *("--out", tmp_path / "sessions"),
    )
    assert result.exit_code == 0, result.output
    assert "nothing is fired" in result.stderr
    assert "peak                3 given" in result.stdout
    assert "pulses    6" in result.stdout


def test_and_for_machines(invoke, short, tmp_path, read_json) -> None:
    result = invoke(
        *("run", RIG, "--protocol", short, "--virtual", "--rmt", "50", "--json"),
        *("--out", tmp_path / "sessions", "--visit", "2"),
    )
    told = read_json(result)
    assert told["conditions"] == {"clock": {"given": 3}, "peak": {"given": 3}}
    assert told["dose"]["pulses"] == 6
    assert (Path(told["folder"]) / "trials.jsonl").exists()
    page = Path(told["report"]).read_text(encoding="utf-8")
    assert "peak: the peak (0°)" in page
    assert "by the clock" in page


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        (["--virtual"], ConfigError, "--protocol"),
        (["--protocol", "absent.toml", "--virtual"], FileError, "absent.toml"),
    ],
)
def test_what_cannot_be_meant(invoke, options, kind, words) -> None:
    result = invoke("run", RIG, *options)
    assert result.exit_code == kind.exit_code
    assert words in result.stderr


def test_a_protocol_that_breaks_a_rule_is_refused(invoke, short, tmp_path) -> None:
    short.write_text(SHORT.replace("iti_s = 3.0", "iti_s = 1.2"))
    result = invoke(
        *("run", RIG, "--protocol", short, "--virtual"), "--out", tmp_path / "s"
    )
    assert result.exit_code == ConfigError.exit_code
    assert "min_interval_s" in result.stderr
    assert not (tmp_path / "s").exists()


def test_half_a_blinding_is_refused(invoke, short, tmp_path) -> None:
    result = invoke("run", RIG, "--protocol", short, "--virtual", "--code", "P001")
    assert result.exit_code == ConfigError.exit_code
    assert "--seal" in result.stderr
