"""Simulated trigger boxes that take one byte for each code, set as by their makers."""

import argparse
import math
import time
from collections.abc import Callable
from typing import ClassVar, Final, Self

from drivers.base import DriverSettingError
from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.byte_box import BoxBehaviour, ByteBox
from drivers.sim.lifetime import Lifetime
from drivers.sim.line_device import (
    LineFaults,
    LineLatency,
    Outcome,
    add_line_options,
    faults_of,
    latency_of,
)
from drivers.sim.line_twin import LineTwin
from drivers.sim.pseudo_port import PseudoPort

_MMBTS_WIDTH_S: Final = 8e-3
_BOOT_LOADER_BAUD: Final = 1200


class ByteDevice:
    """A byte box behind the promises of a line device.

    Parameters
    ----------
    latency : LineLatency
    faults : LineFaults
    pulse_width_s : float or None
        As `BoxBehaviour`.
    t_ready : float
        Bytes before this instant are lost, as while a board starts.
    """

    def __init__(
        self,
        latency: LineLatency,
        faults: LineFaults,
        *,
        pulse_width_s: float | None = None,
        t_ready: float = -math.inf,
    ) -> None:
        self.faults = faults
        self._box = ByteBox(
            BoxBehaviour(
                latency_s=latency.mean_s,
                latency_sd_s=latency.sd_s,
                seed=latency.seed,
                pulse_width_s=pulse_width_s,
                unplug_after=faults.unplug_after,
                deaf_after=faults.deaf_after,
            )
        )
        self._t_ready = t_ready
        self.n_codes = 0

    def receive(self, received: bytes, t: float) -> Outcome:
        """Take the bytes of one read, which returned at `t`."""
        if t < self._t_ready:
            return Outcome()
        changes = self._box.take(received, t)
        self.n_codes += sum(change.code != 0 for change in changes)
        return Outcome(changes=changes)

    def settle(self, t: float) -> Outcome:
        """Let time pass: nothing, as the box says at once when its pulses end."""
        del t
        return Outcome()

    def t_next(self) -> float:
        """Return infinity."""
        return math.inf


class TriggerBoxTwin:
    """A Brain Products TriggerBox on a pseudo-terminal.

    Parameters
    ----------
    twin : LineTwin
    """

    summary: ClassVar[str] = "Brain Products TriggerBox: one byte a code, latches"
    example: ClassVar[str] = "--log arrivals.jsonl"

    def __init__(self, twin: LineTwin) -> None:
        self._twin = twin

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        add_line_options(parser, latency_us=0.0, answers=False)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        device = ByteDevice(latency_of(options), faults_of(options))
        return cls(LineTwin(device, ttl_out=options.ttl_out))

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device, until its lifetime ends."""
        self._twin.run(port, log, lifetime)


class MmbtsTwin:
    """A Neurospec MMBT-S on a pseudo-terminal; at 1200 baud it is gone.

    Parameters
    ----------
    twin : LineTwin
    """

    summary: ClassVar[str] = "Neurospec MMBT-S: one byte a code, clears after 8 ms"
    example: ClassVar[str] = "--log arrivals.jsonl --switch S"

    def __init__(self, twin: LineTwin) -> None:
        self._twin = twin

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        parser.add_argument(
            "--switch",
            choices=["P", "S"],
            default="P",
            help="P clears the lines after 8 ms and queues codes, S latches "
            "(default: %(default)s)",
        )
        add_line_options(parser, latency_us=0.0, answers=False)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        device = ByteDevice(
            latency_of(options),
            faults_of(options),
            pulse_width_s=_MMBTS_WIDTH_S if options.switch == "P" else None,
        )
        return cls(
            LineTwin(
                device,
                ttl_out=options.ttl_out,
                refuses=lambda port: port.baud() == _BOOT_LOADER_BAUD,
            )
        )

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device, until its lifetime ends."""
        self._twin.run(port, log, lifetime)


class ArduinoLptTwin:
    """An Arduino with a parallel port, on a pseudo-terminal.

    A pseudo-terminal does not tell when it is opened, so the board starts once, with
    the process.

    Parameters
    ----------
    twin : LineTwin
    """

    summary: ClassVar[str] = "Arduino to parallel port: one byte a code, latches"
    example: ClassVar[str] = "--log arrivals.jsonl --boot-ms 0"

    def __init__(self, twin: LineTwin) -> None:
        self._twin = twin

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        parser.add_argument(
            "--boot-ms",
            type=float,
            default=900.0,
            help="how long it takes no bytes from its start (default: %(default)g)",
        )
        add_line_options(parser, latency_us=0.0, answers=False)

    @classmethod
    def from_options(
        cls,
        options: argparse.Namespace,
        now: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Return the device that the options describe."""
        if not 0 <= options.boot_ms < math.inf:
            raise DriverSettingError(
                f"--boot-ms is {options.boot_ms:g}, but must be 0 or more."
            )
        device = ByteDevice(
            latency_of(options),
            faults_of(options),
            t_ready=now() + options.boot_ms / 1e3,
        )
        return cls(LineTwin(device, ttl_out=options.ttl_out))

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device, until its lifetime ends."""
        self._twin.run(port, log, lifetime)
