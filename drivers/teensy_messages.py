"""What frames from our micro-controller firmware mean."""

import dataclasses
import struct

from drivers.teensy_frames import Command, Event, Frame, Result


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a board says of itself, and the limits that it keeps.

    Parameters
    ----------
    version : int
        Of the protocol.
    n_lines : int
    min_interval_s : float
        Rise to rise on one line.
    max_pulses : int
        Within `window_s`.
    window_s : float
    watchdog_s : float
        As the board starts.
    """

    version: int
    n_lines: int
    min_interval_s: float
    max_pulses: int
    window_s: float
    watchdog_s: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """An answer to READ_CLOCK.

    Parameters
    ----------
    token : int
        As it was asked.
    device_us : int
    armed : bool
    """

    token: int
    device_us: int
    armed: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pulsed:
    """The device's word that a line has risen.

    Parameters
    ----------
    number : int
        Of the PULSE_AT; 0 for a PULSE.
    line : int
        From 0.
    device_us : int
        When.
    """

    number: int
    line: int
    device_us: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """The device's word that it refused a pulse at its instant.

    Parameters
    ----------
    number : int
    line : int
    result : Result
        Why.
    """

    number: int
    line: int
    result: Result


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InputEdge:
    """A change of an input line.

    Parameters
    ----------
    device_us : int
    line : int
    level : int
        0 or 1.
    """

    device_us: int
    line: int
    level: int


def parse_identity(frame: Frame) -> Identity | None:
    """Return what an IDENTIFY answer says; None if it is another frame."""
    if frame.command != Command.IDENTIFY.reply or len(frame.payload) != 16:
        return None
    mark, version, n_lines, interval_us, n_pulses, window_us, watchdog_ms = (
        struct.unpack("<2sBBIHIH", frame.payload)
    )
    if mark != b"PG":
        return None
    return Identity(
        version=version,
        n_lines=n_lines,
        min_interval_s=interval_us / 1e6,
        max_pulses=n_pulses,
        window_s=window_us / 1e6,
        watchdog_s=watchdog_ms / 1e3,
    )


def parse_clock(frame: Frame) -> ClockReading | None:
    """Return what a READ_CLOCK answer says; None if it is another frame."""
    if frame.command != Command.READ_CLOCK.reply or len(frame.payload) != 13:
        return None
    token, device_us, armed = struct.unpack("<IQB", frame.payload)
    return ClockReading(token=token, device_us=device_us, armed=armed == 1)


def parse_result(frame: Frame, command: Command) -> Result | None:
    """Return the result in the answer to a command; None if it is another frame."""
    if frame.command == command.reply and frame.payload:
        return _result(frame.payload[-1])
    if frame.command == Event.REJECTED and frame.payload[:1] == bytes([command]):
        return _result(frame.payload[-1])
    return None


def parse_event(frame: Frame) -> Pulsed | Missed | None:
    """Return what became of a pulse; None if it is another frame."""
    if frame.command == Event.PULSED and len(frame.payload) == 11:
        number, line, device_us = struct.unpack("<HBQ", frame.payload)
        return Pulsed(number=number, line=line, device_us=device_us)
    if frame.command == Event.MISSED and len(frame.payload) == 4:
        number, line, result = struct.unpack("<HBB", frame.payload)
        return Missed(number=number, line=line, result=_result(result))
    return None


def parse_input_edges(frame: Frame) -> tuple[list[InputEdge], int] | None:
    """Return input edges and how many were lost; None if it is another frame."""
    payload = frame.payload
    if frame.command != Command.READ_INPUT_EDGES.reply or len(payload) < 2:
        return None
    n_edges, n_lost = payload[0], payload[1]
    if len(payload) != 2 + 9 * n_edges:
        return None
    edges = [
        InputEdge(device_us=device_us, line=mark & 0x7F, level=mark >> 7)
        for device_us, mark in struct.iter_unpack("<QB", payload[2:])
    ]
    return edges, n_lost


def _result(number: int) -> Result:
    try:
        return Result(number)
    except ValueError:
        return Result.UNKNOWN
