"""The simulated board with our trigger firmware, on a clock that drifts."""

import argparse
import math
import time
from collections.abc import Callable
from typing import ClassVar, Final, Self

from drivers.base import DriverSettingError
from drivers.sim.arrival_log import Arrival, ArrivalLog
from drivers.sim.lifetime import Lifetime
from drivers.sim.line_device import (
    LineFaults,
    Outcome,
    add_line_options,
    faults_of,
    latency_of,
)
from drivers.sim.line_twin import LineTwin
from drivers.sim.pseudo_port import PseudoPort
from drivers.sim.trigger_firmware import TriggerFirmware

_MAX_DRIFT_PPM: Final = 1000.0


class BoardDevice:
    """A board: the firmware, its clock, and pulses at exactly their instants.

    Parameters
    ----------
    faults : LineFaults
    t_start : float
        Host clock when the board started, seconds.
    drift_ppm : float
        By how much its clock runs faster than the host's.
    latency_s : float
        From the board's decision to its lines.
    restart_after : int or None
        It restarts, once, after so many pulses: disarmed, and its clock at 0.

    Raises
    ------
    DriverSettingError
        If the drift is beyond 1000 ppm or a count below 1.
    """

    def __init__(
        self,
        faults: LineFaults,
        *,
        t_start: float,
        drift_ppm: float = 0.0,
        latency_s: float = 0.0,
        restart_after: int | None = None,
    ) -> None:
        if not abs(drift_ppm) <= _MAX_DRIFT_PPM:
            raise DriverSettingError(
                f"The drift is {drift_ppm:g} ppm, but must be within "
                f"{_MAX_DRIFT_PPM:g}."
            )
        if restart_after is not None and not restart_after >= 1:
            raise DriverSettingError(
                f"restart_after is {restart_after}, but must be 1 or more."
            )
        self.faults = faults
        self._t_start = t_start
        self._rate = 1e6 * (1.0 + drift_ppm * 1e-6)
        self._latency_s = latency_s
        self._restart_after = restart_after
        self._firmware = TriggerFirmware(0)
        self._shown = 0
        self._last_us = 0
        self.n_codes = 0

    def receive(self, received: bytes, t: float) -> Outcome:
        """Take the bytes of one read, which returned at `t`."""
        now = self._device_us(t)
        changes = self._advance(now)
        for byte in received:
            if self.faults.failed(self.n_codes):
                break
            self._firmware.receive(byte, now)
            changes += self._changed(now, merged=len(received))
        if self._restart_after is not None and self.n_codes >= self._restart_after:
            self._restart_after = None
            changes += self._restart(t)
        return Outcome(changes=changes, reply=self._firmware.take())

    def settle(self, t: float) -> Outcome:
        """Let time pass until `t`; at the end of all time, only pulses end."""
        if t == math.inf:
            last = self._shown
            self._shown = 0
            rest = Arrival(t_observed=self._host_s(self._last_us), code=0, merged=0)
            return Outcome(changes=[rest] if last else [])
        changes = self._advance(self._device_us(t))
        return Outcome(changes=changes, reply=self._firmware.take())

    def t_next(self) -> float:
        """Return when the board does something by itself."""
        t_next = self._firmware.t_next()
        return math.inf if t_next == math.inf else self._host_s(t_next)

    def _advance(self, now: int) -> list[Arrival]:
        changes: list[Arrival] = []
        # At exactly the instant that is due, as a board with a timer would.
        while (t_next := self._firmware.t_next()) <= now:
            instant = max(int(t_next), self._last_us)
            self._firmware.tick(instant)
            changes += self._changed(instant, merged=0)
        self._last_us = now
        return changes

    def _changed(self, device_us: int, *, merged: int) -> list[Arrival]:
        lines = self._firmware.lines
        if lines == self._shown:
            return []
        self.n_codes += (lines & ~self._shown).bit_count()
        self._shown = lines
        t_observed = self._host_s(device_us) + self._latency_s
        return [Arrival(t_observed=t_observed, code=lines, merged=merged)]

    def _restart(self, t: float) -> list[Arrival]:
        self._t_start, self._last_us = t, 0
        self._firmware = TriggerFirmware(0)
        return self._changed(0, merged=0)

    def _device_us(self, t: float) -> int:
        return max(self._last_us, math.floor((t - self._t_start) * self._rate))

    def _host_s(self, device_us: float) -> float:
        return self._t_start + device_us / self._rate


class BoardTwin:
    """A board with our firmware on a pseudo-terminal.

    Parameters
    ----------
    twin : LineTwin
    """

    summary: ClassVar[str] = (
        "micro-controller with our firmware: pulses by its own clock"
    )
    example: ClassVar[str] = "--log arrivals.jsonl --drift-ppm 40"

    def __init__(self, twin: LineTwin) -> None:
        self._twin = twin

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        parser.add_argument(
            "--drift-ppm",
            type=float,
            default=0.0,
            help="by how much its clock runs faster (default: %(default)g)",
        )
        parser.add_argument(
            "--restart-after",
            type=int,
            metavar="N",
            help="restart once, after N pulses: disarmed, the clock at 0",
        )
        add_line_options(parser, latency_us=0.0, answers=True)

    @classmethod
    def from_options(
        cls,
        options: argparse.Namespace,
        now: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Return the device that the options describe."""
        device = BoardDevice(
            faults_of(options),
            t_start=now(),
            drift_ppm=options.drift_ppm,
            latency_s=latency_of(options).mean_s,
            restart_after=options.restart_after,
        )
        return cls(LineTwin(device, ttl_out=options.ttl_out))

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device, until its lifetime ends."""
        self._twin.run(port, log, lifetime)
