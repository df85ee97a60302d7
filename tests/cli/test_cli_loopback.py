"""`phasegate doctor CONFIG --loopback`, from the command line to the kept file."""

import json

import pytest
from click.testing import CliRunner

from controller.cli.checkup.loopback import loopback_tables
from controller.cli.main import cli
from controller.cli.settings import as_toml
from controller.cli.shipped import shipped_config
from controller.config import parse_config, toml_tables

SHIPPED = shipped_config("mu-magstim-simulated.toml")


def test_a_loopback_needs_a_configuration() -> None:
    result = CliRunner().invoke(cli, ["doctor", "--loopback"])
    assert result.exit_code == 2
    assert "--loopback needs a CONFIG" in result.stderr


def test_a_loopback_has_no_stimulator_and_no_latency_of_its_own() -> None:
    tables = toml_tables(SHIPPED.read_text(encoding="utf-8"), "shipped")
    tables["output"]["latency_ms"] = "measured"
    text = as_toml(loopback_tables(tables, 100))
    config = parse_config(text, where="loopback")
    assert config.stimulator is None
    assert config.limits.stimulator is None
    assert config.output.latency_s == 0.0
    assert config.limits.max_pulses == 100
    assert config.run.participant == "loopback"


@pytest.mark.lsl
@pytest.mark.slow
def test_the_latency_is_measured_and_then_made_up_for(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        "controller.cli.checkup.examine.examine_machine", lambda: iter(())
    )
    monkeypatch.setattr(
        "controller.cli.checkup.examine.examine_installation", lambda: iter(())
    )
    path = tmp_path / "mu.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    path.write_text(
        text.replace(
            'kind = "simulated-serial-byte"',
            'kind = "simulated-serial-byte"\nlatency_ms = "measured"',
        )
    )
    refused = CliRunner().invoke(cli, ["check", str(path)])
    assert refused.exit_code == 3
    assert "--loopback" in refused.stderr
    arguments = ["doctor", str(path), "--loopback", "--pulses", "20", "--json"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    findings = json.loads(result.stdout)["findings"]
    lights = {one["topic"]: one["light"] for one in findings}
    for topic in ("EEG arriving", "estimator valid", "trigger line answered"):
        assert lights[topic] == "ok"
    assert "20 of 20 triggers seen" in findings[-1]["sentence"]
    kept = json.loads((tmp_path / "mu.latency.json").read_text())
    assert 0.0 <= kept["latency_ms"] < 20.0
    checked = CliRunner().invoke(cli, ["check", str(path)])
    assert checked.exit_code == 0, checked.stderr
