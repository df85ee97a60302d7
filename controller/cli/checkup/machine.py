"""Whether the machine is punctual, and what it grants."""

import getpass
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pylsl

from controller.cli.checkup.finding import Finding, fault, note, ok
from controller.engine.fallback import NOTICE
from controller.engine.ports import platform_has_table
from controller.errors import EngineFault, PhasegateError
from controller.kernels.jit import cache_directory
from controller.rig.programs.program import SPIN_S
from controller.sources.network import LslNetwork, configure_lsl

_PUNCTUALITY = "controller.cli.checkup.punctuality"
_WARM_START = "controller.cli.checkup.warm_start"
_COMPILE_TIMEOUT_S = 300.0
_CLOCK_TOLERANCE_S = 1e-3

_TOPICS = {
    "fifo": "real-time priority",
    "memory_lock": "memory lock",
    "timer_slack": "timer slack",
}
_ADVICE = {
    "fifo": "other programs can delay the loop; put `{user} - rtprio 50` into "
    "/etc/security/limits.d/phasegate.conf and log in again",
    "memory_lock": "a page fault can delay the loop; put `{user} - memlock unlimited` "
    "into /etc/security/limits.d/phasegate.conf and log in again",
    "timer_slack": "wake-ups are up to 50 us late; ask whoever confines this process "
    "to allow prctl(PR_SET_TIMERSLACK)",
}


def examine_machine() -> Iterator[Finding]:
    """Yield findings on LSL, clock, loop, privileges, timer and ports."""
    yield lsl_library()
    yield lsl_clock()
    yield which_loop()
    yield compile_cache()
    try:
        measured = run_measurement(_PUNCTUALITY)
    except PhasegateError as error:
        yield fault("privileges", str(error), error.exit_code)
    else:
        yield from grants(measured["privileges"], getpass.getuser())
        yield timer(np.asarray(measured["late_us"], float))
    yield serial_ports()


def lsl_library() -> Finding:
    """Return which liblsl is loaded, and whose settings it runs with."""
    network = configure_lsl()
    number = pylsl.library_version()
    words = (
        f"Version {number // 100}.{number % 100}, protocol {pylsl.protocol_version()}"
    )
    if network is LslNetwork.USER:
        return note(
            "liblsl",
            f"{words}; your own lsl_api.cfg is in force, so it decides which streams "
            "are visible.",
        )
    return ok("liblsl", f"{words}.")


def lsl_clock() -> Finding:
    """Return whether the clock of LSL is the one that the loop's deadlines are on."""
    difference_s = pylsl.local_clock() - time.monotonic()
    if abs(difference_s) <= _CLOCK_TOLERANCE_S:
        return ok("clock", "LSL's clock is the system's monotonic clock.")
    if platform.system() == "Linux":
        return fault(
            "clock",
            f"LSL's clock is {difference_s:.3f} s off the system's monotonic clock, so "
            "triggers would be mistimed; reinstall pylsl.",
            EngineFault.exit_code,
        )
    return note("clock", "LSL's clock is not Python's monotonic clock here.")


def which_loop() -> Finding:
    """Return which of the two loops runs here, and why."""
    if platform_has_table():
        return ok(
            "loop",
            f"Compiled: {platform.system()} on {platform.machine()} lets it call the "
            "system directly.",
        )
    return note("loop", NOTICE)


def compile_cache() -> Finding:
    """Return where the machine code is, and how long it takes to load."""
    folder = cache_directory()
    was_there = any(folder.glob("**/*.nbi"))
    try:
        load_s = run_measurement(_WARM_START)["load_s"]
    except PhasegateError as error:
        return fault("compiled code", str(error), error.exit_code)
    if was_there:
        return ok("compiled code", f"Loads in {load_s:.1f} s from {folder}.")
    return note(
        "compiled code",
        f"Was compiled just now in {load_s:.1f} s into {folder}; from now on it only "
        "has to be loaded.",
    )


def grants(privileges: dict[str, str], user: str) -> Iterator[Finding]:
    """Yield what the system granted, and how to get the rest."""
    for key, topic in _TOPICS.items():
        answer = privileges[key]
        if answer == "granted":
            yield ok(topic, "Granted.")
        else:
            advised = _ADVICE[key].format(user=user)
            yield note(topic, f"{answer[:1].upper()}{answer[1:]}: {advised}.")
    yield ok("processors", f"The loop may use {privileges['affinity']}.")


def timer(late_us: Any) -> Finding:
    """Return how late wake-ups are, beside what the loop can make up for.

    Parameters
    ----------
    late_us : array, shape (n,)
    """
    p50, p99 = np.percentile(late_us, [50, 99])
    words = f"{len(late_us)} wake-ups were late by p50 {p50:.0f} us, p99 {p99:.0f} us"
    if p99 <= SPIN_S * 1e6:
        return ok("timer", f"{words}; the loop wakes {SPIN_S * 1e6:.0f} us early.")
    return note(
        "timer",
        f"{words}, more than the {SPIN_S * 1e6:.0f} us that the loop wakes early, so "
        "some triggers will be late or refused; close other programs, or grant "
        "real-time priority.",
    )


def serial_ports() -> Finding:
    """Return the serial ports of this machine."""
    from serial.tools import list_ports

    found = [
        f"{port.device} ({port.description})" for port in sorted(list_ports.comports())
    ]
    if not found:
        return note(
            "serial ports",
            "None; plug the trigger box in, or use the simulated output.",
        )
    return ok("serial ports", f"{'; '.join(found)}.")


def run_measurement(module: str, timeout_s: float = _COMPILE_TIMEOUT_S) -> Any:
    """Run a module of ours in a process of its own; return the JSON that it prints.

    Raises
    ------
    EngineFault
        It failed, or took too long.
    """
    command = [sys.executable, "-P", "-m", module]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=True
        )
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise EngineFault(
            f"{module} was not done after {timeout_s:g} s; see what else this machine "
            "is busy with."
        ) from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["nothing"])[-1]
        raise EngineFault(
            f"{module} ended with code {error.returncode} and said: {last}"
        ) from error
    except json.JSONDecodeError as error:
        raise EngineFault(f"{module} printed no result: {error}.") from error
