"""The interlock: may a pulse leave now? Asked when planned and at the deadline.

SAFE -> ARMED -> FAULT. Only a person arms; a fault latches for the rest of the run. The
compiled review and the plain Python one are the same function (`review.py_func`).
"""

import enum
import math
from typing import Any

from controller.kernels.jit import compiled, f8, i8, record_type
from controller.safety.ledger import LEDGER
from controller.safety.limits import LIMITS

RATE_WINDOW_S = 60.0
"""The minute of `max_per_minute`: any sixty seconds, not those of a clock."""

STAMP_AHEAD_S = 0.005
"""How far ahead of the clock a sample's stamp may lie: the clocks' own uncertainty."""


class State(enum.IntEnum):
    """Where the interlock stands."""

    SAFE = 0
    ARMED = 1
    FAULT = 2


class Permit(enum.IntFlag):
    """What is vouched for, bit by bit; `ALL` are needed for a pulse.

    `ARMED`, `CONSOLE` and `DEVICE` hold until an instant that is given with them,
    `SUPERVISED` for a while after each beat of the supervisor. `MARKER` is no matter of
    safety: the review does not read it, the gate that waits for a marker does.
    """

    NONE = 0
    ARMED = 1 << 0
    SUPERVISED = 1 << 1
    RECORDING = 1 << 2
    MARKER = 1 << 3
    CONSOLE = 1 << 4
    DEVICE = 1 << 5
    ALL = ARMED | SUPERVISED | RECORDING | CONSOLE | DEVICE


TIMED = Permit.ARMED | Permit.CONSOLE | Permit.DEVICE
"""Permits that end by themselves."""


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
    CONSOLE_SILENT = 12
    DEVICE_NOT_READY = 13
    RATE_TOO_HIGH = 14
    TRAIN_INTERVAL_TOO_SHORT = 15
    TRAIN_TOO_LONG = 16
    TRAIN_TOO_SOON = 17
    TRAIN_BROKEN = 18


REFUSAL_SENTENCES: dict[Refusal, str] = {
    Refusal.FAULTED: "a fault had latched the interlock",
    Refusal.NOT_ARMED: "nobody had armed the interlock, or the arming had expired",
    Refusal.NOT_SUPERVISED: "the supervisor had gone silent",
    Refusal.NOT_RECORDING: "the session was not reaching the disk",
    Refusal.INTERVAL_TOO_SHORT: "the last pulse was closer than the minimum interval",
    Refusal.BUDGET_SPENT: "the session's pulse budget was spent",
    Refusal.DATA_TOO_OLD: "the newest sample was older than the data-age limit, or "
    "stamped ahead of the clock",
    Refusal.TOO_LATE: "the trigger would have left later than the lateness limit",
    Refusal.OUTPUT_FAILED: "the trigger output did not take the bytes",
    Refusal.DOUBTFUL: "an artifact or a gap came between plan and deadline",
    Refusal.GATE_CLOSED: "a gate closed between plan and deadline",
    Refusal.CONSOLE_SILENT: "the operator's console had gone silent",
    Refusal.DEVICE_NOT_READY: "nobody vouched for the stimulator's state",
    Refusal.RATE_TOO_HIGH: "the last minute already had as many pulses as allowed",
    Refusal.TRAIN_INTERVAL_TOO_SHORT: "the pulse before it in the train was too close",
    Refusal.TRAIN_TOO_LONG: "the train would have more pulses or seconds than allowed",
    Refusal.TRAIN_TOO_SOON: "the pause before or after a train was too short",
    Refusal.TRAIN_BROKEN: "the pulse before it in the train had not been fired",
}

_ARMED = int(Permit.ARMED)
_SUPERVISED = int(Permit.SUPERVISED)
_RECORDING = int(Permit.RECORDING)
_CONSOLE = int(Permit.CONSOLE)
_DEVICE = int(Permit.DEVICE)
_NONE = int(Refusal.NONE)
_FAULTED = int(Refusal.FAULTED)
_NOT_ARMED = int(Refusal.NOT_ARMED)
_NOT_SUPERVISED = int(Refusal.NOT_SUPERVISED)
_NOT_RECORDING = int(Refusal.NOT_RECORDING)
_INTERVAL_TOO_SHORT = int(Refusal.INTERVAL_TOO_SHORT)
_BUDGET_SPENT = int(Refusal.BUDGET_SPENT)
_DATA_TOO_OLD = int(Refusal.DATA_TOO_OLD)
_TOO_LATE = int(Refusal.TOO_LATE)
_CONSOLE_SILENT = int(Refusal.CONSOLE_SILENT)
_DEVICE_NOT_READY = int(Refusal.DEVICE_NOT_READY)
_RATE_TOO_HIGH = int(Refusal.RATE_TOO_HIGH)
_TRAIN_INTERVAL_TOO_SHORT = int(Refusal.TRAIN_INTERVAL_TOO_SHORT)
_TRAIN_TOO_LONG = int(Refusal.TRAIN_TOO_LONG)
_TRAIN_TOO_SOON = int(Refusal.TRAIN_TOO_SOON)
_TRAIN_BROKEN = int(Refusal.TRAIN_BROKEN)

_LIMITS_TYPE = record_type(LIMITS)
_LEDGER_TYPE = record_type(LEDGER)


@compiled(i8(i8))
def _review_permits(permits: int) -> int:
    reason = _NONE
    if not permits & _ARMED:
        reason = _NOT_ARMED
    elif not permits & _SUPERVISED:
        reason = _NOT_SUPERVISED
    elif not permits & _RECORDING:
        reason = _NOT_RECORDING
    elif not permits & _CONSOLE:
        reason = _CONSOLE_SILENT
    elif not permits & _DEVICE:
        reason = _DEVICE_NOT_READY
    return reason


@compiled(i8(_LIMITS_TYPE, _LEDGER_TYPE, i8, f8))
def _review_first(limits: Any, ledger: Any, left: int, t_fire: float) -> int:
    """Judge the first pulse of a pattern: its distance, and how many are to follow."""
    pause_s = t_fire - ledger.t_last_pulse
    is_alone = left == 1 and ledger.train_pulses <= 1
    reason = _NONE
    if not pause_s >= limits.min_interval_s:
        reason = _INTERVAL_TOO_SHORT
    elif not (is_alone or pause_s >= limits.inter_train_s):
        reason = _TRAIN_TOO_SOON
    elif not 1 <= left <= limits.train_pulses:
        reason = _TRAIN_TOO_LONG
    return reason


@compiled(i8(_LIMITS_TYPE, _LEDGER_TYPE, i8, i8, f8))
def _review_later(limits: Any, ledger: Any, rise: int, left: int, t_fire: float) -> int:
    """Judge a pulse within a train, by the rules of trains alone."""
    reason = _NONE
    if not 1 <= rise == ledger.train_pulses:
        reason = _TRAIN_BROKEN
    elif not t_fire - ledger.t_last_pulse >= limits.train_interval_s:
        reason = _TRAIN_INTERVAL_TOO_SHORT
    elif (
        not (left >= 1 and rise + left <= limits.train_pulses)
        or not t_fire - ledger.t_train_first <= limits.train_s
    ):
        reason = _TRAIN_TOO_LONG
    return reason


@compiled(i8(_LIMITS_TYPE, _LEDGER_TYPE, i8, i8, f8))
def _review_pattern(
    limits: Any, ledger: Any, rise: int, left: int, t_fire: float
) -> int:
    """Judge spacing, budget and rate."""
    if rise == 0:
        reason = _review_first(limits, ledger, left, t_fire)
    else:
        reason = _review_later(limits, ledger, rise, left, t_fire)
    if reason == _NONE:
        if not ledger.pulses + left <= limits.max_pulses:
            reason = _BUDGET_SPENT
        elif not t_fire - ledger.t_rate >= RATE_WINDOW_S:
            reason = _RATE_TOO_HIGH
    return reason


@compiled(i8(_LIMITS_TYPE, _LEDGER_TYPE, i8, i8, i8, f8, f8, f8))
def review(
    limits: Any,
    ledger: Any,
    permits: int,
    rise: int,
    left: int,
    t_fire: float,
    t_now: float,
    t_sample: float,
) -> int:
    """Return the reason against a pulse, or `Refusal.NONE`.

    Parameters
    ----------
    limits, ledger
        Records of `LIMITS` and `LEDGER`.
    permits : int
        `Permit` bits that hold now.
    rise : int
        The pulse's place in its pattern, from 0. The first is judged by the interval
        between pulses and the pause between trains, later ones by the rules of trains.
    left : int
        Pulses that the pattern still has, this one included: a train that would pass
        the budget is refused as a whole and not cut off in its middle.
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
    reason = _FAULTED if ledger.fault != 0 else _review_permits(permits)
    if reason == _NONE:
        reason = _review_pattern(limits, ledger, rise, left, t_fire)
    if reason == _NONE:
        if not -STAMP_AHEAD_S <= t_now - t_sample <= limits.max_data_age_s:
            reason = _DATA_TOO_OLD
        elif not -math.inf < t_now - t_fire <= limits.max_lateness_s:
            reason = _TOO_LATE
    return reason


def state_of(ledger: Any, permits: int) -> State:
    """Return where the interlock stands, for people and records."""
    if ledger.fault != 0:
        return State.FAULT
    return State.ARMED if permits & Permit.ARMED else State.SAFE
