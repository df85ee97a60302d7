"""Measure trigger outputs against their twins: `python -m drivers.sim.latency`.

From the call that makes a trigger to the stamp that the twin gives it. That is this
machine's part, plus the latency that the twin was told to have; a device adds its own.
"""

import argparse
import contextlib
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final

from drivers.base import TriggerOutput
from drivers.registry import BUILT_IN
from drivers.sim.catalogue import BEHIND_CALLS, TWINS
from drivers.sim.process import TwinProcess
from drivers.teensy import MicrocontrollerTrigger

_CODE: Final = 1
# 60 pulses in 2 s are the most that our firmware gives.
_APART_S: Final = 0.04
_PULSE_S: Final = 0.005
_LEAD_S: Final = 0.03
_OPTIONS: Final[Mapping[str, Sequence[str]]] = {"arduino-lpt": ("--boot-ms", "0")}


def measure(name: str, n_pulses: int) -> list[float]:
    """Return the latency of each trigger, seconds, in order.

    Parameters
    ----------
    name : str
        Of a trigger output that has a twin.
    n_pulses : int
    """
    with TwinProcess(name, *_OPTIONS.get(name, ())) as twin:
        output = BUILT_IN[name](twin.port, simulated=True)
        with contextlib.closing(output):
            output.open()
            called = [_fire(output) for _ in range(n_pulses)]
        twin.stop()
        return _differences(called, twin)


def measure_planned(n_pulses: int) -> list[float]:
    """Return by how much pulses that a board timed came late, seconds, in order."""
    with TwinProcess("teensy") as twin:
        trigger = MicrocontrollerTrigger(twin.port, simulated=True)
        with contextlib.closing(trigger):
            trigger.open()
            due = [_plan(trigger) for _ in range(n_pulses)]
            trigger.check()
        twin.stop()
        return _differences(due, twin)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` of the values do not exceed."""
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(0, rank - 1)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table and return the exit code."""
    measurable = sorted((set(BUILT_IN) & set(TWINS)) - BEHIND_CALLS)
    parser = argparse.ArgumentParser(
        prog="python -m drivers.sim.latency",
        description="Measure trigger outputs against their twins.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(measurable)}"
    )
    parser.add_argument("--pulses", type=int, default=100, help="of each output")
    options = parser.parse_args(arguments)
    strange = set(options.names) - set(measurable)
    if strange or options.pulses < 1:
        parser.error(f"choose names of {', '.join(measurable)} and 1 pulse or more")
    _write("| output | n | median | 99 % | longest |\n|---|---|---|---|---|\n")
    for name in options.names or measurable:
        _report(name, measure(name, options.pulses))
    if not options.names or "teensy" in options.names:
        _report("teensy, planned", measure_planned(options.pulses))
    return 0


def _report(name: str, latencies_s: Sequence[float]) -> None:
    found = [latency_s * 1e6 for latency_s in latencies_s]
    figures = (percentile(found, 50), percentile(found, 99), max(found))
    cells = " | ".join(f"{figure:.0f} µs" for figure in figures)
    _write(f"| {name} | {len(found)} | {cells} |\n")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _fire(output: TriggerOutput) -> float:
    edges = output.edges(_CODE)
    t_called = time.monotonic()
    os.write(edges.rise.descriptor, edges.rise.payload)
    time.sleep(_PULSE_S)
    if edges.fall is not None:
        os.write(edges.fall.descriptor, edges.fall.payload)
    output.check()
    time.sleep(_APART_S - _PULSE_S)
    return t_called


def _plan(trigger: MicrocontrollerTrigger) -> float:
    t_due = time.monotonic() + _LEAD_S
    trigger.pulse_at(_CODE, t_due)
    time.sleep(_APART_S)
    trigger.check()
    return t_due


def _differences(instants: Sequence[float], twin: TwinProcess) -> list[float]:
    rises = [one.t_observed for one in twin.arrivals() if one.code]
    return [rise - t for rise, t in zip(rises, instants, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
