"""`--rmt`: a motor threshold in percent, or where `phasegate threshold` wrote it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def rmt_option(text: str) -> Callable[[Command], Command]:
    """Return what adds `--rmt`; `text` says what it is for."""
    return click.option(
        "--rmt",
        "rmt",
        metavar="PERCENT|FILE",
        help=f"{text} in percent of output; or the file that `phasegate threshold` "
        "wrote, or the folder of all profiles for the participant's newest.",
    )


def participant_of(path: Path, participant: str | None) -> str | None:
    """Return whose session it is: as named on the command line, or in the file."""
    if participant is not None:
        return participant
    from controller.config import config_text, toml_tables

    run = toml_tables(config_text(path), str(path)).get("run")
    named = run.get("participant") if isinstance(run, dict) else None
    return named if isinstance(named, str) and named != "unnamed" else None


def threshold_of(rmt: str | None, participant: str | None) -> float | None:
    """Return the threshold that `--rmt` tells, percent of output; None without one.

    Parameters
    ----------
    rmt : str or None
    participant : str or None
        Whose it has to be, where that is known.

    Raises
    ------
    click.UsageError
        A number that is no threshold.
    FileError
        A file without one, or another participant's.
    """
    if rmt is None:
        return None
    try:
        value = float(rmt)
    except ValueError:
        from controller.calibration.threshold_file import read_threshold

        return read_threshold(Path(rmt), participant).rmt_pct_mso
    if not (math.isfinite(value) and 1.0 <= value <= 100.0):
        raise click.UsageError(f"--rmt is {rmt}, but must be from 1 to 100.")
    return value
