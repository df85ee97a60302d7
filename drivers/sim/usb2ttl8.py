"""The simulated USB2TTL8: lines of text in, TTL lines out."""

import argparse
import json
from typing import ClassVar, Final, Literal, Self

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
from drivers.usb2ttl8 import MODEL

_LONGEST_LINE: Final = 64

DataMode = Literal["READ", "WRITE"]


class Usb2Ttl8Device:
    """The state machine of a USB2TTL8.

    Parameters
    ----------
    latency : LineLatency
    faults : LineFaults
    model : str
        Name that it gives itself.
    mode : {"READ", "WRITE"}
        Its data mode as it starts.
    """

    def __init__(
        self,
        latency: LineLatency,
        faults: LineFaults,
        *,
        model: str = MODEL,
        mode: DataMode = "WRITE",
    ) -> None:
        self.faults = faults
        self._lines = TimedLines(latency)
        self._model = model
        self._mode: DataMode = mode
        self._unfinished = b""

    @property
    def n_codes(self) -> int:
        """How many codes above 0 its lines have shown."""
        return self._lines.n_codes

    def receive(self, received: bytes, t: float) -> Outcome:
        """Take the bytes of one read, which returned at `t`."""
        *commands, self._unfinished = (self._unfinished + received).split(b"\n")
        # A line that cannot be a command is passed over, with all that follows in it.
        self._unfinished = self._unfinished[: _LONGEST_LINE + 1]
        changes = self._lines.settle(t)
        reply = b""
        for command in commands:
            if self.faults.failed(self.n_codes):
                break
            words = command.split()
            if len(command) <= _LONGEST_LINE and words[:1] == [b"WRITE"]:
                changes += self._write(words[1:], t, merged=len(commands))
            elif words == [b"GET", b"CONFIG"]:
                reply += self._config()
            elif words in ([b"SET", b"DATA_MODE", b"READ"], _SET_WRITE):
                self._mode = "WRITE" if words == _SET_WRITE else "READ"
        return Outcome(changes=changes, reply=reply)

    def settle(self, t: float) -> Outcome:
        """Let time pass until `t`."""
        return Outcome(changes=self._lines.settle(t))

    def t_next(self) -> float:
        """Return when a pulse ends by itself."""
        return self._lines.t_end

    def _write(self, words: list[bytes], t: float, *, merged: int) -> list[Arrival]:
        if self._mode != "WRITE" or not all(word.isdigit() for word in words):
            return []
        match [int(word) for word in words]:
            case [code] if code < 256:
                return self._lines.show(code, t, merged=merged)
            case [code, width_us, after] if code < 256 and after < 256:
                return self._lines.show(
                    code, t, merged=merged, width_s=width_us / 1e6, after=after
                )
        return []

    def _config(self) -> bytes:
        config = {"model_name": self._model, "data_mode": self._mode}
        return json.dumps(config).encode() + b"\r\n"


_SET_WRITE: Final = [b"SET", b"DATA_MODE", b"WRITE"]


class Usb2Ttl8Twin:
    """A USB2TTL8 on a pseudo-terminal.

    Parameters
    ----------
    twin : LineTwin
    """

    summary: ClassVar[str] = "LabHackers USB2TTL8: text commands for eight TTL lines"
    example: ClassVar[str] = "--log arrivals.jsonl --mode READ"

    def __init__(self, twin: LineTwin) -> None:
        self._twin = twin

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        parser.add_argument(
            "--mode",
            choices=["READ", "WRITE"],
            default="WRITE",
            help="data mode at the start (default: %(default)s)",
        )
        parser.add_argument(
            "--model",
            default=MODEL,
            help="model name that it gives itself (default: %(default)s)",
        )
        add_line_options(parser, latency_us=0.0, answers=True)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        device = Usb2Ttl8Device(
            latency_of(options),
            faults_of(options),
            model=options.model,
            mode=options.mode,
        )
        return cls(LineTwin(device, ttl_out=options.ttl_out))

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device, until its lifetime ends."""
        self._twin.run(port, log, lifetime)
