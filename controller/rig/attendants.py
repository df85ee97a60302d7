"""Who is asked at each look of the supervisor, beside the loop: devices of the rig."""

from collections.abc import Callable
from typing import Protocol

from drivers.bridge.output import BridgedOutput

RecordEvent = Callable[..., None]
"""The recorder's `event`: a kind, and fields."""

_WORTH_A_NOTE = 3


class Attendant(Protocol):
    """Looks after a device while the loop runs."""

    def look(self, t_now: float) -> None:
        """Look, some twenty times a second.

        Raises
        ------
        PhasegateError
            If the session must end.
        """
        ...

    def stand_down(self) -> None:
        """Leave the device harmless at once, whether or not it answers."""
        ...


class BridgeAttendant:
    """Tells which triggers a bridge refused.

    Parameters
    ----------
    output : BridgedOutput
    record : callable
    note : callable
    """

    def __init__(
        self,
        output: BridgedOutput,
        record: RecordEvent,
        note: Callable[[str], None],
    ) -> None:
        self._output = output
        self._record = record
        self._note = note
        self._n_told = 0

    def look(self, t_now: float) -> None:
        """Record what became of the edges since the last look."""
        for edge in self._output.take_edges():
            if not edge.refused:
                continue
            self._record(
                "trigger refused by the bridge",
                t=t_now,
                t_refused=edge.t,
                code=edge.code,
                age_s=edge.age_s,
            )
            self._n_told += 1
            if self._n_told <= _WORTH_A_NOTE:
                age = "unknown" if edge.age_s is None else f"{edge.age_s * 1e3:.1f} ms"
                self._note(
                    f"The bridge to the {self._output.name} came to a trigger late and "
                    f"refused it (age {age})."
                )

    def stand_down(self) -> None:
        """Do nothing: the bridge lowers the line as the output is closed."""
