"""What the operator and the task say, and what a stage waits for."""

import collections
import dataclasses
import math
from collections.abc import Mapping

from controller.protocol.stage_forms import Wait, Window

_GO = "go"

# A withdrawal reaches the loop with the look after this one; what it had planned by
# then comes within another. So a window closes early rather than late.
CLOSES_EARLY_S = 0.15


class Signals:
    """Commands of the operator and markers of the task, as they come.

    Any thread may put something in; the director takes it out.
    """

    def __init__(self) -> None:
        self.always_go = False
        self._commands: collections.deque[str] = collections.deque()
        self._n_go = 0
        self._markers: list[str] = []
        self._condition: str | None = None

    def command(self, line: str) -> None:
        """Take a line that the operator typed; an empty one says go."""
        self._commands.append(line.strip() or _GO)

    def marker(self, text: str) -> None:
        """Take a marker."""
        self._markers.append(text)

    def take_commands(self) -> list[str]:
        """Return the commands that came, but for `go`, which is counted."""
        lines = []
        while self._commands:
            line = self._commands.popleft()
            if line == _GO:
                self._n_go += 1
            else:
                lines.append(line)
        return lines

    @property
    def has_go(self) -> bool:
        """Whether the operator said go since `forget`."""
        return self.always_go or self._n_go > 0

    def has_marker(self, text: str) -> bool:
        """Return whether a marker came since `forget`."""
        return text in self._markers

    def condition(self, named: Mapping[str, str]) -> str | None:
        """Return the condition that the task asked for last and has not got."""
        for text in self._markers:
            if text in named:
                self._condition = named[text]
        self._markers = [text for text in self._markers if text not in named]
        return self._condition

    def condition_is_over(self) -> None:
        """Forget the condition that the task asked for."""
        self._condition = None

    def forget(self) -> None:
        """Forget all that came before: a stage begins."""
        self._n_go, self._markers, self._condition = 0, [], None


@dataclasses.dataclass(frozen=True, slots=True)
class StageWait:
    """What is waited for, from an instant on.

    Parameters
    ----------
    wait : Wait or None
        None for nothing.
    t_from : float
    """

    wait: Wait | None
    t_from: float

    @property
    def words(self) -> str:
        """What is waited for, for the operator."""
        if self.wait is None:
            return "begins at once"
        whom = ["for Enter"] if self.wait.operator else []
        if self.wait.marker is not None:
            whom.append(f"for the marker {self.wait.marker!r}")
        return "waits " + " and ".join(whom)

    def is_met(self, signals: Signals) -> bool:
        """Return whether all of it has come."""
        if self.wait is None:
            return True
        if self.wait.operator and not signals.has_go:
            return False
        return self.wait.marker is None or signals.has_marker(self.wait.marker)

    def is_late(self, t_now: float) -> bool:
        """Return whether its marker has been waited for long enough."""
        if self.wait is None or self.wait.timeout_s is None:
            return False
        return not t_now - self.t_from < self.wait.timeout_s


class Windows:
    """The window around the task's markers; always open where there is none.

    Parameters
    ----------
    window : Window or None
    """

    def __init__(self, window: Window | None) -> None:
        self.window = window
        self._t_marker = -math.inf

    def marker(self, text: str, t_marker: float) -> None:
        """Take a marker, with its instant on the host clock."""
        if self.window is not None and text == self.window.marker:
            self._t_marker = t_marker

    def is_open(self, t_now: float) -> bool:
        """Return whether a trial may be under way."""
        if self.window is None:
            return True
        since_s = t_now - self._t_marker
        return self.window.from_s <= since_s < self.window.to_s - CLOSES_EARLY_S

    def trial_is_over(self) -> None:
        """Close: one trial for each marker."""
        self._t_marker = -math.inf
