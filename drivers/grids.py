"""Values that a device takes in steps: on the grid, or refused; never rounded."""

import dataclasses
import math
from typing import Final

from drivers.stimulator import StimulatorRefused

# A decimal fraction such as 0.3 is no binary one; far below any step of a device.
_TOLERANCE: Final = 1e-6


def in_steps(value: float, step: float, what: str) -> int:
    """Return how many steps make up `value`.

    Raises
    ------
    StimulatorRefused
        If it is not a finite multiple of `step`.
    """
    if math.isfinite(value):
        count = round(value / step)
        if abs(value / step - count) <= _TOLERANCE * max(1.0, abs(count)):
            return count
    raise StimulatorRefused(
        f"{what} is {value!r}, but the device takes it in steps of {step:g}; choose a "
        "multiple of that."
    )


def whole_percent(value: float, lowest: int, highest: int, who: str) -> int:
    """Return an intensity that is a whole number of percent and in range.

    Raises
    ------
    StimulatorRefused
    """
    if math.isfinite(value) and value == int(value) and lowest <= value <= highest:
        return int(value)
    raise StimulatorRefused(
        f"{who} takes whole percent from {lowest} to {highest}, but was asked for "
        f"{value!r}; choose one of these."
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of allowed values, in units: from `low` to `high` by `step`."""

    low: int
    high: int
    step: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The values that a setting can take.

    Parameters
    ----------
    what : str
        Name of the setting, for messages.
    unit : float
        Size of one unit.
    segments : tuple of Segment
        In rising order.
    """

    what: str
    unit: float
    segments: tuple[Segment, ...]

    def units(self, value: float) -> int:
        """Return `value` in units.

        Raises
        ------
        StimulatorRefused
            If the device cannot take it.
        """
        units = in_steps(value, self.unit, self.what)
        if self.holds(units):
            return units
        raise StimulatorRefused(
            f"{self.what} cannot be {value:g}; it goes {self._in_words()}."
        )

    def holds(self, units: int) -> bool:
        """Return whether this many units are on the grid."""
        return any(
            part.low <= units <= part.high and (units - part.low) % part.step == 0
            for part in self.segments
        )

    def descending(self) -> list[int]:
        """Return all values in units, the largest first."""
        values = {
            units
            for part in self.segments
            for units in range(part.low, part.high + 1, part.step)
        }
        return sorted(values, reverse=True)

    def _in_words(self) -> str:
        return ", ".join(
            f"from {part.low * self.unit:g} to {part.high * self.unit:g} by "
            f"{part.step * self.unit:g}"
            for part in self.segments
        )
