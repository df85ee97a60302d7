"""The temperature of a simulated coil: up with each pulse, down in between."""

import math


class WarmCoil:
    """A body that warms by joules and cools towards the room.

    Parameters
    ----------
    coil_c, ambient_c : float
        Temperatures at the start, °C.
    heat_c_per_kj : float
        Rise for each kilojoule.
    cooling_s : float
        Time constant of the cooling.
    t : float
        The start, seconds.
    """

    def __init__(
        self,
        *,
        coil_c: float,
        ambient_c: float,
        heat_c_per_kj: float,
        cooling_s: float,
        t: float = -math.inf,
    ) -> None:
        self._excess_c = coil_c - ambient_c
        self._ambient_c = ambient_c
        self._heat_c_per_kj = heat_c_per_kj
        self._cooling_s = cooling_s
        self._t = t

    def temperature_c(self, t: float) -> float:
        """Return the temperature at `t`, °C."""
        return self._ambient_c + self._excess_at(t)

    def warm(self, joules: float, t: float) -> None:
        """Add the heat of a pulse."""
        self._excess_c = self._excess_at(t) + joules / 1000 * self._heat_c_per_kj
        self._t = t

    def _excess_at(self, t: float) -> float:
        if not math.isfinite(self._t):
            # Nobody has looked yet: the cooling starts with the first look.
            self._t = t
        return self._excess_c * math.exp(-max(0.0, t - self._t) / self._cooling_s)
