"""The status frames that a DuoMAG sends without pause: found in the stream, and read.

A frame ends with `FF`, which occurs nowhere else. There is no checksum. So a frame
counts only if it is as long as the one before it: a lost byte makes it shorter, a lost
end makes it longer.
"""

import dataclasses
from typing import Final, Self

from drivers.base import DriverError
from drivers.duomag.codec import Delay

SYNC: Final = 0xFF
_SHORTEST: Final = 12
_LONGEST: Final = 32
_COIL_PLACE: Final = 14
_MOST_PERCENT: Final = 100

COILS: Final = {
    1: "70BF",
    2: "70BF-COOL",
    3: "120BFV",
    4: "100R",
    5: "125R",
    6: "50BF",
    7: "50BFT",
}


class GarbledFrame(DriverError):
    """Bytes between two ends that are no status."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One status frame.

    Parameters
    ----------
    stimulates_on_ttl : bool
        The unit waits for an edge.
    intensity_change : int
        Steps that the knob was turned, -16 to 15.
    intensity : int
        Percent.
    coil_adc, resistor_adc, discharge_adc : int
        Temperatures in counts; what a count means is not published.
    omitted : int
        Pulses that were asked for and not given, modulo 256.
    power_overheat, coil_disconnected, hold_error, recharge_error : bool
    fan_seized, coil_overheat, resistor_overheat, discharge_overheat : bool
    coil_data_ok, receiving : bool
    idle, charged : bool
    ttl_delay, recharge_delay : Delay
    coil : int or None
        Key of `COILS`; None with older models.
    length : int
        Bytes before the end mark.
    """

    stimulates_on_ttl: bool = False
    intensity_change: int = 0
    intensity: int = 0
    coil_adc: int = 0
    resistor_adc: int = 0
    discharge_adc: int = 0
    omitted: int = 0
    power_overheat: bool = False
    coil_disconnected: bool = False
    hold_error: bool = False
    recharge_error: bool = False
    fan_seized: bool = False
    coil_overheat: bool = False
    resistor_overheat: bool = False
    discharge_overheat: bool = False
    coil_data_ok: bool = False
    receiving: bool = False
    idle: bool = False
    charged: bool = False
    ttl_delay: Delay = dataclasses.field(default=Delay(steps=0, unit=0))
    recharge_delay: Delay = dataclasses.field(default=Delay(steps=0, unit=0))
    coil: int | None = None
    length: int = 15

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the status in the bytes before an end mark.

        Raises
        ------
        GarbledFrame
            If the length or the intensity is impossible.
        """
        if not _SHORTEST <= len(data) <= _LONGEST or data[1] > _MOST_PERCENT:
            raise GarbledFrame(
                f"The DuoMAG sent {data.hex(' ') or 'nothing'}, which is no status; "
                "check its cable."
            )
        change = data[0] & 0b11111
        return cls(
            stimulates_on_ttl=bool(data[0] >> 5 & 1),
            intensity_change=change - 32 if change & 0b10000 else change,
            intensity=data[1],
            coil_adc=data[2],
            resistor_adc=data[3],
            discharge_adc=data[4],
            omitted=data[5],
            power_overheat=bool(data[6] >> 6 & 1),
            coil_disconnected=bool(data[6] >> 5 & 1),
            hold_error=bool(data[6] >> 4 & 1),
            recharge_error=bool(data[6] >> 3 & 1),
            fan_seized=bool(data[7] >> 6 & 1),
            coil_overheat=bool(data[7] >> 4 & 1),
            resistor_overheat=bool(data[7] >> 3 & 1),
            discharge_overheat=bool(data[7] >> 2 & 1),
            coil_data_ok=bool(data[7] >> 1 & 1),
            receiving=bool(data[7] & 1),
            idle=bool(data[8] >> 2 & 1),
            charged=bool(data[8] & 1),
            ttl_delay=Delay(steps=data[9] & 127, unit=data[11] & 7),
            recharge_delay=Delay(steps=data[10] & 127, unit=data[11] >> 4 & 7),
            coil=data[_COIL_PLACE] if len(data) > _COIL_PLACE else None,
            length=len(data),
        )

    def to_bytes(self) -> bytes:
        """Return the frame with its end mark."""
        first = self.stimulates_on_ttl << 5 | self.intensity_change & 0b11111
        errors = (
            self.power_overheat << 6
            | self.coil_disconnected << 5
            | self.hold_error << 4
            | self.recharge_error << 3
        )
        more = (
            self.fan_seized << 6
            | self.coil_overheat << 4
            | self.resistor_overheat << 3
            | self.discharge_overheat << 2
            | self.coil_data_ok << 1
            | self.receiving
        )
        units = self.recharge_delay.unit << 4 | self.ttl_delay.unit
        head = (first, self.intensity, self.coil_adc, self.resistor_adc)
        middle = (self.discharge_adc, self.omitted, errors, more)
        tail = (self.idle << 2 | self.charged, self.ttl_delay.steps)
        data = bytes([*head, *middle, *tail, self.recharge_delay.steps, units])
        data = data.ljust(self.length, b"\x00")
        if self.coil is not None:
            data = data[:_COIL_PLACE] + bytes([self.coil]) + data[_COIL_PLACE + 1 :]
        return data + bytes([SYNC])

    def troubles(self) -> list[str]:
        """Return what stands against a pulse, in words."""
        named = (
            (self.coil_disconnected, "no coil is connected"),
            (self.coil_overheat, "the coil is too hot"),
            (self.power_overheat, "the power supply is too hot"),
            (self.resistor_overheat, "the resistor is too hot"),
            (self.discharge_overheat, "the discharge unit is too hot"),
            (self.fan_seized, "a fan stands still"),
            (self.hold_error, "it cannot hold its voltage"),
            (self.recharge_error, "it cannot recharge"),
        )
        return [words for holds, words in named if holds]


class StreamParser:
    """Finds status frames in the stream; the first one after a disturbance is lost."""

    def __init__(self) -> None:
        self._buffer = b""
        self._synchronised = False
        self._length: int | None = None
        self.n_discarded = 0

    def feed(self, received: bytes) -> list[Frame]:
        """Return the frames that `received` completes."""
        *ended, self._buffer = (self._buffer + received).split(bytes([SYNC]))
        if len(self._buffer) > _LONGEST:
            self.n_discarded += 1
            self._buffer = b""
            self._synchronised = False
        return [frame for data in ended if (frame := self._frame(data)) is not None]

    def _frame(self, data: bytes) -> Frame | None:
        # What comes before the first end mark may be the rest of a frame.
        whole, self._synchronised = self._synchronised, True
        same = len(data) == self._length
        self._length = len(data)
        if whole and same:
            try:
                return Frame.from_bytes(data)
            except GarbledFrame:
                pass
        self.n_discarded += 1
        return None
