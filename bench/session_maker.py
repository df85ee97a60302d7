"""Whole session folders in a moment: the stages of a session on a virtual clock.

Planner, warm-up, loop, recorder and scoring are those of a live session; only the
stream is a simulated participant's array and the clock is virtual. For measuring and
for testing replays, not for people.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from controller.config import Config, SyntheticSource
from controller.core.memory import new_memory
from controller.engine.telemetry import Batch
from controller.engine.virtual import Tape, run_virtual
from controller.kernels.jit import Float64Array, Int64Array
from controller.report.score import score_session
from controller.rig.design import check_rest
from controller.rig.planning import Planner, timing_of
from controller.rig.program import amplitude_window
from controller.rig.records import (
    SessionOutcome,
    design_arrays,
    recorded_stream,
    session_facts,
)
from controller.rig.replay_input import HANDED_OVER, LoopInput, memory_digest
from controller.rig.spatial import resolved_montage
from controller.rig.warm_up import WarmUp
from controller.safety.interlock import Permit
from controller.session.folder import PROVENANCE, SessionFolder
from controller.session.provenance import provenance
from controller.session.recorder import SessionRecorder
from controller.sources.description import StreamDescription
from controller.sources.montage import mixing_matrix, other_channels
from controller.sources.synthetic.signal import SyntheticParticipant
from drivers.base import TriggerEdges, WireAction

SETTLE_S = 2.5
_LOOK_SAMPLES = 50
_T_START = 1000.0

_EDGES = TriggerEdges(
    rise=WireAction(kind="write", descriptor=3, payload=b"\x01"),
    fall=WireAction(kind="write", descriptor=3, payload=b"\x00"),
)


@dataclasses.dataclass(slots=True, kw_only=True)
class Received:
    """Samples on their way to a session; changed in place by whoever wants trouble.

    Parameters
    ----------
    t_sample, t_arrival : array, shape (n,)
    permits : array, shape (n,)
    raw : array, shape (n, n_channels)
    late_s : array
        How late the loop wakes up for each deadline, in turn.
    fail_call : int
        This wire action fails, counted from 0.
    """

    t_sample: Float64Array
    t_arrival: Float64Array
    permits: Int64Array
    raw: Any
    late_s: Float64Array
    fail_call: int = -1


Trouble = Callable[[Received], None]


def stream_of(source: SyntheticSource) -> StreamDescription:
    """Return what a participant's stream would say of itself."""
    labels = source.channels
    return StreamDescription(
        name="virtual",
        type="EEG",
        source_id="virtual",
        hostname="",
        sfreq_hz=source.sfreq_hz,
        channel_format="float32",
        labels=labels,
        channel_types=("EEG",) * len(labels),
        units=("microvolts",) * len(labels),
        scale_uv=np.ones(len(labels)),
    )


def received(config: Config, *, seed: int = 1) -> Received:
    """Return a participant's samples, arriving with jitter and now and then late."""
    source = config.source
    if not isinstance(source, SyntheticSource):
        raise TypeError("A virtual session needs a synthetic source.")
    duration_s = SETTLE_S + config.run.rest_s + (config.run.duration_s or 60.0)
    n = round(duration_s * source.sfreq_hz)
    rng = np.random.default_rng(seed)
    t_sample = _T_START + np.arange(n) / source.sfreq_hz
    age_s = 0.002 + rng.exponential(2e-4, n)
    # One push in some thousands comes late, and those behind it with it.
    age_s[rng.random(n) < 3e-4] += 0.008
    t_arrival = np.maximum.accumulate(t_sample + age_s)
    permits = np.full(n, int(Permit.SUPERVISED), np.int64)
    return Received(
        t_sample=t_sample,
        t_arrival=t_arrival,
        permits=permits,
        raw=np.ascontiguousarray(SyntheticParticipant(source).read(n).samples),
        late_s=rng.exponential(1.5e-4, 97),
    )


def make_session(
    config: Config,
    text: str,
    root: Path,
    *,
    seed: int = 1,
    trouble: Trouble = lambda _: None,
) -> Path:
    """Run a session on a virtual clock, record it, and return its folder."""
    source = config.source
    if not isinstance(source, SyntheticSource):
        raise TypeError("A virtual session needs a synthetic source.")
    stream = stream_of(source)
    told = received(config, seed=seed)
    n_settle = round(SETTLE_S * stream.sfreq_hz)
    n_rest = n_settle + round(config.run.rest_s * stream.sfreq_hz)
    told.permits[n_rest:] |= int(Permit.ALL)
    trouble(told)
    folder = SessionFolder.create(
        root, title=config.title, participant=config.run.participant, n_bytes_needed=0
    )
    folder.write_config(text)
    planner = _planner(config, stream)
    recorder = SessionRecorder(folder, recorded_stream(stream), t_now=_T_START)
    outcome = SessionOutcome()

    def enter(stage: str, t: float, n_samples: int) -> None:
        recorder.event("stage", name=stage, t=t, n_samples=n_samples)

    enter("settle", _T_START, 0)
    program = planner.rest_program()
    before = new_memory(program, n_window=1)
    run = run_virtual(program, before, _tape(told, 0, n_rest))
    rest = dataclasses.replace(run.batch, raw=told.raw[:n_rest])
    enter("rest", float(told.t_sample[n_settle]), n_settle)
    _record(recorder, rest)
    timing = timing_of(_part(rest, n_settle), stream.sfreq_hz)
    # A live design misses what arrives while it is made, and so does this one.
    n_designed = n_rest - round(0.2 * stream.sfreq_hz)
    calibration = outcome.calibration = planner.calibration(
        _part(rest, n_designed), timing
    )
    rules = planner.rules(timing)
    folder.write_design(design_arrays(calibration.design, calibration.mixing, rules))
    loop = planner.loop_program(calibration, rules, _EDGES)
    loop_input = LoopInput(
        rest=program, loop=loop, n_window=amplitude_window(rules), n_designed=n_designed
    )
    folder.write_program(loop_input.arrays())
    warm_up = WarmUp(loop, stream.labels, n_window=loop_input.n_window)
    warm_up.take(rest)
    memory = outcome.memory = warm_up.finished(before)
    t = float(told.t_arrival[n_rest - 1])
    recorder.event(HANDED_OVER, t=t, n_samples=n_rest, memory=memory_digest(memory))
    enter("closed loop", t, n_rest)
    closed = run_virtual(
        loop,
        memory,
        _tape(told, n_rest, len(told.raw)),
        late_s=told.late_s,
        fail_call=told.fail_call,
    )
    n_seen = len(closed.batch.samples)
    _record(
        recorder,
        dataclasses.replace(closed.batch, raw=told.raw[n_rest : n_rest + n_seen]),
    )
    recorder.close()
    outcome.loop_s = n_seen / stream.sfreq_hz
    facts = session_facts(config, outcome, None)
    seeds = {"timing": config.timing.seed}
    folder.write_json(PROVENANCE, provenance(privileges={}, seeds=seeds))
    score_session(folder.path, facts)
    return folder.path


def _planner(config: Config, stream: StreamDescription) -> Planner:
    designer = check_rest(config)
    montage = resolved_montage(config.montage, stream.labels)
    mixing = mixing_matrix(montage, stream)
    if designer.reads_others:
        mixing = np.concatenate([mixing, other_channels(montage, stream)])
    return Planner(config=config, stream=stream, mixing=mixing, designer=designer)


def _tape(told: Received, start: int, stop: int) -> Tape:
    return Tape(
        t_sample=told.t_sample[start:stop].copy(),
        t_arrival=told.t_arrival[start:stop].copy(),
        permits=told.permits[start:stop].copy(),
        raw=told.raw[start:stop].copy(),
    )


def _part(batch: Batch, n: int) -> Batch:
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
