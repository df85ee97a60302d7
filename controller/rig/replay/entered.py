"""What a session's loop was entered with, in the session's folder: `program.npz`.

With it and the recorded samples the loop can be run again as it ran, whatever
configurations, designers or protocols have learnt since.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from controller import __version__
from controller.core.gate_records import GATES, VETO
from controller.core.records import (
    ACTION,
    DECISION,
    EDGE,
    LOCAL,
    PATTERN,
    PATTERN_EDGE,
    SAMPLE,
    SETTINGS,
    TRIAL,
)
from controller.core.structures import Memory, Program
from controller.errors import FileError
from controller.kernels.jit import new_records
from controller.safety.limits import LIMITS
from controller.session.folder import PROGRAM
from controller.session.load import read_arrays

HANDED_OVER = "handed over"
"""The event with which the rest ends and the closed loop begins."""

_RECORDS: dict[str, np.dtype[Any]] = {
    "settings": SETTINGS,
    "limits": LIMITS,
    "local": LOCAL,
    "trials": TRIAL,
    "patterns": PATTERN,
    "pattern_edges": PATTERN_EDGE,
    "actions": ACTION,
    "gates": GATES,
    "vetoes": VETO,
}
# What the loop writes; a replay compares it field by field.
_WRITTEN: dict[str, np.dtype[Any]] = {
    "samples": SAMPLE,
    "decisions": DECISION,
    "edges": EDGE,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LoopInput:
    """Everything beside the samples that a session's loop was given.

    Parameters
    ----------
    rest : Program
        Of the stages before the closed loop.
    loop : Program
        Of the closed loop.
    n_window : int
        Entries of the running amplitude window.
    n_designed : int
        Samples of the rest that there were when the estimator was designed.
    """

    rest: Program
    loop: Program
    n_window: int
    n_designed: int

    def arrays(self) -> dict[str, npt.ArrayLike]:
        """Return the arrays for the disk, by name."""
        arrays: dict[str, npt.ArrayLike] = {
            "phasegate": np.array(__version__),
            "n_window": self.n_window,
            "n_designed": self.n_designed,
        }
        for name, dtype in _WRITTEN.items():
            arrays[f"layout.{name}"] = np.array(_layout(dtype))
        for stage, program in (("rest", self.rest), ("loop", self.loop)):
            for field, array in program._asdict().items():
                arrays[f"{stage}.{field}"] = np.asarray(array)
        return arrays


def read_loop_input(folder: Path) -> LoopInput | None:
    """Read back what a session's loop was given.

    Returns
    -------
    LoopInput or None
        None where the session ended before its loop was closed, or was recorded before
        there was such a file.

    Raises
    ------
    FileError
        If the file is damaged, or its records are not those of this version.
    """
    path = folder / PROGRAM
    arrays = read_arrays(path)
    if not arrays:
        return None
    try:
        _require_layouts(path, arrays)
        return LoopInput(
            rest=_program(path, arrays, "rest"),
            loop=_program(path, arrays, "loop"),
            n_window=int(arrays["n_window"]),
            n_designed=int(arrays["n_designed"]),
        )
    except KeyError as error:
        raise _other_version(path, arrays, f"it holds no {error.args[0]}") from error


def memory_digest(memory: Memory) -> str:
    """Return a digest of everything that the loop was handed from the rest."""
    digest = hashlib.sha256()
    for array in memory:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _require_layouts(path: Path, arrays: Mapping[str, Any]) -> None:
    for name, dtype in _WRITTEN.items():
        if str(arrays[f"layout.{name}"]) != _layout(dtype):
            raise _other_version(path, arrays, f"its {name} have other fields")


def _program(path: Path, arrays: Mapping[str, Any], stage: str) -> Program:
    fields: dict[str, Any] = {}
    for field in Program._fields:
        array = arrays[f"{stage}.{field}"]
        if field in _RECORDS:
            dtype = _RECORDS[field]
            if array.dtype.names is None or _layout(array.dtype) != _layout(dtype):
                raise _other_version(path, arrays, f"its {field} have other fields")
            records = new_records(dtype, len(array))
            # By way of bytes: padding included, the layouts are the same.
            records.view(np.uint8)[:] = np.ascontiguousarray(array).view(np.uint8)
            fields[field] = records
        else:
            # A copy: the compiled loop refuses arrays that are read-only.
            fields[field] = np.array(array, order="C")
    return Program(**fields)


def _layout(dtype: np.dtype[Any]) -> str:
    fields: Mapping[str, Any] = dtype.fields or {}
    listed = [f"{name}:{fields[name][0].str}" for name in dtype.names or ()]
    return f"{dtype.itemsize} " + " ".join(listed)


def _other_version(path: Path, arrays: Mapping[str, Any], what: str) -> FileError:
    recorded = arrays.get("phasegate", "an unknown version")
    return FileError(
        f"{path} was recorded by phasegate {recorded}, and {what} than those of this "
        f"version, {__version__}; replay the session with the version that recorded it."
    )
