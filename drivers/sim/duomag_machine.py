"""A simulated DuoMAG: streams its status without pause, and is armed at its panel."""

import dataclasses
import math
from typing import Final

from drivers.base import DriverSettingError
from drivers.duomag.codec import Delay
from drivers.duomag.frames import Frame
from drivers.sim.machine import EventKind, TwinEvent
from drivers.sim.outbox import FrameFaults, Outbox

_BYTE_S: Final = 11 / 1_000_000
_TRIGGER_S: Final = 2e-5
_FIRE_S: Final = 2e-4
_FIRE: Final = 0x79
_MOST_PERCENT: Final = 100
_DOUBLE_S: Final = 0.01
_COLD_ADC: Final = 0x3C
_OLD_LENGTH: Final = 13
_NEW_LENGTH: Final = 15


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DuoMagSettings:
    """A simulated DuoMAG.

    How often the real one sends a frame, how fast it recharges and what a count of its
    temperatures means are not published; they are made up.

    Parameters
    ----------
    frames_per_s : float
    recharge_s : float
        From a pulse until charged, beside the recharge delay.
    old : bool
        Send the shorter frames of older models, without the type of the coil.
    armed_at_panel : bool
    counts_per_pulse : float
        Rise of the coil's count for a pulse at full intensity.
    hot_adc : int
        Overheated above this count.
    coil_adc : int
        At the start.
    coil_removed_after : int or None
        Take the coil off after so many frames.
    panel_intensity_after : tuple of int or None
        Somebody turns the knob after so many frames, to so many percent.
    faults : FrameFaults
        A wrong checksum spoils the intensity, as there is no checksum.
    """

    frames_per_s: float = 100.0
    recharge_s: float = 0.8
    old: bool = False
    armed_at_panel: bool = True
    counts_per_pulse: float = 0.05
    hot_adc: int = 180
    coil_adc: int = _COLD_ADC
    coil_removed_after: int | None = None
    panel_intensity_after: tuple[int, int] | None = None
    faults: FrameFaults = dataclasses.field(default_factory=FrameFaults)

    def __post_init__(self) -> None:
        if not 0 < self.frames_per_s <= 5000:
            raise DriverSettingError(
                f"frames_per_s is {self.frames_per_s}, but must be above 0, at most "
                "5000."
            )
        if not 0 <= self.recharge_s < math.inf:
            raise DriverSettingError(
                f"recharge_s is {self.recharge_s}, but must be 0 or more."
            )


class DuoMagMachine:
    """The machine of one DuoMAG.

    Parameters
    ----------
    settings : DuoMagSettings
    """

    def __init__(self, settings: DuoMagSettings) -> None:
        self._settings = settings
        self._out = Outbox(0.0, settings.faults, spoil=1)
        self._t = -math.inf
        self._t_frame = -math.inf
        self._t_charged = -math.inf
        self._t_fire = math.inf
        self._t_heard = -math.inf
        self._pending: int | None = None
        self._high: dict[int, int] = {}
        self._intensity = 0
        self._omitted = 0
        self._adc = float(settings.coil_adc)
        self._coil_present = True
        self._at_panel = settings.armed_at_panel
        self._panel_intensity_after = settings.panel_intensity_after
        self._ttl_delay = Delay(steps=0, unit=0)
        self._recharge_delay = Delay(steps=0, unit=0)
        self._events: list[TwinEvent] = []

    @property
    def armed(self) -> bool:
        """Whether a trigger makes a pulse: armed at the panel and above 0 %."""
        return self._at_panel and self._coil_present and self._intensity > 0

    @property
    def unplugged(self) -> bool:
        """Whether its cable has come off."""
        return self._out.unplugged

    def press(self, *, armed: bool | None = None, intensity: int | None = None) -> None:
        """Do something at the panel."""
        if armed is not None:
            self._at_panel = armed
            self._note("armed" if armed else "disarmed", "front panel")
        if intensity is not None:
            self._set_intensity(intensity, "front panel")

    def receive(self, received: bytes, t: float) -> None:
        """Take bytes from the host; each must come twice."""
        self._pass(t)
        if self._t - self._t_heard > _DOUBLE_S:
            self._pending = None
        self._t_heard = self._t
        for byte in received:
            if self._pending == byte:
                self._pending = None
                self._obey(byte)
            else:
                self._pending = byte

    def edge(self, t: float) -> None:
        """Take a rising edge on the trigger input."""
        self._pass(t)
        self._try_pulse(t + _TRIGGER_S, "trigger")

    def advance(self, t: float) -> bytes:
        """Let time pass and return the bytes that have left by then."""
        self._pass(t)
        return self._out.take(self._t)

    def t_next(self) -> float:
        """Return when something happens by itself: never later than the next frame."""
        if self._t == -math.inf:
            return -math.inf
        return min(self._out.t_next(), self._t_frame, self._t_fire)

    def take_events(self) -> list[TwinEvent]:
        """Return what happened since the last call."""
        events, self._events = self._events, []
        return events

    def _pass(self, t: float) -> None:
        if self._t == -math.inf:
            self._t_frame = t
        t = max(t, self._t)
        while (due := min(self._t_frame, self._t_fire)) <= t:
            self._t = max(self._t, due)
            if self._t_fire <= self._t_frame:
                t_fire, self._t_fire = self._t_fire, math.inf
                self._try_pulse(t_fire, "command")
            else:
                self._stream()
        self._t = t

    def _stream(self) -> None:
        self._play_faults()
        frame = self._frame().to_bytes()
        self._out.send(frame, self._t_frame + len(frame) * _BYTE_S)
        self._t_frame += 1 / self._settings.frames_per_s

    def _play_faults(self) -> None:
        n_sent = self._out.n_frames
        removed_after = self._settings.coil_removed_after
        if removed_after is not None and n_sent >= removed_after:
            if self._coil_present:
                self._note("fault", "coil removed")
            self._coil_present = False
        turned = self._panel_intensity_after
        if turned is not None and n_sent >= turned[0]:
            self._panel_intensity_after = None
            self.press(intensity=turned[1])

    def _frame(self) -> Frame:
        hot = self._is_hot()
        return Frame(
            stimulates_on_ttl=self._at_panel,
            intensity=self._intensity,
            coil_adc=min(254, int(self._adc)),
            resistor_adc=0x28,
            discharge_adc=0x28,
            omitted=self._omitted % 255,
            coil_disconnected=not self._coil_present,
            coil_overheat=hot,
            coil_data_ok=self._coil_present,
            receiving=True,
            idle=True,
            charged=self._is_charged(),
            ttl_delay=self._ttl_delay,
            recharge_delay=self._recharge_delay,
            coil=None if self._settings.old else 1,
            length=_OLD_LENGTH if self._settings.old else _NEW_LENGTH,
        )

    def _obey(self, byte: int) -> None:
        if byte <= _MOST_PERCENT:
            self._set_intensity(byte, "by command")
        elif byte == _FIRE:
            self._t_fire = self._t + _FIRE_S
        elif byte >= 0b100_00000:
            self._take_delay(byte)

    def _take_delay(self, byte: int) -> None:
        kind = byte >> 5
        if kind in (0b100, 0b110):
            self._high[kind + 1] = byte & 0b11111
            return
        steps = self._high.get(kind, 0) << 2 | byte & 0b11
        delay = Delay(steps=steps, unit=byte >> 2 & 0b111)
        if kind == 0b101:
            self._recharge_delay = delay
        else:
            self._ttl_delay = delay

    def _set_intensity(self, percent: int, why: str) -> None:
        was_armed = self.armed
        self._intensity = percent
        if self.armed != was_armed:
            self._note("armed" if self.armed else "disarmed", why)

    def _try_pulse(self, t: float, why: str) -> None:
        why_not = self._why_not()
        if why_not is not None:
            self._omitted += 1
            self._note("missed", why_not, t)
            return
        self._note("pulse", why, t, float(self._intensity))
        self._adc += self._settings.counts_per_pulse * (self._intensity / 100) ** 2
        delay_s = self._recharge_delay.seconds
        self._t_charged = self._t + delay_s + self._settings.recharge_s

    def _why_not(self) -> str | None:
        if not self._at_panel:
            return "disarmed"
        if not self._coil_present:
            return "no coil"
        if self._intensity == 0:
            return "at 0 %"
        if self._is_hot():
            return "hot coil"
        return None if self._is_charged() else "charging"

    def _is_charged(self) -> bool:
        return self._at_panel and self._t >= self._t_charged

    def _is_hot(self) -> bool:
        return self._adc > self._settings.hot_adc

    def _note(
        self,
        kind: EventKind,
        reason: str,
        t: float | None = None,
        intensity: float | None = None,
    ) -> None:
        event = TwinEvent(t=self._t, kind=kind, reason=reason, intensity=intensity)
        self._events.append(event if t is None else dataclasses.replace(event, t=t))
