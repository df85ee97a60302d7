"""`phasegate run CONFIG`: a session as a configuration describes it."""

from pathlib import Path

import click

from controller.cli.desk import Desk
from controller.cli.options import json_option, out_option, rest_option
from controller.cli.speech import say
from controller.errors import NotArmed


@click.command()
@click.argument("config_path", metavar="CONFIG", type=click.Path(path_type=Path))
@click.option(
    "--arm", is_flag=True, help="Arm real outputs without asking at the terminal."
)
@click.option(
    "--profile",
    type=click.Path(path_type=Path),
    help="Use a calibration: its folder, or the folder of all profiles for the "
    "participant's newest.",
)
@click.option("--participant", help="Overrides run.participant of CONFIG.")
@rest_option
@out_option
@json_option
@click.pass_context
def run(
    context: click.Context,
    *,
    config_path: Path,
    arm: bool,
    profile: Path | None,
    participant: str | None,
    rest_s: float | None,
    out: Path,
    as_json: bool,
) -> None:
    """Run the session that CONFIG describes.

    Real outputs fire only once they are armed: after calibration you are asked to type
    the word `arm`, or you pass --arm beforehand. Simulated outputs need no arming.
    Ctrl-C disarms, finishes the records and shows the summary.

    \b
    Example:
      phasegate check configs/alpha-peak-serial.toml
      phasegate run configs/alpha-peak-serial.toml --out ~/sessions
      phasegate run configs/alpha-peak-serial.toml --profile profiles --participant P07
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.equipment_words import port_words
    from controller.cli.session import Wish, conduct
    from controller.cli.settings import Settings

    desk: Desk = context.obj or Desk()
    settings = Settings.read(config_path)
    settings.put("run", participant=participant, rest_s=rest_s)
    config, text = settings.parsed()
    if not config.output.simulated:
        if not arm and not desk.person_is_there():
            raise NotArmed(
                f"{config_path} fires a real output ({config.output.kind} at "
                f"{port_words(config.output)}), and nobody is at a terminal to arm it; "
                "start it from a terminal, or pass --arm."
            )
        say(
            "Keep the stimulator disabled until the arming: opening a serial port can "
            "raise its lines for an instant."
        )
    wish = Wish(
        config=config, text=text, out=out, arm=arm, as_json=as_json, profile=profile
    )
    context.exit(conduct(wish, desk))
