"""Who gets what the loop wrote, as the supervisor needs them."""

from typing import Any, Protocol

from controller.engine.telemetry import Batch


class Recorder(Protocol):
    """Whoever puts the rings on the disk, in a process of its own."""

    @property
    def n_bytes(self) -> int:
        """How many bytes have been written."""
        ...

    @property
    def n_lost_events(self) -> int:
        """How many events it could not take."""
        ...

    def lag_s(self, t_now: float) -> float:
        """Return for how long it has not finished a turn."""
        ...

    def event(self, kind: str, **fields: object) -> None:
        """Take an event, without making anybody wait."""
        ...

    def news(self) -> list[str]:
        """Return sentences for the operator that came since the last call."""
        ...

    def check(self, t_now: float) -> None:
        """Make sure that everything is on its way to the disk.

        Raises
        ------
        RecordingError
        """
        ...


class EdgeOutlet(Protocol):
    """Whoever tells others of the edges of the trigger line."""

    def publish(self, edges: Any) -> None:
        """Tell of each row of EDGE."""
        ...


class Follower(Protocol):
    """Whoever leads a session through a protocol."""

    def take(self, batch: Batch) -> None:
        """Take in what the loop wrote."""
        ...

    def look(self, t_now: float) -> str | None:
        """Decide what comes next; return what the stage is called by now."""
        ...
