"""The simulated Cedrus device: XID commands of the second generation, and the lines."""

import argparse
import math
import struct
from typing import ClassVar, Final, Self

from drivers.cedrus import (
    ASK_GENERATION,
    ASK_MODEL,
    ASK_PRODUCT,
    ASK_PROTOCOL,
    ASK_PULSE,
)
from drivers.sim.arrival_log import Arrival, ArrivalLog
from drivers.sim.lifetime import Lifetime
from drivers.sim.line_device import (
    LineFaults,
    LineLatency,
    Outcome,
    TimedLines,
    add_line_options,
    faults_of,
    latency_of,
)
from drivers.sim.line_twin import LineTwin
from drivers.sim.pseudo_port import PseudoPort

_PRODUCTS: Final = {
    "c-pod": (b"4", b"0", b"2"),
    "stimtracker": (b"S", b"1", b"2"),
    "stimtracker-1": (b"S", b"0", b"1"),
    "rb-540": (b"2", b"1", b"2"),
}
# How many bytes follow each command that takes any.
_ARGUMENTS: Final = {
    b"c1": 1,
    b"a1": 1,
    b"mh": 2,
    b"ah": 2,
    b"mp": 4,
    b"mk": 2,
    b"mt": 6,
    b"ia": 6,
    b"if": 9,
    b"io": 2,
    b"ip": 1,
    b"iu": 2,
    b"f9": 0,
    b"mr": 0,
    b"ms": 0,
    b"mc": 0,
    b"mz": 0,
    b"e1": 0,
    b"e3": 0,
    b"e5": 0,
}
_ENTRY: Final = struct.Struct("<IH")
# Questions about an input, by its selector, and what follows the question in the
# answer: this device has no inputs, and all settings are as it came.
_INPUTS: Final = {b"_ia": bytes(5), b"_if": bytes(8), b"_io": b"1", b"_iu": b"1"}
_SECOND: Final = 2
_LONGEST_TABLE: Final = 1024
_BAUD_RATES: Final = (9600, 19200, 38400, 57600, 115200)


class CedrusDevice:
    """The state machine of a c-pod or StimTracker.

    Parameters
    ----------
    latency : LineLatency
    faults : LineFaults
    product : str
        One of c-pod, stimtracker, stimtracker-1, rb-540.
    protocol : int
        That it speaks as it starts: 0 for XID.
    """

    def __init__(
        self,
        latency: LineLatency,
        faults: LineFaults,
        *,
        product: str = "c-pod",
        protocol: int = 0,
    ) -> None:
        self.faults = faults
        self._lines = TimedLines(latency)
        self._product = _PRODUCTS[product]
        self._protocol = protocol
        self._pulse_ms = 0
        self._table: list[tuple[int, int]] = []
        self._table_mask = 0xFFFF
        self._t_table = math.inf
        self._at = 0
        self._t_reset = -math.inf
        self._unfinished = b""

    @property
    def n_codes(self) -> int:
        """How many codes above 0 its lines have shown."""
        return self._lines.n_codes

    def receive(self, received: bytes, t: float) -> Outcome:
        """Take the bytes of one read, which returned at `t`."""
        changes = self._advance(t)
        reply = b""
        if self._t_reset == -math.inf:
            self._t_reset = t
        stream = self._unfinished + received
        while stream and not self.faults.failed(self.n_codes):
            size = _command_size(stream)
            if size is None:
                break
            command, stream = stream[:size], stream[size:]
            if command.startswith(b"_"):
                reply += self._answer(command, t)
            else:
                reply += self._timer_of_the_first(command, t)
                changes += self._do(command, t)
        self._unfinished = stream
        return Outcome(changes=changes, reply=reply)

    def settle(self, t: float) -> Outcome:
        """Let time pass until `t`."""
        return Outcome(changes=self._advance(t))

    def t_next(self) -> float:
        """Return when a pulse ends, or the pulse table goes on."""
        return min(self._lines.t_end, self._t_entry())

    def _answer(self, command: bytes, t: float) -> bytes:
        settings = _INPUTS.get(command[:3])
        if settings is not None:
            # The selector comes back in front of the settings.
            return command + (
                b"0" + settings[1:] if command[:3] == b"_ia" else settings
            )
        product, model, generation = self._product
        plain = {
            ASK_PROTOCOL: b"_xid%d" % self._protocol,
            ASK_PRODUCT: product,
            ASK_MODEL: model,
            ASK_GENERATION: generation,
            ASK_PULSE: ASK_PULSE + struct.pack("<I", self._pulse_ms),
            b"_mk": b"_mk" + struct.pack("<H", self._table_mask),
            b"_mr": b"_mr" + (b"1" if self._t_entry() < math.inf else b"0"),
            b"_ip": b"_ip0",
        }
        if command == b"_e5" and int(generation) >= _SECOND:
            return b"_e5" + self._timer_ms(t)
        return plain.get(command, b"")

    def _timer_of_the_first(self, command: bytes, t: float) -> bytes:
        """Return the answer to `e3`, the one question without a line in front."""
        first = int(self._product[2]) < _SECOND
        return b"e3" + self._timer_ms(t) if first and command == b"e3" else b""

    def _timer_ms(self, t: float) -> bytes:
        return struct.pack("<I", int((t - self._t_reset) * 1e3) & 0xFFFFFFFF)

    def _do(self, command: bytes, t: float) -> list[Arrival]:
        name, argument = command[:2], command[2:]
        if name == b"mz":
            return self._lines.show(0, t, merged=1)
        if name == b"mh":
            (mask,) = struct.unpack("<H", argument)
            width_s = self._pulse_ms / 1e3 if mask and self._pulse_ms else None
            return self._lines.show(mask, t, merged=1, width_s=width_s)
        if name == b"mr":
            self._t_table, self._at = t, 0
            return self._advance(t)
        self._set(name, argument, t)
        return []

    def _set(self, name: bytes, argument: bytes, t: float) -> None:
        if name == b"c1" and argument.isdigit():
            self._protocol = int(argument)
        elif name == b"mp":
            (self._pulse_ms,) = struct.unpack("<I", argument)
        elif name == b"mk":
            (self._table_mask,) = struct.unpack("<H", argument)
        elif name == b"mt":
            # A host that never clears it cannot make it grow without end.
            self._table = [*self._table, _ENTRY.unpack(argument)][:_LONGEST_TABLE]
        elif name == b"mc":
            self._table, self._t_table = [], math.inf
        elif name == b"ms":
            self._t_table = math.inf
        elif name in (b"e1", b"e5"):
            self._t_reset = t

    def _t_entry(self) -> float:
        if self._t_table == math.inf or self._at >= len(self._table):
            return math.inf
        return self._t_table + self._table[self._at][0] / 1e3

    def _advance(self, t: float) -> list[Arrival]:
        changes: list[Arrival] = []
        while (t_entry := self._t_entry()) <= t and t_entry < math.inf:
            at_ms, mask = self._table[self._at]
            self._at += 1
            if (at_ms, mask) == (0, 0) and self._at > 1:
                self._t_table = math.inf
                break
            mask &= self._table_mask
            changes += self._lines.show(mask, t_entry, merged=0)
        return changes + self._lines.settle(t)


def _command_size(stream: bytes) -> int | None:
    """Return the size of the first command, 1 for a strange byte, None if short."""
    if stream[0] == ord("_"):
        size = 4 if stream[:3] in _INPUTS else 3
        return size if len(stream) >= size else None
    if len(stream) < 2:
        return None
    n_arguments = _ARGUMENTS.get(stream[:2])
    if n_arguments is None:
        return 1
    size = 2 + n_arguments
    return size if len(stream) >= size else None


class CedrusTwin:
    """A Cedrus device on a pseudo-terminal.

    Parameters
    ----------
    twin : LineTwin
    """

    summary: ClassVar[str] = "Cedrus c-pod or StimTracker: XID commands"
    example: ClassVar[str] = "--log arrivals.jsonl --product stimtracker"

    def __init__(self, twin: LineTwin) -> None:
        self._twin = twin

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        parser.add_argument(
            "--product",
            choices=sorted(_PRODUCTS),
            default="c-pod",
            help="what it is (default: %(default)s)",
        )
        parser.add_argument(
            "--protocol",
            type=int,
            choices=range(10),
            default=0,
            metavar="N",
            help="that it speaks at the start, 0 for XID (default: %(default)s)",
        )
        parser.add_argument(
            "--baud",
            type=int,
            choices=_BAUD_RATES,
            help="be deaf unless the host has set this rate (default: take any)",
        )
        add_line_options(parser, latency_us=450.0, answers=True)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        device = CedrusDevice(
            latency_of(options),
            faults_of(options),
            product=options.product,
            protocol=options.protocol,
        )
        return cls(LineTwin(device, ttl_out=options.ttl_out, baud=options.baud))

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device, until its lifetime ends."""
        self._twin.run(port, log, lifetime)
