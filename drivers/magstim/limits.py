"""What the maker of Magstim stimulators allows: waiting times, trains, temperatures.

Figures were gathered from published manuals and open drivers, not measured by us. Where
a table has a gap, the next stricter entry counts.
"""

import bisect
from collections.abc import Mapping
from typing import Final, Literal

Variant = Literal["rapid", "super", "super-plus"]
Mains = Literal[115, 240]

MAX_COIL_C: Final = 40.0
CHARGE_S: Final = 1.1
"""From arming to ready: about 1 s, with the margin that other drivers keep."""
IDLE_S: Final = 60.0
"""Armed without a pulse for so long, the device disarms itself."""
CONTACT_S: Final = 1.0
"""Armed without a command for so long, the device disarms and drops remote control."""

_UP_S_PER_PERCENT: Final = 0.010
_DOWN_S_PER_PERCENT: Final = 0.100

_RECHARGE_200_S: Final = ((50, 2.0), (80, 3.0), (101, 4.0))
BISTIM_RECHARGE_S: Final = 4.0
RAPID_SINGLE_S: Final = 1.0
RAPID_ENHANCED_S: Final = 2.0
"""Between single pulses above 99 % in enhanced mode."""

_FULL_PULSE_J: Final = 252.0
_DISSIPATION_W: Final = 1050.0
_TRAIN_BUDGET_J: Final = 63000.0
_SHORTEST_WAIT_S: Final = 0.5
CONTINUOUS_S: Final = 60.0
"""A train that may last longer than this may last as long as its pulses do."""

# Power in percent up to which the frequency in hertz is allowed.
_MAX_HZ: Final[Mapping[tuple[Variant, Mains], tuple[tuple[int, float], ...]]] = {
    ("rapid", 240): (
        (30, 50.0),
        (50, 30.0),
        (60, 25.0),
        (70, 20.0),
        (80, 18.0),
        (90, 17.0),
        (100, 15.0),
    ),
    ("super", 240): (
        (30, 100.0),
        (40, 75.0),
        (50, 50.0),
        (60, 45.0),
        (70, 40.0),
        (80, 35.0),
        (90, 30.0),
        (100, 25.0),
    ),
    ("super-plus", 240): (
        (48, 100.0),
        (50, 97.0),
        (60, 80.0),
        (70, 68.0),
        (80, 57.0),
        (90, 49.0),
        (100, 41.0),
    ),
    # Only the two ends of these were published.
    ("rapid", 115): ((30, 36.0), (100, 11.0)),
    ("super", 115): ((30, 60.0), (100, 22.0)),
    ("super-plus", 115): ((30, 60.0), (100, 25.0)),
}


def settle_s(percent_before: int, percent_after: int) -> float:
    """Return how long a change of power takes, seconds."""
    change = percent_after - percent_before
    if change >= 0:
        return change * _UP_S_PER_PERCENT
    return -change * _DOWN_S_PER_PERCENT


def recharge_200_s(percent: int) -> float:
    """Return the shortest time between pulses of a 200², seconds."""
    for below, recharge_s in _RECHARGE_200_S:
        if percent < below:
            return recharge_s
    return _RECHARGE_200_S[-1][1]


def pulse_joules(percent: int) -> float:
    """Return the energy of one pulse of a Rapid², joules."""
    return _FULL_PULSE_J * (percent / 100) ** 2


def train_wait_s(percent: int, frequency_hz: float, n_pulses: int) -> float:
    """Return how long a Rapid² must rest after a train, seconds."""
    surplus_w = frequency_hz * pulse_joules(percent) - _DISSIPATION_W
    needed_s = n_pulses * surplus_w / (_DISSIPATION_W * frequency_hz)
    return max(_SHORTEST_WAIT_S, needed_s)


def longest_train_s(percent: int, frequency_hz: float) -> float:
    """Return how long a train of a Rapid² may last, seconds.

    Beyond `CONTINUOUS_S` it may go on without end.
    """
    power_w = frequency_hz * pulse_joules(percent)
    return _TRAIN_BUDGET_J / power_w if power_w > 0 else float("inf")


def continuous_hz(percent: int) -> float:
    """Return the frequency that a Rapid² can keep up without end, hertz."""
    joules = pulse_joules(percent)
    return _DISSIPATION_W / joules if joules > 0 else float("inf")


def max_frequency_hz(percent: int, variant: Variant, mains: Mains) -> float:
    """Return the highest frequency of a Rapid² at this power, hertz.

    Enhanced power, above 100 %, allows no trains: 0.
    """
    steps = _MAX_HZ[variant, mains]
    place = bisect.bisect_left([up_to for up_to, _ in steps], percent)
    return steps[place][1] if place < len(steps) else 0.0
