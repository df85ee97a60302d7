"""DuoMAG commands as bytes: pure functions, no state.

Each byte of a command is sent twice, which is all the protection there is. The upper
bits of a byte say what it sets.
"""

import dataclasses
from typing import Final

from drivers.base import DriverSettingError

_FIRE: Final = 0x79
_MOST_PERCENT: Final = 100
_MOST_STEPS: Final = 127

UNITS_S: Final = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)
"""Units in which a delay can be given, by their index."""

_TOLERANCE: Final = 1e-6

_RECHARGE_HIGH: Final = 0b100_00000
_RECHARGE_LOW: Final = 0b101_00000
_TTL_HIGH: Final = 0b110_00000
_TTL_LOW: Final = 0b111_00000


def doubled(command: bytes) -> bytes:
    """Return each byte twice."""
    return bytes(byte for byte in command for _ in range(2))


FIRE: Final = doubled(bytes([_FIRE]))


def intensity(percent: int) -> bytes:
    """Return the command for the intensity.

    Raises
    ------
    DriverSettingError
        If it is not a whole number from 0 to 100.
    """
    if type(percent) is not int or not 0 <= percent <= _MOST_PERCENT:
        raise DriverSettingError(
            f"A DuoMAG takes whole percent from 0 to 100, not {percent!r}; choose one."
        )
    return doubled(bytes([percent]))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A delay as the device keeps it.

    Parameters
    ----------
    steps : int
        0 to 127.
    unit : int
        Index into `UNITS_S`.
    """

    steps: int
    unit: int

    @property
    def seconds(self) -> float:
        """Its duration."""
        return self.steps * UNITS_S[self.unit]


def delay(seconds: float) -> Delay:
    """Return a delay, in the largest unit that gives it exactly.

    Raises
    ------
    DriverSettingError
        If no unit does.
    """
    for unit in reversed(range(len(UNITS_S))):
        steps = seconds / UNITS_S[unit]
        if not 0 <= steps <= _MOST_STEPS:
            continue
        if abs(steps - round(steps)) <= _TOLERANCE:
            return Delay(steps=round(steps), unit=unit)
    raise DriverSettingError(
        f"A DuoMAG cannot wait {seconds!r} s; choose 0 to 127 steps of 0.05, 0.1, 0.2, "
        "0.5, 1, 2, 5 or 10 ms."
    )


def recharge_delay(wanted: Delay) -> bytes:
    """Return the command for the delay before the recharge."""
    return _delay(wanted, _RECHARGE_HIGH, _RECHARGE_LOW)


def ttl_delay(wanted: Delay) -> bytes:
    """Return the command for the delay of the trigger output."""
    return _delay(wanted, _TTL_HIGH, _TTL_LOW)


def _delay(wanted: Delay, high: int, low: int) -> bytes:
    known = 0 <= wanted.unit < len(UNITS_S) and 0 <= wanted.steps <= _MOST_STEPS
    if not known:
        raise DriverSettingError(
            f"A DuoMAG has no delay of {wanted.steps} steps in unit {wanted.unit}; "
            "take one from drivers.duomag.codec.delay."
        )
    return doubled(
        bytes([high | wanted.steps >> 2, low | wanted.unit << 2 | wanted.steps & 3])
    )
