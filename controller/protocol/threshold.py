"""The motor threshold from as few pulses as possible: maximum-likelihood hunting.

Each answer, a response or none, changes how likely every threshold is; the next pulse
is given at the likeliest. The chance of a response rises with intensity as a normal
distribution whose spread is 7 % of the threshold.

References
----------
Awiszus 2003, Supplements to Clinical Neurophysiology 56:13-23.
Pentland 1980, Perception & Psychophysics 28:377-379.
"""

import dataclasses
import enum
import math

import numpy as np
from scipy.special import log_ndtr

from controller.errors import ConfigError

SPREAD = 0.07
"""Standard deviation of the response curve over its threshold (Awiszus 2003)."""

N_LEAST, N_MOST = 10, 30
"""Pulses of a hunt, unless told otherwise."""

_GRID_STEP_PCT = 0.1
_GRID_LOWEST_PCT, _GRID_HIGHEST_PCT = 1.0, 130.0
# Two log-likelihood units less than the best: 95 % of a normal likelihood.
_DROP_95 = 1.92


class Verdict(enum.Enum):
    """Where a hunt stands."""

    GOING_ON = "going on"
    FOUND = "found"
    ABOVE = "above the highest intensity allowed"
    UNSTEADY = "not steady enough after the most pulses allowed"
    RESTLESS = "hidden, as too many pulses met a muscle that was not at rest"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HuntRules:
    """How a hunt goes on and ends; percent of the stimulator's output.

    Parameters
    ----------
    highest_pct : float
        Nothing stronger is ever asked for. No default: the study says it.
    start_pct : float
        Of the first pulse.
    step_pct : float
        What the stimulator can be set to in steps of.
    max_rise_pct : float
        From one pulse to the next, so that nobody is startled.
    n_least, n_most : int
        Pulses.
    precision : float
        The hunt ends when the 95 % interval reaches no further than this share of the
        threshold to either side.

    Raises
    ------
    ConfigError
    """

    highest_pct: float
    start_pct: float = 45.0
    step_pct: float = 1.0
    max_rise_pct: float = 15.0
    n_least: int = N_LEAST
    n_most: int = N_MOST
    precision: float = 0.05

    def __post_init__(self) -> None:
        for name, lowest, highest in (
            ("highest_pct", 1.0, 100.0),
            ("start_pct", 1.0, self.highest_pct),
            ("step_pct", 0.1, 5.0),
            ("max_rise_pct", self.step_pct, 100.0),
            ("n_least", 4, 1000),
            ("n_most", self.n_least, 1000),
            ("precision", 0.005, 0.5),
        ):
            value = float(getattr(self, name))
            if not lowest <= value <= highest:
                raise ConfigError(
                    f"threshold.{name} is {value:g}, but must be from {lowest:g} to "
                    f"{highest:g}."
                )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A pulse and whether the muscle answered.

    Parameters
    ----------
    pct_mso : float
    responded : bool
    """

    pct_mso: float
    responded: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The likeliest threshold and how far it may be off.

    Parameters
    ----------
    pct_mso : float
    low_pct_mso, high_pct_mso : float
        95 % likelihood interval.
    """

    pct_mso: float
    low_pct_mso: float
    high_pct_mso: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """A hunt so far.

    Parameters
    ----------
    rules : HuntRules
    answers : tuple of Answer
    """

    rules: HuntRules
    answers: tuple[Answer, ...] = ()

    def with_answer(self, pct_mso: float, *, responded: bool) -> "Hunt":
        """Return the hunt after one more pulse."""
        if not 0.0 < pct_mso <= self.rules.highest_pct:
            raise ConfigError(
                f"A pulse of {pct_mso:g} % is no part of this hunt, which allows up to "
                f"{self.rules.highest_pct:g} %."
            )
        answer = Answer(pct_mso=pct_mso, responded=responded)
        return dataclasses.replace(self, answers=(*self.answers, answer))

    def corrected(self) -> "Hunt":
        """Return the hunt with its last answer turned round; the pulse stays given."""
        if not self.answers:
            return self
        last = self.answers[-1]
        turned = dataclasses.replace(last, responded=not last.responded)
        return dataclasses.replace(self, answers=(*self.answers[:-1], turned))

    def estimate(self) -> Estimate:
        """Return the likeliest threshold."""
        grid = np.arange(_GRID_LOWEST_PCT, _GRID_HIGHEST_PCT, _GRID_STEP_PCT)
        logs = self._log_likelihood(grid)
        best = float(np.max(logs))
        # Where several are as likely, the middle of them.
        likeliest = grid[logs >= best - 1e-9]
        inside = grid[logs >= best - _DROP_95]
        return Estimate(
            pct_mso=float((likeliest[0] + likeliest[-1]) / 2.0),
            low_pct_mso=float(inside[0]),
            high_pct_mso=float(inside[-1]),
        )

    def verdict(self) -> Verdict:
        """Return where the hunt stands."""
        rules, n = self.rules, len(self.answers)
        if n < rules.n_least:
            return Verdict.GOING_ON
        if self._silent_at_the_top():
            return Verdict.ABOVE
        found = self.estimate()
        off = max(found.high_pct_mso - found.pct_mso, found.pct_mso - found.low_pct_mso)
        if off <= rules.precision * found.pct_mso:
            above = found.pct_mso > rules.highest_pct
            return Verdict.ABOVE if above else Verdict.FOUND
        return Verdict.GOING_ON if n < rules.n_most else Verdict.UNSTEADY

    def next_pct_mso(self) -> float | None:
        """Return the intensity of the next pulse; None when the hunt is over."""
        if self.verdict() is not Verdict.GOING_ON:
            return None
        rules = self.rules
        wanted = rules.start_pct
        if self.answers:
            wanted = min(
                self.estimate().pct_mso,
                self.answers[-1].pct_mso + rules.max_rise_pct,
            )
        # Down to the stimulator's grid at the top: never above what is allowed.
        steps = round(wanted / rules.step_pct)
        highest = math.floor(rules.highest_pct / rules.step_pct + 1e-9)
        return max(1, min(steps, highest)) * rules.step_pct

    def _silent_at_the_top(self) -> bool:
        """Whether the strongest pulse allowed went without response three times."""
        top = self.rules.highest_pct - self.rules.step_pct
        strongest = [each for each in self.answers if each.pct_mso > top]
        return len(strongest) >= 3 and not any(each.responded for each in strongest)

    def _log_likelihood(
        self, grid: np.ndarray[tuple[int], np.dtype[np.float64]]
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        # Nobody answers to no stimulus, everybody to far more than a machine has:
        # with these two, all answers alike still have a likeliest threshold.
        pct = np.array([0.0, _GRID_HIGHEST_PCT, *(a.pct_mso for a in self.answers)])
        sign = np.array(
            [-1.0, 1.0, *(1.0 if a.responded else -1.0 for a in self.answers)]
        )
        z = (pct[:, None] - grid[None, :]) / (SPREAD * grid[None, :])
        logs: np.ndarray[tuple[int], np.dtype[np.float64]] = np.sum(
            log_ndtr(sign[:, None] * z), axis=0
        )
        return logs
