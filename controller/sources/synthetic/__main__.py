"""Stream a simulated participant: `python -m controller.sources.synthetic`."""

import math
from collections.abc import Iterator

import click
import pydantic

from controller.config import SyntheticSource
from controller.errors import ChannelError, ConfigError
from controller.sources.montage import channel_index
from controller.sources.network import configure_lsl
from controller.sources.outlet import EegOutlet
from controller.sources.pacing import TimedRows, on_schedule
from controller.sources.serving import Serving, exit_with_sentence, serve
from controller.sources.synthetic.faults import Faults, with_faults
from controller.sources.synthetic.signal import SyntheticParticipant

_NEVER = math.inf


@click.command()
@click.option("--config", "config_json", required=True, help="settings, as JSON")
@click.option("--source-id", required=True, help="unique id of the stream")
@click.option("--wait/--no-wait", default=False, help="start with the first receiver")
@click.option("--parent", type=int, help="end when this process is gone")
@click.option("--duration", "duration_s", type=float, default=_NEVER, help="seconds")
@click.option("--gap-at", "gap_at_s", type=float, default=_NEVER)
@click.option("--gap-s", type=float, default=0.5)
@click.option("--nan-at", "nan_at_s", type=float, default=_NEVER)
@click.option("--flat-at", "flat_at_s", type=float, default=_NEVER)
@click.option("--saturate-at", "saturate_at_s", type=float, default=_NEVER)
@click.option("--fault-channel", help="label; all channels if absent")
@click.option("--fault-s", "lasting_s", type=float, default=1.0)
@click.option("--backward-at", "backward_at_s", type=float, default=_NEVER)
@click.option("--repeat-at", "repeat_at_s", type=float, default=_NEVER)
@click.option("--freeze-at", "freeze_at_s", type=float, default=_NEVER)
@click.option("--die-at", "die_at_s", type=float, default=_NEVER)
def main(
    *,
    config_json: str,
    source_id: str,
    wait: bool,
    parent: int | None,
    duration_s: float,
    fault_channel: str | None,
    die_at_s: float,
    **fault_times: float,
) -> None:
    """Stream a simulated participant over LSL; the times are seconds from the start."""

    def stream() -> None:
        config = parse_settings(config_json)
        channel = (
            None
            if fault_channel is None
            else channel_index(fault_channel, config.channels, where="--fault-channel")
        )
        faults = Faults(channel=channel, **fault_times)
        participant = SyntheticParticipant(config)
        configure_lsl(local_only=True)
        outlet = EegOutlet(
            name="phasegate simulated participant",
            source_id=source_id,
            sfreq_hz=config.sfreq_hz,
            labels=config.channels,
            types=["EEG"] * len(config.channels),
            units=["microvolts"] * len(config.channels),
        )
        serve(
            outlet,
            participant_rows(participant, config, faults, duration_s),
            Serving(source_id=source_id, wait=wait, parent=parent, die_at_s=die_at_s),
        )

    exit_with_sentence(stream)


def parse_settings(config_json: str) -> SyntheticSource:
    """Read the settings from the command line.

    Raises
    ------
    ConfigError, ChannelError
    """
    try:
        config = SyntheticSource.model_validate_json(config_json)
    except pydantic.ValidationError as error:
        raise ConfigError(f"--config: {error}") from error
    doubled = [label for label in config.channels if config.channels.count(label) > 1]
    if doubled:
        raise ChannelError(f"source.channels names {doubled[0]} twice; name it once.")
    return config


def participant_rows(
    participant: SyntheticParticipant,
    config: SyntheticSource,
    faults: Faults,
    duration_s: float,
) -> Iterator[TimedRows]:
    """Yield the participant's samples in blocks of about a second, faults included."""
    page = max(1, round(config.sfreq_hz))
    first = 0
    while first < duration_s * config.sfreq_hz:
        n = min(page, duration_s * config.sfreq_hz - first)
        block = participant.read(math.ceil(n))
        rows = on_schedule(block.samples, first, config.sfreq_hz)
        yield with_faults(rows, faults, interval_s=1 / config.sfreq_hz)
        first += len(block.samples)


if __name__ == "__main__":
    main()
