"""The drivers' end: what each codec makes of the bytes that a device sends."""

import random

from bench.fuzz.subjects import Codec, Subject
from drivers.bbtk import encode_code, parse_inputs
from drivers.cedrus import ASK_PULSE, parse_pulse
from drivers.duomag.frames import SYNC, StreamParser
from drivers.magpro import codec as magpro
from drivers.magpro.parse import parse_message
from drivers.magstim import codec as magstim
from drivers.magstim import replies
from drivers.magstim.codec import Software
from drivers.magstim.replies import Refusal
from drivers.magstim.status import InstrumentStatus, RapidStatus
from drivers.teensy_frames import Command, Event, Frame, encode_frame, split_frames
from drivers.teensy_messages import (
    parse_clock,
    parse_event,
    parse_identity,
    parse_input_edges,
    parse_result,
)
from drivers.usb2ttl8 import parse_config

_MAGSTIM_LETTERS = b"QRE@ACYZbXFJIxBD[^_noN\\"
_SOFTWARE: tuple[Software, ...] = ((6, 0, 0), (8, 0, 0), (9, 1, 0), (10, 0, 0))
_CONFIG_PARTS = (b"{", b"}", b'"model_name"', b":", b'"USB2TTL8"', b"\n", b"1", b"\xff")


def hosts() -> list[Subject]:
    """Return the host's end of every protocol that has answers."""
    return [
        Subject(
            name="magstim host",
            start=lambda: _magstim,
            frame=_magstim_reply,
            has_checksum=True,
        ),
        Subject(
            name="magpro host",
            start=_start_magpro,
            frame=_magpro_message,
            has_checksum=True,
        ),
        Subject(name="duomag host", start=_start_duomag, frame=_duomag_frame),
        Subject(
            name="teensy host",
            start=_start_teensy,
            frame=_teensy_frame,
            has_checksum=True,
        ),
        Subject(name="usb2ttl8 host", start=lambda: _usb2ttl8, frame=_config),
        Subject(name="bbtk host", start=lambda: _bbtk, frame=_inputs),
        Subject(name="cedrus host", start=lambda: _cedrus, frame=_width),
    ]


def _magstim_reply(draws: random.Random) -> bytes:
    letter = bytes([draws.choice(_MAGSTIM_LETTERS)])
    kind = draws.randrange(6)
    if kind == 0:
        return magstim.frame(letter + draws.choice((b"?", b"S")))
    software = draws.choice(_SOFTWARE)
    if letter == b"N":
        text = ".".join(map(str, software)).encode()
        return magstim.frame(draws.choice((b"N", b"ND")) + text + b"\0")
    length = replies.reply_length(letter.decode(), software) - 2
    digits = bytes(draws.choices(b"0123456789", k=length))
    data = digits if kind < 4 else draws.randbytes(length)
    return magstim.frame(letter + data)


def _magstim(frame: bytes) -> int:
    """Read a frame as the reply to the command that it echoes."""
    letter = chr(frame[0]) if frame else "Q"
    letter = letter if letter.encode("latin-1") in _MAGSTIM_LETTERS else "Q"
    understood = 0
    for software in _SOFTWARE:
        if replies.n_missing(letter, frame, software) > 0:
            continue
        try:
            found = replies.body(letter, frame, software)
        except replies.GarbledReply:
            continue
        understood = 1
        if not isinstance(found, Refusal):
            _read_magstim(letter, found, software)
    return understood


def _read_magstim(letter: str, data: bytes, software: Software) -> None:
    match letter:
        case "J":
            replies.parse_parameters(data)
        case "F":
            replies.parse_temperature(data)
        case "X":
            replies.parse_mode(data)
        case "I":
            replies.parse_error(data)
        case "o":
            replies.parse_charge_delay(data)
        case "N":
            replies.parse_version(data)
        case "\\":
            replies.parse_rapid_parameters(data, software)
        case "x":
            RapidStatus.from_byte(data[1])
        case _:
            InstrumentStatus.from_byte(data[0])


def _magpro_message(draws: random.Random) -> bytes:
    lengths = (9, 4, 4, 4, 13, 15, 4, 4, 4, 10, 8, 14, 14)
    kind = draws.randrange(16)
    length = lengths[kind] if kind < len(lengths) else draws.randrange(1, 33)
    return magpro.frame(bytes([kind]) + draws.randbytes(length - 1))


def _start_magpro() -> Codec:
    parser = magpro.FrameParser()

    def take(frame: bytes) -> int:
        payloads = parser.feed(frame) + parser.give_up_partial()
        for payload in payloads:
            parse_message(payload)
        return len(payloads)

    return take


def _duomag_frame(draws: random.Random) -> bytes:
    length = draws.choice((13, 15, 15, 15, draws.randrange(40)))
    return bytes(draws.randrange(SYNC) for _ in range(length)) + bytes([SYNC])


def _start_duomag() -> Codec:
    parser = StreamParser()

    def take(frame: bytes) -> int:
        found = parser.feed(frame)
        for status in found:
            status.troubles()
            status.ttl_delay.seconds  # noqa: B018 - must not raise
        return len(found)

    return take


def _teensy_frame(draws: random.Random) -> bytes:
    known = (*(command.reply for command in Command), *Event)
    command = draws.choice((*known, draws.randrange(256)))
    length = draws.choice((0, 1, 2, 3, 4, 11, 13, 16, draws.randrange(33)))
    return encode_frame(command, draws.randbytes(length))


def _start_teensy() -> Codec:
    kept = b""

    def take(frame: bytes) -> int:
        nonlocal kept
        found, kept = split_frames(kept + frame)
        for one in found:
            _read_teensy(one)
        return len(found)

    return take


def _read_teensy(frame: Frame) -> None:
    parse_identity(frame)
    parse_clock(frame)
    parse_event(frame)
    parse_input_edges(frame)
    for command in Command:
        parse_result(frame, command)


def _config(draws: random.Random) -> bytes:
    if draws.random() < 0.3:
        return b'{"model_name": "USB2TTL8", "data_mode": "WRITE"}\n'
    return b"".join(draws.choices(_CONFIG_PARTS, k=draws.randrange(12))) + b"\n"


def _usb2ttl8(frame: bytes) -> int:
    return int(parse_config(frame) is not None)


def _inputs(draws: random.Random) -> bytes:
    return b"".join(encode_code(draws.randrange(256)) for _ in range(3))


def _bbtk(frame: bytes) -> int:
    states = parse_inputs(frame)
    if not all(0 <= state < 256 for state in states):
        raise ValueError(f"states {states}")
    return len(states)


def _width(draws: random.Random) -> bytes:
    return ASK_PULSE + draws.randbytes(4)


def _cedrus(frame: bytes) -> int:
    return int(parse_pulse(frame) is not None)
