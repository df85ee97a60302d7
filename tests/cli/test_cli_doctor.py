import io
import json
import os
import re
from importlib.metadata import Distribution
from pathlib import Path

import numpy as np
import pytest

from controller.cli.checkup import equipment, examine, machine
from controller.cli.checkup.equipment import (
    examine_output,
    examine_stimulator,
    timing_findings,
)
from controller.cli.checkup.finding import Finding, Light, fault, note, ok
from controller.cli.checkup.installation import (
    examine_installation,
    imported_from,
    our_folders,
    ours,
)
from controller.cli.checkup.machine import (
    grants,
    lsl_clock,
    run_measurement,
    timer,
)
from controller.cli.checkup.punctuality import lateness_us
from controller.cli.shipped import shipped_config
from controller.config import load_config
from controller.errors import EngineFault
from controller.sources.timing import StreamTiming

REAL = shipped_config("alpha-peak-serial.toml")
AS_INSTALLED = pytest.mark.skipif(
    "PYTHONPATH" in os.environ,
    reason="PYTHONPATH may rightly make our packages foreign",
)


class Installed(Distribution):
    """A distribution without a file of its own."""

    def __init__(self, folder: Path, direct_url: str | None = None) -> None:
        self._folder, self._direct_url = folder, direct_url

    def read_text(self, filename: str) -> str | None:
        return self._direct_url if filename == "direct_url.json" else None

    def locate_file(self, path) -> Path:
        return self._folder / path


@AS_INSTALLED
def test_our_packages_are_ours() -> None:
    for package in ("controller", "drivers"):
        finding = ours(package, imported_from(package), our_folders())
        assert finding.light is Light.OK, finding.sentence


def test_a_shadowing_package_is_a_fault(tmp_path: Path) -> None:
    finding = ours("drivers", tmp_path / "elsewhere" / "drivers", (tmp_path / "site",))
    assert finding.light is Light.FAULT
    assert "elsewhere/drivers, which is not part of phasegate" in finding.sentence


def test_a_package_of_two_distributions_is_a_fault(tmp_path: Path) -> None:
    finding = ours(
        "controller",
        tmp_path / "controller",
        (tmp_path,),
        {"controller": ["phasegate", "robot-arm"]},
    )
    assert finding.light is Light.FAULT
    assert finding.sentence.startswith("robot-arm installs a package controller too")


def test_a_package_without_distribution_is_a_fault(tmp_path: Path) -> None:
    assert ours("controller", tmp_path / "controller", ()).light is Light.FAULT


def test_our_folder_of_a_wheel_is_where_it_was_installed(tmp_path: Path) -> None:
    assert our_folders(Installed(tmp_path)) == (tmp_path,)


def test_our_folder_of_an_editable_install_is_the_checkout(tmp_path: Path) -> None:
    checkout = tmp_path / "my checkout"
    url = json.dumps({"url": checkout.as_uri(), "dir_info": {"editable": True}})
    assert our_folders(Installed(tmp_path, url)) == (tmp_path, checkout)


@AS_INSTALLED
def test_installation_of_this_environment_has_no_faults() -> None:
    found = list(examine_installation())
    assert [f.sentence for f in found if f.light is Light.FAULT] == []
    topics = {f.topic for f in found}
    assert {"python", "versions", "estimators", "outputs"} <= topics


def test_refused_privileges_come_with_what_to_do() -> None:
    answers = {
        "fifo": "refused: Operation not permitted",
        "memory_lock": "refused: Cannot allocate memory",
        "timer_slack": "granted",
        "affinity": "0,1",
    }
    fifo, lock, slack, _ = grants(answers, "ada")
    assert fifo.light is lock.light is Light.NOTE
    assert "Operation not permitted" in fifo.sentence
    assert "`ada - rtprio 50`" in fifo.sentence
    assert "`ada - memlock unlimited`" in lock.sentence
    assert slack.light is Light.OK


@pytest.mark.parametrize(
    ("latest_us", "light"), [(50.0, Light.OK), (1000.0, Light.NOTE)]
)
def test_timer_is_judged_by_its_tail(latest_us: float, light: Light) -> None:
    late = np.full(100, 40.0)
    late[:5] = latest_us
    assert timer(late).light is light


def test_lateness_is_never_early() -> None:
    late = lateness_us(3)
    assert len(late) == 3
    assert min(late) >= 0.0


def test_clock_of_lsl_is_the_systems() -> None:
    assert lsl_clock().light is Light.OK


def test_a_measurement_that_fails_is_a_sentence() -> None:
    with pytest.raises(EngineFault, match=r"no_such_module ended with code 1"):
        run_measurement("controller.no_such_module")


def timing_with(**changes: float) -> StreamTiming:
    figures = {
        "n_samples": 4000,
        "nominal_hz": 1000.0,
        "effective_hz": 1000.0,
        "interval_jitter_s": 0.0,
        "n_gaps": 0,
        "block_samples": 20,
        "arrival_interval_s": 0.02,
        "data_age_p50_s": 0.01,
        "data_age_p95_s": 0.02,
        "data_age_p99_s": 0.03,
        "data_age_max_s": 0.04,
    }
    return StreamTiming(**(figures | changes))


def lights(timing: StreamTiming) -> dict[str, Light]:
    return {f.topic: f.light for f in timing_findings(timing, 0.05)}


def test_data_age_is_judged_by_the_studys_limit() -> None:
    assert lights(timing_with())["data age"] is Light.OK
    assert lights(timing_with(data_age_p99_s=0.051))["data age"] is Light.NOTE
    assert lights(timing_with(data_age_p99_s=float("nan")))["data age"] is Light.NOTE


def test_gaps_are_noted() -> None:
    assert "gaps" not in lights(timing_with())
    assert lights(timing_with(n_gaps=2))["gaps"] is Light.NOTE


def test_a_missing_port_is_a_fault_with_its_own_exit_code() -> None:
    config = load_config(REAL)
    gone = config.output.model_copy(update={"port": "/dev/no-such-port"})
    finding = examine_output(config.model_copy(update={"output": gone}))
    assert finding.light is Light.FAULT
    assert finding.exit_code == 10
    assert "/dev/no-such-port" in finding.sentence


@pytest.mark.slow
def test_the_simulated_output_opens_and_closes() -> None:
    finding = examine_output(load_config(shipped_config("demo.toml")))
    assert finding.light is Light.OK
    assert "simulated, opened and closed" in finding.sentence


def test_a_wrong_configuration_ends_the_examination(tmp_path: Path) -> None:
    (finding,) = equipment.examine_equipment(tmp_path / "none.toml")
    assert (finding.light, finding.exit_code) == (Light.FAULT, 3)


@pytest.fixture
def found(monkeypatch) -> list[Finding]:
    """What the examination finds, in place of this machine."""
    findings: list[Finding] = []
    monkeypatch.setattr(examine, "examine_installation", lambda: iter(findings))
    monkeypatch.setattr(examine, "examine_machine", lambda: iter(()))
    return findings


def test_doctor_without_faults_exits_with_0(invoke, found) -> None:
    found += [ok("python", "3.13."), note("serial ports", "None.")]
    result = invoke("doctor")
    assert result.exit_code == 0
    assert "✓ ok    python" in result.stdout
    assert "! note  serial ports" in result.stdout
    assert result.stdout.endswith("No faults.\n")


def test_doctor_exits_with_the_code_of_the_first_fault(
    invoke, found, read_json
) -> None:
    found += [ok("a", "A."), fault("b", "B.", 10), fault("c", "C.", 4)]
    result = invoke("doctor")
    assert result.exit_code == 10
    assert "✗ FAULT b" in result.stdout
    assert "2 of 3 lines are faults" in result.stdout
    told = read_json(invoke("doctor", "--json"))
    assert told["faults"] == 2
    assert [each["light"] for each in told["findings"]] == ["ok", "fault", "fault"]


def test_serial_ports_are_listed(monkeypatch) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    assert machine.serial_ports().light is Light.NOTE


def test_long_findings_are_wrapped_and_paths_stay_whole() -> None:
    path = "/a/very/long/path" * 8
    text = ok("compiled code", f"Loads from {path} in no time at all.").as_text()
    assert path in text
    assert io.StringIO(text).readlines()[1].startswith(" " * 28)


@pytest.mark.slow
def test_the_simulated_stimulator_says_how_it_is() -> None:
    config = load_config(shipped_config("mu-magstim-simulated.toml"))
    finding = examine_stimulator(config)
    assert finding.light is Light.OK
    assert re.fullmatch(
        r"The Magstim 200² at /dev/pts/\d+, simulated, is disarmed at \d+ %, its coil "
        r"at \d+ °C\.",
        finding.sentence,
    )
