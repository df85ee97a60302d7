"""`phasegate replay`: a session once more, or a recording instead of a participant."""

from collections.abc import Mapping
from pathlib import Path

import click

from controller.cli.desk import Desk
from controller.cli.options import SECONDS, json_option, out_option, rest_option
from controller.cli.speech import say
from controller.errors import ChannelError

# Where each band is looked for, if nobody says.
_SITES = {
    "alpha": ("O1", "O2"),
    "mu": ("C3",),
    "theta": ("Fz",),
    "beta": ("C3",),
    "spindle": ("Cz",),
    "slow": ("Fz",),
}
_PHASES_DEG = {"peak": 0.0, "falling": 90.0, "trough": 180.0, "rising": -90.0}


def as_phase(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> float | None:
    """Return degrees, from degrees or the name of a place in the cycle."""
    if value is None:
        return None
    if value.lower() in _PHASES_DEG:
        return _PHASES_DEG[value.lower()]
    try:
        degrees = float(value)
    except ValueError:
        degrees = float("nan")
    if not -360.0 <= degrees <= 360.0:
        raise click.BadParameter(
            f"{value!r} is neither degrees from -360 to 360 nor one of "
            f"{', '.join(_PHASES_DEG)}."
        )
    return degrees


def as_labels(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Return the labels between commas."""
    if value is None:
        return None
    labels = tuple(part.strip() for part in value.split(","))
    if not all(labels) or len(set(labels)) < len(labels):
        raise click.BadParameter(
            f"{value!r} is no list of different labels such as O1,O2."
        )
    return labels


@click.command(short_help="Run a session again, or close the loop on a recording.")
@click.argument("recording", metavar="SESSION|FILE", type=click.Path(path_type=Path))
@click.option(
    "--channels",
    metavar="LABELS",
    callback=as_labels,
    help="Channels to average, such as O1,O2.  "
    "[default: where the band is strongest, or those of --config]",
)
@click.option(
    "--band",
    type=click.Choice(list(_SITES)),
    help="[default: alpha]  A slow oscillation needs --config with its frequency.",
)
@click.option(
    "--target",
    metavar="DEG|WORD",
    callback=as_phase,
    help="Phase to hit: degrees, or peak, falling, trough, rising.  [default: peak]",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Take everything else from this file instead of the shipped replay.toml; for "
    "a session: ask what this configuration would have done.",
)
@click.option(
    "--set",
    "changes",
    metavar="TABLE.KEY=VALUE",
    multiple=True,
    help="Ask what a session would have done with this setting; may be given again.",
)
@click.option(
    "--speed",
    type=SECONDS,
    metavar="X",
    help="Play faster or slower; the rhythm's frequency changes with it.  [default: 1]",
)
@rest_option
@out_option
@json_option
@click.pass_context
def replay(
    context: click.Context,
    *,
    recording: Path,
    channels: tuple[str, ...] | None,
    band: str | None,
    target: float | None,
    config_path: Path | None,
    changes: tuple[str, ...],
    speed: float | None,
    rest_s: float | None,
    out: Path,
    as_json: bool,
) -> None:
    """Run a session again, or close the loop on a recording.

    SESSION is a session's folder: its samples go through the same loop with the
    arrival times that they had, at once, and every decision must come out the same, bit
    for bit. With --set or --config the same samples are decided anew, and both are
    shown side by side; what came of it is a session's folder below --out.

    FILE is EDF, BDF, FIF, BrainVision (.vhdr), EEGLAB (.set) or XDF. It streams over
    LSL as an amplifier would, in real time; the trigger box is simulated, also where
    --config names a real one. The session ends with the recording.

    \b
    Example:
      phasegate replay sessions/20310506T070809Z_p07_alpha
      phasegate replay sessions/20310506T070809Z_p07_alpha --set gate.percentile=75
      phasegate replay rest.edf
      phasegate replay rest.edf --channels O1,Oz,O2 --target trough
      phasegate replay rest.fif --channels Fz --band theta --rest 30
    """  # noqa: D301 - \b keeps the lines apart
    if recording.is_dir():
        from controller.cli.replay_session import replay_session
        from controller.cli.what_if import ask_session

        given = {
            "--channels": channels,
            "--band": band,
            "--target": target,
            "--speed": speed,
            "--rest": rest_s,
        }
        _refuse_for_sessions(given)
        if changes or config_path is not None:
            context.exit(
                ask_session(
                    recording,
                    changes,
                    config_path=config_path,
                    out=out,
                    as_json=as_json,
                )
            )
        context.exit(replay_session(recording, as_json=as_json))
    if changes:
        raise click.UsageError("--set is for a session's folder, not for a recording.")
    from controller.cli.session import Wish, conduct
    from controller.cli.settings import Settings
    from controller.cli.shipped import shipped_config
    from controller.sources.recording import check_recording

    check_recording(recording)
    settings = Settings.read(config_path or shipped_config("replay.toml"))
    settings.replay(recording.absolute(), speed=speed)
    if channels is None and band is not None and config_path is None:
        channels = _SITES[band]
    settings.put("rhythm", band=band)
    settings.put("target", phase_deg=target)
    settings.put("run", rest_s=rest_s)
    if channels is not None:
        settings.average(channels)
    config, text = settings.parsed()
    say(
        f"Replaying {recording.name} into a simulated trigger box. No device is "
        "touched."
    )
    wish = Wish(config=config, text=text, out=out, arm=False, as_json=as_json)
    try:
        context.exit(conduct(wish, context.obj or Desk()))
    except ChannelError as error:
        raise ChannelError(f"{error} Choose with --channels.") from error


def _refuse_for_sessions(given: Mapping[str, object]) -> None:
    for option, value in given.items():
        if value is not None:
            raise click.UsageError(
                f"{option} is for a recording, not for a session's folder."
            )
