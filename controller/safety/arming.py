"""The interlock's state: SAFE -> ARMED -> FAULT, moved by a person, with time as data.

Arming takes two steps by the same person, and ends by itself. A fault latches: only a
reset by a person leads back to SAFE. Calls that do not fit the state raise.
"""

import dataclasses
import math

from controller.errors import NotArmed
from controller.safety.interlock import State

CONFIRM_WITHIN_S = 30.0
"""How long a request to arm waits for its confirmation."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Request:
    """Somebody asked to arm, and has to say so again."""

    token: str
    t_requested: float


class Arming:
    """Who has armed the interlock, and until when.

    Parameters
    ----------
    max_armed_s : float
        How long an arming lasts.
    confirm_within_s : float
        How long a request waits for its confirmation.
    """

    def __init__(
        self, max_armed_s: float, *, confirm_within_s: float = CONFIRM_WITHIN_S
    ) -> None:
        if not 0.0 < max_armed_s < math.inf:
            raise ValueError(
                "The argument 'max_armed_s' must be a time above 0 s. "
                f"{max_armed_s} is invalid."
            )
        self._max_armed_s = max_armed_s
        self._confirm_within_s = confirm_within_s
        self._request: _Request | None = None
        self._t_armed = math.nan
        self._fault: str | None = None

    def state(self, t_now: float) -> State:
        """Return where the interlock stands at an instant of the host clock."""
        if self._fault is not None:
            return State.FAULT
        if 0.0 <= t_now - self._t_armed <= self._max_armed_s:
            return State.ARMED
        return State.SAFE

    @property
    def armed_until(self) -> float:
        """When the arming ends by itself; NaN, which refuses, before anybody arms."""
        return self._t_armed + self._max_armed_s

    @property
    def fault(self) -> str | None:
        """What latched, in a sentence."""
        return self._fault

    def request(self, token: str, t_now: float) -> None:
        """Ask to arm: the first step, which arms nothing.

        Parameters
        ----------
        token : str
            Who asks, or the phrase that has to be said again.
        t_now : float

        Raises
        ------
        NotArmed
            If a fault has latched, or it is armed already, or the token is empty.
        """
        self._require_no_fault()
        if self.state(t_now) is State.ARMED:
            raise NotArmed("The interlock is armed already; disarm it first.")
        if not token or not math.isfinite(t_now):
            raise NotArmed(
                "A request to arm must say who makes it, and when; nothing was armed."
            )
        self._request = _Request(token, t_now)

    def confirm(self, token: str, t_now: float) -> float:
        """Confirm the request: the second step; return when the arming will end.

        Raises
        ------
        NotArmed
            If nothing was requested, or by another token, or too long ago; the request
            is then void.
        """
        self._require_no_fault()
        request, self._request = self._request, None
        if request is None:
            raise NotArmed(
                "Nobody has asked to arm, so there is nothing to confirm; ask first."
            )
        if token != request.token:
            raise NotArmed(
                "The one who confirms is not the one who asked to arm, so nothing was "
                "armed; ask again."
            )
        if not 0.0 <= t_now - request.t_requested <= self._confirm_within_s:
            raise NotArmed(
                "The request to arm was not confirmed within "
                f"{self._confirm_within_s:g} s, so nothing was armed; ask again."
            )
        self._t_armed = t_now
        return self.armed_until

    def disarm(self) -> None:
        """Go back to SAFE; always allowed, and without effect on a latched fault."""
        self._request = None
        self._t_armed = math.nan

    def latch(self, sentence: str) -> None:
        """Latch a fault; the first one stays."""
        self.disarm()
        if self._fault is None:
            self._fault = sentence

    def reset(self, token: str) -> None:
        """Take a fault back: a person has seen to it.

        Parameters
        ----------
        token : str
            Who has.

        Raises
        ------
        NotArmed
            If there is no fault, or nobody says to have seen to it.
        """
        if self._fault is None:
            raise NotArmed("No fault has latched, so there is nothing to reset.")
        if not token:
            raise NotArmed("A reset must say who makes it; the fault stays.")
        self._fault = None

    def _require_no_fault(self) -> None:
        if self._fault is not None:
            raise NotArmed(
                f"A fault has latched the interlock ({self._fault}); see to it, reset, "
                "and arm again."
            )
