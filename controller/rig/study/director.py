"""Leads a session through its protocol: which trial is offered to the loop, and when.

One look after the other, with the time as an argument: the same live, some twenty times
a second, and on a virtual clock. Every event is in the trial log before it counts.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from controller.core.offers import OFFER_SHIFT, offer_of
from controller.protocol.core_rows import Rows
from controller.protocol.row_news import RowNews, Tally, plans_of
from controller.protocol.stage_forms import Run, Stage, Task
from controller.protocol.trial_events import (
    Done,
    Fired,
    GivenUp,
    Refused,
    StageBegun,
    StageEnded,
    Started,
)
from controller.protocol.trial_list import Trial
from controller.protocol.trial_log import Progress, fate_of, gives_up
from controller.rig.console.operator_commands import OperatorCommands, Wish
from controller.rig.study.prepared import Study
from controller.rig.study.stage_waits import Signals, StageWait, Windows
from controller.session.books.trial_file import TrialFile


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the director acts with.

    Parameters
    ----------
    offer : callable
        Gets an offer for the loop, as `core.offers` makes them.
    say : callable
        Gets a sentence for the operator.
    mark : callable
        Gets a marker for others on the network.
    strength_is : callable
        Gets an intensity, percent of output; returns whether the device has it, and
        begins to set it if it has not.
    """

    offer: Callable[[int], None]
    say: Callable[[str], None]
    mark: Callable[[str], None] = lambda _text: None
    strength_is: Callable[[float], bool] = lambda _pct_mso: True


Leaving = Callable[[float], None]
"""What is entered in the log once the loop has let a trial go."""


class Director:
    """Leads one process's part of a session.

    Parameters
    ----------
    study : Study
    file : TrialFile
        Of the same study.
    rows : Rows
        Of the trials that are left.
    hands : Hands
    signals : Signals
        What the operator and the task say.
    """

    def __init__(
        self,
        study: Study,
        file: TrialFile,
        rows: Rows,
        hands: Hands,
        signals: Signals,
    ) -> None:
        self._study, self._file, self._rows = study, file, rows
        self._hands, self._signals = hands, signals
        self._tally = Tally(plans_of(rows))
        self._first_row: dict[int, int] = {}
        for place, row in enumerate(rows.rows):
            self._first_row.setdefault(row.trial, place)
        self._commands = OperatorCommands(file, hands.say, self._first_row)
        self._part = 0
        self._n_offers = 0
        self._offered = self._seen = -1
        self._trial: Trial | None = None
        self._t_earliest = self._t_before = -math.inf
        self._leaving: Leaving | None = None
        self._entering: StageWait | None = None
        self._ending: StageWait | None = None
        self._windows = Windows(None)
        self._t_stage = -math.inf
        self._end_asked = False

    @property
    def _progress(self) -> Progress:
        return self._file.progress

    @property
    def is_over(self) -> bool:
        """Whether no stage is left."""
        return self._progress.next_stage is None

    @property
    def stage_name(self) -> str:
        """Of the stage under way, or that is next."""
        place = self._progress.next_stage
        return "" if place is None else self._study.protocol.stages[place].name

    def begin(self, t_now: float) -> None:
        """Take the session up, its rest being over."""
        trials, progress = self._study.trials, self._progress
        self._file.add(
            Started,
            t_now,
            protocol_hash=progress.protocol_hash,
            seed=self._study.seed,
            n_trials=len(trials),
        )
        self._part = progress.n_starts
        for place in range(self._study.n_rest_stages):
            if place not in progress.stages_done:
                if progress.stage is None:
                    self._file.add(StageBegun, t_now, stage=place)
                self._file.add(StageEnded, t_now, stage=place, reason="rest is over")
        self._withdraw()
        if progress.stage is not None:
            self._begin_stage(t_now)

    def take(self, batch: Any) -> None:
        """Take in what the loop wrote since the last look, a `Batch`."""
        if self._part == 0:
            return
        for news in self._tally.take(batch.decisions, batch.edges):
            self._take_news(news)
        if len(batch.samples):
            self._seen = int(batch.samples["permits"][-1]) >> OFFER_SHIFT

    def hear(self, text: str, t_marker: float) -> None:
        """Take a marker of the task, with its instant on the host clock."""
        self._signals.marker(text)
        self._windows.marker(text, t_marker)

    def direct(self, t_now: float) -> None:
        """Decide what comes next."""
        if self._part == 0 or self.is_over:
            return
        self._obey(t_now)
        if self._progress.stage is None:
            self._enter(t_now)
            return
        if self._trial is not None:
            self._attend(t_now)
        if self._trial is None:
            if self._stage_is_over(t_now):
                self._end_stage(t_now)
            elif self._progress.paused_for is None:
                self._take_up(t_now)

    def end(self) -> None:
        """Enter what the loop left unfinished; offer nothing any more."""
        self._withdraw()
        if self._part:
            for news in self._tally.left():
                self._take_news(news)

    # Stages.

    def _stage(self) -> Stage:
        place = self._progress.next_stage
        assert place is not None
        return self._study.protocol.stages[place]

    def _enter(self, t_now: float) -> None:
        stage = self._stage()
        if self._entering is None:
            for who, text in (
                ("", stage.operator),
                ("To the participant: ", stage.participant),
            ):
                if text:
                    self._hands.say(f"{who}{text}")
            self._entering = StageWait(stage.enter, t_now)
            if stage.enter is not None:
                self._hands.say(f"Stage {stage.name} {self._entering.words}.")
        if self._progress.paused_for is not None:
            return
        if self._entering.is_late(t_now):
            self._commands.pause(
                t_now, f"the marker for stage {stage.name} did not come"
            )
            # Whoever goes on says that it may begin without.
            self._entering = StageWait(None, t_now)
            return
        if not self._entering.is_met(self._signals):
            return
        self._entering = None
        self._file.add(StageBegun, t_now, stage=self._progress.next_stage)
        self._begin_stage(t_now)

    def _begin_stage(self, t_now: float) -> None:
        stage = self._stage()
        self._t_stage, self._end_asked = t_now, False
        self._ending = None if stage.leave is None else StageWait(stage.leave, t_now)
        self._windows = Windows(stage.window if isinstance(stage, Task) else None)
        self._signals.forget()
        self._hands.say(f"Stage {stage.name}.")
        self._mark(stage.markers.start)

    def _stage_is_over(self, t_now: float) -> bool:
        stage = self._stage()
        if self._asked_to_end(t_now):
            return True
        return isinstance(stage, Run | Task) and self._progress.next_trial is None

    def _asked_to_end(self, t_now: float) -> bool:
        lasts_s = getattr(self._stage(), "duration_s", None)
        if lasts_s is not None and not t_now - self._t_stage < lasts_s:
            self._end_asked = True
        if self._ending is not None and self._ending.is_met(self._signals):
            self._end_asked = True
        return self._end_asked

    def _end_stage(self, t_now: float) -> None:
        stage, place = self._stage(), self._progress.next_stage
        reason = (
            "asked for, or time is up" if self._end_asked else "every trial is over"
        )
        self._file.add(StageEnded, t_now, stage=place, reason=reason)
        self._mark(stage.markers.end)
        if self.is_over:
            self._hands.say("The protocol is over.")

    # Trials.

    def _take_up(self, t_now: float) -> None:
        stage = self._stage()
        if not isinstance(stage, Run | Task) or not self._windows.is_open(t_now):
            return
        trial = self._progress.next_trial
        if isinstance(stage, Task) and stage.condition_markers:
            condition = self._signals.condition(stage.condition_markers)
            if condition is None:
                return
            trial = self._progress.next_of(condition)
            if trial is None:
                self._hands.say(f"No trial of condition {condition} is left.")
                self._signals.condition_is_over()
                return
        if trial is None:
            return
        pct_mso = self._study.intensity_pct_mso(trial.condition)
        if pct_mso is not None and not self._hands.strength_is(pct_mso):
            return
        self._trial = trial
        self._t_earliest = max(t_now, self._t_before + trial.iti_s)
        self._offer(self._first_row[trial.number])

    def _attend(self, t_now: float) -> None:
        """Let go of the trial that is offered, if it is time for that."""
        trial = self._trial
        assert trial is not None
        if self._leaving is None:
            self._leaving = self._why_leave(trial, t_now)
            if self._leaving is not None:
                self._withdraw()
        # What the loop planned before it saw the withdrawal is still given.
        if (
            self._leaving is not None
            and self._trial is not None
            and self._seen == self._offered
            and self._tally.is_idle
        ):
            self._leaving(t_now)
            self._forget_trial()

    def _why_leave(self, trial: Trial, t_now: float) -> Leaving | None:
        if self._progress.paused_for is not None or self._asked_to_end(t_now):
            return lambda _t: None
        attempts = self._study.protocol.attempts
        state = self._progress.states[trial.number]
        if not self._windows.is_open(t_now):
            fate = fate_of(attempts, state)
            return self._giving_up(trial, "timeout", fate, "its window closed")
        verdict = gives_up(attempts, state, t_now - self._t_earliest)
        if verdict is None:
            return None
        return self._giving_up(trial, *verdict, state.reason)

    def _giving_up(self, trial: Trial, because: str, then: str, why: str) -> Leaving:
        def leave(t_now: float) -> None:
            self._file.add(
                GivenUp,
                t_now,
                trial=trial.number,
                because=because,
                then=then,
                reason=why,
            )
            if then == "pause":
                self._hands.say(f"Paused: trial {trial.number}, {why or because}.")

        return leave

    def _take_news(self, news: RowNews) -> None:
        row = self._rows.rows[news.row]
        if news.outcome != "refused" and row.burst == 0:
            self._t_before = news.t
        if news.n_pulses > 0:
            key = f"{self._part}:{news.decision}"
            self._file.add(
                Fired, news.t, trial=row.trial, key=key, n_pulses=news.n_pulses
            )
        if self._trial is None or self._trial.number != row.trial:
            return
        if news.outcome == "refused":
            self._file.add(Refused, news.t, trial=row.trial, reason=news.reason)
            return
        if row.burst == 0:
            text = self._stage().markers.trial
            self._mark(None if text is None else f"{text} {self._trial.condition}")
        if news.outcome == "cut-short" or row.is_last:
            self._file.add(
                Done,
                news.t,
                trial=row.trial,
                outcome=news.outcome,
                reason=news.reason,
            )
            self._withdraw()
            self._forget_trial()

    def _forget_trial(self) -> None:
        self._trial = self._leaving = None
        self._signals.condition_is_over()
        self._windows.trial_is_over()

    def _obey(self, t_now: float) -> None:
        for line in self._signals.take_commands():
            match self._commands.obey(line, t_now, self._trial):
                case Wish.SKIP:
                    self._skip(t_now)
                case Wish.END:
                    self._end_asked = self._progress.stage is not None

    def _skip(self, t_now: float) -> None:
        trial = self._trial or self._progress.next_trial
        if self._leaving is not None or trial is None:
            return
        leave = self._giving_up(trial, "operator", "skip", "")
        if self._trial is None:
            leave(t_now)
            return
        self._leaving = leave
        self._withdraw()

    # Others.

    def _mark(self, text: str | None) -> None:
        if text is not None:
            self._hands.mark(text)

    def _withdraw(self) -> None:
        self._offer(None)

    def _offer(self, row: int | None) -> None:
        self._n_offers += 1
        self._offered = offer_of(row, self._n_offers)
        self._hands.offer(self._offered)
