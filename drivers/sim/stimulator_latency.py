"""Measure drivers against their twins: `python -m drivers.sim.stimulator_latency`.

The figures hold for the twins on this machine: their latencies are the published ones
where there are any. They say nothing about a real device.
"""

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from drivers.duomag.stimulator import DuoMagStimulator
from drivers.magpro.stimulator import MagProStimulator
from drivers.magstim.connect import magstim_200, magstim_bistim, magstim_rapid
from drivers.sim.process import TwinError, TwinProcess
from drivers.sim.ttl import TtlOutput
from drivers.stimulator import Stimulator

_ATTEND_S: Final = 0.05
_PULSE_WITHIN_S: Final = 5.0
_INTENSITY: Final = 31.0
_CODE: Final = "1234-56789abc-de"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A device to measure."""

    title: str
    twin: tuple[str, ...]
    make: Callable[[str], Stimulator]


SUBJECTS: Final = (
    Subject(
        title="Magstim 200²",
        twin=("magstim",),
        make=lambda port: magstim_200(port, simulated=True),
    ),
    Subject(
        title="BiStim²",
        twin=("magstim", "--model", "bistim"),
        make=lambda port: magstim_bistim(port, simulated=True),
    ),
    Subject(
        title="Rapid²",
        twin=(
            *("magstim", "--model", "rapid"),
            *("--software", "9.1.0", "--unlock", _CODE),
        ),
        make=lambda port: magstim_rapid(port, unlock_code=_CODE, simulated=True),
    ),
    Subject(
        title="MagPro",
        twin=("magpro",),
        make=lambda port: MagProStimulator(port, simulated=True),
    ),
    Subject(
        title="DuoMAG",
        twin=("duomag",),
        make=lambda port: DuoMagStimulator(
            port, confirm=lambda _question: True, simulated=True
        ),
    ),
)


class Measurement:
    """One driver on one twin.

    Parameters
    ----------
    stimulator : Stimulator
    twin : TwinProcess
    line : Path
        The twin's trigger input.
    """

    def __init__(self, stimulator: Stimulator, twin: TwinProcess, line: Path) -> None:
        self._stimulator = stimulator
        self._twin = twin
        self._trigger = TtlOutput(line)

    def run(self, n_repeats: int) -> dict[str, float]:
        """Return medians in milliseconds."""
        self._stimulator.open()
        try:
            self._stimulator.set_intensity(_INTENSITY)
            self._attend_until_ready(arm=True)
            status = [self._duration_s(self._stimulator.status) for _ in range(20)]
            edges, fires = [], []
            for _ in range(n_repeats):
                edges.append(self._to_pulse_s(self._edge))
                fires.append(self._to_pulse_s(self._stimulator.fire))
            disarm = self._duration_s(self._stimulator.disarm)
        finally:
            self._stimulator.close()
            self._trigger.close()
        return {
            "status_ms": statistics.median(status) * 1e3,
            "disarm_ms": disarm * 1e3,
            "edge_to_pulse_ms": statistics.median(edges) * 1e3,
            "fire_to_pulse_ms": statistics.median(fires) * 1e3,
        }

    def _edge(self) -> None:
        self._trigger.pulse(time.monotonic())

    def _duration_s(self, call: Callable[[], object]) -> float:
        t = time.monotonic()
        call()
        return time.monotonic() - t

    def _to_pulse_s(self, call: Callable[[], object]) -> float:
        self._attend_until_ready(arm=False)
        n_before = len(self._pulses())
        t = time.monotonic()
        call()
        # At least once, so that the driver sees the pulse before the next is asked for.
        self._attend()
        while len(self._pulses()) == n_before:
            if time.monotonic() - t > _PULSE_WITHIN_S:
                raise TwinError(
                    f"{self._twin.name} made no pulse within {_PULSE_WITHIN_S:g} s; "
                    f"see {self._twin.log}."
                )
            self._attend()
        return self._pulses()[-1] - t

    def _attend_until_ready(self, *, arm: bool) -> None:
        while self._stimulator.wait_s() > 0:
            self._attend()
        if arm:
            self._stimulator.arm()
        while not self._stimulator.status().ready or self._stimulator.wait_s() > 0:
            self._attend()

    def _attend(self) -> None:
        time.sleep(_ATTEND_S)
        self._stimulator.attend()

    def _pulses(self) -> list[float]:
        events = [json.loads(line) for line in self._twin.log.read_text().splitlines()]
        return [event["t"] for event in events if event["kind"] == "pulse"]


def measure(subject: Subject, n_repeats: int) -> dict[str, float]:
    """Return the medians of one device, milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        line = Path(folder) / "ttl"
        with TwinProcess(*subject.twin, "--ttl-in", str(line)) as twin:
            found = Measurement(subject.make(twin.port), twin, line)
            return found.run(n_repeats)


def main() -> int:
    """Measure all devices and print a table."""
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.stimulator_latency")
    parser.add_argument("--repeats", type=int, default=5, help="pulses of each kind")
    options = parser.parse_args()
    columns = ("status_ms", "disarm_ms", "edge_to_pulse_ms", "fire_to_pulse_ms")
    sys.stdout.write(f"| device | {' | '.join(columns)} |\n|{' --- |' * 5}\n")
    for subject in SUBJECTS:
        figures = measure(subject, options.repeats)
        cells = " | ".join(f"{figures[column]:.2f}" for column in columns)
        sys.stdout.write(f"| {subject.title} | {cells} |\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
