"""Options that several commands share, so that they mean the same in each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from controller.cli.trouble import want_json

Command = TypeVar("Command", bound=Callable[..., Any])


class FiniteRange(click.FloatRange):
    """A range of numbers that refuses `nan`, which is beyond no bound."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, if it is one and lies in the range."""
        number = float(super().convert(value, param, ctx))
        if not float("-inf") < number < float("inf"):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


SECONDS = FiniteRange(min=0, min_open=True)
SECONDS_OR_NONE = FiniteRange(min=0)


def out_option(command: Command) -> Command:
    """Add `--out`."""
    return click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("sessions"),
        show_default="./sessions",
        help="Where the session's folder goes.",
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=want_json,
        help="Print the result for machines: stdout carries JSON and nothing else.",
    )(command)


def rest_option(command: Command) -> Command:
    """Add `--rest`."""
    return click.option(
        "--rest",
        "rest_s",
        type=SECONDS_OR_NONE,
        metavar="S",
        help="Seconds of rest that the estimator is designed from.",
    )(command)
