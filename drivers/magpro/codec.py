"""MagPro frames and commands as bytes: pure functions, no state.

A frame is `FE`, the payload's length, the payload, its CRC and `FF`. Nothing is
escaped, so both marks also occur inside: frames are found by their length.
Numbers of two bytes have the higher one first.
"""

import struct
from typing import Final

from drivers.base import DriverSettingError

START: Final = 0xFE
END: Final = 0xFF
OVERHEAD: Final = 4
LONGEST_PAYLOAD: Final = 32
"""No message is longer; a longer one is noise that looks like a start."""

_CRC_POLYNOMIAL: Final = 0x8C


def crc8(payload: bytes) -> int:
    """Return the CRC-8 of Dallas/Maxim."""
    remainder = 0
    for byte in payload:
        remainder ^= byte
        for _ in range(8):
            carry = remainder & 1
            remainder >>= 1
            if carry:
                remainder ^= _CRC_POLYNOMIAL
    return remainder


def frame(payload: bytes) -> bytes:
    """Return `payload` in its frame.

    Raises
    ------
    DriverSettingError
        If it is empty or too long.
    """
    if not 0 < len(payload) <= LONGEST_PAYLOAD:
        raise DriverSettingError(
            f"A MagPro message has 1 to {LONGEST_PAYLOAD} bytes, not {len(payload)}; "
            "check the command."
        )
    return bytes([START, len(payload), *payload, crc8(payload), END])


class FrameParser:
    """Finds frames in a stream of bytes, and finds the next one after noise."""

    def __init__(self) -> None:
        self._buffer = b""
        self.n_discarded = 0

    def feed(self, received: bytes) -> list[bytes]:
        """Return the payloads of the frames that `received` completes."""
        self._buffer += received
        payloads = []
        while (payload := self._next()) is not None:
            payloads.append(payload)
        return payloads

    def give_up_partial(self) -> list[bytes]:
        """Return what frames there are behind a start whose rest does not come."""
        payloads: list[bytes] = []
        while self._buffer and not payloads:
            self._discard(1)
            payloads = self.feed(b"")
        return payloads

    @property
    def has_partial(self) -> bool:
        """Whether bytes wait for the rest of their frame."""
        return bool(self._buffer)

    def _next(self) -> bytes | None:
        while True:
            self._skip_to_start()
            if len(self._buffer) <= 1:
                return None
            length = self._buffer[1]
            if not 0 < length <= LONGEST_PAYLOAD:
                self._discard(1)
                continue
            if len(self._buffer) < length + OVERHEAD:
                return None
            payload = self._buffer[2 : 2 + length]
            good = (crc8(payload), END) == tuple(self._buffer[2 + length : 4 + length])
            if good:
                self._buffer = self._buffer[length + OVERHEAD :]
                return payload
            self._discard(1)

    def _skip_to_start(self) -> None:
        place = self._buffer.find(START)
        self._discard(len(self._buffer) if place < 0 else place)

    def _discard(self, count: int) -> None:
        self.n_discarded += count
        self._buffer = self._buffer[count:]


def _pack(layout: str, *values: int) -> bytes:
    try:
        return struct.pack(f">{layout}", *values)
    except struct.error as error:
        raise DriverSettingError(
            f"A MagPro cannot take the values {values} ({error}); choose smaller ones."
        ) from error


GET_STATUS: Final = frame(b"\x00")
ENABLE: Final = frame(b"\x02\x01")
DISABLE: Final = frame(b"\x02\x00")
FIRE: Final = frame(b"\x03")
FIRE_LONG: Final = frame(b"\x03\x01")
START_TRAIN: Final = frame(b"\x04")
GET_EXTENDED_STATUS: Final = frame(b"\x05")
GET_MODE: Final = frame(b"\x09\x00")
GET_DELAYS: Final = frame(b"\x0a\x00")
GET_TIMING: Final = frame(b"\x0b\x00")
GET_COUNTS: Final = frame(b"\x0c\x00")


def amplitude(percent_a: int, percent_b: int | None = None) -> bytes:
    """Return the command for the amplitude; `percent_b` is for Dual mode."""
    if percent_b is None:
        return frame(_pack("BB", 0x01, percent_a))
    return frame(_pack("BBB", 0x01, percent_a, percent_b))


def page(number: int, *, long_form: bool = False) -> bytes:
    """Return the command that turns to a page; one open driver adds a zero to it."""
    tail = b"\x00" if long_form else b""
    return frame(_pack("BB", 0x07, number) + tail)


def old_train(tenths_hz: int, n_pulses: int, n_trains: int, tenths_s: int) -> bytes:
    """Return the older command for a train."""
    return frame(_pack("BHHHH", 0x06, tenths_hz, n_pulses, n_trains, tenths_s))


def old_delays(tenths_in_ms: int, tenths_out_ms: int, charge_ms: int) -> bytes:
    """Return the older command for the delays."""
    return frame(_pack("BHhHBB", 0x08, tenths_in_ms, tenths_out_ms, charge_ms, 0, 0))


def delays(tenths_in_ms: int, tenths_out_ms: int, charge_ms: int) -> bytes:
    """Return the command for the delays; the one of the output may be negative."""
    return frame(_pack("BBHhH", 0x0A, 1, tenths_in_ms, tenths_out_ms, charge_ms))


def mode(
    *,
    model: int,
    mode: int,
    direction: int,
    wave: int,
    burst_pulses: int,
    tenths_ipi_ms: int,
    hundredths_ba: int,
) -> bytes:
    """Return the command for mode and waveform.

    Parameters
    ----------
    model, mode, direction, wave : int
        As in `drivers.magpro.codes`.
    burst_pulses : int
        2 to 5; sent as 5 minus itself.
    tenths_ipi_ms : int
        Interval between the pulses of a burst or pair, tenths of a millisecond.
    hundredths_ba : int
        Ratio of the second pulse to the first, hundredths.
    """
    index = 5 - burst_pulses
    fields = (model, mode, direction, wave, index, tenths_ipi_ms, hundredths_ba)
    return frame(_pack("BBBBBBBHH", 0x09, 1, *fields))


def timing(
    *, control: int, tenths_hz: int, n_pulses: int, n_trains: int, tenths_s: int
) -> bytes:
    """Return the command for the timing page, without its warning sound."""
    fields = (control, tenths_hz, n_pulses, n_trains, tenths_s, 0)
    return frame(_pack("BBBHHHHB", 0x0B, 1, *fields))
