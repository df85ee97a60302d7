"""What to ask each kind of device so that it gives itself away, and its answers.

No question changes what a device does that understands it.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Final, Literal

from drivers.bbtk import PING, PONG
from drivers.cedrus import ASK_PROTOCOL
from drivers.cedrus import BAUD as CEDRUS_BAUD
from drivers.duomag.frames import Frame, StreamParser
from drivers.magpro import codec as magpro
from drivers.magpro.codes import Model
from drivers.magpro.messages import GarbledMessage, Status
from drivers.magpro.parse import parse_message
from drivers.magstim import codec as magstim
from drivers.magstim import replies
from drivers.magstim.replies import GarbledReply, Refusal
from drivers.magstim.status import MODES, InstrumentStatus
from drivers.teensy_frames import Command, encode_frame, split_frames
from drivers.teensy_messages import parse_identity
from drivers.usb2ttl8 import GET_CONFIG, parse_config

_XID: Final = b"_xid"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to say to a port so that one kind of device gives itself away.

    Parameters
    ----------
    driver : str
        Name of the trigger output or stimulator.
    baud : int
    payload : bytes
        Empty to listen only.
    timeout_s : float
    understand : callable
        Returns who speaks, in words, or None if these bytes do not say so (yet).
    stop_bits : {1, 2}
    """

    driver: str
    baud: int
    payload: bytes
    timeout_s: float
    understand: Callable[[bytes], str | None]
    stop_bits: Literal[1, 2] = 1


def _duomag(received: bytes) -> str | None:
    frames = StreamParser().feed(received)
    return _duomag_words(frames[-1]) if len(frames) > 1 else None


def _duomag_words(frame: Frame) -> str:
    armed = "armed" if frame.stimulates_on_ttl else "not armed"
    return f"Deymed DuoMAG, {armed} at the unit, {frame.intensity} %"


def _bbtk(received: bytes) -> str | None:
    return "Black Box ToolKit USB TTL module" if PONG in received else None


def _cedrus(received: bytes) -> str | None:
    place = received.find(_XID)
    protocol = received[place + len(_XID) :][:1]
    if place < 0 or not protocol.isdigit():
        return None
    return f"Cedrus XID device, protocol {protocol.decode()}"


def _teensy(received: bytes) -> str | None:
    for frame in split_frames(received)[0]:
        identity = parse_identity(frame)
        if identity is not None:
            return (
                f"board with our trigger firmware, version {identity.version}, "
                f"{identity.n_lines} lines"
            )
    return None


def _usb2ttl8(received: bytes) -> str | None:
    config = parse_config(received)
    return None if config is None else f"LabHackers {config['model_name']}"


def _magpro(received: bytes) -> str | None:
    for payload in magpro.FrameParser().feed(received):
        try:
            message = parse_message(payload)
        except GarbledMessage:
            continue
        if isinstance(message, Status):
            return _magpro_words(message)
    return None


def _magpro_words(status: Status) -> str:
    known = {int(model): model.name.replace("_", "+") for model in Model}
    model = known.get(status.flags.model, f"model {status.flags.model}")
    enabled = "enabled" if status.flags.enabled else "disabled"
    return (
        f"MagVenture MagPro {model}, serial number {status.serial_number}, {enabled}, "
        f"{status.amplitude_a} %"
    )


def _magstim(letter: str, received: bytes) -> str | None:
    try:
        if not received or replies.n_missing(letter, received) > 0:
            return None
        found = replies.body(letter, received)
        return None if isinstance(found, Refusal) else _MAGSTIM_WORDS[letter](found)
    except GarbledReply:
        return None


def _state(data: bytes) -> str:
    status = InstrumentStatus.from_byte(data[0])
    return "ready" if status.ready else "armed" if status.armed else "disarmed"


def _bistim_words(data: bytes) -> str:
    mode = MODES.get(replies.parse_mode(data), "unknown mode")
    return f"Magstim BiStim², {_state(data)}, {mode}"


def _magstim_200_words(data: bytes) -> str:
    power = replies.parse_parameters(data).power_a
    return f"Magstim 200², {_state(data)}, {power} %"


def _rapid_words(data: bytes) -> str:
    version = ".".join(map(str, replies.parse_version(data)))
    return f"Magstim Rapid², software {version}"


_MAGSTIM_WORDS: Final[dict[str, Callable[[bytes], str]]] = {
    "X": _bistim_words,
    "J": _magstim_200_words,
    "N": _rapid_words,
}


def _to_magstim(driver: str, payload: bytes) -> Question:
    return Question(
        driver=driver,
        baud=9600,
        payload=payload,
        timeout_s=0.25,
        understand=functools.partial(_magstim, chr(payload[0])),
    )


# First the one who speaks unasked: a DuoMAG obeys doubled bytes, and `##` is one. Then
# pairs of characters, as an odd number would set a BBTK module out of step.
QUESTIONS: Final = (
    Question(
        driver="duomag",
        baud=1_000_000,
        stop_bits=2,
        payload=b"",
        timeout_s=0.4,
        understand=_duomag,
    ),
    Question(driver="bbtk", baud=115200, payload=PING, timeout_s=0.3, understand=_bbtk),
    Question(
        driver="usb2ttl8",
        baud=128000,
        # Ends a line that another question began.
        payload=b"\n" + GET_CONFIG,
        timeout_s=0.5,
        understand=_usb2ttl8,
    ),
    Question(
        driver="teensy",
        baud=115200,
        payload=encode_frame(Command.IDENTIFY),
        timeout_s=0.3,
        understand=_teensy,
    ),
    Question(
        driver="cedrus",
        baud=CEDRUS_BAUD,
        payload=ASK_PROTOCOL,
        timeout_s=0.3,
        understand=_cedrus,
    ),
    Question(
        driver="magpro",
        baud=38400,
        payload=magpro.GET_STATUS,
        timeout_s=0.6,
        understand=_magpro,
    ),
    _to_magstim("magstim-bistim", magstim.GET_MODE),
    _to_magstim("magstim-200", magstim.GET_PARAMETERS),
    _to_magstim("magstim-rapid", magstim.GET_VERSION),
)
"""In this order, each on a port opened anew."""
