"""What may happen in a session on a virtual clock, for `make_session`."""

import numpy as np

from bench.session_maker import Received
from controller.safety.interlock import Permit


def gaps(told: Received) -> None:
    """Samples are lost in the rest and in the loop."""
    for at in (4000, told.n_rest + 3000):
        told.t_sample[at:] += 0.3
        told.t_arrival[at:] += 0.3


def stalls(told: Received) -> None:
    """The stream stands still, and comes all at once; wake-ups are late."""
    for at in range(told.n_rest + 500, len(told.raw), 1700):
        told.t_arrival[at : at + 60] = told.t_arrival[at + 60]
    told.late_s = np.array([0.0, 0.0002, 0.0015])


def markers(told: Received) -> None:
    """A gate opens and closes, and the supervisor is late for a while."""
    at = np.arange(told.n_rest, len(told.raw))
    told.permits[at[(at // 700) % 2 == 0]] &= ~int(Permit.ARMED)
    told.permits[told.n_rest + 6000 : told.n_rest + 7000] &= ~int(Permit.SUPERVISED)


def artifacts(told: Received) -> None:
    """The participant blinks, and a channel touches its rail."""
    for at in (3000, told.n_rest + 2000, told.n_rest + 7000):
        told.raw[at : at + 40] += 900.0


def call_fails(told: Received) -> None:
    """The wire breaks in the third pulse."""
    told.fail_call = 4
