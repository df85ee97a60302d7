"""A wish to end the session, from the keyboard or the system."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

# Closing the terminal must not tear the records either; Windows has no such signal.
_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
)


class Interrupt:
    """Set once somebody has asked for an end."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals within a block; only in the main thread."""

        def ask(number: int, frame: FrameType | None) -> None:
            self._event.set()

        before = {number: signal.signal(number, ask) for number in _SIGNALS}
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
