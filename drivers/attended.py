"""The controller's side of a process that watches over a device: start, words, end."""

import collections
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import IO, Final

from drivers.base import PortLost
from drivers.guardian import decode, encode

Word = dict[str, object]

_LAST_WORDS_S: Final = 0.5
_END_TIMEOUT_S: Final = 5.0


class AttendedProcess:
    """A process of ours that speaks JSON lines, and ends when its input does.

    Parameters
    ----------
    module : str
        Run as `python -m MODULE`.
    what : str
        How sentences call it.
    take : callable
        Gets every word, in a thread of its own; returns whether nobody waits for it.
    descriptors : sequence of int
        Handed over to the process, under the same numbers.
    environment : mapping of str to str
        What the process has beside our own environment.
    """

    def __init__(
        self,
        module: str,
        what: str,
        take: Callable[[Word], bool],
        descriptors: Sequence[int] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._what = what
        self._take = take
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._last_words = ""
        self._sending = threading.Lock()
        # A session of its own: Ctrl-C is for the controller alone.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            pass_fds=tuple(descriptors),
            start_new_session=True,
            env=os.environ | environment,
        )
        self._changed = threading.Condition()
        self._waiting: collections.deque[Word] = collections.deque()
        self._ended = False
        self._reader = threading.Thread(
            target=self._read, name=f"phasegate-{module}", daemon=True
        )
        self._reader.start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs; if not, all that it said has been taken in."""
        if not self._ended and self._process.poll() is None:
            return True
        self._reader.join(_LAST_WORDS_S)
        return False

    def say(self, word: str, **fields: object) -> None:
        """Say something to the process.

        Raises
        ------
        PortLost
            If it has ended.
        """
        stdin = self._process.stdin
        try:
            with self._sending:
                if stdin is None or stdin.closed:
                    raise BrokenPipeError
                stdin.write(encode(word, **fields))
                stdin.flush()
        except OSError as error:
            raise PortLost(self.why_ended()) from error

    def wait_for(self, *wanted: str, timeout_s: float) -> Word | None:
        """Return the next word of these kinds, None after `timeout_s` or the end."""
        t_end = time.monotonic() + timeout_s
        with self._changed:
            while True:
                while self._waiting:
                    word = self._waiting.popleft()
                    if word["word"] in wanted:
                        return word
                remaining_s = t_end - time.monotonic()
                if self._ended or not remaining_s > 0:
                    return None
                self._changed.wait(remaining_s)

    def end(self, timeout_s: float = _END_TIMEOUT_S) -> int:
        """Close the process's input, wait for its end and return its exit code.

        A process that does not end by itself is killed.
        """
        stdin = self._process.stdin
        if stdin is not None:
            with contextlib.suppress(OSError):
                stdin.close()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout_s)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._last_words = self._said()
        self._complaints.close()
        return self._process.returncode

    def why_ended(self) -> str:
        """Return a sentence on why the process is not there any more."""
        said = self._said().strip().splitlines()
        why = said[-1] if said else f"exit code {self._process.poll()}"
        return (
            f"The {self._what} has ended ({why}); switch the stimulator off, then "
            "start a new run."
        )

    def _said(self) -> str:
        if self._complaints.closed:
            return self._last_words
        # Its own position: the process writes on meanwhile, with the same one.
        size = os.fstat(self._complaints.fileno()).st_size
        return os.pread(self._complaints.fileno(), size, 0).decode(errors="replace")

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is not None:
            for line in stdout:
                word = decode(line)
                if word is not None and not self._take(word):
                    with self._changed:
                        self._waiting.append(word)
                        self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
