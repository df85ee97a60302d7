"""What a simulated stimulator promises: bytes and edges in, bytes and pulses out.

A machine has no clock and no port. Instants come as arguments, in seconds, and never go
back; between two calls it stands still. So the same machine runs on a pseudo-terminal
in real time and in a test in virtual time.
"""

import dataclasses
from typing import Literal, Protocol

EventKind = Literal["pulse", "missed", "armed", "disarmed", "fault"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TwinEvent:
    """Something that an onlooker would notice.

    Parameters
    ----------
    t : float
        When, seconds.
    kind : {"pulse", "missed", "armed", "disarmed", "fault"}
        `missed` is a trigger that made no pulse.
    reason : str
        What made it, or why it made none.
    intensity : float or None
        Of a pulse, percent of maximum stimulator output.
    """

    t: float
    kind: EventKind
    reason: str = ""
    intensity: float | None = None


class Machine(Protocol):
    """The state machine of a simulated stimulator."""

    @property
    def armed(self) -> bool:
        """Whether a trigger may make a pulse, now or once charged."""
        ...

    @property
    def unplugged(self) -> bool:
        """Whether its cable has come off."""
        ...

    def receive(self, received: bytes, t: float) -> None:
        """Take bytes from the host."""
        ...

    def edge(self, t: float) -> None:
        """Take a rising edge on the trigger input."""
        ...

    def advance(self, t: float) -> bytes:
        """Let time pass and return the bytes that have left by then."""
        ...

    def t_next(self) -> float:
        """Return when something happens by itself, infinite if nothing does."""
        ...

    def take_events(self) -> list[TwinEvent]:
        """Return what happened since the last call."""
        ...
