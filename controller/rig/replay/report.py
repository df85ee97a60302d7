"""A session folder replayed and compared with itself: what `replay SESSION` says."""

import dataclasses
import time
from pathlib import Path
from typing import Any

from controller import __version__
from controller.rig.replay.again import Replayed, handed_over_event, replay
from controller.rig.replay.entered import read_loop_input
from controller.rig.replay.verdict import Verdict, judge
from controller.session.load import Session, load_session
from controller.session.provenance import provenance


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast a session was replayed.

    Parameters
    ----------
    recorded_s : float
        From the first arrival to the last.
    loop_s : float
        That the loop took, the warm-up included.
    reading_s : float
        That reading the folder took.
    """

    recorded_s: float
    loop_s: float
    reading_s: float

    @property
    def times(self) -> float:
        """How many times faster than real time the loop was."""
        return self.recorded_s / self.loop_s if self.loop_s > 0.0 else 0.0

    @property
    def times_with_reading(self) -> float:
        """The same with the reading of the files."""
        return self.recorded_s / (self.loop_s + self.reading_s)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """How a replay compares with the record.

    Parameters
    ----------
    folder : Path
    decisions, edges, samples : Verdict
        Edges are every wire action, samples what the loop saw in each of them.
    handed_over : bool or None
        Whether the closed loop was entered with the same memory; None if it never was.
    fault : str
        That ended the replay, `END_OF_TAPE` where the session was stopped.
    speed : Speed
    notes : tuple of str
        One sentence for each thing to know.
    """

    folder: Path
    decisions: Verdict
    edges: Verdict
    samples: Verdict
    handed_over: bool | None
    fault: str
    speed: Speed
    notes: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether every decision came out again, bit for bit."""
        return self.decisions.identical

    def as_dict(self) -> dict[str, Any]:
        """Return the report for machines."""
        speed = self.speed
        return {
            "folder": str(self.folder),
            "decisions": _as_dict(self.decisions),
            "edges": _as_dict(self.edges),
            "samples": _as_dict(self.samples),
            "handed_over": self.handed_over,
            "fault": self.fault,
            "speed": {
                "times_real_time": speed.times,
                "times_real_time_with_reading": speed.times_with_reading,
                "recorded_s": speed.recorded_s,
                "loop_s": speed.loop_s,
                "reading_s": speed.reading_s,
            },
            "notes": list(self.notes),
        }


def replay_folder(folder: Path) -> ReplayReport:
    """Read a session, run it again and compare.

    Parameters
    ----------
    folder : Path
        Of the session.

    Raises
    ------
    FileError
        No session, a damaged one, or one of another version.
    """
    t_start = time.perf_counter()
    loop_input = read_loop_input(folder)
    session = load_session(folder)
    reading_s = time.perf_counter() - t_start
    replayed = replay(session, loop_input)
    return compared(session, replayed, reading_s)


def compared(session: Session, replayed: Replayed, reading_s: float) -> ReplayReport:
    """Compare what a replay gave with what a session's folder holds."""
    torn = bool(session.notes)
    event = handed_over_event(session)
    recorded = session.samples if replayed.samples is not None else session.samples[:0]
    samples = recorded if replayed.samples is None else replayed.samples
    edges = replayed.edges[:0] if session.edges is None else session.edges
    arrivals = session.samples["t_arrival"]
    return ReplayReport(
        folder=session.path,
        decisions=judge(session.decisions, replayed.decisions, torn=torn),
        edges=judge(edges, replayed.edges, torn=torn),
        samples=judge(recorded, samples, torn=torn),
        handed_over=None if event is None else replayed.memory == event["memory"],
        fault=replayed.fault.name,
        speed=Speed(
            recorded_s=float(arrivals[-1] - arrivals[0]) if len(arrivals) else 0.0,
            loop_s=replayed.seconds,
            reading_s=reading_s,
        ),
        notes=(*session.notes, *_notes(session)),
    )


def _notes(session: Session) -> list[str]:
    notes = []
    if handed_over_event(session) is None:
        notes.append(
            "The session ended before its loop was closed: there was nothing to decide."
        )
    then = session.provenance or {}
    now = provenance(privileges={}, seeds={})
    for key, what in (
        ("cpu", "on another processor"),
        ("machine", "on another kind of machine"),
    ):
        if then.get(key) not in (None, now[key]):
            notes.append(
                f"It was recorded {what}, {then[key]}; long sums may be ordered "
                "otherwise there."
            )
    if then.get("phasegate") not in (None, __version__):
        notes.append(
            f"It was recorded by phasegate {then['phasegate']}, this is {__version__}."
        )
    return notes


def _as_dict(verdict: Verdict) -> dict[str, Any]:
    first = verdict.first_difference
    return {
        "count": verdict.count,
        "replayed": verdict.n_replayed,
        "identical": verdict.identical,
        "first_difference": None if first is None else dataclasses.asdict(first),
        "fingerprint": verdict.fingerprint,
        "replayed_fingerprint": verdict.replayed_fingerprint,
    }
