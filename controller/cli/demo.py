"""`phasegate demo`: the whole loop on simulated devices."""

from pathlib import Path

import click

from controller.cli.desk import Desk
from controller.cli.options import SECONDS, json_option, out_option, rest_option
from controller.cli.speech import say


@click.command()
@click.option(
    "--duration",
    "duration_s",
    type=SECONDS,
    metavar="S",
    help="Seconds of closed loop.  [default: 60]",
)
@rest_option
@out_option
@json_option
@click.pass_context
def demo(
    context: click.Context,
    *,
    duration_s: float | None,
    rest_s: float | None,
    out: Path,
    as_json: bool,
) -> None:
    """Close the loop for a minute, with everything simulated.

    A simulated participant streams EEG over LSL, and a simulated trigger box stamps
    what arrives: no amplifier, no stimulator. Takes 30 s of rest, 60 s of closed loop,
    and a few seconds before and after.

    \b
    Example:
      phasegate demo
      phasegate demo --rest 20 --duration 30 --out /tmp/sessions
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.session import Wish, conduct
    from controller.cli.settings import Settings
    from controller.cli.shipped import shipped_config

    say(
        "Everything in this demonstration is simulated: the participant and the "
        "trigger box. No device is touched."
    )
    settings = Settings.read(shipped_config("demo.toml"))
    settings.put("run", rest_s=rest_s, duration_s=duration_s)
    config, text = settings.parsed()
    wish = Wish(config=config, text=text, out=out, arm=False, as_json=as_json)
    context.exit(conduct(wish, context.obj or Desk()))
