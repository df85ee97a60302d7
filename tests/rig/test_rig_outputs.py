import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bad_days import assert_nothing_runs, assert_one_sentence, config_of

from controller.errors import (
    ConfigError,
    OutputBusy,
    OutputLost,
    OutputNotFound,
    PhasegateError,
)
from controller.rig.outputs.opened import (
    driver_errors,
    opened_output,
    raise_as_ours,
    trigger_code,
)
from drivers.base import (
    DriverError,
    DriverSettingError,
    PortBusy,
    PortLost,
    PortMissing,
)
from drivers.sim.process import TwinProcess


class PortMissingToo(PortMissing):
    """As a plug-in may have it."""


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (PortMissing, OutputNotFound),
        (PortMissingToo, OutputNotFound),
        (PortBusy, OutputBusy),
        (PortLost, OutputLost),
        (DriverSettingError, ConfigError),
        (DriverError, OutputLost),
    ],
)
def test_errors_of_drivers_become_ours_with_their_sentence(
    theirs: type[DriverError], ours: type[PhasegateError]
) -> None:
    with pytest.raises(PhasegateError) as caught:
        raise_as_ours(theirs("What, where, what to do."))
    assert type(caught.value) is ours
    assert str(caught.value) == "What, where, what to do."
    assert isinstance(caught.value.__cause__, theirs)


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError), driver_errors():
        raise KeyError("x")


def test_a_line_knows_one_code() -> None:
    line = {"kind": "serial-line", "port": "/dev/ttyS0"}
    byte = {"kind": "serial-byte", "port": "/dev/ttyUSB0", "code": 200}
    assert trigger_code(config_of(output=line).output) == 1
    assert trigger_code(config_of(output=byte).output) == 200


@pytest.mark.parametrize("kind", ["serial-byte", "serial-line"])
def test_missing_port_starts_no_simulated_device(
    kind: str, tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    output = config_of(output={"kind": kind, "port": "/dev/no-such-port"}).output
    log = tmp_path / "device.jsonl"
    with (
        pytest.raises(OutputNotFound) as caught,
        opened_output(output, log),
    ):
        pytest.fail("opened")
    assert_one_sentence(str(caught.value), "no serial port /dev/no-such-port; ")
    assert started == []
    assert not log.exists()


@pytest.mark.slow
def test_simulated_device_is_started_when_named(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    log = tmp_path / "device.jsonl"
    output = config_of(output={"kind": "simulated-serial-byte", "code": 9}).output
    with opened_output(output, log) as (driver, arrivals):
        assert driver.simulated
        assert len(started) == 1
        rise = driver.edges(trigger_code(output)).rise
        os.write(rise.descriptor, rise.payload)
    codes = [json.loads(line)["code"] for line in log.read_text().splitlines()]
    # Low when opened, the trigger, low when closed.
    assert codes == [0, 9, 0]
    assert [code for _, code in arrivals()] == codes
    assert_nothing_runs(started)


@pytest.mark.slow
def test_simulated_device_ends_also_after_an_error(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    output = config_of().output
    with (
        pytest.raises(RuntimeError, match="in between"),
        opened_output(output, tmp_path / "device.jsonl"),
    ):
        raise RuntimeError("in between")
    assert_nothing_runs(started)


@pytest.mark.slow
def test_simulated_device_that_cannot_start_is_told(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    with (
        pytest.raises(OutputLost, match=r"log .* cannot be opened"),
        opened_output(config_of().output, tmp_path / "gone" / "device.jsonl"),
    ):
        pytest.fail("opened")
    assert_nothing_runs(started)


@pytest.mark.slow
def test_log_that_is_damaged_is_an_error_of_ours(tmp_path: Path) -> None:
    log = tmp_path / "device.jsonl"
    with opened_output(config_of().output, log) as (_, arrivals):
        log.write_text("nonsense\n")
        with pytest.raises(OutputLost, match="is not an arrival"):
            arrivals()


@pytest.mark.slow
def test_port_that_another_process_holds(tmp_path: Path) -> None:
    hold = (
        "import sys; from drivers.serial_port import open_serial; "
        "port = open_serial(sys.argv[1], 115200); print('held', flush=True); "
        "sys.stdin.read()"
    )
    with TwinProcess("serial-byte") as twin:
        output = config_of(output={"kind": "serial-byte", "port": twin.port}).output
        with subprocess.Popen(
            [sys.executable, "-P", "-c", hold, twin.port],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with (
                pytest.raises(OutputBusy) as caught,
                opened_output(output, tmp_path / "unused.jsonl"),
            ):
                pytest.fail("opened")
            assert_one_sentence(str(caught.value), f"Another program holds {twin.port}")
        assert twin.arrivals() == []


def test_errno_of_the_machine_is_what_the_tests_expect() -> None:
    assert os.strerror(errno.EIO) == "Input/output error"
