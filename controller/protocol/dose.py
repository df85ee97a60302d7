"""What a protocol gives: pulses by condition, session, day and in all."""

import dataclasses
from collections.abc import Sequence

from controller.protocol.condition_forms import Condition
from controller.protocol.form import Protocol
from controller.protocol.pattern_forms import Pattern
from controller.protocol.patterns import Layout, layout_of
from controller.protocol.trial_list import Trial


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConditionDose:
    """One condition's share of a session.

    Parameters
    ----------
    condition : Condition
    pattern : Pattern
    layout : Layout
    n_trials : int
        Shadows included.
    n_shadows : int
    """

    condition: Condition
    pattern: Pattern
    layout: Layout
    n_trials: int
    n_shadows: int

    @property
    def n_patterns(self) -> int:
        """Patterns that are fired."""
        if not self.condition.gives_pulses:
            return 0
        return self.n_trials - self.n_shadows

    @property
    def n_pulses(self) -> int:
        """Pulses that are given."""
        return self.n_patterns * self.layout.n_pulses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDose:
    """A protocol's dose, if everything is given.

    Parameters
    ----------
    conditions : tuple of ConditionDose
    sessions_per_day, days : int
    """

    conditions: tuple[ConditionDose, ...]
    sessions_per_day: int
    days: int

    @property
    def per_session(self) -> int:
        """Pulses in one session."""
        return sum(each.n_pulses for each in self.conditions)

    @property
    def per_day(self) -> int:
        """Pulses in one day."""
        return self.per_session * self.sessions_per_day

    @property
    def total(self) -> int:
        """Pulses in all."""
        return self.per_day * self.days

    @property
    def trains_per_session(self) -> int:
        """Patterns of more than one pulse in one session."""
        return sum(
            each.n_patterns for each in self.conditions if each.layout.n_pulses > 1
        )


def planned_dose(protocol: Protocol, trials: Sequence[Trial]) -> PlannedDose:
    """Return what a session with these trials gives."""
    doses = []
    for condition in protocol.conditions:
        own = [trial for trial in trials if trial.condition == condition.name]
        pattern = protocol.pattern_of(condition)
        doses.append(
            ConditionDose(
                condition=condition,
                pattern=pattern,
                layout=layout_of(pattern),
                n_trials=len(own),
                n_shadows=sum(trial.shadow for trial in own),
            )
        )
    return PlannedDose(
        conditions=tuple(doses),
        sessions_per_day=protocol.schedule.sessions_per_day,
        days=protocol.schedule.days,
    )
