"""Where a device's clock stands, from exchanges that ask for it.

An exchange tells for certain only that the device read its clock between question and
answer. Short exchanges tell more than long ones, recent ones more than old ones; a
straight line is fitted to them, and its error is known.
"""

import dataclasses
import math
from typing import Final

from drivers.base import DriverError

# Crystals of micro-controllers keep within 100 ppm of each other.
_DRIFT_SD: Final = 100e-6
_MEMORY_S: Final = 60.0
_MIN_SD_S: Final = 5e-6
_SLOW_FACTOR: Final = 2.0
_SLOW_MARGIN_S: Final = 100e-6
# A shortest exchange is forgotten slowly, or one lucky one would shut out all others.
_AGEING: Final = 0.01
_MAX_CONTRADICTIONS: Final = 3


class ClockLost(DriverError):
    """A device clock that does not run on as it did, or was never read."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One reading of a device's clock.

    Parameters
    ----------
    t_before, t_after : float
        Host clock when the question left and when the answer was there, seconds.
    t_dev : float
        What the device's clock said, seconds.
    """

    t_before: float
    t_after: float
    t_dev: float


class ClockMap:
    """A straight line from host time to device time, by decayed weighted regression.

    Notes
    -----
    The line is fitted to `t_dev` minus the middle of the exchange. An exchange has the
    weight of a quarter of its length as standard deviation, and fades with a time
    constant of 60 s; the drift has a prior of 0 with a standard deviation of 100 ppm.
    Exchanges much longer than the shortest are left out. An exchange that the line
    contradicts, beyond its own length and the line's error, is left out too; three in
    a row mean that the device's clock has jumped.
    """

    def __init__(self) -> None:
        self._weight = 0.0
        self._mean_t = 0.0
        self._mean_offset = 0.0
        self._spread = 0.0
        self._joint = 0.0
        self._t_last = -math.inf
        self._shortest_s = math.inf
        self._contradictions = 0
        self.n_used = 0

    @property
    def drift(self) -> float:
        """Seconds that the device gains in each second of the host."""
        return self._joint / (self._spread + 1.0 / _DRIFT_SD**2)

    def add(self, exchange: Exchange) -> bool:
        """Take an exchange into account; return whether it was used.

        Raises
        ------
        ClockLost
            If an instant is not finite or out of order, or the clock has jumped.
        """
        length_s = exchange.t_after - exchange.t_before
        if not (length_s >= 0 and math.isfinite(length_s + exchange.t_dev)):
            raise ClockLost(
                f"A reading of the device's clock took {length_s:g} s; the host's "
                "clock is not fit for use."
            )
        middle = exchange.t_before + length_s / 2
        if not middle >= self._t_last:
            raise ClockLost("A reading of the device's clock came out of order.")
        self._age_shortest(middle, length_s)
        if length_s > _SLOW_FACTOR * self._shortest_s + _SLOW_MARGIN_S:
            return False
        offset = exchange.t_dev - middle
        if self.n_used and self._contradicts(middle, offset, length_s):
            return False
        self._fit(middle, offset, max(length_s / 4, _MIN_SD_S))
        return True

    def to_device(self, t: float) -> float:
        """Return the device's clock, seconds, at an instant of the host's.

        Raises
        ------
        ClockLost
            If no exchange was used yet.
        """
        return t + self._offset(t)

    def to_host(self, t_dev: float) -> float:
        """Return the host's clock, seconds, at an instant of the device's.

        Raises
        ------
        ClockLost
            If no exchange was used yet.
        """
        about = t_dev - self._offset(self._mean_t)
        drift = self.drift
        return about - drift * (about - self._mean_t) / (1.0 + drift)

    def bound_s(self, t: float) -> float:
        """Return how far off `to_device(t)` may be.

        Half the shortest exchange, as ways there and back may differ by all of it, and
        three standard errors of the line.

        Raises
        ------
        ClockLost
            If no exchange was used yet.
        """
        self._expect_used()
        return self._shortest_s / 2 + 3.0 * self._standard_error_s(t)

    def _age_shortest(self, middle: float, length_s: float) -> None:
        if math.isfinite(self._shortest_s):
            self._shortest_s *= 1.0 + _AGEING * (middle - self._t_last)
        self._shortest_s = min(self._shortest_s, length_s)
        self._t_last = middle

    def _contradicts(self, middle: float, offset: float, length_s: float) -> bool:
        off_by = abs(offset - self._offset(middle))
        if off_by <= length_s / 2 + self.bound_s(middle):
            self._contradictions = 0
            return False
        self._contradictions += 1
        if self._contradictions >= _MAX_CONTRADICTIONS:
            raise ClockLost(
                f"The device's clock has jumped by about {off_by:.3g} s; it was "
                "restarted, so start a new run."
            )
        return True

    def _fit(self, middle: float, offset: float, sd_s: float) -> None:
        weight = 1.0 / sd_s**2
        if not self.n_used:
            self._weight = weight
            self._mean_t, self._mean_offset = middle, offset
        else:
            self._update(middle, offset, weight)
        self.n_used += 1
        self._t_fit = middle

    def _update(self, middle: float, offset: float, weight: float) -> None:
        fade = math.exp(-(middle - self._t_fit) / _MEMORY_S)
        self._weight = fade * self._weight + weight
        from_mean = middle - self._mean_t
        from_mean_offset = offset - self._mean_offset
        self._mean_t += weight / self._weight * from_mean
        self._mean_offset += weight / self._weight * from_mean_offset
        left = weight * from_mean
        self._spread = fade * self._spread + left * (middle - self._mean_t)
        self._joint = fade * self._joint + left * (offset - self._mean_offset)

    def _offset(self, t: float) -> float:
        self._expect_used()
        return self._mean_offset + self.drift * (t - self._mean_t)

    def _standard_error_s(self, t: float) -> float:
        away = t - self._mean_t
        return math.sqrt(
            1.0 / self._weight + away**2 / (self._spread + 1.0 / _DRIFT_SD**2)
        )

    def _expect_used(self) -> None:
        if not self.n_used:
            raise ClockLost(
                "The device's clock was not read yet; open the output and check() it."
            )
