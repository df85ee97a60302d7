"""Cedrus c-pod and StimTracker: XID commands of the second generation."""

import struct
from typing import Final

from drivers.base import Capabilities, DriverSettingError, TriggerEdges
from drivers.dialogue import Dialogue
from drivers.serial_box import SerialBox, StartDialogue, is_code
from drivers.serial_port import OpenPort, open_serial

BAUD: Final = 115200
ASK_PROTOCOL: Final = b"_c1"
USE_XID: Final = b"c10"
XID: Final = b"_xid0"
ASK_PRODUCT: Final = b"_d2"
ASK_MODEL: Final = b"_d3"
ASK_GENERATION: Final = b"_d4"
ASK_PULSE: Final = b"_mp"
PRODUCTS: Final = {b"4": "c-pod", b"S": "StimTracker"}
SECOND_GENERATION: Final = b"2"

_CODES: Final = range(1, 1 << 16)
_MAX_PULSE_MS: Final = 10_000
_TIMEOUT_S: Final = 0.1
_COMMAND_S: Final = 40 / BAUD
_LATENCY_S: Final = 0.1e-3 + 0.35e-3


def encode_lines(mask: int) -> bytes:
    """Return the command that raises the lines of `mask`, bit 0 for line 1."""
    return b"mh" + struct.pack("<H", mask)


def encode_pulse(pulse_ms: int) -> bytes:
    """Return the command that sets the width of pulses; 0 makes lines latch."""
    return b"mp" + struct.pack("<I", pulse_ms)


def parse_pulse(received: bytes) -> int | None:
    """Return the width of pulses, ms, in a device's answer; None if it is none."""
    if len(received) != 7 or not received.startswith(ASK_PULSE):
        return None
    (pulse_ms,) = struct.unpack("<I", received[3:])
    return int(pulse_ms)


def cedrus_capabilities(pulse_ms: int) -> Capabilities:
    """Return what the device can do with this width of pulses, 0 for latching."""
    width_s = pulse_ms / 1e3 if pulse_ms else _COMMAND_S
    return Capabilities(
        codes=_CODES,
        ends_by_itself=pulse_ms > 0,
        min_pulse_s=width_s,
        min_gap_s=width_s + _COMMAND_S,
        typical_latency_s=_LATENCY_S,
        source="stated by the maker: below 0.1 ms in the device and 0.35 ms on the "
        "way; not measured",
    )


class CedrusXid:
    """Trigger output on a c-pod or a StimTracker of the second generation.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyUSB0`.
    pulse_ms : int
        Width of a pulse, timed by the device; 0 to end pulses with a command.
    name : str
        How messages and records call this output.
    simulated : bool
        Whether a simulated twin stands behind the port.
    open_port, start_dialogue : callable
        Replaced in tests only.

    Raises
    ------
    DriverSettingError
        If the port name is empty or the width impossible.
    """

    def __init__(
        self,
        port: str,
        pulse_ms: int = 1,
        name: str = "Cedrus XID",
        *,
        simulated: bool = False,
        open_port: OpenPort = open_serial,
        start_dialogue: StartDialogue = Dialogue,
    ) -> None:
        if not is_code(pulse_ms, range(_MAX_PULSE_MS + 1)):
            raise DriverSettingError(
                f"The width of {name} is {pulse_ms!r} ms, but must be a whole number "
                f"from 0 to {_MAX_PULSE_MS}."
            )
        self._box = SerialBox(
            port,
            BAUD,
            name,
            rest=encode_lines(0),
            # Two of them, as the device may be amid a command without an end mark.
            rest_when_lost=2 * encode_lines(0),
            open_port=open_port,
            start_dialogue=start_dialogue,
        )
        self._pulse_ms = pulse_ms
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = cedrus_capabilities(pulse_ms)

    def open(self) -> None:
        """Open the port, ask who is there, set the width and lower all lines.

        Raises
        ------
        PortMissing, PortBusy
        DriverSettingError
            If no device answers that this driver knows, or it does not take the width.
        """
        self._box.open(self._prepare)

    def close(self) -> None:
        """Lower all lines and close the port."""
        self._box.close()

    def edges(self, code: int) -> TriggerEdges:
        """Return the writes of a trigger; the bits of `code` are the lines.

        Raises
        ------
        DriverSettingError
            If the port is not open, or the code is not from 1 to 65535.
        """
        if not is_code(code, _CODES):
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}; give a whole number from "
                "1 to 65535."
            )
        rise = self._box.action(encode_lines(code))
        if self.capabilities.ends_by_itself:
            return TriggerEdges(rise=rise, fall=None)
        return TriggerEdges(rise=rise, fall=self._box.action(encode_lines(0)))

    def check(self) -> None:
        """Return if the port still answers; what the device reports is thrown away.

        Raises
        ------
        PortLost
        """
        self._box.check()

    def _prepare(self, dialogue: Dialogue) -> None:
        self._expect_xid(dialogue)
        product = _ask(dialogue, ASK_PRODUCT, 1)
        if product not in PRODUCTS:
            raise DriverSettingError(
                f"The device at {self.port} is an XID product {_shown(product)}, not a "
                "c-pod or StimTracker; name another port."
            )
        generation = _ask(dialogue, ASK_GENERATION, 1)
        if generation != SECOND_GENERATION:
            raise DriverSettingError(
                f"The {PRODUCTS[product]} at {self.port} is of generation "
                f"{_shown(generation)}, whose commands differ; use one of the second "
                "generation."
            )
        dialogue.send(encode_pulse(self._pulse_ms))
        kept_ms = parse_pulse(_ask(dialogue, ASK_PULSE, 7))
        if kept_ms != self._pulse_ms:
            raise DriverSettingError(
                f"{self.name} at {self.port} was set to pulses of {self._pulse_ms} ms "
                f"and says {kept_ms} ms; unplug it, plug it in again and retry."
            )

    def _expect_xid(self, dialogue: Dialogue) -> None:
        dialogue.drain()
        answer = _ask(dialogue, ASK_PROTOCOL, len(XID))
        if answer.startswith(XID[:-1]) and answer != XID:
            dialogue.send(USE_XID)
            answer = _ask(dialogue, ASK_PROTOCOL, len(XID))
        if answer != XID:
            raise DriverSettingError(
                f"No Cedrus XID device answers at {self.port}; name the port that it "
                "is on, or unplug it and plug it in again."
            )


def _ask(dialogue: Dialogue, command: bytes, n_bytes: int) -> bytes:
    return dialogue.ask(command, lambda received: len(received) >= n_bytes, _TIMEOUT_S)


def _shown(answer: bytes) -> str:
    return repr(answer.decode("ascii", "replace")) if answer else "that does not answer"
