"""Measure trigger outputs against their twins: `python -m drivers.sim.latency`.

From the call that makes a trigger to the stamp that the twin gives it. That is this
machine's part, plus the latency that the twin was told to have; a device adds its own.
"""

import argparse
import contextlib
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from drivers.registry import BUILT_IN
from drivers.sim.behind_calls import APART_S, drive, drive_from_outside
from drivers.sim.catalogue import BEHIND_CALLS, TWINS
from drivers.sim.process import TwinProcess
from drivers.teensy import MicrocontrollerTrigger

_CODE: Final = 1
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
        if name in BEHIND_CALLS:
            called = drive_from_outside(name, twin.port, n_pulses)
        else:
            called = drive(BUILT_IN[name](twin.port, simulated=True), n_pulses)
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
    measurable = sorted(set(BUILT_IN) & set(TWINS))
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
    for row in measure_all(options.names or measurable, options.pulses):
        cells = " | ".join(f"{row[key]:.0f} µs" for key in ("p50", "p99", "max"))
        _write(f"| {row['name']} | {row['n']} | {cells} |\n")
    return 0


def measure_all(names: Sequence[str], n_pulses: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each output: `name`, `n`, and `p50`, `p99`, `max` in µs.

    A board that times pulses by itself has a second row.
    """
    for name in names:
        yield _row(name, measure(name, n_pulses))
    if "teensy" in names:
        yield _row("teensy, planned", measure_planned(n_pulses))


def _row(name: str, latencies_s: Sequence[float]) -> dict[str, Any]:
    found = [latency_s * 1e6 for latency_s in latencies_s]
    figures = {"p50": percentile(found, 50), "p99": percentile(found, 99)}
    return {"name": name, "n": len(found), **figures, "max": max(found)}


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _plan(trigger: MicrocontrollerTrigger) -> float:
    t_due = time.monotonic() + _LEAD_S
    trigger.pulse_at(_CODE, t_due)
    time.sleep(APART_S)
    trigger.check()
    return t_due


def _differences(instants: Sequence[float], twin: TwinProcess) -> list[float]:
    rises = [one.t_observed for one in twin.arrivals() if one.code]
    return [rise - t for rise, t in zip(rises, instants, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
