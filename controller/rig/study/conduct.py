"""A protocol in a live session: who leads it, who is listened to, what is written."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from controller.engine.telemetry import Batch
from controller.errors import ConfigError, StreamAmbiguous, StreamLost
from controller.protocol import form
from controller.protocol.core_rows import Rows
from controller.protocol.row_news import plans_of
from controller.rig.study.director import Director, Hands
from controller.rig.study.prepared import Study, StudyPart
from controller.rig.study.stage_waits import Signals
from controller.session.books.study_file import Begun, add_part, write_begun, write_rows
from controller.session.books.trial_file import TRIALS, TrialFile
from controller.sources.markers import LslMarkers, MarkerInlet, NamedStream
from controller.sources.text_outlet import TextOutlet

RecordEvent = Callable[..., None]


class Operator(Protocol):
    """Who types commands while a protocol runs."""

    def listen(self, signals: Signals) -> None:
        """Begin to hand on what is typed."""

    def stop(self) -> None:
        """End that."""


class Nobody:
    """Who is waited for says go at once; for simulated outputs only."""

    def listen(self, signals: Signals) -> None:
        """Say go to everything."""
        signals.always_go = True

    def stop(self) -> None:
        """Do nothing."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be led.

    Parameters
    ----------
    study : Study
    begun : Begun
    operator : Operator
    first : Path, optional
        The session's first folder, where it is resumed.
    """

    study: Study
    begun: Begun
    operator: Operator
    first: Path | None = None

    @property
    def profile(self) -> Path | None:
        """The calibration that the session was begun with."""
        return None if self.begun.profile is None else Path(self.begun.profile)


@contextlib.contextmanager
def conducted(plan: Plan | None, folder: Path) -> Iterator["Conduct | None"]:
    """Lead a part of a session within a block; None without a protocol."""
    if plan is None:
        yield None
        return
    conduct = Conduct(plan, folder)
    try:
        yield conduct
    finally:
        conduct.end()


class Conduct:
    """Leads one part of a session; the supervisor's follower.

    Parameters
    ----------
    plan : Plan
    folder : Path
        The part's.

    Raises
    ------
    FileError, RecordingError
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan, self._folder = plan, folder
        self._first = folder if plan.first is None else plan.first
        if plan.first is None:
            write_begun(folder, plan.begun, plan.study.text)
        add_part(self._first, folder)
        self._file = TrialFile(self._first / TRIALS, plan.study.new_progress())
        self.part = StudyPart(
            study=plan.study, trials=plan.study.left(self._file.progress)
        )
        self._signals = Signals()
        self._director: Director | None = None
        self._inlet: MarkerInlet | None = None
        self._outlet: TextOutlet | None = None
        self._record: RecordEvent = lambda *_args, **_fields: None

    @property
    def visit(self) -> form.Protocol | None:
        """The protocol whose next session this part begins; a resumed part, none."""
        return self._plan.study.protocol if self._plan.first is None else None

    @property
    def is_over(self) -> bool:
        """Whether the protocol is."""
        return self._director is not None and self._director.is_over

    def begin(
        self,
        rows: Rows | None,
        *,
        hands: Hands,
        record: RecordEvent,
        t_now: float,
    ) -> None:
        """Take the session up once its rest is over.

        Parameters
        ----------
        rows : Rows
            That the loop's program was made of.
        hands : Hands
            Markers are sent by this.
        record : callable
            The recorder's `event`.
        t_now : float

        Raises
        ------
        StreamLost, RecordingError, FileError
        """
        if rows is None:
            raise ConfigError("The loop has no trials of the protocol.")
        self._record = record
        streams = self._plan.study.protocol.marker_streams
        self._outlet = TextOutlet(streams.send_as, self._folder.name)
        if streams.listen_to is not None:
            self._inlet = LslMarkers(NamedStream(streams.listen_to), synced=True)
        number = self._file.progress.n_starts + 1
        write_rows(self._folder, number, plans_of(rows))
        self._director = Director(
            self._plan.study,
            self._file,
            rows,
            dataclasses.replace(hands, mark=self._mark),
            self._signals,
        )
        self._plan.operator.listen(self._signals)
        self._director.begin(t_now)

    def take(self, batch: Batch) -> None:
        """Take in what the loop wrote."""
        if self._director is not None:
            self._director.take(batch)

    def look(self, t_now: float) -> str | None:
        """Hear the task, then decide what comes next."""
        if self._director is None:
            return None
        for text, t_marker in self._heard(t_now):
            self._director.hear(text, t_marker)
        self._director.direct(t_now)
        return self._director.stage_name or None

    def end(self) -> None:
        """Enter what was left unfinished, and close everything."""
        self._plan.operator.stop()
        with contextlib.ExitStack() as stack:
            stack.callback(self._file.close)
            if self._inlet is not None:
                stack.callback(self._inlet.close)
            if self._outlet is not None:
                stack.callback(self._outlet.close)
            if self._director is not None:
                self._director.end()

    def _mark(self, text: str) -> None:
        if self._outlet is not None:
            self._outlet.send(text)
        self._record("marker sent", text=text)

    def _heard(self, t_now: float) -> list[tuple[str, float]]:
        if self._inlet is None:
            return []
        try:
            markers: list[Any] = self._inlet.pull()
        except (StreamLost, StreamAmbiguous) as lost:
            self._inlet.close()
            self._inlet = None
            self._record("markers lost", t=t_now, sentence=str(lost))
            self._signals.command(f"pause {lost}")
            return []
        for marker in markers:
            self._record("marker", t=t_now, t_stamp=marker.t_stamp, text=marker.text)
        # Clocks that are off by a little must not open a window too late.
        return [(m.text, min(t_now, m.t_stamp)) for m in markers]
