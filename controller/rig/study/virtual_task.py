"""A task for sessions on a virtual clock: it sends what the protocol awaits."""

from collections.abc import Iterator

from controller.protocol.form import Protocol
from controller.protocol.stage_forms import Stage, Task

_BETWEEN_S = 0.5


class VirtualTask:
    """Sends every marker that a stage waits for, window after window.

    Parameters
    ----------
    protocol : Protocol
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._t_next = -1.0
        self._n_sent = 0

    def markers(self, stage: Stage, t_now: float, *, waits: bool) -> Iterator[str]:
        """Yield what is sent now.

        Parameters
        ----------
        stage : Stage
            Under way, or next.
        t_now : float
        waits : bool
            Whether it has not begun yet.
        """
        if waits:
            if stage.enter is not None and stage.enter.marker is not None:
                yield stage.enter.marker
            return
        if not isinstance(stage, Task):
            if stage.leave is not None and stage.leave.marker is not None:
                yield stage.leave.marker
            return
        if t_now < self._t_next:
            return
        iti_s, jitter_s = self._protocol.iti_of(stage)
        lasts_s = 0.0 if stage.window is None else stage.window.to_s
        self._t_next = t_now + max(iti_s + jitter_s, lasts_s) + _BETWEEN_S
        if stage.condition_markers:
            names = list(stage.condition_markers)
            yield names[self._n_sent % len(names)]
        self._n_sent += 1
        if stage.window is not None:
            yield stage.window.marker
