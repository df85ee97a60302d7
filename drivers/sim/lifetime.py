"""When a simulated device must end: told by a signal, or left behind by its parent."""

import os
import select
import signal
import threading
from types import FrameType, TracebackType
from typing import Self

_PARENT_POLL_S = 0.5


class Lifetime:
    """A descriptor that becomes readable when the process is to end.

    Within the context, SIGTERM and SIGINT no longer interrupt: they make `descriptor`
    readable, so that a loop that polls it ends between two pieces of work. So does the
    end of the parent process.

    Parameters
    ----------
    parent : int
        Process id of the parent, taken before anything slow.

    Notes
    -----
    The kernel's own death signal (`PR_SET_PDEATHSIG`) follows the *thread* that started
    this process, which may end long before its process does; hence a thread that waits.
    """

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self.descriptor, self._wake = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._wake, False)

    def __enter__(self) -> Self:
        """Start to listen."""
        signal.signal(signal.SIGTERM, _take)
        signal.signal(signal.SIGINT, _take)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        threading.Thread(target=self._outlive_parent, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop to listen; a signal that comes later is ignored, as the end is near."""
        signal.set_wakeup_fd(-1)

    def wait(self) -> None:
        """Return when the process is to end."""
        select.select([self.descriptor], [], [])

    def _outlive_parent(self) -> None:
        wait_for_end_of_parent(self._parent)
        os.write(self._wake, b"\0")


def wait_for_end_of_parent(parent: int) -> None:
    """Return once the process `parent` is not the parent of this one any more."""
    try:
        watched = os.pidfd_open(parent)
    except (AttributeError, OSError):
        watched = -1
    # Looked at after the watch began, so that an end before it is not missed.
    if watched >= 0 and os.getppid() == parent:
        select.select([watched], [], [])
    ended = threading.Event()
    while os.getppid() == parent:
        ended.wait(_PARENT_POLL_S)


def _take(_number: int, _frame: FrameType | None) -> None:
    """Leave the signal to the wake-up descriptor."""
