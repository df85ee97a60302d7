"""A running session on stderr: a live screen, or plain lines where there is none."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, Self

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from controller.cli.screen import one_line, screen

if TYPE_CHECKING:
    from controller.rig.console.status import Status

PLAIN_EVERY_S = 10.0
_REFRESHES_PER_S = 5.0

# A note that ends so is about work that goes on until the next note.
_GOES_ON = " ..."


class Display(Protocol):
    """A listener that can also make room for a question."""

    def note(self, sentence: str) -> None:
        """Say something once."""
        ...

    def update(self, status: "Status") -> None:
        """Show how the session stands."""
        ...

    def paused(self) -> contextlib.AbstractContextManager[None]:
        """Leave the terminal alone within a block."""
        ...


@contextlib.contextmanager
def open_display(console: Console | None = None) -> Iterator[Display]:
    """Open the display that suits stderr; it leaves nothing but the notes behind.

    Parameters
    ----------
    console : Console, optional
        On stderr, if None.
    """
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield PlainDisplay()
        return
    with LiveDisplay(console) as display:
        yield display


class PlainDisplay:
    """One line every ten seconds, for logs."""

    def __init__(self) -> None:
        self._stage = ""
        self._t_next_s = 0.0

    def note(self, sentence: str) -> None:
        """Print the sentence."""
        self._print(sentence)

    def update(self, status: "Status") -> None:
        """Print a line when a stage begins, and every ten seconds of it."""
        if status.stage != self._stage:
            self._stage, self._t_next_s = status.stage, 0.0
        if status.elapsed_s >= self._t_next_s:
            self._t_next_s = status.elapsed_s + PLAIN_EVERY_S
            self._print(one_line(status))

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Do nothing: lines come only when they are asked for."""
        yield

    @staticmethod
    def _print(line: str) -> None:
        # Whoever read our lines may be gone; that must not end a session.
        with contextlib.suppress(OSError):
            click.echo(line, err=True)


class LiveDisplay:
    """A screen of some ten lines, redrawn by a thread of its own.

    Parameters
    ----------
    console : Console
        A terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._activity = "Starting"
        self._shown: Status | None = None
        self._live = self._new_live()

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wipe the screen; the notes stay."""
        self._live.stop()

    def note(self, sentence: str) -> None:
        """Keep the sentence above the screen; show in it what takes a while."""
        if sentence.endswith(_GOES_ON):
            self._activity, self._shown = sentence.removesuffix(_GOES_ON), None
            return
        self._console.print(Text(sentence))

    def update(self, status: "Status") -> None:
        """Take over how the session stands."""
        # A copy, since the drawing thread must not meet a dictionary while it grows.
        self._shown = dataclasses.replace(
            status, refused=dict(status.refused), held=dict(status.held)
        )

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Wipe the screen within a block, and leave the terminal to it."""
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._new_live()
            self._live.start()

    def _new_live(self) -> Live:
        return Live(
            console=self._console,
            get_renderable=self._render,
            refresh_per_second=_REFRESHES_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _render(self) -> RenderableType:
        return screen(self._shown, self._activity, width=self._console.width)
