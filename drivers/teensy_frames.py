"""Frames between host and our micro-controller firmware: pure functions on bytes.

A frame is `AA command length payload crc8 55`, the CRC Dallas/Maxim over command,
length and payload, numbers little-endian. The names are those of `phasegate_trigger.h`.
"""

import dataclasses
import enum
import struct
from typing import Final

START: Final = 0xAA
END: Final = 0x55
MAX_REPLY_PAYLOAD: Final = 32
FRAME_EXTRA: Final = 5
_REPLY: Final = 0x80


class Command(enum.IntEnum):
    """What the host asks for."""

    IDENTIFY = 0x01
    READ_CLOCK = 0x02
    ARM = 0x03
    DISARM = 0x04
    PULSE = 0x05
    PULSE_AT = 0x06
    WATCHDOG = 0x07
    READ_INPUT_EDGES = 0x08

    @property
    def reply(self) -> int:
        """The command byte of its answer."""
        return self | _REPLY


class Event(enum.IntEnum):
    """What the device says unasked."""

    PULSED = 0xC1
    MISSED = 0xC2
    STOPPED = 0xC3
    REJECTED = 0xC4


class Result(enum.IntEnum):
    """How a command ended."""

    OK = 0
    DISARMED = 1
    TOO_SOON = 2
    TOO_MANY = 3
    PAST = 4
    TOO_FAR = 5
    BAD_LINE = 6
    BAD_VALUE = 7
    QUEUE_FULL = 8
    BAD_LENGTH = 9
    UNKNOWN = 10
    LATE = 11


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A whole frame with a right CRC.

    Parameters
    ----------
    command : int
    payload : bytes
    """

    command: int
    payload: bytes


def crc8(covered: bytes) -> int:
    """Return the Dallas/Maxim CRC-8 of some bytes."""
    crc = 0
    for byte in covered:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8C if crc & 1 else crc >> 1
    return crc


def encode_frame(command: int, payload: bytes = b"") -> bytes:
    """Return the bytes of a frame."""
    covered = bytes([command, len(payload)]) + payload
    return bytes([START]) + covered + bytes([crc8(covered), END])


def encode_read_clock(token: int) -> bytes:
    """Return the frame that asks for the device's clock; the answer has the token."""
    return encode_frame(Command.READ_CLOCK, struct.pack("<I", token))


def encode_pulse(line: int, width_us: int) -> bytes:
    """Return the frame of an immediate pulse."""
    return encode_frame(Command.PULSE, struct.pack("<BI", line, width_us))


def encode_pulse_at(number: int, line: int, width_us: int, device_us: int) -> bytes:
    """Return the frame of a pulse at an instant of the device's clock."""
    payload = struct.pack("<HBIQ", number, line, width_us, device_us)
    return encode_frame(Command.PULSE_AT, payload)


def encode_watchdog(watchdog_ms: int) -> bytes:
    """Return the frame that sets how long the device stays armed unheard."""
    return encode_frame(Command.WATCHDOG, struct.pack("<H", watchdog_ms))


def split_frames(received: bytes) -> tuple[list[Frame], bytes]:
    """Return the whole frames in some bytes, and the rest that may become one.

    Parameters
    ----------
    received : bytes
        From any point; what belongs to no frame is passed over.
    """
    frames: list[Frame] = []
    at = received.find(START)
    while at >= 0:
        size = _frame_size(received, at)
        if size is None:
            return frames, received[at:]
        if size:
            frames.append(
                Frame(
                    command=received[at + 1],
                    payload=received[at + 3 : at + size - 2],
                )
            )
        at = received.find(START, at + max(size, 1))
    return frames, b""


def _frame_size(received: bytes, at: int) -> int | None:
    """Return the size of the frame at `at`, 0 if there is none, None if it is short."""
    if len(received) < at + 3:
        return None
    size = received[at + 2] + FRAME_EXTRA
    if received[at + 2] > MAX_REPLY_PAYLOAD:
        return 0
    if len(received) < at + size:
        return None
    crc, end = received[at + size - 2], received[at + size - 1]
    if end != END or crc != crc8(received[at + 1 : at + size - 2]):
        return 0
    return size
