"""Run a session in front of a person: display, arming, summary, exit code.

The display opens before anything compiled is loaded, because that can take half a
minute the first time, and a person wants to know.
"""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.arming import Arming
from controller.cli.desk import Desk, RunSession
from controller.cli.display import Display, open_display
from controller.cli.speech import say
from controller.config import Config
from controller.errors import EXIT_INTERRUPTED
from controller.kernels.jit import cache_directory

if TYPE_CHECKING:
    from controller.rig.config_watch import ConfigFile
    from controller.rig.study.conduct import Plan


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for.

    Parameters
    ----------
    config : Config
    text : str
        The configuration, for the records.
    out : Path
        Where session folders go.
    arm : bool
        Arm without asking.
    as_json : bool
    profile : Path, optional
        A profile, or the folder of all profiles.
    config_file : ConfigFile, optional
        The file behind it; the session ends once it is changed.
    plan : Plan, optional
        The protocol that leads the session.
    """

    config: Config
    text: str
    out: Path
    arm: bool
    as_json: bool
    profile: Path | None = None
    config_file: "ConfigFile | None" = None
    plan: "Plan | None" = None


def conduct(wish: Wish, desk: Desk) -> int:
    """Run the session, show how it stands and how it ended; return the exit code.

    Raises
    ------
    PhasegateError
        Trouble before there was a session folder.
    """
    with open_display() as display:
        run_session = desk.run_session or _real(display)
        arming = Arming(display, desk, granted=wish.arm)
        finished = run_session(
            wish.config,
            wish.text,
            out=wish.out,
            listener=display,
            confirm_arming=arming,
            **_questions(wish, arming),
            **_profile(wish),
            **_config_file(wish),
            **_plan(wish),
        )
    if wish.as_json:
        click.echo(json.dumps(finished.summary, indent=1, ensure_ascii=False))
    else:
        from controller.cli.outcome import show_outcome

        show_outcome(finished)
    if finished.error is not None:
        say(f"phasegate: {finished.error}")
    elif finished.exit_code == EXIT_INTERRUPTED:
        say(
            "phasegate: Interrupted; the output was disarmed and the records are "
            "complete."
        )
    return finished.exit_code


def _questions(wish: Wish, arming: Arming) -> dict[str, Any]:
    return {} if wish.config.stimulator is None else {"ask_person": arming.ask}


def _profile(wish: Wish) -> dict[str, Any]:
    if wish.profile is None:
        return {}
    from controller.rig.calibrate.profile import find_profile

    return {"profile": find_profile(wish.profile, wish.config.run.participant)}


def _config_file(wish: Wish) -> dict[str, Any]:
    return {} if wish.config_file is None else {"config_file": wish.config_file}


def _plan(wish: Wish) -> dict[str, Any]:
    return {} if wish.plan is None else {"plan": wish.plan}


def _real(display: Display) -> RunSession:
    if not any(cache_directory().glob("**/*.nbi")):
        display.note(
            "Compiling the loop for this machine; once, about half a minute ..."
        )
    else:
        display.note("Loading the compiled loop ...")
    from controller.rig.run import run_session

    return run_session
