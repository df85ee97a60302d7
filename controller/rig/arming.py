"""A session's arming: asked for, confirmed by a person, and over after a while."""

import math

from controller.engine.control import ControlWords
from controller.errors import NotArmed
from controller.safety.arming import Arming
from controller.safety.interlock import Permit, State

ANSWER_WITHIN_S = 120.0
"""How long a person has to confirm; the rest is recorded on meanwhile, but what it
promised grows old."""


def vouch_for_absent(words: ControlWords, *, console: bool, stimulator: bool) -> None:
    """Vouch for what a session does without, so that only that is not waited for.

    Parameters
    ----------
    words : ControlWords
    console : bool
        Whether there is a console, which then vouches for itself, beat by beat.
    stimulator : bool
        Whether there is a stimulator that tells its state; whoever reads it vouches.
    """
    if not console:
        words.vouch_until(Permit.CONSOLE, math.inf)
    if not stimulator:
        words.vouch_until(Permit.DEVICE, math.inf)


class SessionArming:
    """The two steps of arming, and the permit that comes of them.

    Parameters
    ----------
    words : ControlWords
    max_armed_s : float
        How long an arming lasts.
    """

    def __init__(self, words: ControlWords, max_armed_s: float) -> None:
        self._words = words
        self._arming = Arming(max_armed_s, confirm_within_s=ANSWER_WITHIN_S)

    def request(self, output: str, t_now: float) -> None:
        """Ask to arm an output, named in a phrase: the first step.

        Raises
        ------
        NotArmed
        """
        self._arming.request(output, t_now)

    def confirm(self, output: str, t_now: float) -> None:
        """Take a person's confirmation: the second step. Nothing may fire yet.

        Raises
        ------
        NotArmed
            Too late, or for another output.
        """
        self._arming.confirm(output, t_now)

    def give(self, output: str, t_now: float) -> float:
        """Let the loop fire until the arming ends by itself; return that instant.

        Raises
        ------
        NotArmed
            Nobody has confirmed, or too long ago.
        """
        if self._arming.state(t_now) is not State.ARMED:
            raise NotArmed(
                f"The {output} was not armed, so nothing was fired; start again and "
                "confirm, or pass --arm."
            )
        self._words.vouch_until(Permit.ARMED, self._arming.armed_until)
        return self._arming.armed_until

    def latch(self, sentence: str) -> None:
        """Latch a fault: nothing may fire, and nobody can arm this session again."""
        self._words.withdraw(Permit.ALL)
        self._arming.latch(sentence)
