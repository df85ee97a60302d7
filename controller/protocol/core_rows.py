"""From the list of trials to the rows that the compiled core decides on, one by one."""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from controller.core.records import PATTERN, PATTERN_EDGE, TRIAL, TrialKind
from controller.errors import ConfigError
from controller.kernels.jit import new_records
from controller.protocol.condition_forms import (
    Condition,
    Control,
    OpenLoop,
    PowerGate,
    Yoked,
)
from controller.protocol.form import Protocol
from controller.protocol.pattern_forms import Paired
from controller.protocol.patterns import Edge, Layout, edges_of, layout_of
from controller.protocol.trial_list import Trial

NO_PATTERN = 0
"""Pattern without an edge: shadows and controls."""

RISE, FALL = 0, 1
"""Wire actions of a pattern's edges, in the order in which a driver gives them."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One decision of the core: a trial, or one burst of a trial locked at each.

    Parameters
    ----------
    trial : int
        Number of its trial.
    burst : int
        Which decision of the trial it is, from 0.
    is_last : bool
        Whether the trial is over with it.
    kind : TrialKind
    target_phase_rad : float
        NaN unless `kind` is PHASE.
    earliest_s : float
        After the first edge of the trial before, and of the burst before where the
        row is a later one.
    condition : int
        Place among the protocol's conditions.
    pattern : int
        Place among the patterns, whether it is fired or not.
    n_before, n_left : int
        Rises of the trial's rows before this one, and from this one on: what the
        interlock asks for, to which bursts of one trial are one train.
    fires : bool
        False for shadows and controls: recorded as if.
    at_s : float
        Of a yoked row: when it comes, counted from the stage's first; NaN otherwise.
    power_side : int
        1 to wait for a strong rhythm, -1 for a weak one, 0 for either.
    power_quantile : float
        NaN unless `power_side` is set.
    """

    trial: int
    burst: int
    is_last: bool
    kind: TrialKind
    target_phase_rad: float
    earliest_s: float
    condition: int
    pattern: int
    n_before: int
    n_left: int
    fires: bool
    at_s: float
    power_side: int
    power_quantile: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What the patterns' edges depend on beside the protocol.

    Parameters
    ----------
    pulse_s : float
        From rise to fall of the trigger line.
    falls : bool
        Whether the output is lowered by a call of its own.
    device_pairs : bool
        Whether the stimulator makes both pulses of a pair from one trigger.
    rhythm_hz : float
        How far before its turn a burst locked by itself may come: half a cycle.
    """

    pulse_s: float
    falls: bool
    device_pairs: bool
    rhythm_hz: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All that the core is told about the trials of a session.

    Parameters
    ----------
    rows : tuple of Row
    patterns : tuple of tuple of Edge
        The first has no edges.
    pulses_per_edge : tuple of int
        Of each pattern: what one rise makes the stimulator give.
    """

    rows: tuple[Row, ...]
    patterns: tuple[tuple[Edge, ...], ...]
    pulses_per_edge: tuple[int, ...]

    def trial_records(self) -> Any:
        """Return the rows as records of TRIAL."""
        records = new_records(TRIAL, max(1, len(self.rows)))
        for place, row in enumerate(self.rows):
            records.kind[place] = row.kind
            records.target_phase_rad[place] = row.target_phase_rad
            records.iti_s[place] = row.earliest_s
            records.at_s[place] = row.at_s
            records.pattern[place] = row.pattern if row.fires else NO_PATTERN
            records.condition[place] = row.condition
            records.burst[place] = row.burst
            records.more[place] = 0 if row.is_last else 1
            records.as_if[place] = 0 if row.fires else 1
            records.n_before[place] = row.n_before
            records.n_left[place] = row.n_left
            records.power_side[place] = row.power_side
            records.power_quantile[place] = row.power_quantile
        return records

    def pattern_records(self, *, falls: bool) -> tuple[Any, Any]:
        """Return records of PATTERN and PATTERN_EDGE.

        Parameters
        ----------
        falls : bool
            As in the `Wiring` that the rows were made with.
        """
        kept = [
            [edge for edge in edges if edge.rises or falls] for edges in self.patterns
        ]
        patterns = new_records(PATTERN, len(kept))
        records = new_records(PATTERN_EDGE, max(1, sum(map(len, kept))))
        at = 0
        for place, edges in enumerate(kept):
            patterns.first_edge[place] = at
            patterns.n_edges[place] = len(edges)
            for edge in edges:
                records.offset_s[at] = edge.offset_s
                records.action[at] = RISE if edge.rises else FALL
                records.rises[at] = 1 if edge.rises else 0
                at += 1
        return patterns, records


def rows_of(
    protocol: Protocol,
    trials: Sequence[Trial],
    wiring: Wiring,
    yoked_s: Mapping[str, Sequence[float]] | None = None,
) -> Rows:
    """Return what the core decides on, in order.

    Parameters
    ----------
    protocol : Protocol
    trials : sequence of Trial
        All, or those that are left of a session.
    wiring : Wiring
    yoked_s : mapping of str to sequence of float, optional
        By condition: when the other session's trials came, seconds from its first.

    Raises
    ------
    ConfigError
        The line would still be high when a pattern's next pulse is due, or a yoked
        condition has more trials than the session that it follows.
    """
    known: dict[tuple[tuple[Edge, ...], int], int] = {((), 0): NO_PATTERN}
    parts: dict[str, _Parts] = {}
    for place, condition in enumerate(protocol.conditions):
        layout, n_per_edge = _layout(protocol, condition, wiring)
        parts[condition.name] = _Parts(
            condition=condition,
            place=place,
            layout=layout,
            patterns=tuple(
                known.setdefault((edges, n_per_edge), len(known))
                for edges in edges_of(layout, wiring.pulse_s)
            ),
        )
    rows: list[Row] = []
    place_in_stage = itertools.groupby(trials, key=lambda trial: trial.stage)
    for place, trial in (
        pair for _, group in place_in_stage for pair in enumerate(group)
    ):
        part = parts[trial.condition]
        at_s = math.nan
        if isinstance(part.condition.when, Yoked):
            at_s = _yoked_at(part.condition, yoked_s or {}, place)
        rows += _rows(part, trial, wiring, at_s)
    return Rows(
        rows=tuple(rows),
        patterns=tuple(edges for edges, _ in known),
        pulses_per_edge=tuple(n_per_edge for _, n_per_edge in known),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    condition: Condition
    place: int
    layout: Layout
    patterns: tuple[int, ...]


def _layout(
    protocol: Protocol, condition: Condition, wiring: Wiring
) -> tuple[Layout, int]:
    pattern = protocol.pattern_of(condition)
    if isinstance(pattern, Paired) and wiring.device_pairs:
        return Layout(pulses_s=(0.0,)), 2
    return layout_of(pattern), 1


def _yoked_at(
    condition: Condition, yoked_s: Mapping[str, Sequence[float]], place: int
) -> float:
    times_s = yoked_s.get(condition.name, ())
    if not place < len(times_s):
        raise ConfigError(
            f"conditions: {condition.name!r} is yoked to a session with "
            f"{len(times_s)} trials, fewer than its stage has; shorten the stage."
        )
    return float(times_s[place])


def _rows(part: _Parts, trial: Trial, wiring: Wiring, at_s: float) -> list[Row]:
    when = part.condition.when
    kind = _kind(trial, part.condition)
    side, quantile = 0, math.nan
    if isinstance(when, PowerGate):
        side, quantile = (1 if when.level == "high" else -1), when.percentile / 100.0
    rows = []
    counts = [len(pulses_s) for pulses_s in part.layout.segments_s()]
    for burst, pattern in enumerate(part.patterns):
        earliest_s = trial.iti_s
        if burst > 0:
            earliest_s = _between_bursts_s(part.layout, burst, wiring)
        rows.append(
            Row(
                trial=trial.number,
                burst=burst,
                is_last=burst == len(part.patterns) - 1,
                kind=kind,
                target_phase_rad=(
                    math.nan
                    if trial.target_phase_rad is None
                    else trial.target_phase_rad
                ),
                earliest_s=earliest_s,
                condition=part.place,
                pattern=pattern,
                n_before=sum(counts[:burst]),
                n_left=sum(counts[burst:]),
                fires=part.condition.gives_pulses and not trial.shadow,
                at_s=at_s,
                power_side=side,
                power_quantile=quantile,
            )
        )
    return rows


def _kind(trial: Trial, condition: Condition) -> TrialKind:
    if isinstance(condition.when, Yoked):
        return TrialKind.YOKED
    if isinstance(condition.when, OpenLoop | Control):
        return TrialKind.CLOCK
    return TrialKind.ANY_PHASE if trial.target_phase_rad is None else TrialKind.PHASE


def _between_bursts_s(layout: Layout, burst: int, wiring: Wiring) -> float:
    """Return when a burst may follow the one before: half a cycle before its turn.

    The crossing nearest to its turn is then the first one that is allowed.
    """
    pulses_s, starts = layout.pulses_s, layout.decisions
    turn_s = pulses_s[starts[burst]] - pulses_s[starts[burst - 1]]
    busy_s = pulses_s[starts[burst] - 1] - pulses_s[starts[burst - 1]]
    early_s = 0.5 / wiring.rhythm_hz if wiring.rhythm_hz > 0.0 else 0.0
    return max(turn_s - early_s, busy_s + layout.min_gap_s)
