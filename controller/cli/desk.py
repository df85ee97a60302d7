"""What a command touches outside itself, given to it so that tests can give another."""

import contextlib
import dataclasses
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from controller.calibration.profile import Profile
    from controller.config import Config
    from controller.rig.config_watch import ConfigFile
    from controller.rig.console.status import Listener
    from controller.rig.run import Finished
    from controller.rig.study.conduct import Plan


class RunSession(Protocol):
    """The function that runs a session, as `controller.rig.run.run_session`."""

    def __call__(
        self,
        config: "Config",
        text: str,
        *,
        out: Path,
        listener: "Listener",
        confirm_arming: Callable[[str], bool],
        ask_person: Callable[[str], bool] = ...,
        profile: "Profile | None" = None,
        config_file: "ConfigFile | None" = None,
        plan: "Plan | None" = None,
    ) -> "Finished":
        """Run it."""
        ...


def person_is_there() -> bool:
    """Return whether somebody can read a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def read_answer(timeout_s: float) -> str | None:
    """Return a line from the terminal, or None if none came in time.

    What was typed before the question is no answer to it.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    ready, _, _ = select.select([sys.stdin], [], [], timeout_s)
    return sys.stdin.readline() if ready else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The person at the terminal, and the session machinery behind it.

    Parameters
    ----------
    run_session : callable or None
        None for the real one, which is imported when it is needed.
    person_is_there : callable
    read_answer : callable
        Given seconds to wait.
    """

    run_session: RunSession | None = None
    person_is_there: Callable[[], bool] = person_is_there
    read_answer: Callable[[float], str | None] = read_answer
