"""For processes that watch over a device: noticing, in any way, the end of their host.

Such a process is started by the controller with a pipe as its standard input. The end
of the controller, a SIGKILL too, closes the pipe. A child of the controller that was
forked without care may hold the pipe open, so the parent itself is watched as well.
"""

import contextlib
import json
import os
import select
import signal
import sys
from types import FrameType
from typing import Final

_READ_BYTES: Final = 65536
_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


class Host:
    """The process that started this one: what it says, and whether it is there.

    Parameters
    ----------
    parent : int
        Its process id, taken before anything slow.
    stdin, stdout : int
        Descriptors; replaced in tests.

    Notes
    -----
    Words to the host are lines of JSON. They are written without waiting: a host that
    does not read loses them, and must not keep this process from its device.
    """

    def __init__(self, parent: int, stdin: int = 0, stdout: int = 1) -> None:
        self._parent = parent
        self._stdin = stdin
        self._stdout = stdout
        self._buffer = b""
        self._gone = False
        self._asked_to_end = False
        os.set_blocking(stdin, False)
        os.set_blocking(stdout, False)
        try:
            self._watch = os.pidfd_open(parent)
        except (AttributeError, OSError):
            self._watch = -1

    @property
    def gone(self) -> bool:
        """Whether the host has ended, or has asked this process to end."""
        if self._watch >= 0 and select.select([self._watch], [], [], 0)[0]:
            self._gone = True
        # Looked at after the watch began, so that an end before it is not missed.
        return self._gone or self._asked_to_end or os.getppid() != self._parent

    def end_on_signals(self) -> None:
        """Let signals only ask for an end, so that the device is left as it should."""

        def ask(_number: int, _frame: FrameType | None) -> None:
            self._asked_to_end = True

        for name in _SIGNALS:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), ask)

    def wait(self, timeout_s: float, *more: int) -> list[int]:
        """Wait for a word, the host's end or one of `more`; return what is readable."""
        watched = [*more]
        if not self._gone:
            watched.append(self._stdin)
        if self._watch >= 0:
            watched.append(self._watch)
        return select.select(watched, [], [], timeout_s)[0]

    def words(self) -> list[dict[str, object]]:
        """Return the lines that have come; at the end of the pipe the host is gone."""
        while not self._gone:
            try:
                received = os.read(self._stdin, _READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                received = b""
            if not received:
                self._gone = True
            self._buffer += received
        *lines, self._buffer = self._buffer.split(b"\n")
        return [word for line in lines if (word := decode(line)) is not None]

    def say(self, word: str, **fields: object) -> None:
        """Say something to the host, which may not listen."""
        with contextlib.suppress(OSError):
            os.write(self._stdout, encode(word, **fields))

    def first_word(self, timeout_s: float) -> dict[str, object] | None:
        """Return the first word, None if none came; used before a device is open."""
        words = self.words()
        if not words and not self.gone:
            self.wait(timeout_s)
            words = self.words()
        return words[0] if words else None


def encode(word: str, **fields: object) -> bytes:
    """Return a word as a line."""
    return json.dumps({"word": word, **fields}).encode() + b"\n"


def decode(line: bytes) -> dict[str, object] | None:
    """Return the word on a line, None if it is none."""
    try:
        word = json.loads(line)
    except ValueError:
        return None
    return word if isinstance(word, dict) and "word" in word else None


def complain(sentence: str) -> None:
    """Leave a sentence on standard error, for whoever reads why a process ended."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
