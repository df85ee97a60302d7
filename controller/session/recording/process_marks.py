"""Whether a process of another time still runs, also where its number was reused."""

import os
from pathlib import Path

_STATE, _STARTED = 0, 19


def started_ticks(pid: int) -> int:
    """Return when the process began, in the system's own count; 0 where unknown."""
    fields = _fields(pid)
    return int(fields[_STARTED]) if fields else 0


def is_alive(pid: int, ticks: int) -> bool:
    """Return whether exactly that process still runs.

    Parameters
    ----------
    pid : int
    ticks : int
        As from `started_ticks` when it was known to run.
    """
    if pid <= 0:
        return False
    if Path("/proc/self").exists():
        fields = _fields(pid)
        # A dead process that nobody has waited for still has a number.
        is_there = bool(fields) and fields[_STATE] not in ("Z", "X")
        return is_there and int(fields[_STARTED]) == ticks
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _fields(pid: int) -> list[str]:
    """Return what Linux tells of a process after its name; nothing elsewhere."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return []
    # The name, in brackets, may hold anything.
    return stat.rpartition(")")[2].split()
