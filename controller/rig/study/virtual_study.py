"""A protocol's whole session on a virtual clock: a simulated participant, no hardware.

Planner, loop, director, trial log, dose book and recorder are those of a live session.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from controller.config import Config, SyntheticSource
from controller.core.memory import new_memory
from controller.core.offers import OFFER_SHIFT
from controller.core.reasons import Fault
from controller.core.structures import Memory, Program
from controller.engine.telemetry import Batch, drain, join, new_telemetry
from controller.engine.virtual import Tape, VirtualLoop, regular_tape, run_virtual
from controller.errors import ConfigError
from controller.kernels.jit import Float64Array
from controller.protocol.trial_log import Progress
from controller.rig.dose import SessionDose
from controller.rig.faults import fault_error
from controller.rig.records import (
    SessionOutcome,
    design_arrays,
    recorded_stream,
)
from controller.rig.replay.entered import HANDED_OVER, memory_digest
from controller.rig.replay.tape_session import NOWHERE, Given, plan, planner_of
from controller.rig.stages import SETTLE_S
from controller.rig.study.director import Director, Hands
from controller.rig.study.prepared import Study, StudyPart, require_runnable
from controller.rig.study.stage_waits import Signals
from controller.rig.study.virtual_task import VirtualTask
from controller.rig.warm_up import WarmUp
from controller.safety.dose import Dose
from controller.safety.interlock import Permit
from controller.session.books.trial_file import TRIALS, TrialFile
from controller.session.folder import WHAT_IF, SessionFolder
from controller.session.recording.recorder import SessionRecorder
from controller.sources.description import StreamDescription
from controller.sources.synthetic.layout import (
    channel_labels,
    channel_types,
    channel_units,
)
from controller.sources.synthetic.signal import SyntheticParticipant

PROTOCOL = "protocol.toml"
DATA_AGE_S = 0.004

_CHUNK_S = 60.0
_T_START = 100.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VirtualStudy:
    """What came of it.

    Parameters
    ----------
    folder : Path
    outcome : SessionOutcome
    progress : Progress
    dose : Dose
        As entered in the book.
    calls : array, shape (n_calls, 3)
        Instant, descriptor and first byte of each wire action.
    lasts_s : float
        Virtual time from the first sample to the last.
    markers : tuple of str
        What was sent to others.
    """

    folder: Path
    outcome: SessionOutcome
    progress: Progress
    dose: Dose
    calls: Float64Array
    lasts_s: float
    markers: tuple[str, ...]


def simulated_stream(source: SyntheticSource) -> StreamDescription:
    """Return the description of a simulated participant's stream."""
    units = channel_units(source)
    return StreamDescription(
        name="simulated participant",
        type="EEG",
        source_id="",
        hostname="",
        sfreq_hz=source.sfreq_hz,
        channel_format="float32",
        labels=channel_labels(source),
        channel_types=channel_types(source),
        units=units,
        scale_uv=np.array([1.0 if u == "microvolts" else np.nan for u in units]),
    )


def run_study_virtually(
    config: Config,
    text: str,
    study: Study,
    *,
    out: Path,
    say: Callable[[str], None] = lambda _sentence: None,
    look_s: float = 0.1,
    longest_s: float = 6 * 3600.0,
) -> VirtualStudy:
    """Run a protocol from its first stage to its last.

    Parameters
    ----------
    config : Config
        With a simulated participant.
    text : str
        Its file.
    study : Study
    out : Path
        Where session folders go.
    say : callable
        Gets what an operator is told.
    look_s : float
        From one look of the supervisor to the next.
    longest_s : float
        Give up after so long.

    Raises
    ------
    ConfigError
        The source is no simulated participant, or the protocol breaks a rule.
    PhasegateError
        As a live session.
    """
    if not isinstance(config.source, SyntheticSource):
        raise ConfigError(
            "source.kind must be synthetic for a session on a virtual clock; take a "
            "configuration with a simulated participant."
        )
    config = study.configured(config)
    require_runnable(study, config)
    folder = SessionFolder.create(
        out, title=study.protocol.title, participant=config.run.participant
    )
    folder.write_config(text)
    folder.write_text(PROTOCOL, study.text)
    file = TrialFile(folder.path / TRIALS, study.new_progress())
    try:
        return _Run(config, study, folder, file, say).through(look_s, longest_s)
    finally:
        file.close()


class _Run:
    def __init__(
        self,
        config: Config,
        study: Study,
        folder: SessionFolder,
        file: TrialFile,
        say: Callable[[str], None],
    ) -> None:
        assert isinstance(config.source, SyntheticSource)
        self._study, self._folder, self._file = study, folder, file
        self._say = say
        stream = simulated_stream(config.source)
        self._participant = SyntheticParticipant(config.source)
        part = StudyPart(study=study, trials=study.left(file.progress))
        self._planner = dataclasses.replace(planner_of(config, stream, None), part=part)
        self._recorder = SessionRecorder(
            folder, recorded_stream(stream), t_now=_T_START
        )
        self._outcome = SessionOutcome()
        self._dose = SessionDose.of(config, folder.path, fires=False)
        self._n_read = 0
        self._offer = 0
        self._markers: list[str] = []
        self._signals = Signals()
        self._edges: list[Any] = []
        self._unrecorded: list[Batch] = []

    def through(self, look_s: float, longest_s: float) -> VirtualStudy:
        try:
            self._recorder.event(WHAT_IF, t=_T_START, source="simulated participant")
            program, memory, rows = self._rest()
            self._outcome.planned_dose = self._dose.reserve(program)
            director = Director(
                self._study,
                self._file,
                rows,
                Hands(offer=self._take_offer, say=self._say, mark=self._markers.append),
                self._signals,
            )
            director.begin(self._t)
            calls = self._close_loop(director, program, memory, look_s, longest_s)
            director.end()
            dose = self._dose.settle(self._edges)
        finally:
            self._recorder.close()
        return VirtualStudy(
            folder=self._folder.path,
            outcome=self._outcome,
            progress=self._file.progress,
            dose=dose,
            calls=calls,
            lasts_s=self._t - _T_START,
            markers=tuple(self._markers),
        )

    @property
    def _sfreq_hz(self) -> float:
        return self._planner.stream.sfreq_hz

    @property
    def _t(self) -> float:
        return _T_START + self._n_read / self._sfreq_hz

    def _take_offer(self, offer: int) -> None:
        self._offer = offer

    def _tape(self, n_samples: int, permits: Permit) -> Tape:
        samples = self._participant.read(n_samples).samples
        tape = regular_tape(
            samples,
            self._sfreq_hz,
            t_start=self._t,
            data_age_s=DATA_AGE_S,
            permits=permits,
        )
        self._n_read += n_samples
        return tape

    def _enter(self, stage: str) -> None:
        self._recorder.event("stage", name=stage, t=self._t, n_samples=self._n_read)

    def _rest(self) -> tuple[Program, Memory, Any]:
        """Record the rest and design from it; return what the loop is entered with."""
        planner = self._planner
        n_settle = round(SETTLE_S * self._sfreq_hz)
        n_rest = n_settle + round(planner.config.run.rest_s * self._sfreq_hz)
        self._enter("settle")
        tape = self._tape(n_rest, Permit.NONE)
        before = self._outcome.memory = new_memory(planner.rest_program(), n_window=1)
        run = run_virtual(planner.rest_program(), before, tape)
        rest = dataclasses.replace(run.batch, raw=tape.raw)
        self._record(rest)
        given = Given(
            tape=tape,
            n_settle=n_settle,
            n_rest=n_rest,
            n_designed=n_rest,
            late_s=np.zeros(1),
        )
        planned = plan(planner, given, rest)
        calibration, loop_input = planned.calibration, planned.loop_input
        self._outcome.calibration = calibration
        self._say(calibration.sentence())
        self._folder.write_design(
            design_arrays(calibration.design, calibration.mixing, planned.rules)
        )
        self._folder.write_program(loop_input.arrays())
        warm_up = WarmUp(
            loop_input.loop, planner.stream.labels, n_window=loop_input.n_window
        )
        warm_up.take(rest)
        memory = self._outcome.memory = warm_up.finished(before)
        self._recorder.event(
            HANDED_OVER, t=self._t, n_samples=n_rest, memory=memory_digest(memory)
        )
        return loop_input.loop, memory, planner.rows(calibration, NOWHERE)

    def _close_loop(
        self,
        director: Director,
        program: Program,
        memory: Memory,
        look_s: float,
        longest_s: float,
    ) -> Float64Array:
        self._enter("closed loop")
        calls: list[Float64Array] = [np.zeros((0, 3))]
        task = VirtualTask(self._study.protocol)
        n_look = max(1, round(look_s * self._sfreq_hz))
        telemetry = new_telemetry(
            self._planner.stream.n_channels, n_samples=4 * n_look, with_raw=False
        )
        for ring, counter in enumerate(("n_samples", "n_decisions", "n_edges")):
            telemetry.heads[ring] = telemetry.tails[ring] = memory.now[counter][0]
        t_clock: float | None = None
        t_begun = self._t
        while not director.is_over:
            t_chunk = self._t
            if not t_chunk - t_begun < longest_s:
                raise ConfigError(
                    f"The protocol was not over after {longest_s / 3600:g} h; look at "
                    "its attempts and its stages."
                )
            tape = self._tape(round(_CHUNK_S * self._sfreq_hz), Permit.ALL)
            loop = VirtualLoop(program, memory, tape, telemetry, t_start=t_clock)
            for start in range(0, len(tape.raw), n_look):
                stop = min(start + n_look, len(tape.raw))
                t_now = t_chunk + start / self._sfreq_hz
                self._lead(director, task, t_now)
                if self._file.progress.next_stage is None:
                    # What was made of the participant beyond here never happened.
                    self._n_read += start - len(tape.raw)
                    break
                tape.permits[start:stop] = int(Permit.ALL) | self._offer << OFFER_SHIFT
                fault = loop.run_to(stop)
                seen = dataclasses.replace(drain(telemetry), raw=tape.raw[start:stop])
                self._unrecorded.append(seen)
                director.take(seen)
                if fault is not Fault.END_OF_TAPE:
                    raise fault_error(
                        fault,
                        memory.now[0],
                        labels=self._planner.stream.labels,
                        output="The virtual output",
                    )
            self._write()
            t_clock = loop.t
            calls.append(loop.calls.copy())
        self._outcome.loop_s = self._t - t_begun
        return np.concatenate(calls)

    def _lead(self, director: Director, task: VirtualTask, t_now: float) -> None:
        progress = self._file.progress
        # Nobody is there: whoever is waited for says go, and the task begins.
        self._signals.command("go")
        for text in self._sent(task, t_now):
            director.hear(text, t_now)
        if progress.paused_for is not None:
            self._signals.command("resume")
        director.direct(t_now)

    def _sent(self, task: VirtualTask, t_now: float) -> Iterator[str]:
        progress = self._file.progress
        place = progress.next_stage
        if place is None:
            return
        stage = self._study.protocol.stages[place]
        yield from task.markers(stage, t_now, waits=progress.stage is None)

    def _write(self) -> None:
        """Record what the looks of a minute have brought, in one piece."""
        if self._unrecorded:
            self._record(join(self._unrecorded))
            self._unrecorded = []

    def _record(self, batch: Batch) -> None:
        self._edges.append(batch.edges)
        self._recorder.append(batch.samples, batch.raw, batch.decisions, batch.edges)
