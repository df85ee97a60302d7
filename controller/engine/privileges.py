"""What the system grants the loop's thread: taken where allowed, reported where not."""

import ctypes
import dataclasses
import gc
import os
import sys

_PR_SET_TIMERSLACK = 29
_MCL_CURRENT = 1
_MCL_FUTURE = 2

# Above ordinary threads, below the kernel's own at 50 and more.
_FIFO_PRIORITY = 40


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Privileges:
    """Outcome of each request, in words: "granted", or why not.

    Parameters
    ----------
    timer_slack, fifo, memory_lock : str
    affinity : str
        The processors that the thread may use.
    loop : {"compiled", "python"}
        Which loop runs.
    """

    timer_slack: str
    affinity: str
    fifo: str
    memory_lock: str
    loop: str

    def as_dict(self) -> dict[str, str]:
        """Return the fields for the records."""
        return dataclasses.asdict(self)


def acquire_for_this_thread(
    *, processors: frozenset[int] | None = None, loop: str = "compiled"
) -> Privileges:
    """Make the calling thread as punctual as the system allows.

    To be called in the loop's thread before it opens the stream, because liblsl's
    receiver thread takes over scheduling, affinity and timer slack of its creator.

    Parameters
    ----------
    processors : set of int, optional
        Pin the thread to these; it stays free to move if absent.
    loop : {"compiled", "python"}
        For the report only.
    """
    if sys.platform != "linux":
        no = f"not tried on {sys.platform}"
        return Privileges(
            timer_slack=no, affinity=no, fifo=no, memory_lock=no, loop=loop
        )
    return Privileges(
        timer_slack=_shorten_timer_slack(),
        affinity=_pin(processors),
        fifo=_take_fifo(),
        memory_lock=_lock_memory(),
        loop=loop,
    )


def unlock_memory() -> None:
    """Give locked memory back: what comes after the loop may allocate freely."""
    if sys.platform == "linux":
        _libc().munlockall()


def settle_collector() -> None:
    """Collect now and exempt what is left: a collection holds the GIL for 0.1 s."""
    gc.collect()
    gc.freeze()


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _shorten_timer_slack() -> str:
    if _libc().prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0) == 0:
        return "granted"
    return f"refused: {os.strerror(ctypes.get_errno())}"


def _pin(processors: frozenset[int] | None) -> str:
    if processors is not None:
        try:
            os.sched_setaffinity(0, processors)
        except OSError as error:
            return f"refused: {error.strerror}"
    return ",".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0)))


def _take_fifo() -> str:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_FIFO_PRIORITY))
    except OSError as error:
        return f"refused: {error.strerror}"
    return "granted"


def _lock_memory() -> str:
    if _libc().mlockall(_MCL_CURRENT | _MCL_FUTURE) == 0:
        return "granted"
    return f"refused: {os.strerror(ctypes.get_errno())}"
