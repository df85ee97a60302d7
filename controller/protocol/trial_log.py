"""Where a session stands: its events, added up one after the other.

The same events lead to the same place, live, after a crash and in a report. Nothing
here reads a clock or a file.
"""

import collections
import dataclasses
from collections.abc import Iterable, Sequence

from controller.errors import FileError
from controller.protocol.canonical import protocol_hash
from controller.protocol.form import Attempts, Protocol
from controller.protocol.patterns import layout_of
from controller.protocol.trial_events import (
    Again,
    Decider,
    Done,
    Event,
    Fate,
    Fired,
    GivenUp,
    Note,
    Paused,
    Refused,
    Resumed,
    StageBegun,
    StageEnded,
    Started,
)
from controller.protocol.trial_list import Trial


@dataclasses.dataclass(slots=True, kw_only=True)
class TrialState:
    """What became of a trial so far.

    Parameters
    ----------
    trial : Trial
    n_attempts : int
        Refused since it was last taken up.
    n_repeats : int
        How often it was put back.
    pulses : dict of str to int
        Given in this and earlier tries, by decision.
    n_before : int
        Pulses of earlier tries.
    outcome : str or None
        `given`, `cut-short`, `as-if`, `skipped`; None while it is still to come.
    reason : str
    """

    trial: Trial
    n_attempts: int = 0
    n_repeats: int = 0
    pulses: dict[str, int] = dataclasses.field(default_factory=dict)
    n_before: int = 0
    outcome: str | None = None
    reason: str = ""

    @property
    def n_pulses(self) -> int:
        """How many pulses it has given."""
        return sum(self.pulses.values())

    @property
    def n_now(self) -> int:
        """How many of them since it was last taken up."""
        return self.n_pulses - self.n_before

    def take_up_again(self, reason: str) -> None:
        """Forget the tries so far; what was given stays given."""
        self.outcome, self.reason = None, reason
        self.n_repeats += 1
        self.n_attempts = 0
        self.n_before = self.n_pulses


class Progress:
    """Trials done, to come and under way.

    Parameters
    ----------
    protocol : Protocol
    trials : sequence of Trial
        The whole session's, as drawn.
    seed : int
        That they were drawn with.
    """

    def __init__(self, protocol: Protocol, trials: Sequence[Trial], seed: int) -> None:
        self._protocol = protocol
        self._named = (protocol_hash(protocol), seed, len(trials))
        self.states = [TrialState(trial=trial) for trial in trials]
        self.n_events = 0
        self.n_starts = 0
        self.stage: int | None = None
        self.stages_done: set[int] = set()
        self.paused_for: str | None = None
        self.notes: list[Note] = []
        self._queue: collections.deque[int] = collections.deque()
        self._keys: set[str] = set()

    @property
    def protocol_hash(self) -> str:
        """Of the protocol, by which its log is told from others."""
        return self._named[0]

    @property
    def n_pulses(self) -> int:
        """Pulses that the session has given, each counted once."""
        return sum(state.n_pulses for state in self.states)

    @property
    def next_stage(self) -> int | None:
        """The stage under way, or the first that is still to come; None at the end."""
        if self.stage is not None:
            return self.stage
        left = set(range(len(self._protocol.stages))) - self.stages_done
        return min(left, default=None)

    @property
    def next_trial(self) -> Trial | None:
        """What is to be given next in the stage under way; None if nothing is left."""
        return self.states[self._queue[0]].trial if self._queue else None

    def next_of(self, condition: str) -> Trial | None:
        """Return the next trial of a condition, where a task says which one comes."""
        return next((t for t in self.left() if t.condition == condition), None)

    def left(self) -> tuple[Trial, ...]:
        """Return the trials still to come in the stage under way, in order."""
        return tuple(self.states[number].trial for number in self._queue)

    def take(self, event: Event) -> None:
        """Add one event.

        Raises
        ------
        FileError
            It does not belong to this session, or cannot follow those before it.
        """
        if event.seq != self.n_events:
            raise self._strange(event, f"entry {self.n_events} belongs there")
        match event:
            case Started():
                self._start(event)
            case StageBegun() | StageEnded():
                self._change_stage(event)
            case Fired() | Refused() | Done() | GivenUp() | Again():
                self._change_trial(event)
            case Paused():
                self.paused_for = event.reason
            case Resumed():
                self.paused_for = None
            case Note():
                self.notes.append(event)
        self.n_events += 1

    def take_all(self, events: Iterable[Event]) -> None:
        """Add events one after the other."""
        for event in events:
            self.take(event)

    def after_crash(self, recorded: Iterable[Fired], t: float) -> list[Event]:
        """Return what the log lacks when a process ended without finishing.

        Parameters
        ----------
        recorded : iterable of Fired
            What the session's records of edges say; `seq` and `t` do not count. What
            the log has already is left out.
        t : float
            Host clock now.

        Returns
        -------
        list of Event
            To be appended to the log and taken, before anything else happens. A trial
            some of whose pulses were given is over: it is never given once more by
            itself.
        """
        missing: list[Event] = []
        given = {state.trial.number: state.n_now for state in self.states}
        keys = set(self._keys)
        for fired in recorded:
            if fired.key in keys:
                continue
            keys.add(fired.key)
            seq = self.n_events + len(missing)
            missing.append(fired.model_copy(update={"seq": seq, "t": t}))
            given[fired.trial] += fired.n_pulses
        for number in [number for number in self._queue if given[number] > 0]:
            condition = self._protocol.condition(self.states[number].trial.condition)
            whole = layout_of(self._protocol.pattern_of(condition)).n_pulses
            missing.append(
                Done(
                    seq=self.n_events + len(missing),
                    t=t,
                    trial=number,
                    outcome="given" if given[number] == whole else "cut-short",
                    reason="the program ended within it",
                )
            )
        return missing

    def _start(self, event: Started) -> None:
        told = (event.protocol_hash, event.seed, event.n_trials)
        if told != self._named:
            raise FileError(
                "The trial log belongs to another protocol, or to another seed: it has "
                f"hash {event.protocol_hash[:12]}, seed {event.seed} and "
                f"{event.n_trials} trials, not {self._named[0][:12]}, {self._named[1]} "
                f"and {self._named[2]}; resume it with the files that it was begun "
                "with."
            )
        self.n_starts += 1

    def _change_stage(self, event: StageBegun | StageEnded) -> None:
        n_stages = len(self._protocol.stages)
        if not event.stage < n_stages or event.stage in self.stages_done:
            raise self._strange(event, f"stage {event.stage} cannot be under way")
        if isinstance(event, StageBegun):
            if self.stage is not None:
                raise self._strange(event, f"stage {self.stage} is still under way")
            self.stage = event.stage
            self._queue = collections.deque(
                state.trial.number
                for state in self.states
                if state.trial.stage == event.stage and state.outcome is None
            )
            return
        if self.stage != event.stage:
            raise self._strange(event, f"stage {event.stage} has not begun")
        self.stage = None
        self.stages_done.add(event.stage)
        self._queue.clear()

    def _change_trial(self, event: Fired | Refused | Done | GivenUp | Again) -> None:
        if not event.trial < len(self.states):
            raise self._strange(event, f"there are {len(self.states)} trials")
        state = self.states[event.trial]
        if isinstance(event, Again):
            self._put_back(event, state)
            return
        if isinstance(event, Fired):
            self._count(event, state)
            return
        if event.trial not in self._queue:
            raise self._strange(event, f"trial {event.trial} is not to come")
        match event:
            case Refused():
                state.n_attempts += 1
                state.reason = event.reason
            case Done():
                self._close(state, event.outcome, event.reason)
            case GivenUp():
                self._give_up(event, state)

    def _count(self, event: Fired, state: TrialState) -> None:
        if event.key in self._keys:
            raise self._strange(event, f"decision {event.key} is counted already")
        self._keys.add(event.key)
        state.pulses[event.key] = event.n_pulses

    def _close(self, state: TrialState, outcome: str, reason: str) -> None:
        state.outcome, state.reason = outcome, reason
        self._queue.remove(state.trial.number)

    def _give_up(self, event: GivenUp, state: TrialState) -> None:
        reason = event.reason or event.because
        match event.then:
            case "skip":
                self._close(state, "cut-short" if state.n_now else "skipped", reason)
            case "repeat":
                self._queue.remove(event.trial)
                self._queue.append(event.trial)
                state.take_up_again(reason)
            case "pause":
                self.paused_for = reason
                state.n_attempts = 0
                state.reason = reason

    def _put_back(self, event: Again, state: TrialState) -> None:
        if event.trial in self._queue or state.trial.stage != self.stage:
            raise self._strange(
                event, f"trial {event.trial} is not over, or not of this stage"
            )
        state.take_up_again(event.reason)
        self._queue.append(event.trial)

    def _strange(self, event: Event, why: str) -> FileError:
        return FileError(
            f"The trial log cannot have {event.kind!r} as entry {event.seq}: {why}. "
            "Keep the file, and begin a new session."
        )


def progress_of(
    protocol: Protocol, trials: Sequence[Trial], seed: int, events: Iterable[Event]
) -> Progress:
    """Return where a session stands after these events.

    Raises
    ------
    FileError
        As `Progress.take`.
    """
    progress = Progress(protocol, trials, seed)
    progress.take_all(events)
    return progress


def gives_up(
    attempts: Attempts, state: TrialState, waited_s: float
) -> tuple[Decider, Fate] | None:
    """Return why a trial is given up, and what becomes of it; None to go on trying.

    Parameters
    ----------
    attempts : Attempts
    state : TrialState
    waited_s : float
        Since the trial's earliest moment.
    """
    because: Decider | None = None
    if not state.n_attempts < attempts.max_attempts:
        because = "attempts"
    elif not waited_s < attempts.timeout_s:
        because = "timeout"
    return None if because is None else (because, fate_of(attempts, state))


def fate_of(attempts: Attempts, state: TrialState) -> Fate:
    """Return what becomes of a trial that is given up."""
    # A trial that gave a part of its pulses is not begun anew by itself.
    repeated = attempts.then == "repeat" and state.n_repeats >= attempts.max_repeats
    if repeated or state.n_now > 0:
        return "skip"
    return attempts.then
