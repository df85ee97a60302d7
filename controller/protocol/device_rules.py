"""What a stimulator allows, as the review of a protocol asks for it."""

import dataclasses
import math
from collections.abc import Callable, Iterator

from controller.protocol.patterns import Layout


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRules:
    """Rules of one model; intensities are percent of its output.

    Parameters
    ----------
    name : str
    source : str
        Where the figures come from.
    min_gap_s : callable
        Shortest time from trigger to trigger, by intensity.
    longest_train_s : callable or None
        By intensity and frequency; None where only `min_gap_s` counts.
    train_pause_s : callable or None
        Shortest pause after a train, by intensity, frequency and pulses.
    pair_s : tuple of float or None
        Intervals of pairs that it makes of one trigger.
    two_intensities : bool
        Whether the pulses of such a pair may differ.
    """

    name: str
    source: str
    min_gap_s: Callable[[float], float]
    longest_train_s: Callable[[float, float], float] | None = None
    train_pause_s: Callable[[float, float, int], float] | None = None
    pair_s: tuple[float, float] | None = None
    two_intensities: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a condition asks of the stimulator.

    Parameters
    ----------
    layout : Layout
    pct_mso : float or None
        The strongest pulse; None while the motor threshold is unknown.
    is_pair, differs : bool
        Whether it is a pair, and one of two intensities.
    pause_s : float
        Shortest time from its last pulse to the next pattern.
    """

    layout: Layout
    pct_mso: float | None
    is_pair: bool
    differs: bool
    pause_s: float


def device_complaints(rules: DeviceRules, asked: Asked) -> Iterator[str]:
    """Yield what the device does not allow, without naming the condition.

    While the motor threshold is unknown, its rules at full output count.
    """
    pct = 100.0 if asked.pct_mso is None else asked.pct_mso
    at = (
        "at full output, for the motor threshold is unknown"
        if asked.pct_mso is None
        else f"at {pct:.0f} %"
    )
    gap_s = rules.min_gap_s(pct)
    if not asked.pause_s >= gap_s * (1.0 - 1e-9):
        yield (
            f"intervals leave {asked.pause_s:g} s between patterns, but the "
            f"{rules.name} needs {gap_s:g} s from trigger to trigger {at}."
        )
    if asked.differs and not rules.two_intensities:
        yield (
            f"intensity gives the two pulses of a pair different intensities, which "
            f"the {rules.name} cannot do."
        )
    if asked.is_pair and rules.pair_s is not None:
        shortest_s, longest_s = rules.pair_s
        if not shortest_s <= asked.layout.duration_s <= longest_s:
            yield (
                f"pattern.interval_ms must be from {shortest_s * 1e3:g} to "
                f"{longest_s * 1e3:g} for the {rules.name}."
            )
    elif not asked.layout.min_gap_s >= gap_s * (1.0 - 1e-9):
        yield (
            f"pattern has pulses {asked.layout.min_gap_s * 1e3:g} ms apart, but the "
            f"{rules.name} needs {gap_s * 1e3:g} ms from trigger to trigger {at}."
        )
    elif asked.layout.repetitive:
        yield from _train_complaints(rules, asked, pct, at)


def _train_complaints(
    rules: DeviceRules, asked: Asked, pct: float, at: str
) -> Iterator[str]:
    layout = asked.layout
    # Bursts heat as their mean does; the closest pulses are checked by their gap.
    hz = layout.mean_frequency_hz
    if rules.longest_train_s is not None:
        longest_s = rules.longest_train_s(pct, hz)
        if not layout.duration_s <= longest_s:
            yield (
                f"pattern lasts {layout.duration_s:.3g} s at {hz:.3g} Hz, but the "
                f"{rules.name} bears {longest_s:.3g} s of that {at}."
            )
    if rules.train_pause_s is not None:
        pause_s = rules.train_pause_s(pct, hz, layout.n_pulses)
        if not (math.isfinite(pause_s) and asked.pause_s >= pause_s):
            yield (
                f"intervals leave {asked.pause_s:.3g} s after a train, but the "
                f"{rules.name} must rest for {pause_s:.3g} s {at}."
            )
