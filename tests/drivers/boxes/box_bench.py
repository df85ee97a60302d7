"""Simulated boxes in a thread on a real pseudo-terminal, and a probe of their lines."""

import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterator
from typing import Any

from drivers.base import DriverSettingError, TriggerOutput, WireAction
from drivers.sim.arrival_log import Arrival
from drivers.sim.line_device import LineDevice
from drivers.sim.line_twin import LineTwin
from drivers.sim.pseudo_port import PseudoPort

WAIT_S = 5.0


class MemoryLog:
    """A log that wakes whoever waits for an arrival."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.changed = threading.Condition()

    def append(self, arrivals: list[Arrival]) -> None:
        with self.changed:
            self.arrivals += arrivals
            self.changed.notify_all()

    def wait_for(self, holds: Callable[[list[Arrival]], bool]) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: holds(self.arrivals), WAIT_S)

    @property
    def codes(self) -> list[int]:
        return [one.code for one in self.arrivals]


class PipeLifetime:
    """A lifetime that the test ends."""

    def __init__(self) -> None:
        self.descriptor, self._wake = os.pipe()

    def end(self) -> None:
        os.write(self._wake, b"\0")

    def wait(self) -> None:
        select.select([self.descriptor], [], [])

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self._wake)


class Bench:
    """A running device, its port and its log."""

    def __init__(self, device: LineDevice, **options: Any) -> None:
        self.device = device
        self.pseudo_port = PseudoPort()
        self.port = self.pseudo_port.name
        self.log = MemoryLog()
        self._lifetime = PipeLifetime()
        twin = LineTwin(device, **options)
        arguments: Any = (self.pseudo_port, self.log, self._lifetime)
        self._thread = threading.Thread(target=twin.run, args=arguments, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._lifetime.end()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        self._lifetime.close()
        self.pseudo_port.unplug()

    def wait_for_codes(self, *codes: int) -> None:
        wanted = list(codes)
        assert self.log.wait_for(lambda _all: self.log.codes == wanted), self.log.codes


@contextlib.contextmanager
def running(device: LineDevice, **options: Any) -> Iterator[Bench]:
    bench = Bench(device, **options)
    try:
        yield bench
    finally:
        bench.stop()


def perform(action: WireAction) -> None:
    assert action.kind == "write"
    assert os.write(action.descriptor, action.payload) == len(action.payload)


class BenchProbe:
    """Waits for the level that should come, so that no level is seen too early."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._raised = False
        self.output: TriggerOutput | None = None

    def perform(self, action: WireAction) -> None:
        assert self.output is not None
        edges = self.output.edges(self.output.capabilities.codes.start)
        self._raised = action == edges.rise and edges.fall is not None
        perform(action)

    def is_low(self) -> bool:
        up = self._raised and self._is_open()
        log = self._bench.log
        log.wait_for(lambda all_: (_last(all_) != 0) == up)
        return _last(log.arrivals) == 0

    def _is_open(self) -> bool:
        assert self.output is not None
        try:
            self.output.edges(self.output.capabilities.codes.start)
        except DriverSettingError:
            return False
        return True


def _last(arrivals: list[Arrival]) -> int:
    return arrivals[-1].code if arrivals else 0
