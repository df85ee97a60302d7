"""Stream a simulated participant: `python -m controller.sources.synthetic`."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

import click
import pydantic

from controller.config_source import SyntheticSource
from controller.errors import ChannelError, ConfigError
from controller.sources.montage import channel_index
from controller.sources.network import configure_lsl
from controller.sources.outlet import EegOutlet
from controller.sources.pacing import TimedRows, on_schedule
from controller.sources.serving import Serving, exit_with_sentence, serve
from controller.sources.synthetic.faults import Faults, with_faults
from controller.sources.synthetic.layout import (
    channel_labels,
    channel_types,
    channel_units,
)
from controller.sources.synthetic.pulse_script import read_pulse_script
from controller.sources.synthetic.responses import Responses
from controller.sources.synthetic.signal import SyntheticParticipant
from controller.sources.synthetic.wires import LiveWires

_NEVER = math.inf


@click.command()
@click.option("--config", "config_json", required=True, help="settings, as JSON")
@click.option("--source-id", required=True, help="unique id of the stream")
@click.option("--wait/--no-wait", default=False, help="start with the first receiver")
@click.option("--parent", type=int, help="end when this process is gone")
@click.option("--duration", "duration_s", type=float, default=_NEVER, help="seconds")
@click.option("--trigger-in", type=Path, help="virtual TTL line of trigger codes")
@click.option("--pulse-in", type=Path, help="virtual TTL line of a stimulator's pulses")
@click.option(
    "--pulse-script", type=Path, help="triggers and pulses that happen anyway"
)
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
@click.option("--late-at", "late_at_s", type=float, default=_NEVER)
@click.option("--late-s", type=float, default=0.2)
@click.option("--die-at", "die_at_s", type=float, default=_NEVER)
def main(
    *,
    config_json: str,
    source_id: str,
    wait: bool,
    parent: int | None,
    duration_s: float,
    trigger_in: Path | None,
    pulse_in: Path | None,
    pulse_script: Path | None,
    fault_channel: str | None,
    die_at_s: float,
    **fault_times: float,
) -> None:
    """Stream a simulated participant over LSL; the times are seconds from the start."""

    def stream() -> None:
        config = parse_settings(config_json)
        labels = channel_labels(config)
        channel = (
            None
            if fault_channel is None
            else channel_index(fault_channel, labels, where="--fault-channel")
        )
        faults = Faults(channel=channel, **fault_times)
        participant = SyntheticParticipant(config)
        responses = Responses(config)
        if pulse_script is not None:
            for pulse in read_pulse_script(pulse_script):
                pulse.play(responses)
        wires = LiveWires(
            responses, config.sfreq_hz, trigger_in=trigger_in, pulse_in=pulse_in
        )
        configure_lsl(local_only=True)
        outlet = EegOutlet(
            name="phasegate simulated participant",
            source_id=source_id,
            sfreq_hz=config.sfreq_hz,
            labels=labels,
            types=channel_types(config),
            units=channel_units(config),
        )
        with contextlib.closing(wires):
            serve(
                outlet,
                participant_rows(participant, config, faults, duration_s, responses),
                Serving(
                    source_id=source_id,
                    wait=wait,
                    parent=parent,
                    die_at_s=die_at_s,
                    transport_s=config.transport_ms / 1e3,
                ),
                wires,
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
    responses: Responses,
) -> Iterator[TimedRows]:
    """Yield the participant's samples in blocks of about a second, faults included.

    `responses` gets the truth of each block before it is yielded.
    """
    page = max(1, round(config.sfreq_hz))
    first = 0
    while first < duration_s * config.sfreq_hz:
        n = min(page, duration_s * config.sfreq_hz - first)
        block = participant.read(math.ceil(n))
        responses.remember(first, block.truth)
        rows = on_schedule(block.samples, first, config.sfreq_hz)
        yield with_faults(rows, faults, interval_s=1 / config.sfreq_hz)
        first += len(block.samples)


if __name__ == "__main__":
    main()
