"""The recorder under load: `python -m bench.recorder`.

A writer fills the rings as the loop does, 5 kHz times 128 channels in real time, with a
decision ten times a second. Counted are samples that did not arrive, and how memory,
processor and the fill of the rings behave meanwhile.
"""

import dataclasses
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from controller.core.reasons import Outcome
from controller.core.records import DECISION, EDGE, SAMPLE
from controller.core.structures import Telemetry
from controller.engine.clock import host_clock
from controller.engine.telemetry import backlog
from controller.kernels.jit import Float32Array, new_records
from controller.session.folder import EEG, SessionFolder
from controller.session.recording.recorder import DECISION_STREAM, EEG_STREAM
from controller.session.recording.rings import create_rings
from controller.session.recording.running_recorder import RunningRecorder
from controller.session.recording.streams import (
    Channel,
    StreamDescription,
    stream_as_dict,
)
from controller.session.xdf_reader import read_xdf, scan_xdf

_BLOCK_S = 0.005
_RING_S = 10.0
_PATTERN_SAMPLES = 5003
_SETTLE_S = 5.0
_LOOK_EVERY_S = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the recorder has to take.

    Parameters
    ----------
    sfreq_hz : float
    n_channels : int
    duration_s : float
    """

    sfreq_hz: float
    n_channels: int
    duration_s: float


class Writer:
    """Writes rows as the loop does: into the rings, then the heads, and waits never."""

    def __init__(self, telemetry: Telemetry, load: Load) -> None:
        self._telemetry = telemetry
        self._load = load
        self.pattern = pattern(load.n_channels)
        self.n = 0
        self.overrun = False

    def write_to(self, n: int) -> None:
        """Write samples up to the `n`-th, unless a ring is full."""
        telemetry = self._telemetry
        if n - int(telemetry.tails[0]) > len(telemetry.samples):
            self.overrun = True
            return
        at = np.arange(self.n, n)
        rows = new_records(SAMPLE, len(at))
        rows["t_sample"] = stamps(at, self._load.sfreq_hz)
        rows["t_arrival"] = rows["t_sample"] + 0.002
        place = at % len(telemetry.samples)
        telemetry.samples[place] = rows
        telemetry.raw[place] = self.pattern[at % len(self.pattern)]
        for number in range(*_numbers(self.n, n, self._load.sfreq_hz)):
            self._decide(number)
        self.n = n
        telemetry.heads[0] = n

    def _decide(self, number: int) -> None:
        decision, edge = new_records(DECISION), new_records(EDGE)
        decision["decision"] = edge["decision"] = number
        decision["t_decided"] = edge["t_due"] = edge["t_fired"] = 1.0 + number / 10.0
        decision["outcome"], edge["rises"] = Outcome.PLANNED, 1
        for ring, row, head in (
            (self._telemetry.decisions, decision, 1),
            (self._telemetry.edges, edge, 2),
        ):
            ring[number % len(ring)] = row[0]
            self._telemetry.heads[head] = number + 1


def _numbers(start: int, stop: int, sfreq_hz: float) -> tuple[int, int]:
    """Return which decisions fall on these samples: one on every tenth of a second."""
    step = round(sfreq_hz / 10.0)
    return -(-start // step), -(-stop // step)


def stamps(at: Any, sfreq_hz: float) -> Any:
    """Return the stamps of the samples `at`."""
    return 1.0 + at / sfreq_hz


def pattern(n_channels: int) -> Float32Array:
    """Return what the samples are, over and over again."""
    rng = np.random.default_rng(7)
    return rng.standard_normal((_PATTERN_SAMPLES, n_channels), np.float32)


def measure(load: Load, folder: SessionFolder) -> dict[str, Any]:
    """Record under the load, and return what was found."""
    rings = create_rings(
        load.n_channels,
        n_samples=round(_RING_S * load.sfreq_hz),
        header={
            "folder": str(folder.path.resolve()),
            "stream": stream_as_dict(_stream(load)),
        },
    )
    recorder = RunningRecorder(rings)
    writer = Writer(rings.telemetry, load)
    looks: list[tuple[float, float, float]] = []
    most_backlog = 0.0
    try:
        recorder.start()
        t_start = t_look = time.monotonic()
        n_planned = round(load.duration_s * load.sfreq_hz)
        while writer.n < n_planned and not writer.overrun:
            t_now = time.monotonic()
            writer.write_to(min(n_planned, int((t_now - t_start) * load.sfreq_hz)))
            most_backlog = max(most_backlog, backlog(rings.telemetry))
            if t_now - t_look >= _LOOK_EVERY_S or not looks:
                t_look = t_now
                recorder.check(host_clock())
                looks.append((t_now - t_start, *_used(recorder.pid)))
            time.sleep(_BLOCK_S)
        seconds = time.monotonic() - t_start
    finally:
        finished = recorder.close()
        rings.remove()
    words = rings.recorder[0]
    settled = [look for look in looks if look[0] >= min(_SETTLE_S, looks[-1][0] / 2)]
    memory = [mb for _, mb, _ in settled]
    return {
        "sfreq_hz": load.sfreq_hz,
        "channels": load.n_channels,
        "seconds": round(seconds, 1),
        "written": writer.n,
        "recorded": int(words["n_samples"]),
        "lost": writer.n - int(words["n_samples"]),
        "wrong": _wrong(folder.path, load, writer.n),
        "finished": finished,
        "overrun": writer.overrun,
        "megabytes": round(int(words["n_bytes"]) / 1e6, 1),
        "memory_first_mb": round(memory[0], 1),
        "memory_most_mb": round(max(memory), 1),
        "memory_growth_mb": round(_growth(settled), 2),
        "processor_percent": round(100.0 * looks[-1][2] / max(looks[-1][0], 0.1), 1),
        "most_backlog_percent": round(100.0 * most_backlog, 1),
        "longest_turn_ms": round(1e3 * float(words["longest_turn_s"]), 1),
    }


def _growth(looks: list[tuple[float, float, float]]) -> float:
    """Return by how much a straight line through the memory rises from end to end."""
    t, mb = np.array([look[0] for look in looks]), np.array([look[1] for look in looks])
    if len(t) < 2:
        return 0.0
    slope = np.polyfit(t, mb, 1)[0]
    return float(slope * (t[-1] - t[0]))


def _used(pid: int) -> tuple[float, float]:
    """Return the memory of a process, MB, and its processor time, seconds."""
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    page, second = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    return resident * page / 1e6, ticks / second


def _wrong(folder: Path, load: Load, n: int) -> int:
    """Return how many samples and decisions in the file are not what was written."""
    eeg = read_xdf(folder / EEG, only={EEG_STREAM}).streams[EEG_STREAM]
    known = pattern(load.n_channels)
    wrong = int(
        np.count_nonzero(
            eeg.stamps != stamps(np.arange(len(eeg.stamps)), load.sfreq_hz)
        )
    )
    for start in range(0, len(eeg.values), len(known)):
        block = eeg.values[start : start + len(known)]
        wrong += int(np.count_nonzero(np.any(block != known[: len(block)], axis=1)))
    extents = {
        one.description.name: one for one in scan_xdf(folder / EEG).extents.values()
    }
    _, n_decisions = _numbers(0, n, load.sfreq_hz)
    return wrong + abs(extents[DECISION_STREAM].n_samples - n_decisions)


def _stream(load: Load) -> StreamDescription:
    return StreamDescription(
        name="load",
        kind="EEG",
        sfreq_hz=load.sfreq_hz,
        sample_format="float32",
        channels=tuple(Channel(label=f"E{k}") for k in range(load.n_channels)),
    )


@click.command()
@click.option("--minutes", default=10.0, show_default=True, help="For how long.")
@click.option("--rate", default=5000.0, show_default=True, help="Samples a second.")
@click.option("--channels", default=128, show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the recording; a temporary one if absent.",
)
@click.option("--json", "where", type=click.Path(path_type=Path))
def main(
    *,
    minutes: float,
    rate: float,
    channels: int,
    out: Path | None,
    where: Path | None,
) -> None:
    """Record in real time under load; the exit code is 1 if a sample was lost.

    \b
    Example:
      python -m bench.recorder --minutes 1
    """  # noqa: D301 - \b keeps the lines apart
    load = Load(sfreq_hz=rate, n_channels=channels, duration_s=60.0 * minutes)
    root = Path(tempfile.mkdtemp(prefix="phasegate-recorder-", dir=out))
    try:
        click.echo(f"Recording for {minutes:g} min in {root} ...", err=True)
        found = measure(load, SessionFolder.create(root, title="load"))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    if where is not None:
        where.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    click.echo(json.dumps(found, indent=1))
    if found["lost"] or found["wrong"] or found["overrun"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
