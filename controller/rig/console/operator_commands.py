"""What an operator types while a protocol runs."""

import enum
from collections.abc import Callable, Collection
from typing import Final

from controller.protocol.trial_events import Again, Note, Paused, Resumed
from controller.protocol.trial_list import Trial
from controller.session.books.trial_file import TrialFile

COMMANDS: Final = (
    "go (or Enter), pause, resume, skip, repeat, end (this stage), note TEXT"
)


class Wish(enum.Enum):
    """What only the director can do."""

    SKIP = enum.auto()
    END = enum.auto()


class OperatorCommands:
    """Enters in the trial log what the operator asks for.

    Parameters
    ----------
    file : TrialFile
    say : callable
    on_hand : collection of int
        Trials that can be given in this part of the session.
    """

    def __init__(
        self, file: TrialFile, say: Callable[[str], None], on_hand: Collection[int]
    ) -> None:
        self._file, self._say, self._on_hand = file, say, on_hand

    def obey(self, line: str, t_now: float, trial: Trial | None) -> Wish | None:
        """Do what a line says; return what is left to the director.

        Parameters
        ----------
        line : str
        t_now : float
        trial : Trial or None
            Under way.
        """
        command, _, words = line.partition(" ")
        match command:
            case "pause":
                self.pause(t_now, words or "the operator asked")
            case "resume":
                if self._file.progress.paused_for is not None:
                    self._file.add(Resumed, t_now)
            case "skip":
                return Wish.SKIP
            case "repeat":
                self._repeat(t_now, words)
            case "note":
                number = None if trial is None else trial.number
                self._file.add(Note, t_now, text=words, trial=number)
            case "end":
                return Wish.END
            case _:
                self._say(f"{command!r} is no command; there are {COMMANDS}.")
        return None

    def pause(self, t_now: float, why: str) -> None:
        """Begin nothing until somebody resumes."""
        if self._file.progress.paused_for is None:
            self._file.add(Paused, t_now, reason=why)
            self._say(f"Paused: {why}. Type resume to go on.")

    def _repeat(self, t_now: float, why: str) -> None:
        progress = self._file.progress
        over = [
            state.trial.number
            for state in progress.states
            if state.trial.stage == progress.stage
            and state.outcome is not None
            and state.trial.number in self._on_hand
        ]
        if not over:
            self._say("No trial of this stage is over yet.")
            return
        self._file.add(Again, t_now, trial=max(over), reason=why)
