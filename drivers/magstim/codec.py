"""Magstim commands as bytes: pure functions, no state.

A command is one or two characters, its data in ASCII digits, and a checksum. Commands
without data carry a filler, `@`. Values are taken as they are or refused; nothing is
rounded.
"""

from typing import Final

from drivers.base import DriverSettingError

Software = tuple[int, int, int]
"""Software version of a Rapid², such as (9, 1, 0)."""

LONG_FIELDS: Final = 9
"""First major version with five digits for pulses and four for durations."""

WIDE_CHARGE_DELAY: Final = 10
"""First major version with five digits for the charge delay."""

_UNLOCK_CODE_MAX: Final = 64


def checksum(data: bytes) -> int:
    """Return the checksum of all bytes before it, in commands and replies alike."""
    return ~sum(data) & 0xFF


def frame(data: bytes) -> bytes:
    """Return `data` with its checksum."""
    return data + bytes([checksum(data)])


def digits(value: int, width: int) -> bytes:
    """Return `value` in `width` ASCII digits.

    Raises
    ------
    DriverSettingError
        If it does not fit.
    """
    if type(value) is not int or not 0 <= value < 10**width:
        raise DriverSettingError(
            f"{value!r} does not fit into {width} digits; give a whole number from 0 "
            f"to {10**width - 1}."
        )
    return b"%0*d" % (width, value)


REMOTE_ON: Final = frame(b"Q@")
REMOTE_OFF: Final = frame(b"R@")
DISARM: Final = frame(b"EA")
ARM: Final = frame(b"EB")
FIRE: Final = frame(b"EH")
GET_PARAMETERS: Final = frame(b"J@")
GET_TEMPERATURE: Final = frame(b"F@")
HIGH_RESOLUTION_ON: Final = frame(b"Y@")
HIGH_RESOLUTION_OFF: Final = frame(b"Z@")
GET_MODE: Final = frame(b"X@")
GET_RAPID_PARAMETERS: Final = frame(b"\\@")
GET_SYSTEM_STATUS: Final = frame(b"x@")
GET_VERSION: Final = frame(b"ND")
GET_ERROR: Final = frame(b"I@")
IGNORE_COIL_SWITCH: Final = frame(b"b@")
ENHANCED_ON: Final = frame(b"^@")
ENHANCED_OFF: Final = frame(b"_@")
GET_CHARGE_DELAY: Final = frame(b"o@")


def unlock(code: str) -> bytes:
    """Return the command that takes remote control of a locked Rapid².

    Raises
    ------
    DriverSettingError
        If the code is empty, too long, or has a character outside Latin-1.
    """
    try:
        encoded = code.encode("latin-1")
    except UnicodeEncodeError:
        encoded = b""
    if not 0 < len(encoded) <= _UNLOCK_CODE_MAX:
        raise DriverSettingError(
            "The unlock code is not one that a Magstim takes; type it as Magstim sent "
            "it, with its hyphens."
        )
    return frame(b"Q" + encoded)


def power(percent: int) -> bytes:
    """Return the command for the power of the (first) stimulator, percent."""
    return frame(b"@" + digits(percent, 3))


def power_b(percent: int) -> bytes:
    """Return the command for the power of a BiStim's second stimulator, percent."""
    return frame(b"A" + digits(percent, 3))


def interval(units: int) -> bytes:
    """Return the command for a BiStim's pulse interval.

    Parameters
    ----------
    units : int
        Milliseconds in low resolution, tenths of a millisecond in high resolution.
    """
    return frame(b"C" + digits(units, 3))


def frequency(tenths_hz: int) -> bytes:
    """Return the command for a train's frequency, tenths of a hertz."""
    return frame(b"B" + digits(tenths_hz, 4))


def n_pulses(count: int, software: Software) -> bytes:
    """Return the command for the pulses of a train."""
    return frame(b"D" + digits(count, pulse_digits(software)))


def duration(tenths_s: int, software: Software) -> bytes:
    """Return the command for the duration of a train, tenths of a second."""
    return frame(b"[" + digits(tenths_s, duration_digits(software)))


def train_mode(software: Software, *, on: bool) -> bytes:
    """Return the command that enters or leaves the mode for trains.

    It is a duration of 1 s or 0; documented for software 9 and later, assumed before.
    """
    return duration(10 if on else 0, software)


def charge_delay(delay_ms: int, software: Software) -> bytes:
    """Return the command for the charge delay, software 9 and later."""
    return frame(b"n" + digits(delay_ms, charge_delay_digits(software)))


def pulse_digits(software: Software) -> int:
    """Return how many digits the number of pulses has."""
    return 5 if software[0] >= LONG_FIELDS else 4


def duration_digits(software: Software) -> int:
    """Return how many digits a duration has."""
    return 4 if software[0] >= LONG_FIELDS else 3


def charge_delay_digits(software: Software) -> int:
    """Return how many digits the charge delay has."""
    return 5 if software[0] >= WIDE_CHARGE_DELAY else 4
