"""How long a protocol will take, stage by stage, and on what assumption."""

import dataclasses
import math
from collections.abc import Sequence

from controller.protocol.form import Protocol
from controller.protocol.patterns import layout_of
from controller.protocol.stage_forms import Run, Task
from controller.protocol.trial_list import Trial

WAIT_S = 1.0
"""Assumed wait for the rhythm once the interval is over, where no calibration tells."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One stage on the time axis.

    Parameters
    ----------
    name, kind : str
    start_s, duration_s : float
        Expected.
    n_trials : int
    exact : bool
        Whether the file fixes its duration.
    """

    name: str
    kind: str
    start_s: float
    duration_s: float
    n_trials: int
    exact: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """When everything comes, as far as it can be told.

    Parameters
    ----------
    segments : tuple of Segment
    trials : tuple of (Trial, float)
        Those that are expected to fit in, and when they come.
    assumption : str
        In words.
    """

    segments: tuple[Segment, ...]
    trials: tuple[tuple[Trial, float], ...]
    assumption: str

    @property
    def duration_s(self) -> float:
        """Of the whole session."""
        last = self.segments[-1]
        return last.start_s + last.duration_s


def expectation_of(
    protocol: Protocol,
    trials: Sequence[Trial],
    *,
    triggers_per_minute: float | None = None,
) -> Expectation:
    """Return when stages and trials come.

    Parameters
    ----------
    protocol : Protocol
    trials : sequence of Trial
        Of the whole session.
    triggers_per_minute : float, optional
        What calibration expects of the rhythm and its gates.
    """
    slowest_s = 0.0
    assumption = (
        f"assuming that each trial waits {WAIT_S:g} s for the rhythm; a calibration "
        "(--profile) knows better"
    )
    if triggers_per_minute is not None:
        slowest_s = 60.0 / triggers_per_minute if triggers_per_minute > 0 else math.inf
        assumption = (
            f"at the {triggers_per_minute:.1f} triggers a minute that the calibration "
            "expects"
        )
    segments: list[Segment] = []
    placed: list[tuple[Trial, float]] = []
    t = 0.0
    for place, stage in enumerate(protocol.stages):
        own = [trial for trial in trials if trial.stage == place]
        at_s, length_s = _trials(
            protocol, own, slowest_s, known=triggers_per_minute is not None
        )
        if stage.duration_s is not None:
            length_s = stage.duration_s
            at_s = [at for at in at_s if at <= length_s]
        placed += [(trial, t + at) for trial, at in zip(own, at_s, strict=False)]
        exact = stage.duration_s is not None or not isinstance(stage, Run | Task)
        segments.append(
            Segment(
                name=stage.name,
                kind=stage.kind,
                start_s=t,
                duration_s=length_s,
                n_trials=len(at_s),
                exact=exact,
            )
        )
        t += length_s
    return Expectation(
        segments=tuple(segments), trials=tuple(placed), assumption=assumption
    )


def _trials(
    protocol: Protocol, trials: Sequence[Trial], slowest_s: float, *, known: bool
) -> tuple[list[float], float]:
    at_s: list[float] = []
    t = 0.0
    for index, trial in enumerate(trials):
        condition = protocol.condition(trial.condition)
        wait_s = 0.0 if known or not condition.needs_phase else WAIT_S
        least_s = trial.iti_s if index > 0 else 0.0
        t += max(least_s, slowest_s if condition.needs_phase else 0.0) + wait_s
        at_s.append(t)
    if not trials:
        return [], 0.0
    last = protocol.pattern_of(protocol.condition(trials[-1].condition))
    return at_s, t + layout_of(last).duration_s
