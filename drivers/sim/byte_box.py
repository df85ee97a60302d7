"""The state machine of a simulated byte trigger box: bytes in, line changes out.

It has no clock and no port: instants come as arguments.
"""

import dataclasses
import math
import random

from drivers.base import DriverSettingError
from drivers.sim.arrival_log import Arrival


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BoxBehaviour:
    """How a box behaves, and when it fails.

    Parameters
    ----------
    latency_s, latency_sd_s : float
        Time from the byte to the lines: normal, with draws below 0 taken as 0.
    seed : int
        Of these draws.
    pulse_width_s : float or None
        The box clears its lines after this time, and queues codes that come earlier;
        None for a box that latches.
    unplug_after, deaf_after : int or None
        After how many codes above 0 the cable comes off, or the box stops to listen.

    Raises
    ------
    DriverSettingError
        If a value is not in its range.
    """

    latency_s: float = 0.0
    latency_sd_s: float = 0.0
    seed: int = 1
    pulse_width_s: float | None = None
    unplug_after: int | None = None
    deaf_after: int | None = None

    def __post_init__(self) -> None:
        for name in ("latency_s", "latency_sd_s"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise DriverSettingError(f"{name} is {value:g}, but must be 0 or more.")
        if self.pulse_width_s is not None and not 0 < self.pulse_width_s < math.inf:
            raise DriverSettingError(
                f"pulse_width_s is {self.pulse_width_s:g}, but must be above 0."
            )
        for name in ("unplug_after", "deaf_after"):
            count = getattr(self, name)
            if count is not None and not count >= 1:
                raise DriverSettingError(f"{name} is {count}, but must be 1 or more.")


class ByteBox:
    """A box that shows each byte on its lines, in order.

    Parameters
    ----------
    behaviour : BoxBehaviour
    """

    def __init__(self, behaviour: BoxBehaviour) -> None:
        self._behaviour = behaviour
        self._draws = random.Random(behaviour.seed)  # noqa: S311 - no secret
        self._codes = 0
        self._t_free = -math.inf

    @property
    def unplugged(self) -> bool:
        """Whether the cable has come off."""
        return self._reached(self._behaviour.unplug_after)

    @property
    def deaf(self) -> bool:
        """Whether the box has stopped to listen."""
        return self._reached(self._behaviour.deaf_after)

    def take(self, received: bytes, t_received: float) -> list[Arrival]:
        """Return the line changes that the bytes of one read lead to.

        Parameters
        ----------
        received : bytes
            What one read returned; bytes after a failure of the box change nothing.
        t_received : float
            When it returned, seconds.

        Returns
        -------
        list of Arrival
            With stamps that never go back, also from one call to the next.
        """
        changes: list[Arrival] = []
        for code in received:
            if self.unplugged or self.deaf:
                break
            changes.extend(self._show(code, t_received, merged=len(received)))
        return changes

    def _show(self, code: int, t_received: float, *, merged: int) -> list[Arrival]:
        t_shown = max(t_received + self._latency_s(), self._t_free)
        self._t_free = t_shown
        shown = [Arrival(t_observed=t_shown, code=code, merged=merged)]
        if code == 0:
            return shown
        self._codes += 1
        if self._behaviour.pulse_width_s is not None:
            self._t_free = t_shown + self._behaviour.pulse_width_s
            shown.append(Arrival(t_observed=self._t_free, code=0, merged=0))
        return shown

    def _latency_s(self) -> float:
        drawn = self._draws.gauss(
            self._behaviour.latency_s, self._behaviour.latency_sd_s
        )
        return max(0.0, drawn)

    def _reached(self, count: int | None) -> bool:
        return count is not None and self._codes >= count
