"""Drive a twin that is no byte protocol, from a process in surroundings of its own.

`python -m drivers.sim.behind_calls NAME PORT N` makes N pulses with the driver as it is
and prints the instants of its calls as JSON.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from typing import Final

from drivers.base import CalledOutput, TriggerOutput, WireAction
from drivers.labjack import LabJackLine
from drivers.line import SerialLineTrigger
from drivers.nidaq import NiOutput
from drivers.parallel import ParallelPort
from drivers.sim.line_twins import VENDOR_PATH
from drivers.sim.port_calls import environment
from drivers.sim.process import TwinError

_CODE: Final = 1
_TWIN_AT: Final = {"labjack": "PHASEGATE_LABJACK", "nidaq": "PHASEGATE_NIDAQ"}
# 60 pulses in 2 s are the most that our firmware gives.
APART_S: Final = 0.04
PULSE_S: Final = 0.005


def surroundings(name: str, port: str) -> dict[str, str]:
    """Return the environment in which a driver reaches its twin.

    Parameters
    ----------
    name : {"serial-line", "parallel", "labjack", "nidaq"}
    port : str
        Of the twin.

    Raises
    ------
    PortCallsError
    """
    if name not in _TWIN_AT:
        return {**os.environ, **environment()}
    paths = [str(VENDOR_PATH), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(one for one in paths if one)
    return {**os.environ, "PYTHONPATH": path, _TWIN_AT[name]: port}


def drive_from_outside(name: str, port: str, n_pulses: int) -> list[float]:
    """Return the instants of the calls that a process of its own makes, seconds.

    Raises
    ------
    TwinError
        If that process fails.
    """
    command = [sys.executable, "-m", __spec__.name, name, port, str(n_pulses)]
    done = subprocess.run(
        command,
        env=surroundings(name, port),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2]
        raise TwinError(f"The driver of the twin {name} failed: {last}")
    instants: list[float] = json.loads(done.stdout)
    return instants


def drive(output: TriggerOutput, n_pulses: int) -> list[float]:
    """Open the output, make pulses and close it; return the instants of the calls."""
    with contextlib.closing(output):
        output.open()
        return [_pulse(output) for _ in range(n_pulses)]


def _pulse(output: TriggerOutput) -> float:
    edges = output.edges(_CODE)
    t_called = time.monotonic()
    perform(edges.rise)
    time.sleep(PULSE_S)
    if edges.fall is not None:
        perform(edges.fall)
    output.check()
    time.sleep(APART_S - PULSE_S)
    return t_called


def drive_called(output: CalledOutput, n_pulses: int) -> list[float]:
    """Do the same with an output that only Python can call."""
    calls = []
    with contextlib.closing(output):
        output.open()
        for _ in range(n_pulses):
            calls.append(output.fire(_CODE).t_before)
            time.sleep(PULSE_S)
            output.lower()
            time.sleep(APART_S - PULSE_S)
    return calls


def perform(action: WireAction) -> None:
    """Make the call."""
    if action.kind == "write":
        os.write(action.descriptor, action.payload)
    else:
        # Not on Windows, where no driver hands out such an action.
        import fcntl

        fcntl.ioctl(action.descriptor, action.request, action.payload)


def main(arguments: list[str]) -> int:
    """Drive one twin and print when."""
    name, port, count = arguments
    n_pulses = int(count)
    match name:
        case "labjack":
            called: CalledOutput = LabJackLine(simulated=True)
            instants = drive_called(called, n_pulses)
        case "nidaq":
            called = NiOutput("Dev1/port0/line0", simulated=True)
            instants = drive_called(called, n_pulses)
        case "parallel":
            instants = drive(ParallelPort(port, simulated=True), n_pulses)
        case _:
            instants = drive(SerialLineTrigger(port, simulated=True), n_pulses)
    sys.stdout.write(json.dumps(instants))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
