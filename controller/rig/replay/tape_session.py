"""A whole session over samples that are there already, on a virtual clock.

Planner, warm-up, loop, recorder and scoring are those of a live session. What comes of
it is a session's folder like any other.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from controller.calibration.profile import Profile
from controller.calibration.profile_file import copy_profile
from controller.config import Config
from controller.core.memory import new_memory
from controller.engine.telemetry import Batch
from controller.engine.virtual import Tape, run_virtual
from controller.estimators.registry import find_designer
from controller.kernels.jit import Float64Array
from controller.report.score import score_session
from controller.rig.calibrate.design import Calibration, check_rest
from controller.rig.calibrate.profile import fitting_config, with_profile
from controller.rig.calibrate.spatial import resolved_montage
from controller.rig.programs.gate_rules import gate_rules
from controller.rig.programs.planning import Planner, timing_of
from controller.rig.programs.program import Rules, amplitude_window
from controller.rig.records import (
    SessionOutcome,
    design_arrays,
    recorded_stream,
    session_facts,
)
from controller.rig.replay.entered import HANDED_OVER, LoopInput, memory_digest
from controller.rig.warm_up import WarmUp
from controller.session.folder import PROFILE, PROVENANCE, WHAT_IF, SessionFolder
from controller.session.provenance import provenance
from controller.session.recording.recorder import SessionRecorder
from controller.sources.description import StreamDescription
from controller.sources.montage import mixing_matrix, other_channels
from drivers.base import TriggerEdges, WireAction

NOTHING_FIRED = "the samples ended; on a virtual clock, so nothing was fired"

_LOOK_SAMPLES = 50
_RISE = WireAction(kind="write", descriptor=3, payload=b"\x01")
_FALL = WireAction(kind="write", descriptor=3, payload=b"\x00")

NOWHERE = TriggerEdges(rise=_RISE, fall=_FALL)
"""Wire actions for the fakes of a virtual clock, which write nothing."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a session on a virtual clock is made of, beside its plans.

    Parameters
    ----------
    tape : Tape
        Samples with stamps, arrivals and permits, from the first to the last.
    n_settle, n_rest, n_designed : int
        Samples that had come when the rest began, when the loop was closed, and when
        the estimator was designed.
    late_s : array
        How late the loop wakes up for each deadline, in turn and over again.
    fail_call : int
        This wire action fails, counted from 0; -1 for none.
    """

    tape: Tape
    n_settle: int
    n_rest: int
    n_designed: int
    late_s: Float64Array
    fail_call: int = -1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What the rest gave: the design, every rule, and what the loop is entered with."""

    calibration: Calibration
    rules: Rules
    loop_input: LoopInput


def run_on_tape(
    planner: Planner,
    text: str,
    given: Given,
    root: Path,
    *,
    what_if: Mapping[str, object] | None = None,
) -> Path:
    """Run a session on a virtual clock, record and score it; return its folder.

    Parameters
    ----------
    planner : Planner
        Of the same stream.
    text : str
        Its configuration, for the records.
    given : Given
    root : Path
        Where session folders go.
    what_if : mapping, optional
        Where the samples come from and what was asked of them, for the records; they
        then say that nothing was fired. Absent for benchmarks, whose sessions stand for
        live ones.

    Raises
    ------
    ConfigError, RhythmTooWeak, RecordingError, FileError
        As a live session.
    """
    config = planner.config
    folder = SessionFolder.create(
        root, title=config.title, participant=config.run.participant
    )
    folder.write_config(text)
    if planner.profile is not None:
        copy_profile(planner.profile, folder.path / PROFILE)
    t_start = float(given.tape.t_arrival[0])
    recorder = SessionRecorder(folder, recorded_stream(planner.stream), t_now=t_start)
    outcome = SessionOutcome()
    try:
        if what_if is not None:
            recorder.event(WHAT_IF, t=t_start, **what_if)
        _run(planner, given, folder, recorder, outcome)
    finally:
        recorder.close()
    facts = session_facts(config, outcome, None)
    if what_if is not None:
        facts = dataclasses.replace(facts, exit_reason=NOTHING_FIRED)
    seeds = {"timing": config.timing.seed}
    folder.write_json(PROVENANCE, provenance(privileges={}, seeds=seeds))
    score_session(folder.path, facts)
    return folder.path


def planner_of(
    config: Config, stream: StreamDescription, profile: Profile | None
) -> Planner:
    """Return what plans a session on this stream.

    Raises
    ------
    ConfigError, ChannelError
    """
    if profile is None:
        designer = check_rest(config)
    else:
        fitting_config(profile, config)
        designer = find_designer(config.estimator.kind)
        config = with_profile(config, profile)
    montage = resolved_montage(config.montage, stream.labels)
    mixing = mixing_matrix(montage, stream)
    if designer.reads_others:
        mixing = np.concatenate([mixing, other_channels(montage, stream)])
    gate_rules(config, stream)
    return Planner(
        config=config, stream=stream, mixing=mixing, designer=designer, profile=profile
    )


def _run(
    planner: Planner,
    given: Given,
    folder: SessionFolder,
    recorder: SessionRecorder,
    outcome: SessionOutcome,
) -> None:
    tape, n_rest = given.tape, given.n_rest

    def enter(stage: str, n_samples: int) -> None:
        t = float(tape.t_arrival[max(0, n_samples - 1)])
        recorder.event("stage", name=stage, t=t, n_samples=n_samples)

    enter("settle", 0)
    program = planner.rest_program()
    before = outcome.memory = new_memory(program, n_window=1)
    run = run_virtual(program, before, part_of(tape, 0, n_rest))
    rest = dataclasses.replace(run.batch, raw=tape.raw[:n_rest])
    enter("rest", given.n_settle)
    _record(recorder, rest)
    planned = plan(planner, given, rest)
    calibration, loop_input = planned.calibration, planned.loop_input
    outcome.calibration = calibration
    folder.write_design(
        design_arrays(calibration.design, calibration.mixing, planned.rules)
    )
    folder.write_program(loop_input.arrays())
    warm_up = WarmUp(
        loop_input.loop, planner.stream.labels, n_window=loop_input.n_window
    )
    warm_up.take(rest)
    memory = outcome.memory = warm_up.finished(before)
    recorder.event(
        HANDED_OVER,
        t=float(tape.t_arrival[n_rest - 1]),
        n_samples=n_rest,
        memory=memory_digest(memory),
    )
    enter("closed loop", n_rest)
    closed = run_virtual(
        loop_input.loop,
        memory,
        part_of(tape, n_rest, len(tape.raw)),
        late_s=given.late_s,
        fail_call=given.fail_call,
    )
    n_seen = len(closed.batch.samples)
    seen = dataclasses.replace(closed.batch, raw=tape.raw[n_rest : n_rest + n_seen])
    _record(recorder, seen)
    outcome.loop_s = n_seen / planner.stream.sfreq_hz


def plan(planner: Planner, given: Given, rest: Batch) -> Planned:
    """Design from the rest, and return what the loop is entered with."""
    timing = timing_of(_first(rest, given.n_settle), planner.stream.sfreq_hz)
    calibration = planner.calibration(_first(rest, given.n_designed), timing)
    rules = planner.rules(timing)
    planner.check_gates(calibration, rules)
    loop_input = LoopInput(
        rest=planner.rest_program(),
        loop=planner.loop_program(calibration, rules, NOWHERE),
        n_window=amplitude_window(rules),
        n_designed=given.n_designed,
    )
    return Planned(calibration=calibration, rules=rules, loop_input=loop_input)


def part_of(tape: Tape, start: int, stop: int) -> Tape:
    """Return some samples of a tape."""
    return Tape(
        t_sample=tape.t_sample[start:stop],
        t_arrival=tape.t_arrival[start:stop],
        permits=tape.permits[start:stop],
        raw=tape.raw[start:stop],
    )


def _first(batch: Batch, n: int) -> Batch:
    return dataclasses.replace(batch, samples=batch.samples[:n], raw=batch.raw[:n])


def _record(recorder: SessionRecorder, batch: Batch) -> None:
    """Record as live: some twenty looks a second, each with what it finds."""
    samples = batch.samples
    n_decided = n_edged = 0
    for start in range(0, len(samples), _LOOK_SAMPLES):
        stop = min(start + _LOOK_SAMPLES, len(samples))
        t = np.inf if stop == len(samples) else samples["t_arrival"][stop - 1]
        decided = _until(batch.decisions["t_arrival"], t)
        edged = _until(batch.edges["t_fired"], t)
        recorder.append(
            samples[start:stop],
            batch.raw[start:stop],
            batch.decisions[n_decided:decided],
            batch.edges[n_edged:edged],
        )
        n_decided, n_edged = decided, edged


def _until(instants: Float64Array, t: float) -> int:
    return int(np.searchsorted(instants, t, side="right"))
