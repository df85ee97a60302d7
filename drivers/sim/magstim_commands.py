"""What each command does to a simulated Magstim, and what the reply carries."""

import math
from collections.abc import Callable
from typing import Final

from drivers.magstim import codec
from drivers.magstim.limits import max_frequency_hz, train_wait_s
from drivers.magstim.status import ExtendedStatus
from drivers.sim.magstim_body import MagstimBody
from drivers.sim.magstim_settings import MagstimSettings
from drivers.sim.outbox import seeded_latency

# From the start of the command to the pulse, as others measured them.
_FIRE_S: Final = {"200": (6.8e-3, 9.1e-3), "bistim": (6.8e-3, 9.1e-3)}
_FIRE_RAPID_S: Final = (4.5e-3, 5.9e-3)
_RESET_INTERVAL: Final = 10
_NORMAL_POWER: Final = 100
_ENHANCED_POWER: Final = 110
_LONGER_WAIT_FROM: Final = 7


class BadData(Exception):
    """Answered with `?`."""


class Conflict(Exception):
    """Answered with `S`."""


class MagstimCommands:
    """The commands of all models; each returns what follows the status in its reply.

    Parameters
    ----------
    settings : MagstimSettings
    body : MagstimBody
    unlock : bytes or None
        The command that takes remote control with a code.
    """

    def __init__(
        self, settings: MagstimSettings, body: MagstimBody, unlock: bytes | None
    ) -> None:
        self._settings = settings
        self._software = settings.software
        self._body = body
        self._unlock = unlock
        fire_s = _FIRE_S.get(settings.model, _FIRE_RAPID_S)
        self._fire_s = seeded_latency(settings.seed + 1, *fire_s)
        self._power_b = 0
        self._interval = _RESET_INTERVAL
        self._high_resolution = False
        self._charge_delay = 0

    def obey(self, letter: str, data: bytes) -> bytes:
        """Do what the command says.

        Raises
        ------
        BadData, Conflict
        """
        return _ACTIONS[letter](self, data)

    def take_remote(self, data: bytes) -> bytes:
        """`Q`."""
        if len(data) != 1 and codec.frame(b"Q" + data) != self._unlock:
            raise BadData
        self._body.remote = True
        return b""

    def drop_remote(self, _data: bytes) -> bytes:
        """`R`."""
        self._body.disarm("remote control given back")
        self._body.remote = False
        return b""

    def enable(self, data: bytes) -> bytes:
        """`E`: disarm, arm or fire."""
        if data == b"A":
            self._body.disarm("by command")
        elif data == b"B":
            if not self._body.can_arm():
                raise Conflict
            self._body.arm()
        elif data == b"H":
            if self._body.phase != "ready":
                raise Conflict
            self._body.fire_after(self._fire_s())
        else:
            raise BadData
        return b""

    def set_power(self, data: bytes) -> bytes:
        """`@`."""
        percent = _number(data)
        if percent > (_ENHANCED_POWER if self._body.enhanced else _NORMAL_POWER):
            raise Conflict
        if self._body.in_train_mode:
            self._check_frequency(self._body.frequency, percent)
        self._body.set_power(percent)
        return b""

    def temperature(self, _data: bytes) -> bytes:
        """`F`: two sensors, one in each wing of the coil."""
        tenths = min(999, round(self._body.temperature_c() * 10))
        return b"%03d%03d" % (max(0, tenths - 5), tenths)

    def parameters(self, _data: bytes) -> bytes:
        """`J`."""
        if self._settings.model == "200":
            return b"%03d000000" % self._body.power
        return b"%03d%03d%03d" % (self._body.power, self._power_b, self._interval)

    def set_power_b(self, data: bytes) -> bytes:
        """`A`."""
        percent = _number(data)
        if percent > _NORMAL_POWER:
            raise Conflict
        self._power_b = percent
        return b""

    def set_interval(self, data: bytes) -> bytes:
        """`C`."""
        self._interval = _number(data)
        return b""

    def mode(self, _data: bytes) -> bytes:
        """`X`."""
        if self._interval == 0:
            return b"1"
        return b"4" if self._high_resolution else b"2"

    def high_resolution_on(self, _data: bytes) -> bytes:
        """`Y`."""
        return self._change_resolution(high=True)

    def high_resolution_off(self, _data: bytes) -> bytes:
        """`Z`."""
        return self._change_resolution(high=False)

    def _change_resolution(self, *, high: bool) -> bytes:
        if self._body.enabled:
            raise Conflict
        self._high_resolution = high
        self._interval = _RESET_INTERVAL
        return b""

    def rapid_parameters(self, _data: bytes) -> bytes:
        """Backslash."""
        body = self._body
        wait_s = train_wait_s(body.power, body.frequency / 10, body.n_pulses)
        wait_digits = 3 if self._software[0] < _LONGER_WAIT_FROM else 4
        fields = (
            (body.power, 3),
            (body.frequency, 4),
            (body.n_pulses, codec.pulse_digits(self._software)),
            (body.duration, codec.duration_digits(self._software)),
            (min(math.ceil(wait_s * 10), 999), wait_digits),
        )
        text = b"".join(codec.digits(value, width) for value, width in fields)
        return self._rapid_byte() + text

    def system_status(self, _data: bytes) -> bytes:
        """`x`."""
        extended = ExtendedStatus(charge_delay_set=self._charge_delay > 0)
        return self._rapid_byte() + extended.to_bytes()

    def version(self, data: bytes) -> bytes:
        """`N`."""
        if data != b"D":
            raise BadData
        return ".".join(str(part) for part in self._software).encode() + b"\0"

    def error(self, _data: bytes) -> bytes:
        """`I`."""
        return b"001" if self._settings.error else b"000"

    def nothing(self, _data: bytes) -> bytes:
        """`b`."""
        return b""

    def enhanced_on(self, _data: bytes) -> bytes:
        """`^`."""
        if self._body.in_train_mode or self._body.enabled:
            raise Conflict
        self._body.enhanced = True
        return self._rapid_byte()

    def enhanced_off(self, _data: bytes) -> bytes:
        """`_`."""
        if self._body.enabled:
            raise Conflict
        self._body.enhanced = False
        if self._body.power > _NORMAL_POWER:
            self._body.set_power(_NORMAL_POWER)
        return self._rapid_byte()

    def set_frequency(self, data: bytes) -> bytes:
        """`B`."""
        tenths = _number(data)
        if tenths == 0:
            raise Conflict
        self._check_frequency(tenths, self._body.power)
        self._body.frequency = tenths
        return self._rapid_byte()

    def set_pulses(self, data: bytes) -> bytes:
        """`D`."""
        count = _number(data)
        most = 6000 if self._software[0] >= codec.LONG_FIELDS else 1000
        if not 1 <= count <= most:
            raise Conflict
        self._body.n_pulses = count
        return self._rapid_byte()

    def set_duration(self, data: bytes) -> bytes:
        """`[`."""
        tenths = _number(data)
        longest = 1000 if self._software[0] >= codec.LONG_FIELDS else 100
        if tenths > longest or (tenths > 0 and self._body.enhanced):
            raise Conflict
        self._body.duration = tenths
        return self._rapid_byte()

    def set_charge_delay(self, data: bytes) -> bytes:
        """`n`."""
        delay_ms = _number(data)
        wide = self._software[0] >= codec.WIDE_CHARGE_DELAY
        if delay_ms > (10000 if wide else 2000):
            raise Conflict
        self._charge_delay = delay_ms
        return self.system_status(b"") if wide else self._rapid_byte()

    def charge_delay(self, _data: bytes) -> bytes:
        """`o`."""
        width = codec.charge_delay_digits(self._software)
        return codec.digits(self._charge_delay, width)

    def _check_frequency(self, tenths_hz: int, percent: int) -> None:
        settings = self._settings
        highest = max_frequency_hz(percent, settings.variant, settings.mains)
        if tenths_hz / 10 > highest:
            raise Conflict

    def _rapid_byte(self) -> bytes:
        return bytes([self._body.rapid_status().to_byte()])


def _number(data: bytes) -> int:
    if not data.isdigit():
        raise BadData
    return int(data)


_ACTIONS: Final[dict[str, Callable[[MagstimCommands, bytes], bytes]]] = {
    "Q": MagstimCommands.take_remote,
    "R": MagstimCommands.drop_remote,
    "E": MagstimCommands.enable,
    "@": MagstimCommands.set_power,
    "F": MagstimCommands.temperature,
    "J": MagstimCommands.parameters,
    "A": MagstimCommands.set_power_b,
    "C": MagstimCommands.set_interval,
    "X": MagstimCommands.mode,
    "Y": MagstimCommands.high_resolution_on,
    "Z": MagstimCommands.high_resolution_off,
    "\\": MagstimCommands.rapid_parameters,
    "x": MagstimCommands.system_status,
    "N": MagstimCommands.version,
    "I": MagstimCommands.error,
    "b": MagstimCommands.nothing,
    "^": MagstimCommands.enhanced_on,
    "_": MagstimCommands.enhanced_off,
    "B": MagstimCommands.set_frequency,
    "D": MagstimCommands.set_pulses,
    "[": MagstimCommands.set_duration,
    "n": MagstimCommands.set_charge_delay,
    "o": MagstimCommands.charge_delay,
}
