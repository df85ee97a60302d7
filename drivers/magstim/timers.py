"""When a Magstim may next be armed, and when it may next make a pulse."""

import math
from typing import Final

from drivers.magstim.limits import CHARGE_S, settle_s
from drivers.stimulator import Now

_NEVER: Final = -math.inf


class Timers:
    """Instants before which the device is not to be asked for something.

    Parameters
    ----------
    now : callable
    """

    def __init__(self, now: Now) -> None:
        self._now = now
        self._t_settled = _NEVER
        self._t_charged = _NEVER
        self._t_next_pulse = _NEVER

    def restart(self, connect_settle_s: float) -> None:
        """Start after a connection."""
        self._t_settled = self._now() + connect_settle_s
        self._t_charged = self._t_next_pulse = _NEVER

    def power_changed(self, before: int, after: int) -> None:
        """Wait for a new power, after what is waited for already."""
        self._t_settled = max(self._t_settled, self._now()) + settle_s(before, after)

    def armed(self) -> None:
        """Wait for the charge."""
        self._t_charged = self._now() + CHARGE_S

    def seen_ready(self) -> None:
        """Believe the device that it is charged."""
        self._t_charged = _NEVER

    def pulsed(self, min_interval_s: float) -> None:
        """Wait for the recharge, or the rest after a train."""
        self._t_next_pulse = self._now() + min_interval_s

    def settling_s(self) -> float:
        """Return how long until the power, or the connection, has settled."""
        return max(0.0, self._t_settled - self._now())

    def resting_s(self) -> float:
        """Return how long the rest after the last pulse or train still lasts."""
        return max(0.0, self._t_next_pulse - self._now())

    def wait_s(self) -> float:
        """Return how long until a pulse may be triggered."""
        charging_s = self._t_charged - self._now()
        return max(self.settling_s(), self.resting_s(), charging_s)
