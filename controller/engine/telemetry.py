"""Rings between the loop and whoever records: one writer, nothing lost.

The loop never waits. Whoever records frees the rows; if it falls a whole ring behind,
the loop stops with a fault instead of overwriting what nobody has recorded. Others read
along with a cursor of their own.
"""

import dataclasses
from typing import Any

import numpy as np

from controller.core.records import (
    DECISION,
    EDGE,
    SAMPLE,
)
from controller.core.structures import (
    Telemetry,
)
from controller.errors import EngineFault
from controller.kernels.jit import Float32Array, Int64Array, new_records

_DECISIONS = 4096
_EDGES = 4096


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What the loop has written since the last look.

    Parameters
    ----------
    samples : records of SAMPLE
    raw : array, shape (n_samples, n_channels)
        The same samples as received.
    decisions : records of DECISION
    edges : records of EDGE
    """

    samples: Any
    raw: Float32Array
    decisions: Any
    edges: Any


def new_telemetry(
    n_channels: int, *, n_samples: int, with_raw: bool = True
) -> Telemetry:
    """Return empty rings that hold at least `n_samples` samples of `n_channels`.

    Without the raw samples where the caller has them anyway, as a replay does.
    """
    n_samples = 1 << max(4, (n_samples - 1).bit_length())
    return Telemetry(
        samples=new_records(SAMPLE, n_samples),
        raw=np.zeros((n_samples if with_raw else 0, n_channels), np.float32),
        decisions=new_records(DECISION, _DECISIONS),
        edges=new_records(EDGE, _EDGES),
        heads=np.zeros(3, np.int64),
        tails=np.zeros(3, np.int64),
    )


def drain(telemetry: Telemetry) -> Batch:
    """Return everything new and free its place in the rings."""
    tails = telemetry.tails.copy()
    batch = read_on(telemetry, tails)
    telemetry.tails[:] = tails
    return batch


def read_on(telemetry: Telemetry, cursor: Int64Array) -> Batch:
    """Return what was written beyond `cursor`, and move it on; nothing is freed.

    Rows below a head are complete and stay untouched until the tail passes them and the
    loop comes round, so a copy needs no second look, unless the cursor is not the tail.

    Raises
    ------
    EngineFault
        If rows were overwritten before they were read.
    """
    heads = telemetry.heads.copy()
    batch = Batch(
        samples=_rows(telemetry.samples, cursor[0], heads[0]),
        raw=_rows(telemetry.raw, cursor[0], heads[0])
        if len(telemetry.raw)
        else telemetry.raw.copy(),
        decisions=_rows(telemetry.decisions, cursor[1], heads[1]),
        edges=_rows(telemetry.edges, cursor[2], heads[2]),
    )
    lengths = [len(ring) for ring in telemetry[:4] if ring is not telemetry.raw]
    # Looked at after the copy: one row is being written beyond each head.
    if np.any(telemetry.heads - cursor >= lengths) and np.any(telemetry.tails > cursor):
        raise EngineFault(
            "The supervisor was so late that telemetry was overwritten before it "
            "looked; close other programs and start again."
        )
    cursor[:] = heads
    return batch


def backlog(telemetry: Telemetry) -> float:
    """Return how full the sample ring is, from 0 to 1."""
    waiting = int(telemetry.heads[0]) - int(telemetry.tails[0])
    return waiting / len(telemetry.samples)


def join(batches: list[Batch]) -> Batch:
    """Return several batches as one, in their order."""
    return Batch(
        samples=_joined([batch.samples for batch in batches]),
        raw=_joined([batch.raw for batch in batches]),
        decisions=_joined([batch.decisions for batch in batches]),
        edges=_joined([batch.edges for batch in batches]),
    )


def _rows(ring: Any, tail: int, head: int) -> Any:
    first = tail & (ring.shape[0] - 1)
    last = first + (head - tail)
    if last <= ring.shape[0]:
        return _joined([ring[first:last]])
    return _joined([ring[first:], ring[: last - ring.shape[0]]])


def _joined(pieces: list[Any]) -> Any:
    """Return copies of the rows, one after the other."""
    dtype = pieces[0].dtype
    if dtype.names is None:
        return np.concatenate(pieces)
    # As plain words: record by record and field by field takes ten times as long.
    words = [np.asarray(piece).view(np.int64) for piece in pieces]
    return np.concatenate(words).view(dtype)
