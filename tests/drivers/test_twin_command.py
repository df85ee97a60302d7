"""The command that starts simulated devices, and how they end."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drivers.serial_byte import SerialByteTrigger

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-P", "-m", "drivers.sim")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"


def ends_within(pid: int, timeout_s: float) -> bool:
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([watched], [], [], timeout_s)
    os.close(watched)
    return bool(ended)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_prints_one_line_and_ends_well_on_signals(tmp_path, number):
    process = subprocess.Popen(
        [*COMMAND, "serial-byte", "--log", str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(number)
    rest, complaints = process.communicate(timeout=10)
    assert line.startswith("PORT /dev/")
    assert (rest, complaints, process.returncode) == ("", "", 0)


@pytest.mark.parametrize("how", ["exit", "kill", "thread"])
def test_device_ends_with_the_process_that_started_it(tmp_path, how):
    program = (
        "import os, pathlib, signal, sys, threading\n"
        "from drivers.sim.process import TwinProcess\n"
        "twin = TwinProcess('serial-byte', log=pathlib.Path(sys.argv[2]))\n"
        "starter = threading.Thread(target=twin.start)\n"
        "starter.start(); starter.join()\n"
        "print(twin.pid, twin.port, flush=True)\n"
        "if sys.argv[1] == 'kill': os.kill(os.getpid(), signal.SIGKILL)\n"
        "if sys.argv[1] == 'thread': sys.stdin.read(); twin.stop()\n"
        "os._exit(0)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", program, how, str(tmp_path / "log")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid, _port = parent.stdout.readline().split()
    if how == "thread":
        # The thread that started it is gone, the process is not: it must live on.
        time.sleep(0.3)
        assert is_running(int(pid))
    parent.communicate("", timeout=10)
    assert ends_within(int(pid), 10.0), f"process {pid} outlived its parent"


def test_without_a_log_arrivals_go_to_standard_error():
    process = subprocess.Popen(
        [*COMMAND, "serial-byte"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = process.stdout.readline().split()[1]
    trigger = SerialByteTrigger(port)
    trigger.open()
    trigger.close()
    process.terminate()
    _, lines = process.communicate(timeout=10)
    assert lines.count('"code": 0') == 2


def test_help_names_each_device_with_an_example():
    done = subprocess.run(
        [*COMMAND, "--help"], capture_output=True, text=True, check=True, timeout=30
    )
    assert "python -m drivers.sim serial-byte --log" in done.stdout


def test_drivers_need_nothing_but_pyserial():
    program = (
        "import sys\n"
        "import drivers.registry, drivers.conformance, drivers.sim.process\n"
        "import drivers.sim.__main__\n"
        "heavy = {'numba', 'numpy', 'pylsl', 'controller', 'click', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == "[]"
