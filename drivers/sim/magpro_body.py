"""What a simulated MagPro is and does, without its bytes."""

import dataclasses
import heapq
import math
from collections.abc import Iterator
from typing import Final

from drivers.magpro.codes import Mode, Page, TimingControl, Wave
from drivers.magpro.grids import max_rate_hz
from drivers.magpro.messages import (
    AmplitudeChanged,
    CoilReported,
    CountsReported,
    DelaysReported,
    Flags,
    Message,
    ModeReported,
    PageChanged,
    PulseGiven,
    Status,
    TimingReported,
)
from drivers.sim.machine import EventKind, TwinEvent
from drivers.sim.magpro_settings import MagProTwinSettings
from drivers.sim.warm_coil import WarmCoil

_TRIGGER_S: Final = 2e-5
_FULL_PULSE_J: Final = 250.0
# So that 60 % gives 95 A/µs, as in the only published example.
_FULL_STEEPNESS: Final = 158.3


class MagProBody:
    """Amplitude, pages, trains and the front panel; says what changes.

    Parameters
    ----------
    settings : MagProTwinSettings
    """

    def __init__(self, settings: MagProTwinSettings) -> None:
        self._settings = settings
        self._t = -math.inf
        self._coil = WarmCoil(
            coil_c=settings.coil_c,
            ambient_c=settings.ambient_c,
            heat_c_per_kj=settings.heat_c_per_kj,
            cooling_s=settings.cooling_s,
        )
        self.enabled = False
        self.amplitude_a = 0
        self.amplitude_b = 0
        self.page: int = Page.MAIN
        self.mode = ModeReported(
            model=settings.model,
            mode=Mode.STANDARD,
            direction=0,
            wave=settings.wave,
            burst_pulses=2,
            ipi_index=100,
            ba_index=80,
        )
        self.ipi_s = 0.01
        self.delays = DelaysReported(tenths_in_ms=0, tenths_out_ms=0, charge_ms=0)
        self.timing = TimingReported(
            control=TimingControl.SEQUENCE,
            extended_rate=False,
            tenths_hz=10,
            n_pulses=1,
            n_trains=1,
            tenths_s=10,
            warn=False,
        )
        self.train_running = False
        self.events: list[TwinEvent] = []
        self.messages: list[Message] = []
        self._n_pulses = 0
        self._t_active = -math.inf
        self._t_charged = -math.inf
        self._due: list[tuple[float, str]] = []
        self._train: Iterator[float] = iter(())
        self._t_train = math.inf

    def flags(self) -> Flags:
        """Return the flags."""
        return Flags(
            mode=Mode(self.mode.mode),
            wave=Wave(self.mode.wave),
            enabled=self.enabled,
            model=self._settings.model,
        )

    def status(self) -> Status:
        """Return message 00."""
        return Status(
            flags=self.flags(),
            serial_number=self._settings.serial_number,
            temperature_c=self._temperature_c(),
            coil=self._settings.coil,
            amplitude_a=self.amplitude_a,
            amplitude_b=self.amplitude_b,
        )

    def counts(self) -> CountsReported:
        """Return message 0C."""
        total = self.timing.n_pulses * self.timing.n_trains
        return CountsReported(
            n_trains=self.timing.n_trains,
            total_pulses=total,
            stimulus_count=self._n_pulses & 0xFFFF,
            page=self.page,
        )

    def set_amplitude(self, a: int, b: int) -> None:
        """Turn the amplitude, by command or at the panel."""
        self.amplitude_a, self.amplitude_b = a, b
        self._say_amplitude()

    def set_enabled(self, why: str, *, on: bool) -> None:
        """Enable or disable, by command or at the panel."""
        if on and not (self._settings.coil and self._is_cool()):
            on = False
        if on != self.enabled:
            self._note("armed" if on else "disarmed", why)
        self.enabled = on
        self._t_active = self._t
        if not on:
            self._end_train()
            self._due.clear()
        self._say_amplitude()
        self.messages.append(
            CoilReported(
                temperature_c=self._temperature_c(),
                coil=self._settings.coil,
                flags=self.flags(),
            )
        )
        if on:
            # Seen by others on an X100: the status twice, the coil in between.
            self._say_amplitude()

    def set_page(self, page: int) -> None:
        """Turn to a page."""
        self.page = page
        self.say_page()

    def fire(self, delay_s: float) -> None:
        """Fire by command; ignored unless enabled."""
        if self.enabled:
            heapq.heappush(self._due, (self._t + delay_s, "command"))

    def start_train(self, t: float) -> None:
        """Start the train of the timing page; ignored unless enabled and shown."""
        if not self.enabled or self.page != Page.TIMING or self.train_running:
            return
        self.train_running = True
        self._train = _instants(self.timing, t)
        self._t_train = next(self._train)
        self.say_page()

    def trigger(self, t: float) -> None:
        """Take an edge on the trigger input."""
        self.advance(max(t, self._t))
        t_pulse = t + _TRIGGER_S + self.delays.tenths_in_ms * 1e-4
        external = self.timing.control != TimingControl.SEQUENCE
        if not self.enabled:
            self._note("missed", "disabled", t)
        elif self.train_running:
            self._note("missed", "train running", t)
        elif self.page == Page.TIMING and external:
            self.start_train(t_pulse)
        elif t_pulse < self._t_charged:
            self._note("missed", "charging", t)
        elif self.delays.tenths_in_ms:
            heapq.heappush(self._due, (t_pulse, "trigger"))
        else:
            self._pulse(t_pulse, "trigger")

    def advance(self, t: float) -> None:
        """Let time pass, one event after the other."""
        while (due := self.t_next()) <= t:
            self._t = max(self._t, due)
            if self._t_train <= self._t:
                self._train_pulse()
            elif self._due and self._due[0][0] <= self._t:
                t_pulse, why = heapq.heappop(self._due)
                self._pulse(t_pulse, why)
            else:
                self.set_enabled("nothing happened", on=False)
        self._t = max(self._t, t)

    def t_next(self) -> float:
        """Return when something happens by itself."""
        t_pulse = min(self._t_train, self._due[0][0] if self._due else math.inf)
        if self.enabled:
            return min(t_pulse, self._t_active + self._settings.auto_disable_s)
        return t_pulse

    def _train_pulse(self) -> None:
        self._pulse(self._t_train, "train")
        # Unless that pulse made the coil too hot.
        if self.train_running:
            self._t_train = next(self._train, math.inf)
            if self._t_train == math.inf:
                self._end_train()

    def _pulse(self, t: float, why: str) -> None:
        flags = self.flags()
        self._t_active = self._t
        self._t_charged = t + 1 / max_rate_hz(flags.model, flags.mode, flags.wave)
        for extra in range(self._pulses_each()):
            self._n_pulses += 1
            self._coil.warm(_FULL_PULSE_J * (self.amplitude_a / 100) ** 2, self._t)
            t_pulse = t + extra * self.ipi_s
            self._note("pulse", why, t_pulse, float(self.amplitude_a))
        steepness = round(self.amplitude_a * _FULL_STEEPNESS / 100)
        self.messages.append(
            PulseGiven(realised_a=steepness, realised_b=0, flags=flags)
        )
        if not self._is_cool():
            self.set_enabled("hot coil", on=False)

    def _pulses_each(self) -> int:
        if self.mode.mode in (Mode.TWIN, Mode.DUAL):
            return 2
        burst = self.mode.wave == Wave.BIPHASIC_BURST
        return self.mode.burst_pulses if burst else 1

    def _end_train(self) -> None:
        if self.train_running:
            self.train_running = False
            self._t_train = math.inf
            self.say_page()

    def _temperature_c(self) -> int:
        return min(255, round(self._coil.temperature_c(self._t)))

    def _is_cool(self) -> bool:
        return self._coil.temperature_c(self._t) <= self._settings.hottest_c

    def _say_amplitude(self) -> None:
        self.messages.append(
            AmplitudeChanged(
                amplitude_a=self.amplitude_a,
                amplitude_b=self.amplitude_b,
                flags=self.flags(),
            )
        )

    def say_page(self) -> None:
        """Say which page is shown, and whether a train runs."""
        self.messages.append(
            PageChanged(
                page=self.page, train_running=self.train_running, flags=self.flags()
            )
        )

    def _note(
        self,
        kind: EventKind,
        reason: str,
        t: float | None = None,
        intensity: float | None = None,
    ) -> None:
        event = TwinEvent(t=self._t, kind=kind, reason=reason, intensity=intensity)
        self.events.append(event if t is None else dataclasses.replace(event, t=t))


def _instants(timing: TimingReported, t: float) -> Iterator[float]:
    """Return when the pulses of all trains come."""
    period_s = 10 / timing.tenths_hz
    length_s = (timing.n_pulses - 1) * period_s + timing.tenths_s / 10
    for train in range(timing.n_trains):
        for pulse in range(timing.n_pulses):
            yield t + train * length_s + pulse * period_s
