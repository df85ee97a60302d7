"""The interlock: may a pulse leave now? Asked when planned and at the deadline.

SAFE -> ARMED -> FAULT. Only a person arms; a fault latches for the rest of the run. The
compiled review and the plain Python one are the same function (`review.py_func`).
"""

import enum
import math
from typing import Any

import numpy as np

from controller.kernels.jit import compiled, f8, i8, record_type
from controller.safety.limits import LIMITS

LEDGER = np.dtype(
    [("pulses", "i8"), ("t_last_pulse", "f8"), ("fault", "i8")], align=True
)


class State(enum.IntEnum):
    """Where the interlock stands."""

    SAFE = 0
    ARMED = 1
    FAULT = 2


class Permit(enum.IntFlag):
    """What the supervisor vouches for, bit by bit; `ALL` are needed for a pulse.

    `MARKER` is no matter of safety: the review does not read it, the gate that waits
    for a marker does.
    """

    NONE = 0
    ARMED = 1 << 0
    SUPERVISED = 1 << 1
    RECORDING = 1 << 2
    MARKER = 1 << 3
    ALL = ARMED | SUPERVISED | RECORDING


class Refusal(enum.IntEnum):
    """Why the interlock refused a pulse."""

    NONE = 0
    FAULTED = 1
    NOT_ARMED = 2
    NOT_SUPERVISED = 3
    NOT_RECORDING = 4
    INTERVAL_TOO_SHORT = 5
    BUDGET_SPENT = 6
    DATA_TOO_OLD = 7
    TOO_LATE = 8
    OUTPUT_FAILED = 9
    DOUBTFUL = 10
    GATE_CLOSED = 11


REFUSAL_SENTENCES: dict[Refusal, str] = {
    Refusal.FAULTED: "a fault had latched the interlock",
    Refusal.NOT_ARMED: "nobody had armed the interlock",
    Refusal.NOT_SUPERVISED: "the supervisor had gone silent",
    Refusal.NOT_RECORDING: "the session was not reaching the disk",
    Refusal.INTERVAL_TOO_SHORT: "the last pulse was closer than the minimum interval",
    Refusal.BUDGET_SPENT: "the session's pulse budget was spent",
    Refusal.DATA_TOO_OLD: "the newest sample was older than the data-age limit",
    Refusal.TOO_LATE: "the trigger would have left later than the lateness limit",
    Refusal.OUTPUT_FAILED: "the trigger output did not take the bytes",
    Refusal.DOUBTFUL: "an artifact or a gap came between plan and deadline",
    Refusal.GATE_CLOSED: "a gate closed between plan and deadline",
}

_ARMED = int(Permit.ARMED)
_SUPERVISED = int(Permit.SUPERVISED)
_RECORDING = int(Permit.RECORDING)
_NONE = int(Refusal.NONE)
_FAULTED = int(Refusal.FAULTED)
_NOT_ARMED = int(Refusal.NOT_ARMED)
_NOT_SUPERVISED = int(Refusal.NOT_SUPERVISED)
_NOT_RECORDING = int(Refusal.NOT_RECORDING)
_INTERVAL_TOO_SHORT = int(Refusal.INTERVAL_TOO_SHORT)
_BUDGET_SPENT = int(Refusal.BUDGET_SPENT)
_DATA_TOO_OLD = int(Refusal.DATA_TOO_OLD)
_TOO_LATE = int(Refusal.TOO_LATE)


@compiled(i8(record_type(LIMITS), record_type(LEDGER), i8, f8, f8, f8))
def review(
    limits: Any, ledger: Any, permits: int, t_fire: float, t_now: float, t_sample: float
) -> int:
    """Return the reason against a pulse, or `Refusal.NONE`.

    Parameters
    ----------
    limits, ledger
        Records of `LIMITS` and `LEDGER`.
    permits : int
        `Permit` bits, as the supervisor last gave them.
    t_fire : float
        When the trigger is to leave, seconds on the host clock.
    t_now : float
        The present, on the same clock.
    t_sample : float
        Stamp of the newest sample.

    Notes
    -----
    Each comparison is written on its allowed side, so that NaN refuses, and so does an
    instant that is infinite.
    """
    reason = _NONE
    if ledger.fault != 0:
        reason = _FAULTED
    elif not permits & _ARMED:
        reason = _NOT_ARMED
    elif not permits & _SUPERVISED:
        reason = _NOT_SUPERVISED
    elif not permits & _RECORDING:
        reason = _NOT_RECORDING
    elif not t_fire - ledger.t_last_pulse >= limits.min_interval_s:
        reason = _INTERVAL_TOO_SHORT
    elif not ledger.pulses < limits.max_pulses:
        reason = _BUDGET_SPENT
    elif not -math.inf < t_now - t_sample <= limits.max_data_age_s:
        reason = _DATA_TOO_OLD
    elif not -math.inf < t_now - t_fire <= limits.max_lateness_s:
        reason = _TOO_LATE
    return reason


def state_of(ledger: Any, permits: int) -> State:
    """Return where the interlock stands, for people and records."""
    if ledger.fault != 0:
        return State.FAULT
    return State.ARMED if permits & Permit.ARMED else State.SAFE
