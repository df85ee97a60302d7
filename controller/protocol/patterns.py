"""From a pattern to the instants of its pulses and of the edges on the trigger line."""

import dataclasses
import itertools
import math

from controller.errors import ConfigError
from controller.protocol.pattern_forms import (
    REPETITIVE,
    Burst,
    ContinuousThetaBurst,
    Custom,
    IntermittentThetaBurst,
    Paired,
    Pattern,
    Sequence,
    Single,
    ThetaBurst,
    Train,
)

LONGEST_SINGLE_BURST_S = 0.5
"""A pattern of more than two pulses that lasts longer counts as repetitive."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """When a pattern's pulses come, seconds from the first.

    Parameters
    ----------
    pulses_s : tuple of float
        Ascending from 0; as if every burst came in its turn.
    decisions : tuple of int
        Pulses for which the phase is met anew; the first is always one.
    repetitive : bool
        Whether the rules for trains apply.
    """

    pulses_s: tuple[float, ...]
    decisions: tuple[int, ...] = (0,)
    repetitive: bool = False

    @property
    def n_pulses(self) -> int:
        """How many pulses there are."""
        return len(self.pulses_s)

    @property
    def duration_s(self) -> float:
        """From the first pulse to the last."""
        return self.pulses_s[-1]

    @property
    def min_gap_s(self) -> float:
        """Shortest time from pulse to pulse; infinite for a single one."""
        gaps = (b - a for a, b in itertools.pairwise(self.pulses_s))
        return min(gaps, default=math.inf)

    @property
    def peak_frequency_hz(self) -> float:
        """Pulses a second where they are closest, 0 for a single one."""
        return 1.0 / self.min_gap_s

    @property
    def mean_frequency_hz(self) -> float:
        """Pulses a second on average, 0 for a single one."""
        if self.n_pulses < 2:
            return 0.0
        return (self.n_pulses - 1) / self.duration_s

    def duty(self, period_s: float) -> float:
        """Return the share of time under stimulation, once every `period_s`."""
        # The last pulse of a train is followed by its interval, as the others are.
        on_s = self.duration_s + (self.min_gap_s if self.n_pulses > 1 else 0.0)
        return on_s / period_s

    def segments_s(self) -> tuple[tuple[float, ...], ...]:
        """Return the pulses of each decision, seconds from the decision's first."""
        ends = (*self.decisions[1:], self.n_pulses)
        return tuple(
            tuple(_since(self.pulses_s[a], pulse) for pulse in self.pulses_s[a:b])
            for a, b in zip(self.decisions, ends, strict=True)
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A change of the trigger line.

    Parameters
    ----------
    offset_s : float
        From the first edge of the same decision.
    rises : bool
        Whether it makes a pulse.
    """

    offset_s: float
    rises: bool


def layout_of(pattern: Pattern) -> Layout:
    """Return when the pulses of a pattern come."""
    match pattern:
        case Single():
            pulses: list[float] = [0.0]
        case Paired():
            pulses = [0.0, pattern.interval_ms / 1e3]
        case Burst():
            pulses = _regular(pattern.n_pulses, pattern.interval_ms / 1e3)
        case Sequence():
            gaps_s = [gap / 1e3 for gap in pattern.intervals_ms]
            pulses = list(itertools.accumulate(gaps_s, initial=0.0))
        case Train():
            pulses = _regular(pattern.n_pulses, 1.0 / pattern.frequency_hz)
        case IntermittentThetaBurst() | ContinuousThetaBurst():
            return _theta_bursts(pattern)
        case Custom():
            pulses = [offset / 1e3 for offset in pattern.offsets_ms]
    _require_order(pattern, pulses)
    long = len(pulses) > 2 and pulses[-1] > LONGEST_SINGLE_BURST_S
    repetitive = isinstance(pattern, REPETITIVE) or long
    return Layout(pulses_s=tuple(pulses), repetitive=repetitive)


def edges_of(layout: Layout, pulse_s: float) -> tuple[tuple[Edge, ...], ...]:
    """Return the edges of each decision: up at every pulse, down `pulse_s` later.

    Parameters
    ----------
    layout : Layout
    pulse_s : float
        From rise to fall.

    Raises
    ------
    ConfigError
        The line would still be high when the next pulse is due.
    """
    if not 0.0 < pulse_s < layout.min_gap_s:
        raise ConfigError(
            f"output.pulse_ms is {pulse_s * 1e3:g} ms, but the pattern's pulses are "
            f"{layout.min_gap_s * 1e3:g} ms apart, and the line must come down between "
            "them; shorten output.pulse_ms."
        )
    return tuple(
        tuple(
            Edge(offset_s=offset_s, rises=rises)
            for pulse in segment
            for offset_s, rises in ((pulse, True), (pulse + pulse_s, False))
        )
        for segment in layout.segments_s()
    )


def _since(start_s: float, pulse_s: float) -> float:
    # To the picosecond, so that bursts alike are alike to the last bit.
    return pulse_s if start_s == 0.0 else round(pulse_s - start_s, 12)


def _regular(n: int, interval_s: float) -> list[float]:
    # By multiplication: adding up would let rounding grow along a train.
    return [index * interval_s for index in range(n)]


def _theta_bursts(pattern: ThetaBurst) -> Layout:
    within_s = 1.0 / pattern.frequency_hz
    apart_s = 1.0 / pattern.bursts_per_s
    pulses = [
        burst * apart_s + pulse * within_s
        for burst in range(pattern.n_bursts)
        for pulse in range(pattern.pulses_per_burst)
    ]
    _require_order(pattern, pulses)
    starts = range(0, len(pulses), pattern.pulses_per_burst)
    return Layout(
        pulses_s=tuple(pulses),
        decisions=tuple(starts) if pattern.lock == "each" else (0,),
        repetitive=True,
    )


def _require_order(pattern: Pattern, pulses: list[float]) -> None:
    if pulses[0] != 0.0:
        raise ConfigError(
            f"pattern.offsets_ms begins with {pulses[0] * 1e3:g}, but the first pulse "
            "is at 0; subtract it from every offset."
        )
    if not all(b - a >= 1e-3 * (1.0 - 1e-9) for a, b in itertools.pairwise(pulses)):
        raise ConfigError(
            f"pattern: two pulses of the {pattern.kind} pattern are less than 1 ms "
            "apart or out of order; raise the interval, or have fewer pulses in a "
            "burst."
        )
