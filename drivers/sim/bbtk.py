"""The simulated Black Box ToolKit USB TTL module: pairs of characters in, lines out."""

import argparse
import math
from typing import ClassVar, Final, Self

from drivers.base import DriverSettingError
from drivers.bbtk import PING, PONG, RESET, encode_code
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

# The host is told to wait for 100 ms after a reset.
_RESET_S: Final = 0.05
_HEX: Final = frozenset(b"0123456789ABCDEF")


class BlackBoxDevice:
    """The state machine of the module.

    Parameters
    ----------
    latency : LineLatency
    faults : LineFaults
    input_every_s : float or None
        An input line changes so often, which the module reports unasked; None for
        inputs at rest.

    Raises
    ------
    DriverSettingError
        If the interval is not above 0.
    """

    def __init__(
        self,
        latency: LineLatency,
        faults: LineFaults,
        *,
        input_every_s: float | None = None,
    ) -> None:
        if input_every_s is not None and not 0 < input_every_s < math.inf:
            raise DriverSettingError(
                f"Inputs cannot change every {input_every_s:g} s; give a time above 0."
            )
        self.faults = faults
        self._lines = TimedLines(latency)
        self._input_every_s = input_every_s
        self._t_input = -math.inf
        self._inputs = 0
        self._t_ready = -math.inf
        self._half = b""
        self._held = b""

    @property
    def n_codes(self) -> int:
        """How many codes above 0 its lines have shown."""
        return self._lines.n_codes

    def receive(self, received: bytes, t: float) -> Outcome:
        """Take the bytes of one read, which returned at `t`."""
        if t < self._t_ready:
            # Client software of others writes at once; what is lost is not published.
            self._held += received
            return Outcome()
        stream = self._half + self._held + received
        self._held = b""
        even = len(stream) // 2 * 2
        self._half = stream[even:]
        changes: list[Arrival] = []
        reply = b""
        for at in range(0, even, 2):
            if self.faults.failed(self.n_codes):
                break
            pair = stream[at : at + 2]
            if pair == RESET:
                changes += self._lines.show(0, t, merged=even // 2)
                self._t_ready = t + _RESET_S
                self._held, self._half = stream[at + 2 :], b""
                break
            if pair == PING:
                reply += PONG
            elif _HEX.issuperset(pair):
                changes += self._lines.show(int(pair, 16), t, merged=even // 2)
        return Outcome(changes=changes, reply=reply)

    def settle(self, t: float) -> Outcome:
        """Let time pass until `t`."""
        woken = self.receive(b"", self._t_ready) if self._wakes(t) else Outcome()
        if t == math.inf or t < self._t_next_input():
            return woken
        self._t_input = t
        self._inputs ^= 1
        reply = woken.reply + encode_code(self._inputs)
        return Outcome(changes=woken.changes, reply=reply)

    def t_next(self) -> float:
        """Return when an input changes, or what came during a reset is looked at."""
        t_ready = self._t_ready if self._held else math.inf
        return min(self._t_next_input(), t_ready)

    def _wakes(self, t: float) -> bool:
        return bool(self._held) and t >= self._t_ready

    def _t_next_input(self) -> float:
        if self._input_every_s is None:
            return math.inf
        return self._t_input + self._input_every_s


class BlackBoxTwin:
    """A Black Box ToolKit USB TTL module on a pseudo-terminal.

    Parameters
    ----------
    twin : LineTwin
    """

    summary: ClassVar[str] = "Black Box ToolKit USB TTL: two hexadecimal characters"
    example: ClassVar[str] = "--log arrivals.jsonl --input-every-ms 100"

    def __init__(self, twin: LineTwin) -> None:
        self._twin = twin

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        parser.add_argument(
            "--input-every-ms",
            type=float,
            help="change an input line so often and report it unasked",
        )
        add_line_options(parser, latency_us=254.0, answers=True)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        every_ms: float | None = options.input_every_ms
        device = BlackBoxDevice(
            latency_of(options),
            faults_of(options),
            input_every_s=None if every_ms is None else every_ms / 1e3,
        )
        return cls(LineTwin(device, ttl_out=options.ttl_out))

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device, until its lifetime ends."""
        self._twin.run(port, log, lifetime)
