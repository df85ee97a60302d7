"""What a simulated Magstim is and does, without its bytes."""

import math
from typing import Final, Literal

from drivers.magstim.limits import (
    BISTIM_RECHARGE_S,
    CONTACT_S,
    IDLE_S,
    MAX_COIL_C,
    RAPID_ENHANCED_S,
    RAPID_SINGLE_S,
    pulse_joules,
    recharge_200_s,
    settle_s,
    train_wait_s,
)
from drivers.magstim.status import InstrumentStatus, RapidStatus
from drivers.sim.machine import EventKind, TwinEvent
from drivers.sim.magstim_settings import MagstimSettings
from drivers.sim.warm_coil import WarmCoil

_CHARGE_S: Final = 1.0
_TRIGGER_S: Final = 5e-5

Phase = Literal["standby", "armed", "ready"]


class MagstimBody:
    """Charge, power, temperature, trains and watchdogs.

    Parameters
    ----------
    settings : MagstimSettings
    """

    def __init__(self, settings: MagstimSettings) -> None:
        self._settings = settings
        self._t = -math.inf
        self._coil = WarmCoil(
            coil_c=settings.coil_c,
            ambient_c=settings.ambient_c,
            heat_c_per_kj=settings.heat_c_per_kj,
            cooling_s=settings.cooling_s,
        )
        self.phase: Phase = "standby"
        self.remote = False
        self.coil_present = True
        self.power = 30
        self.enhanced = False
        self.frequency = 10
        self.n_pulses = 1
        self.duration = 0
        self.events: list[TwinEvent] = []
        self._t_command = -math.inf
        self._t_active = -math.inf
        self._t_charged = -math.inf
        self._t_settled = -math.inf
        self._t_rested = -math.inf
        self._t_commanded_pulse = math.inf
        self._pulses_left = 0
        self._t_train_pulse = math.inf
        self._n_made = 0

    @property
    def enabled(self) -> bool:
        """Whether it is armed or ready."""
        return self.phase != "standby"

    @property
    def train_running(self) -> bool:
        """Whether a train runs."""
        return self._pulses_left > 0

    @property
    def resting(self) -> bool:
        """Whether it rests after a train."""
        return self._t < self._t_rested

    @property
    def in_train_mode(self) -> bool:
        """Whether a trigger starts a train."""
        return self._settings.model == "rapid" and self.duration > 0

    def status(self) -> InstrumentStatus:
        """Return the instrument status."""
        return InstrumentStatus(
            standby=self.phase == "standby",
            armed=self.phase == "armed",
            ready=self.phase == "ready",
            coil_present=self.coil_present,
            replace_coil=self._settings.replace_coil,
            error_present=self._settings.error,
            remote=self.remote,
        )

    def rapid_status(self) -> RapidStatus:
        """Return the second status byte of a Rapid²."""
        return RapidStatus(
            enhanced_power=self.enhanced,
            train_running=self.train_running,
            waiting=self.resting,
            single_pulse=not self.in_train_mode,
            high_voltage_connected=True,
            coil_ready=self.coil_present,
        )

    def temperature_c(self) -> float:
        """Return the temperature of the coil."""
        return self._coil.temperature_c(self._t)

    def can_arm(self) -> bool:
        """Return whether arming is possible."""
        return (
            self.remote
            and not self.enabled
            and self.coil_present
            and not self._settings.replace_coil
            and not self._settings.error
            and self.temperature_c() <= MAX_COIL_C
        )

    def hear(self) -> None:
        """Take note of a valid command."""
        self._t_command = self._t

    def arm(self) -> None:
        """Start to charge."""
        self.phase = "armed"
        self._t_charged = self._t_active = self._t
        self._t_charged += _CHARGE_S
        self._note("armed", "by command")

    def disarm(self, why: str) -> None:
        """Go to standby; a running train ends."""
        if self.enabled:
            self._note("disarmed", why)
        self.phase = "standby"
        self._pulses_left = 0
        self._t_train_pulse = self._t_commanded_pulse = math.inf

    def remove_coil(self) -> None:
        """Take the coil off."""
        if self.coil_present:
            self.coil_present = False
            self._note("fault", "coil removed")
            self.disarm("coil removed")

    def set_power(self, percent: int) -> None:
        """Start to charge to another power."""
        start = max(self._t, self._t_settled)
        self._t_settled = start + settle_s(self.power, percent)
        self.power = percent
        self._charge_again()

    def fire_after(self, delay_s: float) -> None:
        """Fire a little later, as commanded."""
        self._t_commanded_pulse = self._t + delay_s

    def trigger(self, t: float) -> None:
        """Take an edge on the trigger input."""
        self.advance(max(t, self._t))
        if self.phase == "ready":
            self._start(t + _TRIGGER_S, "trigger")
        else:
            self._note("missed", self._why_not(), t)

    def advance(self, t: float) -> None:
        """Let time pass, one event after the other."""
        while (due := self.t_next()) <= t:
            self._t = max(self._t, due)
            self._happen()
        self._t = max(self._t, t)

    def t_next(self) -> float:
        """Return when something happens by itself."""
        due = [self._t_commanded_pulse, self._t_train_pulse]
        if self.enabled:
            due += [self._t_command + CONTACT_S, self._t_active + IDLE_S]
        if self.phase == "armed" and not self.train_running:
            due.append(self._t_full())
        return min(due)

    def _happen(self) -> None:
        t = self._t
        if t >= self._t_command + CONTACT_S and self.enabled:
            self.disarm("no command for 1 s")
            self.remote = False
        elif t >= self._t_active + IDLE_S and self.enabled:
            self.disarm("no pulse for 60 s")
        elif t >= self._t_commanded_pulse:
            self._t_commanded_pulse = math.inf
            self._start(t, "command")
        elif t >= self._t_train_pulse:
            self._train_pulse()
        elif self.phase == "armed" and t >= self._t_full():
            self.phase = "ready"

    def _start(self, t: float, why: str) -> None:
        if not self.in_train_mode:
            self._pulse(t, why)
            self._t_charged = self._t + self._recharge_s()
            self._charge_again()
            return
        self._pulses_left = self.n_pulses
        self._t_train_pulse = max(t, self._t)
        self._charge_again()

    def _train_pulse(self) -> None:
        self._pulses_left -= 1
        self._pulse(self._t_train_pulse, "train")
        frequency_hz = self.frequency / 10
        if self._pulses_left > 0:
            self._t_train_pulse += 1 / frequency_hz
            return
        self._t_train_pulse = math.inf
        rest_s = train_wait_s(self.power, frequency_hz, self.n_pulses)
        self._t_rested = self._t_charged = self._t + rest_s

    def _pulse(self, t: float, why: str) -> None:
        self._t_active = self._t
        self._n_made += 1
        self._coil.warm(pulse_joules(self.power), self._t)
        self._note("pulse", why, t, float(self.power))
        if not self.temperature_c() <= MAX_COIL_C:
            self.disarm("hot coil")

    def _charge_again(self) -> None:
        if self.phase == "ready":
            self.phase = "armed"

    def _t_full(self) -> float:
        fails_after = self._settings.charger_fails_after
        if fails_after is not None and self._n_made >= fails_after:
            return math.inf
        return max(self._t_charged, self._t_settled)

    def _recharge_s(self) -> float:
        if self._settings.model == "200":
            return recharge_200_s(self.power)
        if self._settings.model == "bistim":
            return BISTIM_RECHARGE_S
        return RAPID_ENHANCED_S if self.power >= 100 else RAPID_SINGLE_S

    def _why_not(self) -> str:
        if self.phase == "standby":
            return "disarmed"
        if self.train_running:
            return "train running"
        return "resting" if self.resting else "charging"

    def _note(
        self,
        kind: EventKind,
        reason: str,
        t: float | None = None,
        intensity: float | None = None,
    ) -> None:
        self.events.append(
            TwinEvent(
                t=self._t if t is None else t,
                kind=kind,
                reason=reason,
                intensity=intensity,
            )
        )
