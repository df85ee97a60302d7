"""Child processes of the benchmarks: started with a pipe, ended by closing it."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

REPOSITORY = Path(__file__).resolve().parent.parent

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 5.0


class ChildError(Exception):
    """A child process that did not start."""


class Child:
    """`python -m MODULE ARGUMENTS`, which prints one line when it is ready.

    It ends when its standard input does, so it cannot outlive this process.

    Parameters
    ----------
    module : str
    arguments : sequence of str
    descriptors : sequence of int
        Open files that it inherits under their numbers.
    """

    def __init__(
        self, module: str, arguments: Sequence[str], descriptors: Sequence[int] = ()
    ) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=tuple(descriptors),
            start_new_session=True,
        )
        try:
            self.words = self._first_line().split()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End it; safe to call again."""
        process = self._process
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> Self:
        """Return the running child."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self.close()

    def _first_line(self) -> str:
        stdout = self._process.stdout
        if stdout is None:
            raise ChildError(f"{self._module} has no output to read.")
        t_end = time.monotonic() + _START_TIMEOUT_S
        ready, _, _ = select.select([stdout], [], [], t_end - time.monotonic())
        line = stdout.readline().decode() if ready else ""
        if not line:
            raise ChildError(
                f"{self._module} was not ready within {_START_TIMEOUT_S:g} s."
            )
        return line


def take_fifo(priority: int, process: int = 0) -> bool:
    """Ask for the real-time scheduler; return whether it was granted.

    Parameters
    ----------
    priority : int
    process : int
        0 is the calling thread.
    """
    if not hasattr(os, "sched_setscheduler"):
        return False
    try:
        os.sched_setscheduler(process, os.SCHED_FIFO, os.sched_param(priority))
    except OSError:
        return False
    return True
