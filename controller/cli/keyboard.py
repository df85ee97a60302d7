"""The operator's keyboard while a protocol runs: a line is a command."""

import os
import select
import sys
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from controller.rig.study.stage_waits import Signals

_LOOK_EVERY_S = 0.1
_MOST_BYTES = 4096


class Keyboard:
    """Hands on the lines that are typed, or piped, from `listen` to `stop`.

    Parameters
    ----------
    lines : text file, optional
        Standard input if absent.
    """

    def __init__(self, lines: IO[str] | None = None) -> None:
        self._lines = sys.stdin if lines is None else lines
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self, signals: "Signals") -> None:
        """Begin to hand on what is typed."""
        self._thread = threading.Thread(
            target=self._read, args=(signals,), name="phasegate-keyboard", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End that; a second call does nothing."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _read(self, signals: "Signals") -> None:
        # Past the text file's buffer, in which a second line would wait unseen.
        descriptor, typed = self._lines.fileno(), b""
        while not self._over.is_set():
            ready, _, _ = select.select([descriptor], [], [], _LOOK_EVERY_S)
            if not ready:
                continue
            piece = os.read(descriptor, _MOST_BYTES)
            if not piece:
                return
            *lines, typed = (typed + piece).split(b"\n")
            for line in lines:
                signals.command(line.decode(errors="replace"))
