"""The steps of a longer piece of work on stderr: bars, or a line for each."""

import contextlib
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from controller.cli.speech import say


class Steps(Protocol):
    """Shown what is being done."""

    def begin(self, words: str, total: float | None = None) -> None:
        """Begin a step; without a total nobody knows how long it takes."""
        ...

    def tell(self, done: float, words: str | None = None) -> None:
        """Say how much of the step's total is done, and perhaps what it does now."""
        ...


@contextlib.contextmanager
def open_steps(console: Console | None = None) -> Iterator[Steps]:
    """Open the display that suits stderr; bars are wiped in the end.

    Parameters
    ----------
    console : Console, optional
        On stderr, if None.
    """
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress)


class Lines:
    """A line when a step begins, or does something else."""

    def __init__(self) -> None:
        self._said = ""

    def begin(self, words: str, total: float | None = None) -> None:
        """Print what begins."""
        self.tell(0.0, words)

    def tell(self, done: float, words: str | None = None) -> None:
        """Print what is done now, if that is new."""
        if words is not None and words != self._said:
            self._said = words
            say(f"{words} ...")


class Bars:
    """One bar, for the step that is under way.

    Parameters
    ----------
    progress : Progress
        Running, with a field `left` for the words behind the bar.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._total: float | None = None

    def begin(self, words: str, total: float | None = None) -> None:
        """Replace the bar."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._total = total
        self._task = self._progress.add_task(words, total=total, left="")

    def tell(self, done: float, words: str | None = None) -> None:
        """Move the bar."""
        if self._task is None or self._total is None:
            return
        share = min(done / self._total, 1.0)
        self._progress.update(
            self._task, completed=done, description=words, left=f"{share:.0%}"
        )
