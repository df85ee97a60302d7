"""The simulated byte trigger box: reads its port, stamps at once, then records."""

import argparse
import contextlib
import os
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final, Self

from drivers.base import DriverSettingError
from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.byte_box import BoxBehaviour, ByteBox
from drivers.sim.lifetime import Lifetime
from drivers.sim.pseudo_port import PseudoPort
from drivers.sim.ttl import TtlChange, TtlOutput, add_ttl_options

_READ_BYTES: Final = 256
_QUIET_MS: Final = 20
_LAST_READS: Final = 50
_FACTORY_WIDTH_MS: Final = 8.0


class SerialByteTwin:
    """A trigger box that shows each byte on its lines and keeps a log of them.

    Parameters
    ----------
    behaviour : BoxBehaviour
    ttl_out : sequence of Path
        Sockets of virtual TTL lines that get each change of the lines.
    now : callable
        Host clock in seconds. `time.monotonic` reads `CLOCK_MONOTONIC`, which on Linux
        is the clock of Lab Streaming Layer too.
    """

    summary: ClassVar[str] = "trigger box that shows each byte it gets on its lines"
    example: ClassVar[str] = "--log arrivals.jsonl --link /tmp/trigger"

    def __init__(
        self,
        behaviour: BoxBehaviour,
        *,
        ttl_out: Sequence[Path] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._box = ByteBox(behaviour)
        self._ttl_out = tuple(ttl_out)
        self._now = now

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        device = parser.add_argument_group("device")
        device.add_argument(
            "--latency-us",
            type=float,
            default=0.0,
            help="mean time from the byte to the lines, added to the stamps "
            "(default: %(default)g)",
        )
        device.add_argument(
            "--latency-sd-us",
            type=float,
            default=0.0,
            help="its standard deviation; a draw below 0 counts as 0 "
            "(default: %(default)g)",
        )
        device.add_argument(
            "--seed", type=int, default=1, help="of the latency (default: %(default)s)"
        )
        device.add_argument(
            "--clears-by-itself",
            action="store_true",
            help="lower the lines after the pulse width, and queue codes until then",
        )
        device.add_argument(
            "--pulse-width-ms",
            type=float,
            help="how long the lines stay up, with --clears-by-itself "
            f"(default: {_FACTORY_WIDTH_MS:g})",
        )
        add_ttl_options(parser, "each change of the lines")
        _add_faults(parser)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        width_ms: float | None = options.pulse_width_ms
        if width_ms is not None and not options.clears_by_itself:
            raise DriverSettingError(
                "--pulse-width-ms goes with --clears-by-itself only; add that option."
            )
        if options.clears_by_itself and width_ms is None:
            width_ms = _FACTORY_WIDTH_MS
        return cls(
            BoxBehaviour(
                latency_s=options.latency_us / 1e6,
                latency_sd_s=options.latency_sd_us / 1e6,
                seed=options.seed,
                pulse_width_s=None if width_ms is None else width_ms / 1e3,
                unplug_after=options.unplug_after,
                deaf_after=options.deaf_after,
            ),
            ttl_out=options.ttl_out,
        )

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Read, stamp and record, until the lifetime ends."""
        with contextlib.closing(TtlOutput(*self._ttl_out)) as line:
            self._serve(port, log, lifetime, line)
        if self._box.unplugged:
            port.unplug()
        lifetime.wait()

    def _serve(
        self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime, line: TtlOutput
    ) -> None:
        poller = select.poll()
        poller.register(port.descriptor, select.POLLIN)
        poller.register(lifetime.descriptor, select.POLLIN)
        while not (self._box.unplugged or self._box.deaf):
            ready = {descriptor for descriptor, _ in poller.poll()}
            if port.descriptor in ready:
                self._take(port, log, line)
            if lifetime.descriptor in ready:
                self._take_the_rest(port, log, line)
                return

    def _take(self, port: PseudoPort, log: ArrivalLog, line: TtlOutput) -> None:
        received = os.read(port.descriptor, _READ_BYTES)
        t_received = self._now()
        changes = self._box.take(received, t_received)
        for change in changes:
            line.send(TtlChange(t=change.t_observed, code=change.code))
        if changes:
            log.append(changes)

    def _take_the_rest(
        self, port: PseudoPort, log: ArrivalLog, line: TtlOutput
    ) -> None:
        # The kernel hands bytes over in a worker, so the last may still be on the way.
        poller = select.poll()
        poller.register(port.descriptor, select.POLLIN)
        for _ in range(_LAST_READS):
            if self._box.unplugged or self._box.deaf or not poller.poll(_QUIET_MS):
                return
            self._take(port, log, line)


def _add_faults(parser: argparse.ArgumentParser) -> None:
    faults = parser.add_argument_group("faults")
    faults.add_argument(
        "--unplug-after",
        type=int,
        metavar="N",
        help="take the cable off after N codes above 0",
    )
    faults.add_argument(
        "--deaf-after",
        type=int,
        metavar="N",
        help="keep the port, but stop to listen, after N codes above 0",
    )
