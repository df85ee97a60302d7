"""From a payload to the message in it."""

import struct
from collections.abc import Callable, Mapping
from typing import Final

from drivers.magpro.messages import (
    AmplitudeChanged,
    CoilReported,
    CountsReported,
    DelaysReported,
    ExtendedStatus,
    Flags,
    GarbledMessage,
    MepMeasured,
    Message,
    ModeReported,
    PageChanged,
    ProtocolAmplitude,
    PulseGiven,
    Status,
    TimingReported,
)

_CONTROL_BITS: Final = 0x0F
_EXTENDED_BIT: Final = 4
_MOST_PULSES: Final = 5


def parse_message(payload: bytes) -> Message:
    """Return the message in `payload`.

    Raises
    ------
    GarbledMessage
        If its first byte names none, or its length is not that of the message.
    """
    if not payload or payload[0] not in _PARSERS:
        raise GarbledMessage(
            f"The MagPro sent {payload.hex(' ') or 'nothing'}, which is no message "
            "that is known here; read its display."
        )
    length, parse = _PARSERS[payload[0]]
    if len(payload) != length:
        raise GarbledMessage(
            f"The MagPro sent message {payload[0]:02X} with {len(payload)} bytes "
            f"instead of {length}; read its display."
        )
    return parse(payload)


def _status(payload: bytes) -> Status:
    return Status(
        flags=Flags.from_byte(payload[1]),
        serial_number=int.from_bytes(payload[2:5]),
        temperature_c=payload[5],
        coil=payload[6],
        amplitude_a=payload[7],
        amplitude_b=payload[8],
    )


def _extended(payload: bytes) -> ExtendedStatus:
    return ExtendedStatus(
        status=_status(payload[:9]),
        original_a=payload[9],
        original_b=payload[10],
        factor_a=payload[11],
        factor_b=payload[12],
        page=payload[13],
        train_running=bool(payload[14]),
    )


def _amplitude(payload: bytes) -> AmplitudeChanged:
    return AmplitudeChanged(
        amplitude_a=payload[1],
        amplitude_b=payload[2],
        flags=Flags.from_byte(payload[3]),
    )


def _pulse(payload: bytes) -> PulseGiven:
    return PulseGiven(
        realised_a=payload[1],
        realised_b=payload[2],
        flags=Flags.from_byte(payload[3]),
    )


def _coil(payload: bytes) -> CoilReported:
    return CoilReported(
        temperature_c=payload[1], coil=payload[2], flags=Flags.from_byte(payload[3])
    )


def _protocol(payload: bytes) -> ProtocolAmplitude:
    return ProtocolAmplitude(
        kind=payload[0],
        a=payload[1],
        b=payload[2],
        flags=Flags.from_byte(payload[3]),
    )


def _page(payload: bytes) -> PageChanged:
    return PageChanged(
        page=payload[1],
        train_running=bool(payload[2]),
        flags=Flags.from_byte(payload[3]),
    )


def _mep(payload: bytes) -> MepMeasured:
    highest, lowest, t_highest = struct.unpack(">iii", payload[1:])
    return MepMeasured(highest_uv=highest, lowest_uv=lowest, t_highest_us=t_highest)


def _mode(payload: bytes) -> ModeReported:
    return ModeReported(
        model=payload[2],
        mode=payload[3],
        direction=payload[4],
        wave=payload[5],
        burst_pulses=_MOST_PULSES - payload[6],
        ipi_index=int.from_bytes(payload[7:9], "little"),
        ba_index=payload[9],
    )


def _delays(payload: bytes) -> DelaysReported:
    into, out, charge = struct.unpack(">HhH", payload[2:])
    return DelaysReported(tenths_in_ms=into, tenths_out_ms=out, charge_ms=charge)


def _timing(payload: bytes) -> TimingReported:
    rate, n_pulses, n_trains, tenths_s = struct.unpack(">HHHH", payload[3:11])
    return TimingReported(
        control=payload[2] & _CONTROL_BITS,
        extended_rate=bool(payload[2] >> _EXTENDED_BIT & 1),
        tenths_hz=rate,
        n_pulses=n_pulses,
        n_trains=n_trains,
        tenths_s=tenths_s,
        warn=bool(payload[11]),
    )


def _counts(payload: bytes) -> CountsReported:
    return CountsReported(
        n_trains=int.from_bytes(payload[1:3]),
        total_pulses=int.from_bytes(payload[4:7]),
        stimulus_count=int.from_bytes(payload[9:11]),
        page=payload[13],
    )


_PARSERS: Final[Mapping[int, tuple[int, Callable[[bytes], Message]]]] = {
    0x00: (9, _status),
    0x01: (4, _amplitude),
    0x02: (4, _pulse),
    0x03: (4, _coil),
    0x04: (13, _mep),
    0x05: (15, _extended),
    0x06: (4, _protocol),
    0x07: (4, _protocol),
    0x08: (4, _page),
    0x09: (10, _mode),
    0x0A: (8, _delays),
    0x0B: (14, _timing),
    0x0C: (14, _counts),
}
