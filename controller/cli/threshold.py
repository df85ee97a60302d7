"""`phasegate threshold`: find the resting motor threshold by yes and no."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.options import FiniteRange, json_option
from controller.cli.speech import say
from controller.errors import FileError, NoThreshold

if TYPE_CHECKING:
    from controller.protocol.threshold import Hunt

PERCENT = FiniteRange(min=1, max=100)


@click.command(short_help="Find the resting motor threshold from your yes and no.")
@click.option(
    "--highest",
    "highest_pct",
    type=PERCENT,
    required=True,
    metavar="PERCENT",
    help="Strongest pulse that the study allows, percent of output.",
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
@click.option("--participant", default="unnamed", show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write answers and result into this file, anew after each answer.",
)
@json_option
def threshold(
    *,
    highest_pct: float,
    start_pct: float,
    step_pct: float,
    participant: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Find the resting motor threshold from your yes and no, in about 17 pulses.

    You set the stimulator, give the pulse and look whether the muscle answered (by
    custom, 50 microvolts or more, at rest). phasegate moves nothing: it says which
    intensity tells most. Each answer is y or n; b turns the last one round, q stops.

    \b
    Example:
      phasegate threshold --highest 80 --participant P07 --out P07-threshold.json
    """  # noqa: D301 - \b keeps the lines apart
    from controller.calibration.threshold_file import told_of
    from controller.protocol.threshold import Hunt, HuntRules, Verdict

    rules = HuntRules(
        highest_pct=highest_pct,
        start_pct=min(start_pct, highest_pct),
        step_pct=step_pct,
    )
    if out is not None and out.exists():
        raise FileError(
            f"{out} exists already and stays as it is; choose another name."
        )
    hunt = _ask_all(Hunt(rules=rules), participant, out)
    if as_json:
        click.echo(json.dumps(told_of(hunt, participant), indent=1))
    found = hunt.estimate()
    if hunt.verdict() is not Verdict.FOUND:
        raise NoThreshold(
            f"No threshold was found in {len(hunt.answers)} pulses: it is "
            f"{hunt.verdict().value}; likeliest is {found.pct_mso:.1f} %. Check coil "
            "and muscle, and begin again."
        )
    if not as_json:
        click.echo(
            f"Resting motor threshold {found.pct_mso:.1f} % of output, from "
            f"{found.low_pct_mso:.1f} to {found.high_pct_mso:.1f} with 95 % "
            f"likelihood, after {len(hunt.answers)} pulses.\n"
            f"Use it: phasegate check PROTOCOL --rmt {found.pct_mso:.1f}"
        )


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
