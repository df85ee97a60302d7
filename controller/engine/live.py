"""The loop in its thread: open, run stretch after stretch, stop.

The thread belongs to the loop: it takes the privileges, opens the stream, so that
liblsl's receiver inherits them, and enters the compiled function, which holds no lock
of Python's. Signals and records stay with the supervisor.
"""

import contextlib
import dataclasses
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from controller.core.reasons import Fault
from controller.core.structures import (
    Memory,
    Program,
    Telemetry,
)
from controller.engine.control import ControlWords
from controller.engine.fallback import LslWorld, PythonLoop
from controller.engine.loop import run_loop
from controller.engine.ports import platform_has_table, real_ports
from controller.engine.privileges import (
    Privileges,
    acquire_for_this_thread,
    unlock_memory,
)
from controller.errors import EngineFault

_OPEN_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 5.0


class Inlet(Protocol):
    """What the engine needs of a source."""

    @property
    def handle(self) -> int:
        """The inlet of liblsl, once open."""
        ...

    def open(self) -> None:
        """Connect; called in the loop's thread."""
        ...

    def clock_offset_s(self) -> float:
        """Return what turns the stream's stamps into this host's clock."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One entry of the loop: from a start to a stop or a fault."""

    program: Program
    memory: Memory
    telemetry: Telemetry


StretchRunner = Callable[[Inlet, ControlWords, Stretch], Fault]


def run_compiled(inlet: Inlet, words: ControlWords, stretch: Stretch) -> Fault:
    """Run one stretch in the compiled loop."""
    ports = real_ports(inlet.handle, words.address)
    return Fault(
        run_loop(ports, stretch.program, stretch.memory, stretch.telemetry, np.zeros(1))
    )


def run_python(inlet: Inlet, words: ControlWords, stretch: Stretch) -> Fault:
    """Run one stretch in the Python loop."""
    world = LslWorld(inlet.handle)
    return PythonLoop(
        world, words, stretch.program, stretch.memory, stretch.telemetry
    ).run()


class LiveEngine:
    """A thread that owns the stream and the loop.

    Parameters
    ----------
    inlet : Inlet
    words : ControlWords
    processors : set of int, optional
        Pin the loop to these.
    runner : callable, optional
        How a stretch is run; the compiled loop where the platform has it.
    """

    def __init__(
        self,
        inlet: Inlet,
        words: ControlWords,
        *,
        processors: frozenset[int] | None = None,
        runner: StretchRunner | None = None,
    ) -> None:
        self._inlet = inlet
        self._words = words
        self._processors = processors
        self._runner = runner if runner is not None else _best_runner()
        self._tasks: queue.SimpleQueue[Stretch | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Fault | Privileges | BaseException] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._work, name="phasegate-loop")
        self._busy = False

    @property
    def loop_name(self) -> str:
        """Which loop runs, for the records."""
        return "compiled" if self._runner is run_compiled else "python"

    def open(self) -> Privileges:
        """Start the thread, open the stream, and return what the system granted.

        Raises
        ------
        PhasegateError
            Whatever the source says if it cannot be opened.
        """
        self._thread.start()
        answer = self._answer(_OPEN_TIMEOUT_S)
        if not isinstance(answer, Privileges):
            raise EngineFault("The loop's thread did not open the stream.")
        return answer

    def follow_clock(self) -> None:
        """Measure anew what turns the stream's stamps into this host's clock.

        Clocks of two hosts drift apart by a millisecond a minute.

        Raises
        ------
        StreamLost
            The other host does not answer.
        """
        self._words.set_clock_offset(self._inlet.clock_offset_s())

    def start(self, stretch: Stretch) -> None:
        """Enter the loop."""
        if self._busy:
            raise EngineFault("The loop is running already; stop it first.")
        self._words.clear_stop()
        self._busy = True
        self._tasks.put(stretch)

    def finished(self) -> Fault | None:
        """Return what ended the stretch, or None while it runs."""
        try:
            answer = self._answers.get_nowait()
        except queue.Empty:
            return None
        return self._as_fault(answer)

    def stop(self) -> Fault:
        """Make the loop return and say what ended it."""
        self._words.request_stop()
        return self._as_fault(self._answer(_STOP_TIMEOUT_S))

    def close(self) -> None:
        """End the thread and the stream; a running stretch is stopped first."""
        if not self._thread.is_alive():
            return
        if self._busy:
            self._words.request_stop()
        self._tasks.put(None)
        self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise EngineFault(
                f"The loop's thread did not end within {_STOP_TIMEOUT_S:g} s."
            )

    def _answer(self, timeout_s: float) -> Fault | Privileges:
        try:
            answer = self._answers.get(timeout=timeout_s)
        except queue.Empty as error:
            raise EngineFault(
                f"The loop's thread gave no answer within {timeout_s:g} s."
            ) from error
        if isinstance(answer, BaseException):
            self._busy = False
            raise answer
        return answer

    def _as_fault(self, answer: Fault | Privileges | BaseException) -> Fault:
        self._busy = False
        if isinstance(answer, BaseException):
            raise answer
        if not isinstance(answer, Fault):
            raise EngineFault("The loop's thread answered out of turn.")
        return answer

    def _work(self) -> None:
        with self._errors_answered():
            privileges = acquire_for_this_thread(
                processors=self._processors, loop=self.loop_name
            )
            self._inlet.open()
            self._words.set_clock_offset(self._inlet.clock_offset_s())
            self._answers.put(privileges)
            while (stretch := self._tasks.get()) is not None:
                self._answers.put(self._runner(self._inlet, self._words, stretch))
        unlock_memory()
        self._inlet.close()

    @contextlib.contextmanager
    def _errors_answered(self) -> Iterator[None]:
        """Hand every error to whoever asks next: none may die with the thread."""
        try:
            yield
        except BaseException as error:  # noqa: BLE001
            self._answers.put(error)


def _best_runner() -> StretchRunner:
    if platform_has_table():
        return run_compiled
    return run_python
