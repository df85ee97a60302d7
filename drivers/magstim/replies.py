"""Magstim replies: how long each is, and what it says. Pure functions.

A reply is the echoed command character, its data, and a checksum. The device refuses
with a bare `?` (no such command), or with `?` or `S` in place of the status.
"""

import dataclasses
import enum
from typing import Final

from drivers.base import DriverError
from drivers.magstim.codec import (
    LONG_FIELDS,
    WIDE_CHARGE_DELAY,
    Software,
    charge_delay_digits,
    checksum,
    duration_digits,
    pulse_digits,
)
from drivers.magstim.status import InstrumentStatus, RapidStatus

_UNKNOWN: Final = ord("?")
_CONFLICT: Final = ord("S")
_REFUSAL_BYTES: Final = 3
_VERSION_MAX_BYTES: Final = 32
_THREE_DIGIT_WAIT_BEFORE: Final = 7

_PLAIN: Final = dict.fromkeys("QRE@ACYZb", 3)
_FIXED: Final = {**_PLAIN, "X": 4, "F": 9, "J": 12, "I": 6, "x": 6}
_RAPID: Final = dict.fromkeys("BD[^_", 4)


class GarbledReply(DriverError):
    """Bytes that are not a reply to what was asked."""


class Refusal(enum.Enum):
    """Why the device did not do what was asked."""

    UNKNOWN_COMMAND = "unknown command"
    BAD_DATA = "value not acceptable, or the command arrived damaged"
    CONFLICT = "in conflict with its present state"


def reply_length(command: str, software: Software = (0, 0, 0)) -> int:
    """Return the length of the reply to `command`, with echo and checksum.

    Parameters
    ----------
    command : str
        The command's first character. `N` has no fixed length.
    software : tuple of int
        Version of a Rapid²; the others have none.

    Raises
    ------
    KeyError
        If the command is not known here.
    """
    major = software[0]
    if command == "n":
        return 6 if major >= WIDE_CHARGE_DELAY else 4
    if command == "o":
        return 3 + charge_delay_digits(software)
    if command == "\\":
        if major >= LONG_FIELDS:
            return 24
        return 22 if major >= _THREE_DIGIT_WAIT_BEFORE else 21
    return _RAPID.get(command) or _FIXED[command]


def n_missing(command: str, received: bytes, software: Software = (0, 0, 0)) -> int:
    """Return how many bytes, at least, the reply still lacks; 0 when complete.

    Raises
    ------
    GarbledReply
        If a version does not end.
    """
    if not received:
        return 1
    if received[0] == _UNKNOWN:
        return 0
    if command == "N":
        return _version_missing(received)
    if len(received) == 1:
        return 2
    if received[1] in (_UNKNOWN, _CONFLICT):
        return max(0, _REFUSAL_BYTES - len(received))
    return max(0, reply_length(command, software) - len(received))


def _version_missing(received: bytes) -> int:
    if len(received) > _VERSION_MAX_BYTES:
        raise GarbledReply("The version that the stimulator reports does not end.")
    refused = len(received) > 1 and received[1] in (_UNKNOWN, _CONFLICT)
    if refused:
        return max(0, _REFUSAL_BYTES - len(received))
    end = received.find(0)
    return 1 if end < 0 or len(received) < end + 2 else 0


def body(command: str, reply: bytes, software: Software = (0, 0, 0)) -> bytes | Refusal:
    """Return what stands between echo and checksum, or the device's refusal.

    Raises
    ------
    GarbledReply
        If echo, length or checksum are wrong.
    """
    if reply == b"?":
        return Refusal.UNKNOWN_COMMAND
    if len(reply) < _REFUSAL_BYTES or n_missing(command, reply, software) > 0:
        raise _garbled(command, reply, "it is too short")
    if reply[0] != ord(command):
        raise _garbled(command, reply, "it echoes another command")
    if reply[-1] != checksum(reply[:-1]):
        raise _garbled(command, reply, "its checksum is wrong")
    if len(reply) == _REFUSAL_BYTES and reply[1] in (_UNKNOWN, _CONFLICT):
        return Refusal.CONFLICT if reply[1] == _CONFLICT else Refusal.BAD_DATA
    _check_length(command, reply, software)
    return reply[1:-1]


def _check_length(command: str, reply: bytes, software: Software) -> None:
    if command == "N":
        exact = reply.find(0) == len(reply) - 2
    else:
        exact = len(reply) == reply_length(command, software)
    if not exact:
        raise _garbled(command, reply, "it is too long")


def _garbled(command: str, reply: bytes, why: str) -> GarbledReply:
    return GarbledReply(
        f"The reply {reply.hex(' ') or '(none)'} to the command {command!r} cannot be "
        f"used, as {why}; check the cable."
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The settings of a 200² or BiStim².

    Parameters
    ----------
    power_a, power_b : int
        Percent; `power_b` is 0 on a 200².
    interval : int
        Milliseconds, tenths of them in high resolution; 0 on a 200².
    """

    power_a: int
    power_b: int
    interval: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RapidParameters:
    """The settings of a Rapid².

    Parameters
    ----------
    rapid : RapidStatus
    power : int
        Percent.
    frequency : int
        Tenths of a hertz.
    n_pulses : int
    duration, wait : int
        Tenths of a second.
    """

    rapid: RapidStatus
    power: int
    frequency: int
    n_pulses: int
    duration: int
    wait: int


def parse_status(data: bytes) -> InstrumentStatus:
    """Return the status at the start of any body but that of `N`."""
    return InstrumentStatus.from_byte(data[0])


def parse_parameters(data: bytes) -> Parameters:
    """Return the settings in the body of a reply to `J`."""
    power_a, power_b, interval = _numbers(data[1:], (3, 3, 3))
    return Parameters(power_a=power_a, power_b=power_b, interval=interval)


def parse_temperature(data: bytes) -> tuple[float, float]:
    """Return the two temperatures, °C, in the body of a reply to `F`."""
    first, second = _numbers(data[1:], (3, 3))
    return first / 10, second / 10


def parse_mode(data: bytes) -> str:
    """Return the mode character in the body of a reply to `X`."""
    return chr(data[1])


def parse_error(data: bytes) -> str:
    """Return the error code in the body of a reply to `I`."""
    return data[1:].decode("latin-1")


def parse_charge_delay(data: bytes) -> int:
    """Return the delay, milliseconds, in the body of a reply to `o`."""
    return _numbers(data[1:], (len(data) - 1,))[0]


def parse_rapid_parameters(data: bytes, software: Software) -> RapidParameters:
    r"""Return the settings in the body of a reply to `\`."""
    wait_digits = 3 if software[0] < _THREE_DIGIT_WAIT_BEFORE else 4
    widths = (3, 4, pulse_digits(software), duration_digits(software), wait_digits)
    power, frequency, n_pulses, duration, wait = _numbers(data[2:], widths)
    return RapidParameters(
        rapid=RapidStatus.from_byte(data[1]),
        power=power,
        frequency=frequency,
        n_pulses=n_pulses,
        duration=duration,
        wait=wait,
    )


def parse_version(data: bytes) -> Software:
    """Return the version in the body of a reply to `N`.

    The `D` of the command may be echoed as well: both forms are in use.

    Raises
    ------
    GarbledReply
        If it is not two or three numbers with points between them.
    """
    text = data.removeprefix(b"D").rstrip(b"\0").decode("latin-1")
    parts = text.split(".")
    plain = all(part.isascii() and part.isdigit() for part in parts)
    if not plain or not 2 <= len(parts) <= 3:
        raise GarbledReply(
            f"The stimulator calls its software {text!r}, which is no version."
        )
    major, minor, *rest = (int(part) for part in parts)
    return major, minor, rest[0] if rest else 0


def _numbers(data: bytes, widths: tuple[int, ...]) -> list[int]:
    numbers = []
    start = 0
    for width in widths:
        field = data[start : start + width]
        if not (len(field) == width and field.isdigit()):
            raise GarbledReply(
                f"The reply holds {field!r} where {width} digits belong; check the "
                "cable."
            )
        numbers.append(int(field))
        start += width
    return numbers
