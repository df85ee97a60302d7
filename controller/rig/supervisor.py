"""The supervisor: starts the loop's stretches, watches, shows, and stops.

Plain Python at an ordinary priority. It may be late by a tenth of a second without
harm; the loop does not wait for it, and stops by itself if it falls silent.
"""

import dataclasses
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from controller.core.reasons import Fault, HoldReason, Outcome
from controller.core.structures import (
    Memory,
    Program,
    Telemetry,
)
from controller.engine.clock import host_clock
from controller.engine.control import SUPERVISOR_SILENCE_S, ControlWords
from controller.engine.live import LiveEngine, Stretch
from controller.engine.telemetry import Batch, read_on
from controller.errors import EngineFault, RecordingError
from controller.rig.attendants import Attendant
from controller.rig.console.status import Listener, Status
from controller.rig.interrupt import Interrupt
from controller.rig.outputs.opened import driver_errors
from controller.rig.recipients import EdgeOutlet, Follower, Recorder
from controller.safety.interlock import Permit, Refusal
from controller.sources.markers import MarkerGate
from drivers.base import TriggerOutput

_LOOK_EVERY_S = 0.05

# The loop turns ten times a second even without a sample.
_LOOP_SILENCE_S = 1.5

# As long as the loop itself tolerates; a process frozen for longer was stopped by
# somebody, and must not go on firing by itself when it wakes up.
_STALL_S = SUPERVISOR_SILENCE_S
_CHECK_OUTPUT_EVERY_S = 1.0
_FOLLOW_CLOCK_EVERY_S = 5.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StageEnd:
    """How a stage ended.

    Parameters
    ----------
    fault : Fault
        `STOPPED` if it was stopped as planned.
    interrupted : bool
        Somebody asked for an end.
    """

    fault: Fault
    interrupted: bool


class Supervisor:
    """Runs stages on an open engine.

    Parameters
    ----------
    engine : LiveEngine
    words : ControlWords
    telemetry : Telemetry
    recorder : Recorder
    output : TriggerOutput
    listener : Listener
    outlet : EdgeOutlet, optional
    interrupt : Interrupt
    markers : MarkerGate, optional
        Gives and takes the permit of the gate that waits for a marker.
    attendants : sequence of Attendant
        Of devices beside the loop.
    follower : Follower, optional
        Who leads the session through a protocol.
    """

    def __init__(
        self,
        *,
        engine: LiveEngine,
        words: ControlWords,
        telemetry: Telemetry,
        recorder: Recorder,
        output: TriggerOutput,
        listener: Listener,
        outlet: EdgeOutlet | None = None,
        interrupt: Interrupt,
        markers: MarkerGate | None = None,
        attendants: Sequence[Attendant] = (),
        follower: Follower | None = None,
    ) -> None:
        self._engine = engine
        self._words = words
        self._telemetry = telemetry
        self._cursor = telemetry.heads.copy()
        self._recorder = recorder
        self._output = output
        self._listener = listener
        self._outlet = outlet
        self._interrupt = interrupt
        self._markers = markers
        self._attendants = tuple(attendants)
        self._follower = follower
        self._t_output_checked = self._t_clock_followed = host_clock()
        self._loop_beats = -1
        self._t_loop_beat = host_clock()
        self.status = Status()
        # Every edge, from which the dose is counted; unless a loop hangs in a call, or
        # rows were lost.
        self.edges: list[Any] = []
        self.knows_every_edge = True

    @property
    def interrupted(self) -> bool:
        """Whether somebody has asked for an end."""
        return self._interrupt.wished()

    def run_stage(
        self,
        name: str,
        program: Program,
        memory: Memory,
        *,
        duration_s: float | None,
        done: Callable[[], bool] = lambda: False,
        at_end: Callable[[], None] = lambda: None,
        keep: list[Batch] | None = None,
    ) -> StageEnd:
        """Run the loop until the time is up, `done` says so, a fault or an interrupt.

        Parameters
        ----------
        name : str
        program, memory
        duration_s : float or None
            None runs until something else ends the stage.
        done : callable
        at_end : callable
            Called once when the stage has come to its planned end, while the loop
            still runs, so that no sample has to wait for what is computed.
        keep : list, optional
            Gets every batch.

        Raises
        ------
        RecordingError, OutputLost
            Also stops the loop.
        """
        t_start = self._t_loop_beat = host_clock()
        self.status.stage, self.status.duration_s = name, duration_s
        n_samples = int(memory.now.n_samples[0])
        self._recorder.event("stage", name=name, t=t_start, n_samples=n_samples)
        self._words.beat(t_start)
        # Nobody has looked since the stage before; the gate may have closed by now.
        self._follow_markers(t_start)
        self._engine.start(
            Stretch(program=program, memory=memory, telemetry=self._telemetry)
        )
        fault: Fault | None = None
        try:
            while fault is None and not self._over(t_start, duration_s, done):
                self._interrupt.wait(_LOOK_EVERY_S)
                self._look(memory, t_start, keep)
                fault = self._engine.finished()
            if fault is None and not self.interrupted:
                self._look_during(at_end, memory, t_start, keep)
            if fault is None:
                fault = self._engine.stop()
            self._look(memory, t_start, keep)
        except BaseException:
            self._end_in_trouble(keep, is_running=fault is None)
            raise
        return StageEnd(fault=fault, interrupted=self.interrupted)

    def _end_in_trouble(self, keep: list[Batch] | None, *, is_running: bool) -> None:
        """Take every permit, disarm, stop the loop, and read what has left."""
        self._words.withdraw(Permit.ALL)
        # Before a loop that may hang is waited for.
        for attendant in self._attendants:
            attendant.stand_down()
        try:
            if is_running:
                self._engine.stop()
            self._read(keep)
        except EngineFault:  # of which why the session ends was said already
            self.knows_every_edge = False

    def _over(
        self, t_start: float, duration_s: float | None, done: Callable[[], bool]
    ) -> bool:
        if self.interrupted:
            self._words.withdraw(Permit.ARMED)
            return True
        if self._arming_has_expired():
            return True
        late = duration_s is not None and host_clock() - t_start >= duration_s
        return late or done()

    def _arming_has_expired(self) -> bool:
        t_until = self._words.holds_until(Permit.ARMED)
        if not self._words.permits & Permit.ARMED or host_clock() <= t_until:
            return False
        self._words.withdraw(Permit.ARMED)
        self._recorder.event("arming expired", t=t_until)
        self._listener.note(
            "The arming has expired (limits.max_armed_s), so the session ends; start "
            "again to arm anew."
        )
        return True

    def _look(self, memory: Memory, t_start: float, keep: list[Batch] | None) -> None:
        t_now = host_clock()
        self._watch(t_now)
        self._words.beat(t_now)
        self._follow_markers(t_now)
        for attendant in self._attendants:
            attendant.look(t_now)
        self._check_recording(t_now)
        for sentence in self._recorder.news():
            self._listener.note(sentence)
        batch = self._read(keep)
        if self._follower is not None:
            self.status.stage = self._follower.look(t_now) or self.status.stage
        self._count(batch, memory, t_now, t_now - t_start)
        self._listener.update(self.status)
        if self._outlet is not None:
            self._outlet.publish(batch.edges)
        if t_now - self._t_clock_followed >= _FOLLOW_CLOCK_EVERY_S:
            self._t_clock_followed = t_now
            self._engine.follow_clock()
        if t_now - self._t_output_checked >= _CHECK_OUTPUT_EVERY_S:
            self._t_output_checked = t_now
            with driver_errors():
                self._output.check()

    def _follow_markers(self, t_now: float) -> None:
        if self._markers is None:
            return
        news = self._markers.look(t_now)
        if news.is_open:
            self._words.permit(Permit.MARKER)
        else:
            self._words.withdraw(Permit.MARKER)
        for marker in news.markers:
            self._recorder.event(
                "marker", t=t_now, t_stamp=marker.t_stamp, text=marker.text
            )
        if news.trouble is not None:
            self._recorder.event("markers lost", t=t_now, sentence=news.trouble)
            self._listener.note(f"{news.trouble} The gate stays closed.")

    def _watch(self, t_now: float) -> None:
        """Notice a loop that hangs, and a supervisor that was frozen."""
        stalled_s = t_now - self._words.supervisor_beat
        if self._words.permits & Permit.ARMED and stalled_s > _STALL_S:
            self._words.withdraw(Permit.ALL)
            raise EngineFault(
                f"The supervisor stood still for {stalled_s:.1f} s, so the session was "
                "disarmed; do not suspend it, and start again."
            )
        beats = self._words.loop_beats
        if beats != self._loop_beats:
            self._loop_beats, self._t_loop_beat = beats, t_now
        elif t_now - self._t_loop_beat > _LOOP_SILENCE_S:
            self._words.withdraw(Permit.ALL)
            raise EngineFault(
                f"The loop has hung for {t_now - self._t_loop_beat:.1f} s in a call to "
                "the stream or the trigger output; switch the stimulator off, unplug "
                "the output, then start again."
            )

    def _look_during(
        self,
        work: Callable[[], None],
        memory: Memory,
        t_start: float,
        keep: list[Batch] | None,
    ) -> None:
        """Do work that takes its time, a person's answer even, and go on looking."""
        over = threading.Event()
        errors: list[BaseException] = []

        def look_on() -> None:
            try:
                while not over.wait(_LOOK_EVERY_S):
                    self._look(memory, t_start, keep)
            except BaseException as error:  # noqa: BLE001 - raised below
                errors.append(error)

        looker = threading.Thread(target=look_on, name="phasegate-looker")
        looker.start()
        try:
            work()
        finally:
            over.set()
            looker.join()
        if errors:
            raise errors[0]

    def _read(self, keep: list[Batch] | None) -> Batch:
        """Return what came since the last look; the recorder has it from the rings."""
        batch = read_on(self._telemetry, self._cursor)
        if keep is not None:
            keep.append(batch)
        if len(batch.edges):
            self.edges.append(batch.edges)
        if self._follower is not None:
            self._follower.take(batch)
        return batch

    def _check_recording(self, t_now: float) -> None:
        try:
            self._recorder.check(t_now)
        except RecordingError:
            self._words.withdraw(Permit.RECORDING)
            raise

    def _count(
        self, batch: Batch, memory: Memory, t_now: float, elapsed_s: float
    ) -> None:
        status = self.status
        status.elapsed_s = elapsed_s
        status.n_bytes = self._recorder.n_bytes
        status.lag_s = self._recorder.lag_s(t_now)
        status.n_lost_events = self._recorder.n_lost_events
        edges = batch.edges[batch.edges["rises"] == 1]
        status.fired += int(np.count_nonzero(edges["refusal"] == Refusal.NONE))
        decisions = batch.decisions
        refused = np.concatenate(
            [
                decisions["refusal"][decisions["outcome"] == Outcome.REFUSED],
                edges["refusal"][edges["refusal"] != Refusal.NONE],
            ]
        )
        for refusal in refused.tolist():
            _add(status.refused, Refusal(refusal).name)
        for holds in decisions["holds"][decisions["outcome"] == Outcome.HELD].tolist():
            for reason in HoldReason(holds):
                _add(status.held, reason.name or "?")
        if len(batch.samples):
            last = batch.samples[-1]
            status.n_samples += len(batch.samples)
            status.data_age_s = float(last["t_arrival"] - last["t_sample"])
            status.phase_rad = float(last["phase_rad"])
            status.sd_rad = float(last["sd_rad"])
            status.amplitude_uv = float(last["amplitude_uv"])
        status.threshold_uv = float(memory.now.threshold_uv[0])


def _add(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
