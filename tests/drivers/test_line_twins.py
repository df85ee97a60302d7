"""Twins of control lines, ppdev and vendors' libraries, each with its own driver.

The driver runs in a process of its own, with nothing replaced in it: only a library is
preloaded, or a module stands in front of the vendor's.
"""

import os
import subprocess
import sys
import termios

import pytest

from drivers.sim.port_calls import PortCallsError, environment, library
from drivers.sim.process import TwinProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs LD_PRELOAD and ppdev"),
]

PULSES = """
import fcntl, os, sys, time
from drivers.registry import BUILT_IN

name, port, n_pulses = sys.argv[1], sys.argv[2], int(sys.argv[3])
output = BUILT_IN[name](port, simulated=True)
output.open()
def perform(action):
    if action.kind == "write":
        os.write(action.descriptor, action.payload)
    else:
        fcntl.ioctl(action.descriptor, action.request, action.payload)
for _ in range(n_pulses):
    if output.capabilities.loop_fires:
        edges = output.edges(1)
        perform(edges.rise)
        time.sleep(0.002)
        perform(edges.fall)
    else:
        output.fire(1)
        time.sleep(0.002)
        output.lower()
    time.sleep(0.002)
    output.check()
output.close()
print("closed")
"""


def vendor_path():
    from drivers.sim.line_twins import VENDOR_PATH

    return str(VENDOR_PATH)


def surroundings(name, port):
    """Return the environment that lets a driver reach the twin."""
    if name in ("serial-line", "parallel"):
        return {**os.environ, **environment()}
    path = os.pathsep.join([vendor_path(), os.environ.get("PYTHONPATH", ".")])
    mine = {"PYTHONPATH": path, f"PHASEGATE_{name.upper()}": port}
    return {**os.environ, **mine}


def drive(name, twin, script=PULSES, n_pulses=3, port=None):
    named = {"labjack": "ANY", "nidaq": "Dev1/port0/line0"}
    return subprocess.run(
        [
            *(sys.executable, "-c", script, name),
            *(port or named.get(name, twin.port), str(n_pulses)),
        ],
        env=surroundings(name, twin.port),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


LEVEL = {"serial-line": 1, "parallel": 1, "labjack": 16, "nidaq": 1}


@pytest.mark.parametrize("name", LEVEL)
def test_driver_makes_its_pulses_on_the_twin_and_leaves_it_low(name):
    with TwinProcess(name) as twin:
        done = drive(name, twin)
        assert done.stdout == "closed\n", done.stderr
        twin.stop()
        codes = [one.code for one in twin.arrivals()]
    up = LEVEL[name]
    # The driver may lower a line that is low already.
    assert [code for code in codes if code] == [up] * 3
    assert codes[-1] == 0


@pytest.mark.parametrize("name", LEVEL)
def test_unplugged_twin_is_a_lost_port(name):
    with TwinProcess(name, "--unplug-after", "1") as twin:
        script = PULSES.replace("time.sleep(0.002)\n    output.check", "output.check")
        done = drive(name, twin, script.replace("0.002", "0.2"), n_pulses=50)
    assert done.returncode == 1
    lost = "was lost while in use" in done.stderr
    # Where the loop would make the call, it sees the system's own error.
    assert (
        lost or "Input/output error" in done.stderr or "No such device" in (done.stderr)
    )


def test_counter_of_the_nidaq_twin_times_its_pulse():
    script = (
        "import time\nfrom drivers.nidaq import NiOutput\n"
        "output = NiOutput('Dev1/ctr0', width_s=0.05)\noutput.open()\n"
        "output.fire(1)\ntime.sleep(0.15)\noutput.fire(1)\ntime.sleep(0.15)\n"
        "output.close()\n"
    )
    with TwinProcess("nidaq") as twin:
        done = drive("nidaq", twin, script)
        assert done.returncode == 0, done.stderr
        twin.stop()
        codes = [(one.code, one.t_observed) for one in twin.arrivals()]
    assert [code for code, _ in codes] == [1, 0, 1, 0]
    assert codes[1][1] - codes[0][1] > 0.045


def test_held_parallel_port_is_busy():
    with TwinProcess("parallel", "--held") as twin:
        done = drive("parallel", twin)
    assert "another driver has it" in done.stderr


def test_vendor_device_that_is_not_there_is_missing():
    with TwinProcess("labjack") as twin:
        missing = twin.port + "9"
        done = drive("labjack", twin, port=missing)
    assert "No LabJack ANY answers" in done.stderr


LINES = """
import serial, sys
port = serial.Serial(sys.argv[2], 9600, timeout=1)
port.rts = False
port.dtr = True
port.setRTS(True)
assert port.cts and port.dsr and port.cd
port.setDTR(False)
port.rts = False
port.reset_input_buffer()
port.write(bytes.fromhex("51406e"))
print(port.read(3).hex())
port.close()
"""


def test_a_program_may_set_the_lines_of_any_twin_once_the_calls_are_there():
    with TwinProcess("magstim") as twin:
        done = subprocess.run(
            [sys.executable, "-c", LINES, "magstim", twin.port],
            env={**os.environ, **environment()},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.stdout == "518925\n", done.stderr


def test_both_lines_show_as_two_bits():
    with TwinProcess("serial-line") as twin:
        script = LINES.replace('port.write(bytes.fromhex("51406e"))', "").replace(
            "print(port.read(3).hex())", ""
        )
        done = drive("serial-line", twin, script)
        assert done.returncode == 0, done.stderr
        twin.stop()
        codes = [one.code for one in twin.arrivals()]
    # pyserial raises both as it opens: DTR is bit 1, RTS bit 0.
    assert codes == [2, 3, 2, 3, 1, 0]


def test_without_the_calls_a_pseudo_terminal_has_no_lines():
    import fcntl

    with TwinProcess("serial-line") as twin:
        descriptor = os.open(twin.port, os.O_RDWR | os.O_NOCTTY)
        with pytest.raises(OSError, match="Inappropriate"):
            fcntl.ioctl(descriptor, termios.TIOCMBIS, b"\x04\0\0\0")
        os.close(descriptor)


def test_library_is_compiled_once_and_a_missing_compiler_is_named(
    tmp_path, monkeypatch
):
    made = library(tmp_path)
    before = made.stat().st_mtime_ns
    assert library(tmp_path) == made
    assert made.stat().st_mtime_ns == before
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PortCallsError, match="install gcc"):
        library(tmp_path / "other")
    monkeypatch.setenv("LD_PRELOAD", "other.so")
    assert environment(tmp_path)["LD_PRELOAD"] == f"{made}:other.so"
