"""What becomes of errors: one sentence on stderr, an exit code, JSON if asked for."""

import errno
import json
import tempfile
import traceback
from typing import NoReturn

import click

from controller.cli.speech import say
from controller.errors import EXIT_INTERRUPTED, PhasegateError

EXIT_DEFECT = 70
"""Exit code for an error that is ours and not the user's."""

_JSON = "phasegate.json"


def want_json(
    context: click.Context,
    _parameter: click.Parameter,
    value: bool,  # noqa: FBT001
) -> bool:
    """Remember that machines read the standard output; a callback of `--json`."""
    context.meta[_JSON] = value
    return value


class CommandGroup(click.Group):
    """A group of commands whose errors are sentences."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; end with its error's sentence and exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except PhasegateError as error:
            end_with(ctx, error.exit_code, str(error))
        except (KeyboardInterrupt, click.Abort):
            end_with(ctx, EXIT_INTERRUPTED, "Interrupted.")
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise
            end_with(ctx, EXIT_DEFECT, _defect(error))


def end_with(context: click.Context, code: int, sentence: str) -> NoReturn:
    """End the command: the sentence on stderr, and on stdout as JSON if asked for."""
    say(f"phasegate: {sentence}")
    if context.meta.get(_JSON):
        ended = {"folder": None, "exit": {"code": code, "reason": sentence}}
        click.echo(json.dumps(ended, indent=1, ensure_ascii=False))
    context.exit(code)


def _defect(error: Exception) -> str:
    with tempfile.NamedTemporaryFile(
        mode="w",
        prefix="phasegate-defect-",
        suffix=".txt",
        delete=False,
        encoding="utf-8",
    ) as where:
        traceback.print_exception(error, file=where)
    return (
        f"This is a defect of phasegate, not of your input: {type(error).__name__}: "
        f"{error}. Please report it with the file {where.name}."
    )
