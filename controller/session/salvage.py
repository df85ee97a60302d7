"""Finish the records of a session whose recorder was killed.

A recorder writes the EEG's file first, then the log, then the table, and frees the
rings last. So what a file lacks is in the file before it or in the rings, and nothing
has to be guessed.
"""

import contextlib
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from controller.core.records import DECISION, EDGE, SAMPLE
from controller.engine.telemetry import Batch, read_on
from controller.errors import FileError, RecordingError
from controller.kernels.jit import new_records
from controller.safety.interlock import Refusal
from controller.session.decisions import DecisionLog, last_seal, read_decisions
from controller.session.folder import DECISIONS, EEG, PULSES, SessionFolder
from controller.session.pulses import PulseTable, fired, read_pulses
from controller.session.recording import recorder as layout
from controller.session.recording.append_file import AppendFile, reason_of
from controller.session.recording.ring_recorder import read_message
from controller.session.recording.rings import Rings
from controller.session.recording.xdf import XdfWriter
from controller.session.xdf_reader import read_xdf, scan_xdf, whole_bytes

RECOVERED = "recovered"
"""The event that says that the records were finished later."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What was found and done.

    Parameters
    ----------
    n_samples, n_decisions, n_edges : int
        Added to the files from the rings, or from one file to the next.
    n_events : int
        Messages that the recorder had not written.
    n_cut_bytes : int
        Torn pieces that were cut off; they stand in files of their own.
    n_lost_samples : int
        Samples that were freed from the rings and are not in the file.
    was_finished : bool
        There was nothing to do.
    without_memory : bool
        The rings were gone, and with them what came last.
    """

    n_samples: int = 0
    n_decisions: int = 0
    n_edges: int = 0
    n_events: int = 0
    n_cut_bytes: int = 0
    n_lost_samples: int = 0
    was_finished: bool = False
    without_memory: bool = False


def cut_to_whole(path: Path, n_whole: int) -> int:
    """Cut a file off, keep what was cut off beside it, and return how much that was.

    Parameters
    ----------
    path : Path
    n_whole : int
        The length that stays.

    Raises
    ------
    RecordingError
        If the disk does not take it.
    """
    beside = path.with_name(path.name + ".torn")
    try:
        with path.open("r+b") as file:
            file.seek(n_whole)
            torn = file.read()
            if torn:
                with beside.open("ab") as kept:
                    kept.write(torn)
                    kept.flush()
                    os.fsync(kept.fileno())
                file.truncate(n_whole)
                os.fsync(file.fileno())
    except OSError as error:
        raise RecordingError(f"{path} cannot be cut: {reason_of(error)}.") from error
    return len(torn)


def salvage(folder: SessionFolder, rings: Rings | None, *, t_now: float) -> Salvaged:
    """Finish a session's files; a second call finds nothing to do.

    Parameters
    ----------
    folder : SessionFolder
    rings : Rings or None
        What the killed recorder had not written, where that is left. Nobody may write
        to them any more.
    t_now : float
        Host clock.

    Raises
    ------
    FileError
        If a file is missing or damaged before its end.
    RecordingError
        If the disk does not take it.
    """
    xdf_path, log_path = folder.path / EEG, folder.path / DECISIONS
    n_cut = cut_to_whole(xdf_path, whole_bytes(xdf_path))
    n_cut += cut_to_whole(log_path, _whole_lines(log_path))
    scan = scan_xdf(xdf_path)
    if scan.finished:
        return Salvaged(n_cut_bytes=n_cut, was_finished=n_cut == 0)
    ours = reversed(list(scan.extents.items()))
    numbers = {e.description.name: n for n, e in ours}
    missing = [name for name in layout.OWN_STREAMS if name not in numbers]
    if missing:
        raise FileError(
            f"{xdf_path} ended before its streams were described "
            f"({', '.join(missing)}), so there is nothing of a session to recover."
        )
    extents = {name: scan.extents[n].n_samples for name, n in numbers.items()}
    left = _left(rings)
    with contextlib.ExitStack() as files:
        xdf = XdfWriter(AppendFile(xdf_path, resume=True), resume=scan.extents)
        files.callback(xdf.close)
        logged, events, _ = read_decisions(log_path)
        added = _complete_xdf(xdf, numbers, extents, left)
        n_ahead = extents[layout.DECISION_STREAM] + added["decisions"]
        _append_rows(xdf, numbers[layout.DECISION_STREAM], logged[n_ahead:])
        rows = _records(xdf_path)
        log = DecisionLog(AppendFile(log_path, resume=True), seal=last_seal(log_path))
        files.callback(log.close)
        log.append(rows.decisions[len(logged) :])
        n_events = _complete_events(log, events, left.messages, rows.edges)
        found = Salvaged(
            n_samples=added["samples"],
            n_decisions=max(0, len(rows.decisions) - len(logged)),
            n_edges=added["edges"],
            n_events=n_events,
            n_cut_bytes=n_cut,
            n_lost_samples=max(0, int(left.tails[0]) - extents[layout.EEG_STREAM]),
            without_memory=rings is None,
        )
        log.event(RECOVERED, {"t": t_now, **dataclasses.asdict(found)})
        pulses = fired(_table_again(folder, rows))
        n_marks = extents[layout.PULSE_STREAM]
        layout.mark(xdf, numbers[layout.PULSE_STREAM], pulses[n_marks:])
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class _Left:
    """What the rings still hold: rows from the tails on, and messages."""

    batch: Batch
    tails: Any
    messages: list[bytes]


def _left(rings: Rings | None) -> _Left:
    if rings is None:
        return _Left(
            Batch(
                samples=new_records(SAMPLE, 0),
                raw=np.empty((0, 0), np.float32),
                decisions=new_records(DECISION, 0),
                edges=new_records(EDGE, 0),
            ),
            np.zeros(3, np.int64),
            [],
        )
    tails = rings.telemetry.tails.copy()
    batch = read_on(rings.telemetry, tails.copy())
    return _Left(batch, tails, rings.messages.waiting()[0])


def _complete_xdf(
    xdf: XdfWriter,
    numbers: Mapping[str, int],
    extents: Mapping[str, int],
    left: _Left,
) -> dict[str, int]:
    """Append what the rings hold, each stream from where it ended; return how much."""

    def begins(name: str, ring: int) -> int:
        # What was recorded and not yet freed is there twice.
        return max(0, extents[name] - int(left.tails[ring]))

    batch = left.batch
    eeg = begins(layout.EEG_STREAM, 0)
    arrivals = batch.samples[begins(layout.ARRIVAL_STREAM, 0) :]
    decisions = batch.decisions[begins(layout.DECISION_STREAM, 1) :]
    edges = batch.edges[begins(layout.EDGE_STREAM, 2) :]
    stamps = batch.samples["t_sample"][eeg:]
    xdf.append(
        [
            (numbers[layout.EEG_STREAM], stamps, batch.raw[eeg:]),
            (
                numbers[layout.ARRIVAL_STREAM],
                arrivals["t_sample"],
                layout.arrival_values(arrivals),
            ),
        ]
    )
    _append_rows(xdf, numbers[layout.DECISION_STREAM], decisions)
    _append_rows(xdf, numbers[layout.EDGE_STREAM], edges)
    return {
        "samples": len(stamps),
        "decisions": len(decisions),
        "edges": len(edges),
    }


def _append_rows(xdf: XdfWriter, stream: int, rows: Any) -> None:
    """Append decisions or edges at the instants they belong to."""
    t = rows["t_decided" if "t_decided" in rows.dtype.names else "t_fired"]
    xdf.append([(stream, t, layout.record_values(rows))])


@dataclasses.dataclass(frozen=True, slots=True)
class _Rows:
    decisions: Any
    edges: Any


def _records(xdf_path: Path) -> _Rows:
    kinds = {layout.DECISION_STREAM: DECISION, layout.EDGE_STREAM: EDGE}
    streams = read_xdf(xdf_path, only=kinds).streams
    return _Rows(
        *(
            layout.records_of(
                streams[name].values, streams[name].description.labels, dtype
            )
            for name, dtype in kinds.items()
        )
    )


def _complete_events(
    log: DecisionLog, events: list[dict[str, Any]], messages: list[bytes], edges: Any
) -> int:
    """Append the events that are not in the log; return how many."""
    n_last = max((int(one.get("number", 0)) for one in events), default=0)
    n_events = 0
    for message in messages:
        number, kind, fields = read_message(message)
        if number > n_last:
            log.event(kind, fields, number=number)
            n_events += 1
    told = {one["t"] for one in events if one["event"] == layout.NOT_ENDED}
    stuck = edges[(edges["rises"] == 0) & (edges["refusal"] != Refusal.NONE)]
    for edge in stuck:
        if float(edge["t_fired"]) not in told:
            log.event(layout.NOT_ENDED, layout.not_ended(edge))
            n_events += 1
    return n_events


def _table_again(folder: SessionFolder, rows: _Rows) -> Any:
    """Make the table of pulses anew from all decisions and edges."""
    path = folder.path / PULSES
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    table = PulseTable(AppendFile(beside))
    table.append(rows.decisions, rows.edges)
    table.close()
    try:
        beside.replace(path)
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be written: {reason_of(error)}."
        ) from error
    return read_pulses(path)


def _whole_lines(path: Path) -> int:
    """Return the length of a file of lines up to the end of its last whole line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
    return content.rfind(b"\n") + 1
