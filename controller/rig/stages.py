"""The stages of a session: watch the stream settle, rest, close the loop."""

from collections.abc import Callable

from controller.config import Config, FileSource
from controller.core.memory import new_memory
from controller.core.reasons import Fault
from controller.core.structures import (
    Memory,
    Program,
)
from controller.engine.clock import host_clock
from controller.engine.control import ControlWords
from controller.engine.fallback import NOTICE
from controller.engine.live import LiveEngine
from controller.engine.privileges import settle_collector
from controller.engine.telemetry import Batch, join
from controller.errors import EngineFault, PhasegateError
from controller.protocol.core_rows import Rows
from controller.rig.arming import SessionArming, vouch_for_absent
from controller.rig.attendance import Attendance
from controller.rig.calibrate.design import Calibration
from controller.rig.console.status import Listener
from controller.rig.dose import SessionDose
from controller.rig.equipment import Equipment
from controller.rig.faults import fault_error
from controller.rig.interrupt import Interrupt
from controller.rig.outputs.opened import driver_errors, trigger_code
from controller.rig.programs.planning import Planner, timing_of
from controller.rig.programs.program import all_done, amplitude_window
from controller.rig.records import (
    SessionOutcome,
    design_arrays,
    recorded_stream,
)
from controller.rig.replay.entered import HANDED_OVER, LoopInput, memory_digest
from controller.rig.supervisor import StageEnd, Supervisor
from controller.rig.warm_up import WarmUp
from controller.safety.interlock import Permit
from controller.session.folder import OPEN_ENDED_S, SessionFolder, bytes_needed
from controller.session.recording.rings import create_rings
from controller.session.recording.running_recorder import RunningRecorder
from controller.session.recording.streams import stream_as_dict
from controller.session.salvage import salvage
from controller.sources.markers import LslMarkers, MarkerGate
from controller.sources.pulse_outlet import PulseOutlet

SETTLE_S = 2.5
"""How long the stream is watched before anything is planned on it."""

# As long as the longest stall of a disk that the session shall survive.
_RING_S = 10.0

ConfirmArming = Callable[[str], bool]
"""Asks a person whether the output, named in a phrase, may be armed."""


class Stages:
    """One run through the stages.

    Parameters
    ----------
    config : Config
    equipment : Equipment
    folder : SessionFolder
    listener : Listener
    confirm_arming : callable
    interrupt : Interrupt
    """

    def __init__(
        self,
        *,
        config: Config,
        equipment: Equipment,
        folder: SessionFolder,
        listener: Listener,
        confirm_arming: ConfirmArming,
        interrupt: Interrupt,
    ) -> None:
        self._config = config
        self._interrupt = interrupt
        self._warm_up: WarmUp | None = None
        self._attendance: Attendance | None = None
        self._rows: Rows | None = None
        self._equipment = equipment
        self._stream = equipment.stream
        self._folder = folder
        self._listener = listener
        self._confirm_arming = confirm_arming
        self._planner = Planner(
            config=config,
            stream=self._stream,
            mixing=equipment.mixing,
            designer=equipment.designer,
            profile=equipment.profile,
            part=None if equipment.conduct is None else equipment.conduct.part,
        )
        self._words = ControlWords()
        self._arming = SessionArming(self._words, config.limits.to_limits().max_armed_s)
        vouch_for_absent(
            self._words,
            console=config.needs_console,
            stimulator=equipment.stimulator is not None,
        )
        # A person's wish to end does not wait for a disk that is slow just then.
        interrupt.at_once(self._words.request_stop)
        self._engine = LiveEngine(equipment.inlet, self._words)
        self._rings = create_rings(
            self._stream.n_channels,
            n_samples=round(_RING_S * self._stream.sfreq_hz),
            header={
                "folder": str(folder.path.resolve()),
                "stream": stream_as_dict(recorded_stream(self._stream)),
                "further": [
                    {"marks": stream.marks(), "needed": stream.needed}
                    for stream in config.recording.streams
                ],
            },
        )
        conduct = equipment.conduct
        self._dose = SessionDose.of(
            config, folder.path, protocol=None if conduct is None else conduct.visit
        )
        self.outcome = SessionOutcome()

    def run(self) -> PhasegateError | None:
        """Go through the stages; return what ended them early."""
        recorder = RunningRecorder(self._rings)
        try:
            recorder.start()
        except PhasegateError:
            self._rings.remove()
            raise
        outlet = PulseOutlet(self._folder.path.name)
        rules = self._config.gate.marker
        markers = None if rules is None else MarkerGate(rules, LslMarkers(rules))
        attendance = self._attendance = Attendance(
            self._equipment.output,
            self._equipment.stimulator,
            words=self._words,
            record=recorder.event,
            note=self._listener.note,
            console=self._config.console,
            beats=self._rings.console,
            stop=self._interrupt.ask,
        )
        supervisor = Supervisor(
            engine=self._engine,
            words=self._words,
            telemetry=self._rings.telemetry,
            recorder=recorder,
            output=self._equipment.output,
            listener=self._listener,
            outlet=outlet,
            interrupt=self._interrupt,
            markers=markers,
            attendants=(*attendance.attendants, *self._equipment.beside),
            follower=self._equipment.conduct,
        )
        error: PhasegateError | None = None
        try:
            self.outcome.privileges = self._engine.open()
            self._go_through(supervisor, recorder)
        except PhasegateError as caught:
            error = caught
            self._arming.latch(str(caught))
        finally:
            self._words.withdraw(Permit.ALL)
            ended = self._ended(attendance)
            outlet.close()
            if markers is not None:
                markers.close()
            error = error or ended or self._counted(supervisor)
            self.outcome.interrupted = supervisor.interrupted
            error = self._recorded(recorder, error)
        return error

    def _ended(self, attendance: Attendance) -> PhasegateError | None:
        """Disarm, and end the loop's thread; return what stands against that."""
        error: PhasegateError | None = None
        for end in (attendance.end, self._engine.close):
            try:
                end()
            except PhasegateError as caught:
                error = error or caught
        return error

    def _counted(self, supervisor: Supervisor) -> PhasegateError | None:
        """Enter in the dose book what was given; return what stands against that."""
        if self.outcome.planned_dose is None:
            return None
        if not supervisor.knows_every_edge:
            self._listener.note(
                "Nobody knows whether a last trigger has left, so the dose book keeps "
                "all that this session might have given."
            )
            return None
        try:
            self._dose.settle(supervisor.edges)
        except PhasegateError as caught:
            return caught
        return None

    def _recorded(
        self, recorder: RunningRecorder, error: PhasegateError | None
    ) -> PhasegateError | None:
        """Have the records finished; return the first error."""
        if error is not None:
            recorder.event("fault", t=host_clock(), sentence=str(error))
        try:
            if not recorder.close():
                salvage(self._folder, self._rings, t_now=host_clock())
            self._rings.remove()
        except PhasegateError as caught:
            self._listener.note(
                "What the disk did not take is still in memory: before this machine is "
                f"switched off, run `phasegate recover {self._folder.path}`."
            )
            error = error or caught
        return error

    def _go_through(self, supervisor: Supervisor, recorder: RunningRecorder) -> None:
        rest: list[Batch] = []
        program = self._planner.rest_program()
        memory = self.outcome.memory = new_memory(program, n_window=1)
        settle_collector()
        self._listener.note(self._equipment.words)
        if self._config.needs_console:
            self._listener.note(
                "Nothing is armed before somebody attends: in another terminal, run "
                f"`phasegate attend {self._folder.path}`."
            )
        if self._engine.loop_name != "compiled":
            self._listener.note(NOTICE)
        end = supervisor.run_stage(
            "settle", program, memory, duration_s=SETTLE_S, keep=rest
        )
        if self._is_over(end, memory):
            return
        self._timing = timing_of(join(rest), self._stream.sfreq_hz)
        rest_s = self._config.run.rest_s
        if rest_s > 0.0:
            self._listener.note(f"Rest: {rest_s:g} s, relaxed and still.")
        end = supervisor.run_stage(
            "rest",
            program,
            memory,
            duration_s=rest_s,
            at_end=lambda: self._plan(rest),
            keep=rest,
        )
        if self._is_over(end, memory):
            return
        if self._warm_up is None:
            raise EngineFault("The loop cannot be closed before there is a design.")
        self._warm_up.take(join(rest))
        memory = self.outcome.memory = self._warm_up.finished(memory)
        recorder.event(
            HANDED_OVER,
            t=host_clock(),
            n_samples=int(memory.now.n_samples[0]),
            memory=memory_digest(memory),
        )
        if self._interrupt.wished():
            return
        self._close_loop(supervisor, recorder, self._warm_up.program, memory)

    def _close_loop(
        self,
        supervisor: Supervisor,
        recorder: RunningRecorder,
        program: Program,
        memory: Memory,
    ) -> None:
        self.outcome.planned_dose = self._dose.reserve(program)
        self._arm(recorder)
        t_start, conduct = host_clock(), self._equipment.conduct
        if conduct is not None and self._attendance is not None:
            conduct.begin(
                self._rows,
                hands=self._attendance.hands(self._words, self._listener.note),
                record=recorder.event,
                t_now=t_start,
            )
        try:
            end = supervisor.run_stage(
                "closed loop",
                program,
                memory,
                duration_s=None if conduct else self._config.run.duration_s,
                done=lambda: (
                    all_done(program, memory) if conduct is None else conduct.is_over
                ),
            )
        finally:
            self.outcome.loop_s = host_clock() - t_start
        self._is_over(end, memory)

    def _is_over(self, end: StageEnd, memory: Memory) -> bool:
        """Return whether the session ends here as it may; raise for a fault."""
        if end.fault is Fault.STOPPED:
            return end.interrupted
        has_end = isinstance(self._config.source, FileSource)
        if has_end and end.fault in (Fault.STREAM_LOST, Fault.STREAM_SILENT):
            self._listener.note("The recording has ended.")
            return True
        output = self._equipment.output
        raise fault_error(
            end.fault,
            memory.now[0],
            labels=self._stream.labels,
            output=f"The {output.name} at {output.port}",
        )

    def _plan(self, rest: list[Batch]) -> None:
        """Design the estimator, ask whether what it promises may be armed, warm up.

        The rest goes on growing meanwhile: what is joined here is a copy.
        """
        designed_from = join(list(rest))
        calibration = self._design(designed_from)
        output = self._equipment.output
        where = f"{output.name} at {output.port}"
        self._arming.request(where, host_clock())
        # As the configuration says by name: a driver's own word arms nothing.
        if self._config.output.simulated or (
            not self._interrupt.wished() and self._confirm_arming(where)
        ):
            self._arming.confirm(where, host_clock())
            if self._attendance is not None:
                self._attendance.arm()
        rules = self._planner.rules(self._timing)
        with driver_errors():
            edges = output.edges(trigger_code(self._config.output))
        program = self._planner.loop_program(calibration, rules, edges)
        self._rows = self._planner.rows(calibration, edges)
        loop_input = LoopInput(
            rest=self._planner.rest_program(),
            loop=program,
            n_window=amplitude_window(rules),
            n_designed=len(designed_from.samples),
        )
        self._folder.write_program(loop_input.arrays())
        warm_up = self._warm_up = WarmUp(
            program, self._stream.labels, n_window=loop_input.n_window
        )
        # Twice: while the first goes over all of it, a second or so comes in.
        for _ in range(2):
            warm_up.take(join(list(rest)))

    def _design(self, rest: Batch) -> Calibration:
        """Design the estimator from what the rest has brought so far."""
        self._listener.note("Designing the estimator ...")
        calibration = self.outcome.calibration = self._planner.calibration(
            rest, self._timing
        )
        self._listener.note(calibration.sentence())
        rules = self._planner.rules(self._timing)
        self._planner.check_gates(calibration, rules)
        self._folder.write_design(
            design_arrays(calibration.design, calibration.mixing, rules)
        )
        return calibration

    def _arm(self, recorder: RunningRecorder) -> None:
        output = self._equipment.output
        where = f"{output.name} at {output.port}"
        t_now = host_clock()
        recorder.check_ready(
            t_now,
            n_bytes_needed=bytes_needed(
                sfreq_hz=self._stream.sfreq_hz,
                n_channels=self._stream.n_channels,
                duration_s=self._config.run.duration_s or OPEN_ENDED_S,
            ),
        )
        t_until = self._arming.give(where, t_now)
        recorder.event("armed", t=t_now, output=where, t_until=t_until)
        self._words.permit(Permit.RECORDING)
