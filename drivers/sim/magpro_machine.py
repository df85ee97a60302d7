"""A simulated MagPro: commands in, replies and unasked messages out.

The older commands 06 and 08 are answered, as client software waits for it; with what is
not published, here with the page.
"""

import math
import struct
from collections.abc import Callable, Mapping
from typing import Final

from drivers.magpro import grids
from drivers.magpro.codec import FrameParser, frame
from drivers.magpro.codes import Mode, Wave
from drivers.magpro.messages import (
    DelaysReported,
    ExtendedStatus,
    ModeReported,
    TimingReported,
)
from drivers.sim.machine import TwinEvent
from drivers.sim.magpro_body import MagProBody
from drivers.sim.magpro_settings import MagProTwinSettings
from drivers.sim.outbox import Outbox, seeded_latency

_BYTE_S: Final = 10 / 38400
_REPLY_S: Final = (2e-3, 6e-3)
_SLOW_REPLY_S: Final = (50e-3, 150e-3)
"""Of waveform, delays and timing: slow on the real device; how slow is unknown."""
_SLOW: Final = frozenset({0x09, 0x0A, 0x0B})
_FIRE_S: Final = (0.3e-3, 1.0e-3)
_PARTIAL_S: Final = 0.05
_MOST_PERCENT: Final = 100
_CRC_PLACE: Final = -2


class MagProMachine:
    """The machine of one MagPro.

    Parameters
    ----------
    settings : MagProTwinSettings
    """

    def __init__(self, settings: MagProTwinSettings) -> None:
        self._settings = settings
        self._body = MagProBody(settings)
        self._parser = FrameParser()
        self._out = Outbox(_BYTE_S, settings.faults, spoil=_CRC_PLACE)
        self._reply_s = seeded_latency(settings.seed, *_REPLY_S)
        self._slow_reply_s = seeded_latency(settings.seed + 1, *_SLOW_REPLY_S)
        self._fire_s = seeded_latency(settings.seed + 2, *_FIRE_S)
        self._t = -math.inf
        self._t_byte = -math.inf
        self._panel_disable_after = settings.panel_disable_after
        self._panel_amplitude_after = settings.panel_amplitude_after

    @property
    def armed(self) -> bool:
        """Whether it is enabled."""
        return self._body.enabled

    @property
    def unplugged(self) -> bool:
        """Whether its cable has come off."""
        return self._out.unplugged

    def receive(self, received: bytes, t: float) -> None:
        """Take bytes from the host."""
        self._pass(t)
        self._t_byte = self._t
        self._obey_all(self._parser.feed(received))

    def edge(self, t: float) -> None:
        """Take a rising edge on the trigger input."""
        self._body.trigger(t)
        self._say_what_changed()

    def press(
        self, *, enabled: bool | None = None, amplitude: int | None = None
    ) -> None:
        """Do something at the front panel."""
        if amplitude is not None:
            self._body.set_amplitude(amplitude, self._body.amplitude_b)
        if enabled is not None:
            self._body.set_enabled("front panel", on=enabled)
        self._say_what_changed()

    def advance(self, t: float) -> bytes:
        """Let time pass and return the bytes that have left by then."""
        self._pass(t)
        self._play_panel()
        return self._out.take(self._t)

    def t_next(self) -> float:
        """Return when something happens by itself."""
        t_partial = math.inf
        if self._parser.has_partial:
            t_partial = self._t_byte + _PARTIAL_S
        return min(self._out.t_next(), self._body.t_next(), t_partial)

    def take_events(self) -> list[TwinEvent]:
        """Return what happened since the last call."""
        events, self._body.events = self._body.events, []
        return events

    def _pass(self, t: float) -> None:
        self._t = max(self._t, t)
        self._body.advance(self._t)
        self._say_what_changed()
        if self._parser.has_partial and self._t >= self._t_byte + _PARTIAL_S:
            self._obey_all(self._parser.give_up_partial())

    def _play_panel(self) -> None:
        n_sent = self._out.n_frames
        if self._panel_amplitude_after and n_sent >= self._panel_amplitude_after[0]:
            percent = self._panel_amplitude_after[1]
            self._panel_amplitude_after = None
            self.press(amplitude=percent)
        if (
            self._panel_disable_after is not None
            and n_sent >= self._panel_disable_after
        ):
            self._panel_disable_after = None
            self.press(enabled=False)

    def _obey_all(self, payloads: list[bytes]) -> None:
        for payload in payloads:
            action = _ACTIONS.get(payload[0])
            # What it does not understand, the device passes over in silence.
            if action is not None:
                action(self, payload)
            self._say_what_changed()

    def _say_what_changed(self) -> None:
        for message in self._body.messages:
            self._send(message.payload())
        self._body.messages.clear()

    def _send(self, payload: bytes) -> None:
        slow = payload[0] in _SLOW
        latency_s = self._slow_reply_s() if slow else self._reply_s()
        self._out.send(frame(payload), self._t + latency_s)

    # Each action takes the whole payload of a command.

    def give_status(self, _payload: bytes) -> None:
        """00."""
        self._send(self._body.status().payload())

    def set_amplitude(self, payload: bytes) -> None:
        """01."""
        values = payload[1:]
        if not 1 <= len(values) <= 2 or max(values) > _MOST_PERCENT:
            return
        b = values[1] if len(values) > 1 else self._body.amplitude_b
        self._body.set_amplitude(values[0], b)

    def enable(self, payload: bytes) -> None:
        """02."""
        if payload[1:] in (b"\x00", b"\x01"):
            self._body.set_enabled("by command", on=payload[1] == 1)

    def fire(self, payload: bytes) -> None:
        """03, in both of its forms."""
        if payload[1:] in (b"", b"\x01"):
            self._body.fire(self._fire_s() + (len(payload) + 4) * _BYTE_S)

    def start_train(self, _payload: bytes) -> None:
        """04."""
        self._body.start_train(self._t + self._fire_s())

    def give_extended_status(self, _payload: bytes) -> None:
        """05."""
        body = self._body
        status = ExtendedStatus(
            status=body.status(),
            original_a=body.amplitude_a,
            original_b=body.amplitude_b,
            factor_a=100,
            factor_b=100,
            page=body.page,
            train_running=body.train_running,
        )
        self._send(status.payload())

    def set_old_train(self, payload: bytes) -> None:
        """06."""
        self._take_timing(payload[1:9], self._body.timing.control)
        self._body.say_page()

    def set_page(self, payload: bytes) -> None:
        """07."""
        if payload[1:2]:
            self._body.set_page(payload[1])

    def set_old_delays(self, payload: bytes) -> None:
        """08."""
        self._take_delays(payload[1:7])
        self._body.say_page()

    def mode(self, payload: bytes) -> None:
        """09."""
        if len(payload) == 11 and payload[1] == 1:
            self._take_mode(payload[2:])
        self._send(self._body.mode.payload())

    def delays(self, payload: bytes) -> None:
        """0A."""
        if len(payload) == 8 and payload[1] == 1:
            self._take_delays(payload[2:])
        self._send(self._body.delays.payload())

    def timing(self, payload: bytes) -> None:
        """0B, with or without the ramp at its end."""
        if len(payload) in (12, 14) and payload[1] == 1:
            self._take_timing(payload[3:11], payload[2])
        self._send(self._body.timing.payload())

    def give_counts(self, _payload: bytes) -> None:
        """0C."""
        self._send(self._body.counts().payload())

    def _take_mode(self, fields: bytes) -> None:
        _, mode, direction, wave, burst, tenths, hundredths = struct.unpack(
            ">BBBBBHH", fields
        )
        known = mode <= max(Mode) and wave <= max(Wave)
        if not (known and burst <= 3 and grids.RATIO.holds(hundredths)):
            return
        grid = grids.interval_grid(mode)
        if not grid.holds(tenths) or self._body.enabled:
            return
        self._body.ipi_s = tenths * 1e-4
        self._body.mode = ModeReported(
            model=self._settings.model,
            mode=mode,
            direction=direction & 1,
            wave=wave,
            burst_pulses=5 - burst,
            ipi_index=grid.descending().index(tenths),
            ba_index=(500 - hundredths) // 5,
        )

    def _take_delays(self, fields: bytes) -> None:
        if len(fields) != 6:
            return
        into, out, charge = struct.unpack(">HhH", fields)
        if (
            grids.DELAY_IN.holds(into)
            and grids.DELAY_OUT.holds(out)
            and grids.CHARGE_DELAY.holds(charge)
        ):
            self._body.delays = DelaysReported(
                tenths_in_ms=into, tenths_out_ms=out, charge_ms=charge
            )

    def _take_timing(self, fields: bytes, control: int) -> None:
        if len(fields) != 8:
            return
        rate, n_pulses, n_trains, tenths_s = struct.unpack(">HHHH", fields)
        if not (
            grids.RATE.holds(rate)
            and grids.PULSES.holds(n_pulses)
            and grids.TRAINS.holds(n_trains)
            and grids.INTER_TRAIN.holds(tenths_s)
        ):
            return
        self._body.timing = TimingReported(
            control=control & 3,
            extended_rate=False,
            tenths_hz=rate,
            n_pulses=n_pulses,
            n_trains=n_trains,
            tenths_s=tenths_s,
            warn=False,
        )


_ACTIONS: Final[Mapping[int, Callable[[MagProMachine, bytes], None]]] = {
    0x00: MagProMachine.give_status,
    0x01: MagProMachine.set_amplitude,
    0x02: MagProMachine.enable,
    0x03: MagProMachine.fire,
    0x04: MagProMachine.start_train,
    0x05: MagProMachine.give_extended_status,
    0x06: MagProMachine.set_old_train,
    0x07: MagProMachine.set_page,
    0x08: MagProMachine.set_old_delays,
    0x09: MagProMachine.mode,
    0x0A: MagProMachine.delays,
    0x0B: MagProMachine.timing,
    0x0C: MagProMachine.give_counts,
}
