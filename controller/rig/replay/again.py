"""A session's recorded samples through its own loop once more, on a virtual clock.

Rest, warm-up and closed loop run as they ran live, with the arrivals, permits and edges
that were recorded; nothing is designed, drawn or looked up anew.
"""

import dataclasses
import time
from typing import Any

import numpy as np

from controller.core.memory import new_memory
from controller.core.reasons import Fault
from controller.core.records import DECISION, EDGE
from controller.core.structures import Memory
from controller.engine.telemetry import Batch
from controller.engine.virtual import Tape, run_virtual
from controller.errors import FileError
from controller.kernels.jit import new_records
from controller.rig.replay.entered import HANDED_OVER, LoopInput, memory_digest
from controller.rig.warm_up import WarmUp
from controller.session.folder import EEG, PROGRAM
from controller.session.load import Session


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay gave.

    Parameters
    ----------
    samples, decisions, edges : records
        As the loop wrote them, of SAMPLE, DECISION and EDGE.
    memory : str
        Digest of what the closed loop was handed from the rest; empty without one.
    fault : Fault
        `END_OF_TAPE` where the loop was stopped.
    seconds : float
        That the loop took, the warm-up included.
    """

    samples: Any
    decisions: Any
    edges: Any
    memory: str
    fault: Fault
    seconds: float


def replay(session: Session, loop_input: LoopInput | None) -> Replayed:
    """Run a session again.

    Parameters
    ----------
    session : Session
    loop_input : LoopInput or None
        None for a session that ended before there was a program.

    Raises
    ------
    FileError
        The session was recorded before edges were, or its records contradict each
        other.
    """
    n_rest = rest_samples(session)
    if n_rest is None:
        # Nothing was decided before the loop was closed.
        return _nothing()
    if loop_input is None or session.edges is None:
        lacks = PROGRAM if loop_input is None else f"stream of edges in {EEG}"
        raise FileError(
            f"The session {session.path} has no {lacks}: it was recorded by a version "
            "that did not keep all that a replay needs; close the loop on its samples "
            f"anew with `phasegate replay {session.path / EEG}`."
        )
    t_start = time.perf_counter()
    memory, rest = handed_over(session, loop_input, n_rest)
    digest = memory_digest(memory)
    run = run_virtual(loop_input.loop, memory, recorded_tape(session, n_rest))
    seconds = time.perf_counter() - t_start
    return Replayed(
        samples=np.concatenate([rest, run.batch.samples]),
        decisions=run.batch.decisions,
        edges=run.batch.edges,
        memory=digest,
        fault=run.fault,
        seconds=seconds,
    )


def rest_samples(session: Session) -> int | None:
    """Return how many samples had come when the loop was closed; None if never."""
    event = handed_over_event(session)
    if event is None:
        return None
    n_rest = int(event["n_samples"])
    if not 0 <= n_rest <= len(session.samples):
        raise FileError(
            f"The loop of {session.path} was closed after {n_rest} samples, but {EEG} "
            f"holds {len(session.samples)}; part of the recording is missing."
        )
    return n_rest


def handed_over_event(session: Session) -> dict[str, Any] | None:
    """Return the event between rest and closed loop."""
    return next(
        (event for event in session.events if event.get("event") == HANDED_OVER), None
    )


def handed_over(
    session: Session, loop_input: LoopInput, n_rest: int
) -> tuple[Memory, Any]:
    """Run the rest, and warm the closed loop up on it, as live.

    Returns
    -------
    memory : Memory
        To enter the closed loop with.
    samples : records of SAMPLE
        Of the rest.
    """
    rest = recorded_batch(session, 0, n_rest)
    before = new_memory(loop_input.rest, n_window=1)
    tape = recorded_tape(session, 0, n_rest)
    run = run_virtual(loop_input.rest, before, tape)
    warm_up = WarmUp(
        loop_input.loop, session.stream.labels, n_window=loop_input.n_window
    )
    warm_up.take(rest)
    return warm_up.finished(before), run.batch.samples


def recorded_batch(session: Session, start: int, stop: int | None = None) -> Batch:
    """Return recorded samples as the loop's rings held them."""
    return Batch(
        samples=session.samples[start:stop],
        raw=session.raw[start:stop],
        decisions=new_records(DECISION, 0),
        edges=new_records(EDGE, 0),
    )


def recorded_tape(session: Session, start: int, stop: int | None = None) -> Tape:
    """Return recorded samples with their arrivals, permits and edges."""
    samples = session.samples[start:stop]
    edges = session.edges if stop is None else new_records(EDGE, 0)
    return Tape(
        t_sample=np.ascontiguousarray(samples["t_sample"]),
        t_arrival=np.ascontiguousarray(samples["t_arrival"]),
        permits=np.ascontiguousarray(samples["permits"]),
        raw=np.ascontiguousarray(session.raw[start:stop]),
        edges=edges,
    )


def _nothing() -> Replayed:
    return Replayed(
        samples=None,
        decisions=new_records(DECISION, 0),
        edges=new_records(EDGE, 0),
        memory="",
        fault=Fault.STOPPED,
        seconds=0.0,
    )
