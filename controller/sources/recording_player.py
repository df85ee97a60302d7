"""Replay a recording over LSL: `python -m controller.sources.recording_player`."""

import math
from collections.abc import Iterator

import click
import pydantic

from controller.config import FileSource
from controller.errors import ConfigError
from controller.sources.network import configure_lsl
from controller.sources.outlet import EegOutlet
from controller.sources.pacing import TimedRows, on_schedule
from controller.sources.recording import Recording, read_recording
from controller.sources.serving import Serving, exit_with_sentence, serve


@click.command()
@click.option("--config", "config_json", required=True, help="settings, as JSON")
@click.option("--source-id", required=True, help="unique id of the stream")
@click.option("--wait/--no-wait", default=False, help="start with the first receiver")
@click.option("--parent", type=int, help="end when this process is gone")
@click.option("--duration", "duration_s", type=float, default=math.inf, help="seconds")
def main(
    *,
    config_json: str,
    source_id: str,
    wait: bool,
    parent: int | None,
    duration_s: float,
) -> None:
    """Replay a recording over LSL in real time, and end with its last sample.

    At another `speed` the stream's rate is the recording's times `speed`, and so is the
    frequency of every rhythm in it.
    """

    def stream() -> None:
        config = parse_settings(config_json)
        recording = read_recording(config.path)
        rate_hz = recording.sfreq_hz * config.speed
        configure_lsl(local_only=True)
        outlet = EegOutlet(
            name=f"phasegate replay of {config.path.name}",
            source_id=source_id,
            sfreq_hz=rate_hz,
            labels=recording.labels,
            types=recording.types,
            units=recording.units,
        )
        serve(
            outlet,
            recording_rows(recording, rate_hz, duration_s),
            Serving(source_id=source_id, wait=wait, parent=parent),
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


def recording_rows(
    recording: Recording, rate_hz: float, duration_s: float = math.inf
) -> Iterator[TimedRows]:
    """Yield the recording's samples in blocks of about a second, at `rate_hz`."""
    n_samples = len(recording.samples)
    if duration_s < n_samples / rate_hz:
        n_samples = math.ceil(duration_s * rate_hz)
    page = max(1, round(rate_hz))
    for first in range(0, n_samples, page):
        samples = recording.samples[first : min(first + page, n_samples)]
        yield on_schedule(samples, first, rate_hz)


if __name__ == "__main__":
    main()
