"""The benchmark of devices measures what it is asked for, each driver on its twin."""

import json

import pytest
from click.testing import CliRunner

from bench.devices import main
from drivers.sim.behind_calls import drive_from_outside
from drivers.sim.process import TwinError


@pytest.mark.slow
def test_rows_of_outputs_are_written(tmp_path):
    file = tmp_path / "devices.json"
    names = ("serial-byte", "serial-line", "parallel", "labjack", "nidaq")
    asked = [word for name in names for word in ("--only", name)]
    done = CliRunner().invoke(main, [*asked, "--pulses", "3", "--json", str(file)])
    assert done.exit_code == 0, done.output
    told = json.loads(file.read_text())
    assert {row["name"] for row in told["outputs"]} == set(names)
    assert all(
        row["n"] == 3 and 0 < row["p50"] <= row["max"] for row in told["outputs"]
    )
    assert told["stimulators"] == []
    assert "processors" in told["conditions"]["machine"]


def test_unknown_driver_is_refused():
    done = CliRunner().invoke(main, ["--only", "mouse"])
    assert done.exit_code == 2
    assert "There is no driver mouse" in done.output


def test_driver_that_fails_is_told_in_a_sentence():
    with pytest.raises(TwinError, match="driver of the twin labjack failed"):
        drive_from_outside("labjack", "/dev/does-not-exist", 1)
