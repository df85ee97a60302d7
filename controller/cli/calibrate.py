"""`phasegate calibrate CONFIG`: what a session with this participant may expect."""

import json
from pathlib import Path

import click

from controller.cli.options import SECONDS, json_option
from controller.cli.speech import say
from controller.cli.trouble import end_with
from controller.errors import EXIT_INTERRUPTED


@click.command(short_help="Record rest, and say how accurate a session will be.")
@click.argument("config_path", metavar="CONFIG", type=click.Path(path_type=Path))
@click.option(
    "--file",
    "recording",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Calibrate on a recording: EDF, BDF, FIF, BrainVision, EEGLAB or XDF.",
)
@click.option(
    "--session",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Calibrate on the rest of a recorded session.",
)
@click.option(
    "--rest",
    "rest_s",
    type=SECONDS,
    metavar="S",
    help="Seconds of rest to record, or to take of FILE.  [default: 120 recorded, all "
    "of FILE]",
)
@click.option("--participant", help="Overrides run.participant of CONFIG.")
@click.option(
    "--profiles",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("profiles"),
    show_default="./profiles",
    help="Where profiles go, a folder for each participant.",
)
@json_option
@click.pass_context
def calibrate(
    context: click.Context,
    *,
    config_path: Path,
    recording: Path | None,
    session: Path | None,
    rest_s: float | None,
    participant: str | None,
    profiles: Path,
    as_json: bool,
) -> None:
    """Record rest, find the rhythm, and say how accurate a session will be.

    Nothing is fired. The result is a profile for `phasegate run --profile` and a page
    with the spectrum, the spatial filter, and the trade-off between accuracy and
    triggers per minute. A rhythm too weak to follow is refused. From a live stream, the
    rest is recorded first: relaxed and still, for alpha with the eyes closed.

    \b
    Example:
      phasegate calibrate configs/alpha-peak-serial.toml --participant P07
      phasegate calibrate configs/replay.toml --file rest.edf --participant P07
      phasegate run configs/alpha-peak-serial.toml --profile profiles --participant P07
    """  # noqa: D301 - \b keeps the lines apart
    if recording is not None and session is not None:
        raise click.UsageError("Give --file or --session, not both.")
    if session is not None and rest_s is not None:
        raise click.UsageError(
            "--rest goes with a stream or --file; of a session, all rest is used."
        )
    from controller.cli.calibration import Wish, conduct
    from controller.cli.settings import Settings
    from controller.config import Run

    settings = Settings.read(config_path)
    settings.put("run", participant=participant)
    config, _ = settings.parsed()
    wish = Wish(
        config=config,
        recording=recording,
        session=session,
        rest_s=rest_s,
        profiles=profiles,
    )
    try:
        made = conduct(wish)
    except KeyboardInterrupt:
        end_with(context, EXIT_INTERRUPTED, "Interrupted; no profile was written.")
    if as_json:
        click.echo(json.dumps(made.as_dict(), indent=1, ensure_ascii=False))
        return
    made.show()
    click.echo(f"Profile: {made.folder}")
    click.echo(f"Page:    {made.page}")
    name = config.run.participant
    if name == Run().participant:
        say(
            "Note: the participant has no name, so nobody can tell later whose profile "
            "this is; calibrate with --participant."
        )
        return
    click.echo(
        f"Use it:  phasegate run {config_path} --profile {profiles} "
        f"--participant {name}"
    )
