"""How punctual this machine lets a process be: `python -m` prints it as JSON.

A process of its own, so that the privileges it takes end with it.
"""

import json
import time

import click

from controller.engine.privileges import acquire_for_this_thread

N_DEADLINES = 100
_INTERVAL_S = 0.003


def lateness_us(n: int = N_DEADLINES) -> list[float]:
    """Sleep until `n` deadlines; return how late each wake-up was, microseconds."""
    late = []
    t_due = time.monotonic()
    for _ in range(n):
        t_due = max(t_due, time.monotonic()) + _INTERVAL_S
        time.sleep(max(0.0, t_due - time.monotonic()))
        late.append((time.monotonic() - t_due) * 1e6)
    return late


def main() -> None:
    """Take what the system grants, measure, print."""
    privileges = acquire_for_this_thread().as_dict()
    click.echo(json.dumps({"privileges": privileges, "late_us": lateness_us()}))


if __name__ == "__main__":
    main()
