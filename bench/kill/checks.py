"""What must hold of a session's files after a kill and `recover`."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyxdf

from controller.core.records import DECISION, EDGE
from controller.kernels.jit import Float32Array, Float64Array
from controller.session.load import load_session
from controller.session.manifest import verify
from controller.session.recording.recorder import (
    DECISION_STREAM,
    EDGE_STREAM,
    EEG_STREAM,
    records_of,
)
from controller.session.salvage import RECOVERED


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a session that nobody kills comes to."""

    raw: Float32Array
    stamps: Float64Array
    decisions: Any
    edges: Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was read, and one sentence for each thing that does not hold."""

    n_samples: int
    n_decisions: int
    n_recovered: int
    problems: tuple[str, ...]


def problems_of(
    folder: Path, expected: Expected, *, n_acknowledged: int, heads: Any
) -> Checked:
    """Read a session with pyxdf and with our own reader, and compare.

    Parameters
    ----------
    folder : Path
    expected : Expected
    n_acknowledged : int
        Samples of which the recorder had said that the system has them.
    heads : array of int, shape (3,)
        Samples, decisions and edges that the loop had written in the end.
    """
    streams, _ = pyxdf.load_xdf(
        folder / "eeg.xdf", dejitter_timestamps=False, synchronize_clocks=False
    )
    by_name = {stream["info"]["name"][0]: stream for stream in streams}
    eeg = by_name[EEG_STREAM]
    session = load_session(folder)
    decisions = _records(by_name[DECISION_STREAM], DECISION)
    edges = _records(by_name[EDGE_STREAM], EDGE)

    n = len(eeg["time_stamps"])
    verdict = verify(folder)
    holds = {
        f"{n} samples of {n_acknowledged} acknowledged are readable.": (
            n >= n_acknowledged
        ),
        f"{n} samples of {heads[0]} that the loop wrote are readable.": n == heads[0],
        "The file holds values that no sample had.": np.array_equal(
            eeg["time_series"], expected.raw[:n]
        ),
        "The file holds stamps that no sample had.": np.array_equal(
            eeg["time_stamps"], expected.stamps[:n]
        ),
        f"{len(decisions)} decisions of {heads[1]} are in the file.": (
            len(decisions) == heads[1]
        ),
        "The decisions of log and file differ.": _same(decisions, session.decisions),
        "The file holds decisions that the loop did not make.": _same(
            decisions, expected.decisions[: len(decisions)]
        ),
        f"{len(edges)} edges of {heads[2]} are in the file.": len(edges) == heads[2],
        "The file holds edges that the loop did not make.": _same(
            edges, expected.edges[: len(edges)]
        ),
        f"{verdict.file}: {verdict.words}.": verdict.intact,
    }
    recovered = [one for one in session.events if one["event"] == RECOVERED]
    return Checked(
        n_samples=n,
        n_decisions=len(decisions),
        n_recovered=sum(int(one["n_samples"]) for one in recovered),
        problems=(
            *session.notes,
            *(words for words, held in holds.items() if not held),
        ),
    )


def _records(stream: Any, dtype: np.dtype[Any]) -> Any:
    channels = stream["info"]["desc"][0]["channels"][0]["channel"]
    labels = [channel["label"][0] for channel in channels]
    values = np.asarray(stream["time_series"], np.float64).reshape(-1, len(labels))
    return records_of(values, labels, dtype)


def _same(left: Any, right: Any) -> bool:
    """Compare records field by field, NaN equal to NaN."""
    return len(left) == len(right) and all(
        np.array_equal(left[name], right[name], equal_nan=left[name].dtype.kind == "f")
        for name in left.dtype.names
    )
