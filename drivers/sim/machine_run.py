"""Run a simulated stimulator in real time: its port, its trigger input, its log."""

import argparse
import contextlib
import dataclasses
import heapq
import math
import os
import select
import time
from pathlib import Path
from typing import Final

from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.lifetime import Lifetime
from drivers.sim.machine import Machine, TwinEvent
from drivers.sim.outbox import FrameFaults
from drivers.sim.pseudo_port import PseudoPort
from drivers.sim.ttl import TtlInput, TtlOutput, add_ttl_options
from drivers.stimulator import Now

_READ_BYTES: Final = 4096
_LONGEST_NAP_S: Final = 1.0
_STALE_S: Final = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TtlPaths:
    """Where the trigger input listens, and where pulses are forwarded to."""

    into: Path | None = None
    out: tuple[Path, ...] = ()


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all simulated stimulators share."""
    add_ttl_options(parser, "each pulse", takes_edges=True)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the latencies (default: %(default)s)"
    )
    faults = parser.add_argument_group("faults, counted in frames sent to the host")
    for name, help_text in (
        ("wrong-checksum", "spoil the checksum of all frames after N"),
        ("drop-byte", "leave a byte out of the one frame after N"),
        ("silent", "send nothing after N frames, but go on listening"),
        ("unplug", "take the cable off after N frames"),
    ):
        faults.add_argument(f"--{name}-after", type=int, metavar="N", help=help_text)


def frame_faults(options: argparse.Namespace) -> FrameFaults:
    """Return the faults among the options."""
    return FrameFaults(
        wrong_checksum_after=options.wrong_checksum_after,
        drop_byte_after=options.drop_byte_after,
        silent_after=options.silent_after,
        unplug_after=options.unplug_after,
    )


def ttl_paths(options: argparse.Namespace) -> TtlPaths:
    """Return the trigger lines among the options."""
    return TtlPaths(into=options.ttl_in, out=tuple(options.ttl_out))


class MachineRun:
    """One run of a machine.

    Parameters
    ----------
    machine : Machine
    port : PseudoPort
    log : ArrivalLog
        Gets a line for each event.
    paths : TtlPaths
    now : callable
        `CLOCK_MONOTONIC` in seconds.
    """

    def __init__(
        self,
        machine: Machine,
        port: PseudoPort,
        log: ArrivalLog,
        paths: TtlPaths,
        now: Now = time.monotonic,
    ) -> None:
        self._machine = machine
        self._port = port
        self._log = log
        self._now = now
        self._input = None if paths.into is None else TtlInput(paths.into)
        self._output = TtlOutput(*paths.out)
        self._coming: list[float] = []

    def until_end(self, lifetime: Lifetime) -> None:
        """Be the device until the lifetime ends."""
        try:
            while lifetime.descriptor not in self._wait(lifetime.descriptor):
                self._step()
                if self._machine.unplugged:
                    self._port.unplug()
        finally:
            self._output.close()
            if self._input is not None:
                self._input.close()

    def _wait(self, ending: int) -> list[int]:
        descriptors = [ending]
        if self._plugged:
            descriptors.append(self._port.descriptor)
        if self._input is not None:
            descriptors.append(self._input.descriptor)
        t_next = min([self._machine.t_next(), *self._coming[:1]])
        nap_s = min(max(0.0, t_next - self._now()), _LONGEST_NAP_S)
        ready, _, _ = select.select(descriptors, [], [], nap_s)
        return ready

    def _step(self) -> None:
        if self._plugged:
            self._listen()
        events = self._take_edges()
        self._say(self._machine.advance(self._now()))
        events += self._machine.take_events()
        if events:
            self._log.append_records(dataclasses.asdict(event) for event in events)
            self._forward(events)

    @property
    def _plugged(self) -> bool:
        return self._port.descriptor >= 0

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            received = os.read(self._port.descriptor, _READ_BYTES)
            self._machine.receive(received, self._now())

    def _say(self, leaving: bytes) -> None:
        # A host that does not read loses bytes, as with any serial port.
        with contextlib.suppress(BlockingIOError):
            if leaving and self._plugged:
                os.write(self._port.descriptor, leaving)

    def _take_edges(self) -> list[TwinEvent]:
        if self._input is None:
            return []
        strange = []
        for change in self._input.rises():
            t = self._now()
            if math.fabs(t - change.t) <= _STALE_S:
                heapq.heappush(self._coming, change.t)
            else:
                reason = f"the edge's stamp is {change.t - t:g} s from now"
                strange.append(TwinEvent(t=t, kind="missed", reason=reason))
        # The stamp is the edge. The datagram mostly comes a little later, but earlier
        # from a box that says at once what its lines will do after its latency.
        while self._coming and self._coming[0] <= self._now():
            self._machine.edge(heapq.heappop(self._coming))
        return strange

    def _forward(self, events: list[TwinEvent]) -> None:
        for event in events:
            if event.kind == "pulse":
                self._output.pulse(event.t, intensity=event.intensity)
