"""Run a simulated trigger box in real time: its port, answers, log and TTL line."""

import contextlib
import math
import os
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.lifetime import Lifetime
from drivers.sim.line_device import LineDevice, Outcome
from drivers.sim.pseudo_port import PseudoPort
from drivers.sim.ttl import TtlChange, TtlOutput

_READ_BYTES: Final = 256
_QUIET_MS: Final = 20
_LAST_READS: Final = 50


class LineTwin:
    """Reads, stamps, lets the device act, then records.

    Parameters
    ----------
    device : LineDevice
    ttl_out : sequence of Path
        Sockets of virtual TTL lines that get each change of the lines.
    refuses : callable
        Looks at the port before each read; True takes the cable off.
    baud : int or None
        Rate that the host must have set, or its bytes are lost; None for any.
    now : callable
        Host clock in seconds, `CLOCK_MONOTONIC`.
    """

    def __init__(
        self,
        device: LineDevice,
        *,
        ttl_out: Sequence[Path] = (),
        refuses: Callable[[PseudoPort], bool] = lambda _port: False,
        baud: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device = device
        self._ttl_out = tuple(ttl_out)
        self._refuses = refuses
        self._refused = False
        self._baud = baud
        self._now = now

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device until the lifetime ends, also when it has failed before."""
        with contextlib.closing(TtlOutput(*self._ttl_out)) as line:
            self._serve(port, log, lifetime, line)
            self._record(self._device.settle(math.inf), log, line)
            if self._unplugged:
                port.unplug()
            lifetime.wait()

    @property
    def _unplugged(self) -> bool:
        device = self._device
        return self._refused or device.faults.unplugged(device.n_codes)

    @property
    def _failed(self) -> bool:
        return self._refused or self._device.faults.failed(self._device.n_codes)

    def _serve(
        self,
        port: PseudoPort,
        log: ArrivalLog,
        lifetime: Lifetime,
        line: TtlOutput,
    ) -> None:
        poller = select.poll()
        poller.register(port.descriptor, select.POLLIN)
        poller.register(lifetime.descriptor, select.POLLIN)
        while not self._failed:
            ready = {found for found, _ in poller.poll(self._nap_ms())}
            if port.descriptor in ready:
                self._take(port, log, line)
            else:
                self._act(self._device.settle(self._now()), port, log, line)
            if lifetime.descriptor in ready:
                self._take_the_rest(port, log, line)
                return

    def _nap_ms(self) -> int | None:
        nap_s = self._device.t_next() - self._now()
        if nap_s == math.inf:
            return None
        return math.ceil(nap_s * 1e3) if nap_s > 0 else 0

    def _take(self, port: PseudoPort, log: ArrivalLog, line: TtlOutput) -> None:
        if self._refuses(port):
            self._refused = True
            return
        received = os.read(port.descriptor, _READ_BYTES)
        if self._baud is not None and port.baud() != self._baud:
            return
        self._act(self._device.receive(received, self._now()), port, log, line)

    def _act(
        self,
        outcome: Outcome,
        port: PseudoPort,
        log: ArrivalLog,
        line: TtlOutput,
    ) -> None:
        reply = self._device.faults.spoil(outcome.reply)
        if reply:
            # A host that does not read loses bytes, as with any serial port.
            with contextlib.suppress(BlockingIOError):
                os.write(port.descriptor, reply)
        self._record(outcome, log, line)

    def _record(self, outcome: Outcome, log: ArrivalLog, line: TtlOutput) -> None:
        for change in outcome.changes:
            line.send(TtlChange(t=change.t_observed, code=change.code))
        if outcome.changes:
            log.append(outcome.changes)

    def _take_the_rest(
        self, port: PseudoPort, log: ArrivalLog, line: TtlOutput
    ) -> None:
        # The kernel hands bytes over in a worker, so the last may still be on the way.
        poller = select.poll()
        poller.register(port.descriptor, select.POLLIN)
        for _ in range(_LAST_READS):
            if self._failed or not poller.poll(_QUIET_MS):
                return
            self._take(port, log, line)
