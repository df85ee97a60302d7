"""`phasegate run CONFIG`: a session as a configuration describes it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.desk import Desk
from controller.cli.motor_threshold import (
    participant_of,
    rmt_option,
    threshold_of,
)
from controller.cli.options import json_option, out_option, rest_option
from controller.cli.speech import say
from controller.errors import ConfigError, NotArmed

if TYPE_CHECKING:
    from controller.config import Config


@click.command()
@click.argument(
    "config_path", metavar="[CONFIG]", type=click.Path(path_type=Path), required=False
)
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
@click.option(
    "--protocol",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Lead the session through a protocol, see phasegate new protocol.",
)
@click.option(
    "--virtual",
    is_flag=True,
    help="With --protocol: on a virtual clock with a simulated participant, much "
    "faster than real time; nothing is fired.",
)
@rmt_option("For intensities in percent of it: the resting motor threshold")
@click.option(
    "--seal",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --protocol: its sealed allocation, where it is blinded.",
)
@click.option("--code", help="With --seal: the participant's code.")
@click.option(
    "--visit",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="With --protocol: which of the participant's sessions it is.",
)
@click.option(
    "--unattended",
    is_flag=True,
    help="With --protocol and a simulated output: nobody is waited for.",
)
@click.option(
    "--resume",
    type=click.Path(file_okay=False, path_type=Path),
    help="Instead of CONFIG: the first folder of a session with a protocol that ended "
    "early, by a crash too; it goes on at the trial where it stopped.",
)
@rest_option
@out_option
@json_option
@click.pass_context
def run(
    context: click.Context,
    *,
    config_path: Path | None,
    arm: bool,
    profile: Path | None,
    participant: str | None,
    protocol: Path | None,
    virtual: bool,
    rmt: str | None,
    seal: Path | None,
    code: str | None,
    visit: int,
    unattended: bool,
    resume: Path | None,
    rest_s: float | None,
    out: Path,
    as_json: bool,
) -> None:
    """Run the session that CONFIG describes.

    Real outputs fire only once they are armed: after calibration you are asked to type
    the word `arm`, or you pass --arm beforehand. Simulated outputs need no arming.
    A change of CONFIG meanwhile ends the session. Ctrl-C disarms, finishes the records
    and shows the summary.

    \b
    Example:
      phasegate check configs/alpha-peak-serial.toml
      phasegate run configs/alpha-peak-serial.toml --out ~/sessions
      phasegate run configs/alpha-peak-serial.toml --profile profiles --participant P07
      phasegate run configs/mu-protocols-simulated.toml --virtual --rmt 50 \\
        --protocol configs/protocols/mu-single-pulse.toml
      phasegate run --resume ~/sessions/20260301T101500Z_P07_mu
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.run_protocol import StudyWish, led, run_virtually, taken_up
    from controller.cli.session import Wish, conduct
    from controller.cli.settings import Settings
    from controller.rig.config_watch import ConfigFile

    desk: Desk = context.obj or Desk()
    plan, config_file = None, None
    if resume is not None:
        if config_path is not None or protocol is not None:
            raise click.UsageError("--resume knows CONFIG and protocol already.")
        config, text, plan = taken_up(resume, unattended=unattended)
        out, profile = resume.parent, plan.profile
    else:
        if config_path is None:
            raise click.UsageError("Name a CONFIG, or a session with --resume.")
        rmt_pct_mso = threshold_of(rmt, participant_of(config_path, participant))
        settings = Settings.read(
            config_path, rmt_pct_mso=rmt_pct_mso, for_it=protocol is None
        )
        settings.put("run", participant=participant)
        study = None
        if protocol is not None:
            study = StudyWish(
                protocol=protocol,
                rmt_pct_mso=rmt_pct_mso,
                seal=seal,
                code=code,
                visit=visit,
            )
        if virtual:
            if study is None:
                raise ConfigError("--virtual runs a protocol; name it with --protocol.")
            run_virtually(*settings.parsed(), study, out=out, as_json=as_json)
            return
        if study is not None:
            config, text, plan = led(
                settings, study, unattended=unattended, profile=profile
            )
        if rest_s is not None or plan is None:
            settings.put("run", rest_s=rest_s)
            config, text = settings.parsed()
        config_file = ConfigFile(path=config_path, text=settings.text)
    _require_somebody(config, arm=arm, desk=desk, where=config_path or resume)
    wish = Wish(
        config=config,
        text=text,
        out=out,
        arm=arm,
        as_json=as_json,
        profile=profile,
        plan=plan,
        config_file=config_file,
    )
    context.exit(conduct(wish, desk))


def _require_somebody(
    config: "Config", *, arm: bool, desk: Desk, where: Path | None
) -> None:
    from controller.cli.equipment_words import port_words

    if config.output.simulated:
        return
    if not arm and not desk.person_is_there():
        raise NotArmed(
            f"{where} fires a real output ({config.output.kind} at "
            f"{port_words(config.output)}), and nobody is at a terminal to arm it; "
            "start it from a terminal, or pass --arm."
        )
    say(
        "Keep the stimulator disabled until the arming: opening a serial port can "
        "raise its lines for an instant."
    )
