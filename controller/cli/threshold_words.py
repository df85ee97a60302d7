"""How a hunt for the motor threshold ended, in words or as JSON."""

import json
from collections.abc import Mapping
from typing import Any

import click

from controller.errors import NoThreshold


def show_hunt(told: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what a hunt found.

    Parameters
    ----------
    told : mapping
        As the hunt's file has it.
    as_json : bool

    Raises
    ------
    NoThreshold
        It found none.
    """
    from controller.protocol.threshold import Verdict

    if as_json:
        click.echo(json.dumps(told, indent=1))
    verdict, pct = Verdict[told["verdict"].upper()], told["rmt_pct_mso"]
    if verdict is not Verdict.FOUND:
        raise NoThreshold(
            f"No threshold was found in {told['n_pulses']} pulses: it is "
            f"{verdict.value}; likeliest is {pct:.1f} %. Check coil and muscle, and "
            "begin again."
        )
    if not as_json:
        click.echo(
            f"Resting motor threshold {pct:.1f} % of output, from "
            f"{told['low_pct_mso']:.1f} to {told['high_pct_mso']:.1f} with 95 % "
            f"likelihood, after {told['n_pulses']} pulses.\n"
            f"Use it: phasegate check PROTOCOL --rmt {pct:.1f}"
        )
