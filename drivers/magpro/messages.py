"""What a MagPro says: each message from and to its payload.

Fields without a published meaning are kept as zeros when a payload is built.
"""

import dataclasses
import struct
from typing import Self

from drivers.base import DriverError
from drivers.magpro.codes import Mode, Wave


class GarbledMessage(DriverError):
    """A payload that is no message of a MagPro."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags that most messages carry.

    Parameters
    ----------
    mode : Mode
    wave : Wave
    enabled : bool
    model : int
        A `Model`, or a number that is not known here.
    """

    mode: Mode
    wave: Wave
    enabled: bool
    model: int

    @classmethod
    def from_byte(cls, byte: int) -> Self:
        """Return the flags in `byte`."""
        return cls(
            mode=Mode(byte & 3),
            wave=Wave(byte >> 2 & 3),
            enabled=bool(byte >> 4 & 1),
            model=byte >> 5,
        )

    def to_byte(self) -> int:
        """Return the byte of these flags."""
        return self.mode | self.wave << 2 | self.enabled << 4 | self.model << 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Message 00."""

    flags: Flags
    serial_number: int
    temperature_c: int
    coil: int
    amplitude_a: int
    amplitude_b: int

    def payload(self) -> bytes:
        """Return the payload."""
        return b"\x00" + self._fields()

    def _fields(self) -> bytes:
        head = bytes([self.flags.to_byte()]) + self.serial_number.to_bytes(3)
        tail = (self.temperature_c, self.coil, self.amplitude_a, self.amplitude_b)
        return head + bytes(tail)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedStatus:
    """Message 05: a status, and what page shows."""

    status: Status
    original_a: int
    original_b: int
    factor_a: int
    factor_b: int
    page: int
    train_running: bool

    def payload(self) -> bytes:
        """Return the payload."""
        tail = (self.original_a, self.original_b, self.factor_a, self.factor_b)
        last = bytes([*tail, self.page, self.train_running])
        return b"\x05" + self.status.payload()[1:] + last


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AmplitudeChanged:
    """Message 01: amplitude or enabling changed, also at the front panel."""

    amplitude_a: int
    amplitude_b: int
    flags: Flags

    def payload(self) -> bytes:
        """Return the payload."""
        return bytes([1, self.amplitude_a, self.amplitude_b, self.flags.to_byte()])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PulseGiven:
    """Message 02: a pulse or burst was given; the steepness that was measured, A/µs."""

    realised_a: int
    realised_b: int
    flags: Flags

    def payload(self) -> bytes:
        """Return the payload."""
        return bytes([2, self.realised_a, self.realised_b, self.flags.to_byte()])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CoilReported:
    """Message 03: temperature and coil, with each enabling and disabling."""

    temperature_c: int
    coil: int
    flags: Flags

    def payload(self) -> bytes:
        """Return the payload."""
        return bytes([3, self.temperature_c, self.coil, self.flags.to_byte()])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolAmplitude:
    """Messages 06 and 07: original amplitude, or factor, on the protocol page."""

    kind: int
    a: int
    b: int
    flags: Flags

    def payload(self) -> bytes:
        """Return the payload."""
        return bytes([self.kind, self.a, self.b, self.flags.to_byte()])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PageChanged:
    """Message 08: page, or start and end of a train."""

    page: int
    train_running: bool
    flags: Flags

    def payload(self) -> bytes:
        """Return the payload."""
        return bytes([8, self.page, self.train_running, self.flags.to_byte()])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MepMeasured:
    """Message 04: extremes of a motor response, µV, and when the highest was, µs."""

    highest_uv: int
    lowest_uv: int
    t_highest_us: int

    def payload(self) -> bytes:
        """Return the payload."""
        values = (self.highest_uv, self.lowest_uv, self.t_highest_us)
        return b"\x04" + struct.pack(">iii", *values)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModeReported:
    """Message 09; the index of the interval is the only number with its low byte first.

    Parameters
    ----------
    burst_pulses : int
    ipi_index : int
        Into the descending list of intervals, see `drivers.magpro.grids`.
    ba_index : int
        Ratio is 5 minus 0.05 times this.
    """

    model: int
    mode: int
    direction: int
    wave: int
    burst_pulses: int
    ipi_index: int
    ba_index: int

    def payload(self) -> bytes:
        """Return the payload."""
        head = (self.model, self.mode, self.direction, self.wave)
        ipi = self.ipi_index.to_bytes(2, "little")
        return bytes([9, 0, *head, 5 - self.burst_pulses, *ipi, self.ba_index])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DelaysReported:
    """Message 0A: tenths of a millisecond, and milliseconds for the charge."""

    tenths_in_ms: int
    tenths_out_ms: int
    charge_ms: int

    def payload(self) -> bytes:
        """Return the payload."""
        values = (self.tenths_in_ms, self.tenths_out_ms, self.charge_ms)
        return b"\x0a\x00" + struct.pack(">HhH", *values)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TimingReported:
    """Message 0B; bit 4 of the control byte says that the rate is extended."""

    control: int
    extended_rate: bool
    tenths_hz: int
    n_pulses: int
    n_trains: int
    tenths_s: int
    warn: bool

    def payload(self) -> bytes:
        """Return the payload, without a ramp."""
        control = self.control | self.extended_rate << 4
        values = (self.tenths_hz, self.n_pulses, self.n_trains, self.tenths_s)
        return struct.pack(">BBBHHHHBBB", 11, 0, control, *values, self.warn, 0, 0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CountsReported:
    """Message 0C."""

    n_trains: int
    total_pulses: int
    stimulus_count: int
    page: int

    def payload(self) -> bytes:
        """Return the payload."""
        total = self.total_pulses.to_bytes(3)
        head = struct.pack(">BHB", 12, self.n_trains, 0)
        return head + total + struct.pack(">HHHB", 0, self.stimulus_count, 0, self.page)


Message = (
    Status
    | ExtendedStatus
    | AmplitudeChanged
    | PulseGiven
    | CoilReported
    | ProtocolAmplitude
    | PageChanged
    | MepMeasured
    | ModeReported
    | DelaysReported
    | TimingReported
    | CountsReported
)
