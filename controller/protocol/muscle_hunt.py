"""A hunt for the motor threshold by what the muscle's electrodes show.

Pure: whoever gives the pulses hands in what came of each, live or in virtual time.
"""

import dataclasses
import math
from collections.abc import Callable

from controller.protocol.motor_response import Response, ResponseRules
from controller.protocol.threshold import Estimate, Hunt, HuntRules, Verdict

MOST_UNCOUNTED = 10
"""Pulses that may tell nothing, of a tense muscle for example, before a hunt ends."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GivenPulse:
    """A pulse of a hunt and what came of it.

    Parameters
    ----------
    pct_mso : float
    mep_uv, before_uv : float or None
        Peak to peak after and before it; None where it cannot be said.
    responded : bool or None
        None if the pulse does not count.
    why_not : str or None
        Why it does not count.
    """

    pct_mso: float
    mep_uv: float | None
    before_uv: float | None
    responded: bool | None
    why_not: str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MuscleHunt:
    """A hunt so far.

    Parameters
    ----------
    hunt : Hunt
        Of the pulses that count.
    rules : ResponseRules
    pulses : tuple of GivenPulse
        All of them.
    """

    hunt: Hunt
    rules: ResponseRules
    pulses: tuple[GivenPulse, ...] = ()

    @classmethod
    def begun(cls, hunt: HuntRules, rules: ResponseRules) -> "MuscleHunt":
        """Return a hunt before its first pulse."""
        return cls(hunt=Hunt(rules=hunt), rules=rules)

    @property
    def n_uncounted(self) -> int:
        """How many pulses told nothing."""
        return len(self.pulses) - len(self.hunt.answers)

    def with_response(self, pct_mso: float, response: Response) -> "MuscleHunt":
        """Return the hunt after one more pulse.

        Raises
        ------
        ConfigError
            The pulse was stronger than the hunt allows.
        """
        responded = None
        if response.counts:
            responded = response.mep_uv >= self.rules.criterion_uv
        pulse = GivenPulse(
            pct_mso=pct_mso,
            mep_uv=_known(response.mep_uv),
            before_uv=_known(response.before_uv),
            responded=responded,
            why_not=response.why_not,
        )
        hunt = self.hunt
        if responded is not None:
            hunt = hunt.with_answer(pct_mso, responded=responded)
        return dataclasses.replace(self, hunt=hunt, pulses=(*self.pulses, pulse))

    def estimate(self) -> Estimate:
        """Return the likeliest threshold."""
        return self.hunt.estimate()

    def verdict(self) -> Verdict:
        """Return where the hunt stands."""
        verdict = self.hunt.verdict()
        if verdict is Verdict.GOING_ON and self.n_uncounted >= MOST_UNCOUNTED:
            return Verdict.RESTLESS
        return verdict

    def next_pct_mso(self) -> float | None:
        """Return the intensity of the next pulse; None when the hunt is over."""
        if self.verdict() is not Verdict.GOING_ON:
            return None
        return self.hunt.next_pct_mso()


def most_pulses(rules: HuntRules) -> int:
    """Return how many pulses a hunt may take at the most."""
    return rules.n_most + MOST_UNCOUNTED


def hunt_down(
    hunt: MuscleHunt,
    stimulate: Callable[[float], Response],
    tell: Callable[[MuscleHunt], None] = lambda _hunt: None,
) -> MuscleHunt:
    """Go on with a hunt to its end.

    Parameters
    ----------
    hunt : MuscleHunt
    stimulate : callable
        Gives a pulse of an intensity, percent of output; returns what came of it.
    tell : callable
        Gets the hunt after every pulse.
    """
    while (pct_mso := hunt.next_pct_mso()) is not None:
        hunt = hunt.with_response(pct_mso, stimulate(pct_mso))
        tell(hunt)
    return hunt


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 2)
