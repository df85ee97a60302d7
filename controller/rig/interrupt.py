"""A wish to end the session, from the keyboard or the system."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

# Every key and every way of closing a terminal that would stop or freeze the process,
# perhaps with the line up. Windows has fewer of them.
_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP")
    if hasattr(signal, name)
)


class Interrupt:
    """Set once somebody has asked for an end."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._at_once: list[Callable[[], None]] = []

    def at_once(self, act: Callable[[], None]) -> None:
        """Do something in the very moment of the wish; it must be short and safe."""
        self._at_once.append(act)

    def ask(self) -> None:
        """Wish for an end."""
        self._event.set()
        for act in self._at_once:
            act()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals within a block; only in the main thread."""

        def take(number: int, frame: FrameType | None) -> None:
            self.ask()

        before = {number: signal.signal(number, take) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def wished(self) -> bool:
        """Return whether somebody has asked for an end."""
        return self._event.is_set()

    def wait(self, timeout_s: float) -> None:
        """Return after `timeout_s`, or as soon as somebody asks."""
        self._event.wait(timeout_s)
