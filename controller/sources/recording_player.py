"""Replay a recording over LSL: `python -m controller.sources.recording_player`."""

import itertools
import math
from collections.abc import Iterator

import click
import numpy as np
import pydantic

from controller.config_source import FileSource
from controller.errors import ConfigError
from controller.sources.marks import MarkOutlet, MarkPlayer, scheduled
from controller.sources.network import configure_lsl
from controller.sources.outlet import EegOutlet
from controller.sources.pacing import TimedRows
from controller.sources.recorded import Recording
from controller.sources.recording import read_recording
from controller.sources.serving import Serving, exit_with_sentence, serve


@click.command()
@click.option("--config", "config_json", required=True, help="settings, as JSON")
@click.option("--source-id", required=True, help="unique id of the stream")
@click.option("--wait/--no-wait", default=False, help="start with the first receiver")
@click.option("--parent", type=int, help="end when this process is gone")
@click.option("--duration", "duration_s", type=float, default=math.inf, help="seconds")
@click.option("--name", help="of the stream")
@click.option("--repeat", is_flag=True, help="begin again after the last sample")
@click.option("--markers", is_flag=True, help="stream what the file notes, too")
@click.option("--network", is_flag=True, help="show the stream to other machines")
def main(
    *,
    config_json: str,
    source_id: str,
    wait: bool,
    parent: int | None,
    duration_s: float,
    name: str | None,
    repeat: bool,
    markers: bool,
    network: bool,
) -> None:
    """Replay a recording over LSL in real time, and end with its last sample.

    At another `speed` the stream's rate is the recording's times `speed`, and so is the
    frequency of every rhythm in it.
    """

    def stream() -> None:
        config = parse_settings(config_json)
        recording = read_recording(config.path, stream=config.stream, unit=config.unit)
        configure_lsl(local_only=not network)
        called = name or f"phasegate replay of {config.path.name}"
        outlet = EegOutlet(
            name=called,
            source_id=source_id,
            sfreq_hz=recording.sfreq_hz * config.speed,
            labels=recording.labels,
            types=recording.types,
            units=recording.units,
        )
        wires = None
        if markers and recording.marks:
            period_s = recording.duration_s if repeat else None
            marks = scheduled(recording.marks, speed=config.speed, period_s=period_s)
            marker_outlet = MarkOutlet(
                name=f"{called} markers", source_id=f"{source_id}-markers"
            )
            wires = MarkPlayer(marks, marker_outlet.push)
        serve(
            outlet,
            recording_rows(
                recording, config.speed, duration_s=duration_s, repeat=repeat
            ),
            Serving(
                source_id=source_id,
                wait=wait,
                parent=parent,
                about=about_recording(recording, called, config.speed),
            ),
            wires,
        )

    exit_with_sentence(stream)


def parse_settings(config_json: str) -> FileSource:
    """Read the settings from the command line.

    Raises
    ------
    ConfigError
    """
    try:
        return FileSource.model_validate_json(config_json)
    except pydantic.ValidationError as error:
        raise ConfigError(f"--config: {error}") from error


def about_recording(
    recording: Recording, name: str, speed: float = 1.0
) -> dict[str, object]:
    """Return what there is to know of a replay."""
    return {
        "name": name,
        "sfreq_hz": recording.sfreq_hz * speed,
        "labels": list(recording.labels),
        "duration_s": recording.duration_s / speed,
        "n_markers": len(recording.marks),
    }


def recording_rows(
    recording: Recording,
    speed: float = 1.0,
    *,
    duration_s: float = math.inf,
    repeat: bool = False,
) -> Iterator[TimedRows]:
    """Yield the recording's samples in blocks of about a second.

    Parameters
    ----------
    recording : Recording
    speed : float
    duration_s : float
        Of the replay; samples that are due from then on are left out.
    repeat : bool
        Begin again, an interval after the last sample, without end.
    """
    instants_s = recording.instants_s / speed
    period_s = recording.duration_s / speed
    page = max(1, round(recording.sfreq_hz * speed))
    for turn in itertools.count() if repeat else range(1):
        for first in range(0, len(instants_s), page):
            due_s = turn * period_s + instants_s[first : first + page]
            n = int(np.searchsorted(due_s, duration_s))
            samples = recording.samples[first : first + n]
            yield TimedRows(samples=samples, due_s=due_s[:n], stamp_s=due_s[:n])
            if n < len(due_s):
                return


if __name__ == "__main__":
    main()
