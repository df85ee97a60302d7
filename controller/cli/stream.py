"""`phasegate stream FILE`: a recording as a live stream, for any program."""

from pathlib import Path

import click

from controller.cli.options import SECONDS, json_option

THROUGH = ("phasegate", "mne-realtime")


@click.command(short_help="Stream a recording over LSL, as an amplifier would.")
@click.argument("recording", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--stream",
    metavar="NAME",
    help="Which stream of an XDF file.  [default: the one of EEG]",
)
@click.option(
    "--unit",
    type=click.Choice(["uV", "mV", "V"]),
    help="Unit of the samples, where an XDF file does not say it.",
)
@click.option(
    "--speed",
    type=SECONDS,
    metavar="X",
    default=1.0,
    show_default="1",
    help="Play faster or slower; the rate, and every rhythm's frequency, with it.",
)
@click.option(
    "--duration",
    "duration_s",
    type=SECONDS,
    metavar="S",
    help="End after so many seconds.  [default: with the recording]",
)
@click.option("--repeat", is_flag=True, help="Begin again after the last sample.")
@click.option("--wait", is_flag=True, help="Begin when the first receiver has come.")
@click.option(
    "--name", help='Name of the stream.  [default: "phasegate replay of FILE"]'
)
@click.option(
    "--id", "source_id", help="Its source id, for [source].  [default: a new one]"
)
@click.option(
    "--markers/--no-markers",
    default=True,
    help="Stream what the file notes of instants beside the EEG.  [default: yes]",
)
@click.option("--network", is_flag=True, help="Show the stream to other machines, too.")
@click.option(
    "--through",
    type=click.Choice(THROUGH),
    default=THROUGH[0],
    show_default=True,
    help="Who streams: our own player, or MockLSLStream of mne-realtime (EEG only, "
    "stamped when it is pushed).",
)
@json_option
def stream(
    *,
    recording: Path,
    stream: str | None,
    unit: str | None,
    speed: float,
    duration_s: float | None,
    repeat: bool,
    wait: bool,
    name: str | None,
    source_id: str | None,
    markers: bool,
    network: bool,
    through: str,
    as_json: bool,
) -> None:
    """Stream a recording over LSL in real time, as an amplifier would.

    FILE is XDF, EDF, BDF, BrainVision (.vhdr), FIF or EEGLAB (.set). Samples leave when
    they are due and carry exact stamps; a gap in an XDF file stays a gap. Any program
    can receive them. It ends with the recording, or with Ctrl-C.

    \b
    Example:
      phasegate stream rest.edf
      phasegate stream session.xdf --stream BrainAmp --wait
      phasegate stream rest.vhdr --repeat --name "my amplifier" --id amp-1
      phasegate stream rest.fif --through mne-realtime
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.streaming import Wanted, stream_recording

    result = stream_recording(
        Wanted(
            path=recording.absolute(),
            stream=stream,
            unit=unit,
            speed=speed,
            duration_s=duration_s,
            repeat=repeat,
            wait=wait,
            name=name,
            source_id=source_id,
            markers=markers,
            network=network,
            through_mne=through == THROUGH[1],
        )
    )
    if as_json:
        import json

        click.echo(json.dumps(result, indent=1, ensure_ascii=False))
