"""How a call is timed: in rounds, of which the fastest counts.

Other work on the machine can only lengthen a round, so the minimum of several is the
figure that repeats best. It says nothing about tails: those are for `bench.latency`.
"""

import time
from collections.abc import Callable


def seconds_each(call: Callable[[], object], *, n_calls: int, n_rounds: int) -> float:
    """Return the seconds of one call in the fastest of some rounds.

    Parameters
    ----------
    call : callable
    n_calls : int
        Per round.
    n_rounds : int
        After one that does not count.
    """
    fastest = float("inf")
    for number in range(n_rounds + 1):
        t_start = time.perf_counter()
        for _ in range(n_calls):
            call()
        taken_s = (time.perf_counter() - t_start) / n_calls
        if number > 0:
            fastest = min(fastest, taken_s)
    return fastest
