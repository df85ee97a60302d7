"""`phasegate threshold`: find the resting motor threshold by yes and no."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.desk import Desk
from controller.cli.options import FiniteRange, json_option
from controller.cli.speech import say
from controller.cli.threshold_words import show_hunt
from controller.errors import FileError

if TYPE_CHECKING:
    from controller.protocol.threshold import Hunt

PERCENT = FiniteRange(min=1, max=100)


@click.command(short_help="Find the resting motor threshold, by EMG or your word.")
@click.argument(
    "config_path", metavar="[CONFIG]", required=False, type=click.Path(path_type=Path)
)
@click.option(
    "--highest",
    "highest_pct",
    type=PERCENT,
    metavar="PERCENT",
    help="Strongest pulse that the study allows, percent of output; with CONFIG its "
    "limits.stimulator.max_intensity_pct_mso unless told otherwise.",
)
@click.option(
    "--start",
    "start_pct",
    type=PERCENT,
    default=45.0,
    show_default=True,
    metavar="PERCENT",
    help="Of the first pulse.",
)
@click.option(
    "--step",
    "step_pct",
    type=FiniteRange(min=0.1, max=5),
    default=1.0,
    show_default=True,
    metavar="PERCENT",
    help="What the stimulator can be set to in steps of.",
)
@click.option("--participant", help="Pseudonym, for the result and the dose book.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write answers and result into this file, anew after each pulse; with CONFIG "
    "beside the participant's profiles unless told otherwise.",
)
@click.option(
    "--emg",
    metavar="CHANNEL",
    help="With CONFIG: label of the muscle's channel in its stream.",
)
@click.option(
    "--window",
    "window_ms",
    type=click.Tuple([FiniteRange(15, 50), FiniteRange(15, 50)]),
    default=(20.0, 40.0),
    show_default="20 40",
    metavar="MS MS",
    help="With CONFIG: where after the pulse the response is looked for.",
)
@click.option(
    "--interval",
    "interval_s",
    type=click.Tuple([FiniteRange(min=0.5), FiniteRange(min=0.5)]),
    default=(4.0, 6.0),
    show_default="4 6",
    metavar="S S",
    help="With CONFIG: between pulses, drawn anew for each.",
)
@click.option(
    "--profiles",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("profiles"),
    show_default="./profiles",
    help="With CONFIG: the folder that `phasegate calibrate` writes to.",
)
@click.option(
    "--sessions",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("sessions"),
    show_default="./sessions",
    help="With CONFIG: where the folder of the hunt's session goes.",
)
@click.option(
    "--arm",
    is_flag=True,
    help="With CONFIG: arm real outputs without asking at the terminal.",
)
@json_option
@click.pass_context
def threshold(
    context: click.Context,
    *,
    config_path: Path | None,
    highest_pct: float | None,
    start_pct: float,
    step_pct: float,
    participant: str | None,
    out: Path | None,
    emg: str | None,
    window_ms: tuple[float, float],
    interval_s: tuple[float, float],
    profiles: Path,
    sessions: Path,
    arm: bool,
    as_json: bool,
) -> None:
    """Find the resting motor threshold in about 17 pulses, by the EMG or your word.

    With CONFIG, phasegate sets the stimulator, gives the pulses through the loop and
    its limits, and reads the muscle's channel: 50 microvolts or more is a response.
    Pulses that met a tense muscle are given again.

    Without, you set the stimulator, give the pulse and look whether the muscle
    answered; phasegate moves nothing and says which intensity tells most. Each answer
    is y or n; b turns the last one round, q stops.

    \b
    Example:
      phasegate threshold configs/mu-magstim-simulated.toml --participant P07
      phasegate threshold my-rig.toml --participant P07 --emg FDI --highest 80
      phasegate threshold --highest 80 --participant P07 --out P07-threshold.json
    """  # noqa: D301 - \b keeps the lines apart
    if out is not None and out.exists():
        raise FileError(
            f"{out} exists already and stays as it is; choose another name."
        )
    if config_path is not None:
        from controller.cli.threshold_live import HuntWish, hunt_live

        wish = HuntWish(
            config_path=config_path,
            highest_pct=highest_pct,
            start_pct=start_pct,
            step_pct=step_pct,
            participant=participant,
            emg=emg,
            window_ms=window_ms,
            interval_s=interval_s,
            out=out,
            profiles=profiles,
            sessions=sessions,
            arm=arm,
            as_json=as_json,
        )
        context.exit(hunt_live(wish, context.obj or Desk()))
    if highest_pct is None:
        raise click.UsageError("Missing option '--highest'.")
    participant = participant or "unnamed"
    from controller.calibration.threshold_file import told_of
    from controller.protocol.threshold import Hunt, HuntRules

    rules = HuntRules(
        highest_pct=highest_pct,
        start_pct=min(start_pct, highest_pct),
        step_pct=step_pct,
    )
    hunt = _ask_all(Hunt(rules=rules), participant, out)
    show_hunt(told_of(hunt, participant), as_json=as_json)


def _ask_all(hunt: "Hunt", participant: str, out: Path | None) -> "Hunt":
    from controller.calibration.threshold_file import told_of, write_threshold

    while (pct := hunt.next_pct_mso()) is not None:
        answer = click.prompt(
            f"{len(hunt.answers) + 1}. Set {pct:g} %, give a pulse. Did it respond? "
            "(y/n, b last one was wrong, q stop)",
            type=click.Choice(["y", "n", "b", "q"], case_sensitive=False),
            show_choices=False,
            err=True,
        )
        if answer == "q":
            raise click.Abort
        if answer == "b":
            if not hunt.answers:
                say("There is no answer yet.")
            hunt = hunt.corrected()
        else:
            hunt = hunt.with_answer(pct, responded=answer == "y")
        if out is not None:
            write_threshold(out, told_of(hunt, participant))
    return hunt
