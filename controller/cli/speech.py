"""Sentences on stderr, wrapped between words where a person reads them."""

import shutil
import sys
import textwrap

import click

_NARROWEST = 40


def say(sentence: str) -> None:
    """Print a sentence on stderr; files and pipes get it as one line."""
    click.echo(_wrapped(sentence) if sys.stderr.isatty() else sentence, err=True)


def _wrapped(sentence: str) -> str:
    columns = max(_NARROWEST, shutil.get_terminal_size().columns)
    # Paths and ports stay whole, so that they can be copied.
    return textwrap.fill(
        sentence, columns, break_long_words=False, break_on_hyphens=False
    )
