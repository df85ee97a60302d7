"""The devices' end: what each simulated device makes of the bytes that a host sends."""

import math
import random
from collections.abc import Callable

from bench.fuzz.subjects import Codec, Subject
from drivers.magpro import codec as magpro
from drivers.magstim import codec as magstim
from drivers.sim.bbtk import BlackBoxDevice
from drivers.sim.byte_presets import ByteDevice
from drivers.sim.cedrus import CedrusDevice
from drivers.sim.duomag_machine import DuoMagMachine, DuoMagSettings
from drivers.sim.line_device import LineDevice, LineFaults, LineLatency
from drivers.sim.machine import Machine
from drivers.sim.magpro_machine import MagProMachine
from drivers.sim.magpro_settings import MagProTwinSettings
from drivers.sim.magstim_frames import Model
from drivers.sim.magstim_machine import MagstimMachine
from drivers.sim.magstim_settings import MagstimSettings
from drivers.sim.teensy import BoardDevice
from drivers.sim.usb2ttl8 import Usb2Ttl8Device
from drivers.teensy_frames import (
    Command,
    encode_frame,
    encode_pulse,
    encode_watchdog,
)
from drivers.usb2ttl8 import encode_write

_APART_S = 0.007
_CODE = "1234-56789abc-de"
_MOST_LINES = 1 << 16
_MAGSTIM_LETTERS = b"QRE@ACYZbXFJIxBD[^_noN\\"
_CEDRUS = (
    *(b"c1", b"mh", b"mp", b"mk", b"mt", b"mr", b"ms", b"mc", b"mz", b"e5"),
    *(b"_c1", b"_d2", b"_d3", b"_d4", b"_mp", b"_mk", b"_mr", b"_e5", b"_ia0"),
)


def twins() -> list[Subject]:
    """Return every simulated device that reads bytes."""
    return [
        *(_magstim(model) for model in ("200", "bistim", "rapid")),
        Subject(
            name="magpro twin",
            start=lambda: _machine(MagProMachine(MagProTwinSettings())),
            frame=_magpro_command,
        ),
        Subject(
            name="duomag twin",
            start=lambda: _machine(DuoMagMachine(DuoMagSettings())),
            frame=_duomag_command,
        ),
        _box("teensy twin", _board, _teensy_command),
        _box("usb2ttl8 twin", lambda: Usb2Ttl8Device(*_plain()), _usb2ttl8_command),
        _box("bbtk twin", lambda: BlackBoxDevice(*_plain()), _bbtk_command),
        _box("cedrus twin", lambda: CedrusDevice(*_plain()), _cedrus_command),
        _box("serial-byte twin", lambda: ByteDevice(*_plain()), _bytes),
        _box("mmbts twin", lambda: ByteDevice(*_plain(), pulse_width_s=8e-3), _bytes),
    ]


def _plain() -> tuple[LineLatency, LineFaults]:
    return LineLatency(), LineFaults()


def _board() -> LineDevice:
    return BoardDevice(LineFaults(), t_start=0.0)


def _magstim(model: Model) -> Subject:
    software = (9, 1, 0) if model == "rapid" else (8, 0, 0)
    settings = MagstimSettings(model=model, software=software, unlock_code=_CODE)
    return Subject(
        name=f"magstim {model} twin",
        start=lambda: _machine(MagstimMachine(settings)),
        frame=_magstim_command,
    )


def _machine(machine: Machine) -> Codec:
    """Give a stimulator bytes, edges and time; count its answers' bytes."""
    t = 0.0

    def take(frame: bytes) -> int:
        nonlocal t
        t += _APART_S
        machine.receive(frame, t)
        if not len(frame) % 11:
            machine.edge(t)
        said = machine.advance(t)
        machine.take_events()
        if not machine.t_next() > -math.inf:
            raise ValueError("what comes next is not an instant")
        return len(said)

    return take


def _box(
    name: str, make: Callable[[], LineDevice], frame: Callable[[random.Random], bytes]
) -> Subject:
    return Subject(name=name, start=lambda: _lines(make()), frame=frame)


def _lines(device: LineDevice) -> Codec:
    """Give a box bytes and time; count the changes of its lines and its answers."""
    t = 0.0

    def take(frame: bytes) -> int:
        nonlocal t
        t += _APART_S
        outcome = device.receive(frame, t)
        changes = outcome.changes + device.settle(t).changes
        if not all(0 <= one.code < _MOST_LINES for one in changes):
            raise ValueError(f"lines {[one.code for one in changes]}")
        if not device.t_next() > -math.inf:
            raise ValueError("what comes next is not an instant")
        return len(changes) + len(outcome.reply)

    return take


def _magstim_command(draws: random.Random) -> bytes:
    kind = draws.randrange(10)
    if kind == 0:
        return draws.choice((magstim.unlock(_CODE), magstim.REMOTE_ON))
    if kind == 1:
        return draws.choice((magstim.ARM, magstim.FIRE, magstim.DISARM))
    letter = bytes([draws.choice(_MAGSTIM_LETTERS)])
    digits = bytes(draws.choices(b"0123456789", k=draws.randrange(1, 6)))
    return magstim.frame(letter + draws.choice((b"@", digits, digits)))


def _magpro_command(draws: random.Random) -> bytes:
    kind = draws.randrange(16)
    payload = bytes([kind, draws.choice((0, 1, 1, draws.randrange(256)))])
    return magpro.frame(payload + draws.randbytes(draws.choice((0, 1, 7, 8, 9, 10))))


def _duomag_command(draws: random.Random) -> bytes:
    command = draws.choice((0x79, draws.randrange(101), draws.randrange(256)))
    return bytes([command, command])


def _teensy_command(draws: random.Random) -> bytes:
    if draws.random() < 0.5:
        pulse = encode_pulse(draws.randrange(10), draws.choice((5, 100, 10**6)))
        return draws.choice((encode_frame(Command.ARM), pulse, encode_watchdog(50)))
    length = draws.choice((0, 2, 4, 5, 15, draws.randrange(33)))
    command = draws.choice((*Command, draws.randrange(256)))
    return encode_frame(command, draws.randbytes(length))


def _usb2ttl8_command(draws: random.Random) -> bytes:
    if draws.random() < 0.5:
        width_us = draws.choice((None, 0, 500, 10**9))
        return encode_write(draws.randrange(300), width_us)
    words = (b"WRITE", b"GET", b"SET", b"CONFIG", b"DATA_MODE", b"5", b"255", b"-1")
    chosen = draws.choices((*words, b"1000000", b"READ"), k=draws.randrange(5))
    return b" ".join(chosen) + b"\n"


def _bbtk_command(draws: random.Random) -> bytes:
    return draws.choice((b"RR", b"##", b"%02X" % draws.randrange(256)))


def _cedrus_command(draws: random.Random) -> bytes:
    name = draws.choice(_CEDRUS)
    return name + draws.randbytes(draws.choice((0, 0, 1, 2, 4, 6)))


def _bytes(draws: random.Random) -> bytes:
    return draws.randbytes(draws.randrange(1, 4))
