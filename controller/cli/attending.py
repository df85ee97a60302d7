"""The console's turns: show, vouch, listen to the keys."""

import contextlib
import dataclasses
import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from controller.config import Config, load_config
from controller.engine.clock import host_clock
from controller.errors import FileError
from controller.rig.console.lights import Lamp, lights_of
from controller.session.decisions import read_decisions
from controller.session.folder import CONFIG, DECISIONS
from controller.session.recording.process_marks import is_alive
from controller.session.recording.rings import Rings, open_rings, rings_of

TURN_S: Final = 0.1
_STOP_KEYS: Final = (b" ", b"s", b"S")
_SIGNS: Final = {True: ("●", "green"), False: ("○", "bold red"), None: ("-", "dim")}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """A session that runs.

    Parameters
    ----------
    folder : Path
    rings : Rings
    config : Config
    """

    folder: Path
    rings: Rings
    config: Config

    @property
    def runs(self) -> bool:
        """Whether it still does."""
        header = self.rings.header
        closing = bool(self.rings.controller["closing"][0])
        return not closing and is_alive(int(header["pid"]), int(header["ticks"]))

    def vouch(self) -> None:
        """Say that the console is there."""
        self.rings.console["pid"] = os.getpid()
        self.rings.console["t_beat"] = host_clock()

    def stop(self) -> None:
        """Ask for an end; the session disarms."""
        self.rings.console["stop"] = 1


def session_at(path: Path) -> Attended:
    """Return the session in a folder, or the one that runs below it.

    Raises
    ------
    FileError
        None runs there, or more than one.
    """
    folders = [path, *sorted(path.glob("*/"))] if path.is_dir() else []
    found = [
        attended
        for folder in folders
        for block in rings_of(folder)
        if (attended := _attended(folder, block)).runs
    ]
    if len(found) != 1:
        how_many = "No session runs" if not found else f"{len(found)} sessions run"
        raise FileError(
            f"{how_many} in {path}; name the folder that `phasegate run` told."
        )
    return found[0]


def _attended(folder: Path, block: Path) -> Attended:
    return Attended(
        folder=folder, rings=open_rings(block), config=load_config(folder / CONFIG)
    )


def attend_until_end(session: Attended) -> str | None:
    """Attend until the session ends, and return the fault that ended it, if any.

    The beat comes after the terminal took the screen: what nobody can see, nobody
    vouches for.
    """
    console = Console(stderr=True, highlight=False)
    with keys() as pressed, Live(console=console, auto_refresh=False) as live:
        while session.runs:
            lamps = lights_of(session.rings.telemetry, session.config, host_clock())
            live.update(picture(lamps), refresh=True)
            session.vouch()
            if any(key in _STOP_KEYS for key in pressed(TURN_S)):
                session.stop()
    return _fault_of(session.folder)


def picture(lamps: tuple[Lamp, ...]) -> RenderableType:
    """Return the lights as they are shown."""
    rows = Table.grid(padding=(0, 2))
    for lamp in lamps:
        sign, style = _SIGNS[lamp.is_on]
        rows.add_row(Text(sign, style=style), lamp.name, Text(lamp.words, style="dim"))
    advice = "Space or s disarms and ends the session; Ctrl-C leaves the console."
    return Group(rows, Text(advice, style="dim"))


def _fault_of(folder: Path) -> str | None:
    with contextlib.suppress(FileError):
        _, events, _ = read_decisions(folder / DECISIONS)
        for event in reversed(events):
            if event["event"] == "fault":
                return str(event["sentence"])
    return None


class Keys:
    """Keys of a terminal, one by one and unseen."""

    def __call__(self, timeout_s: float) -> list[bytes]:
        """Return those that were pressed within a time."""
        ready, _, _ = select.select([sys.stdin], [], [], timeout_s)
        if not ready:
            return []
        return [bytes([key]) for key in os.read(sys.stdin.fileno(), 64)]


@contextlib.contextmanager
def keys() -> Iterator[Keys]:
    """Take keys from the terminal within a block, without waiting for Enter."""
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield Keys()
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
