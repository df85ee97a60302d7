"""Where in an evenly sampled file each sample of a session goes, and what is between.

A file has one rate and no holes. Every sample that was recorded stands in it once and
unchanged; samples that never arrived are counted by their stamps, and their place is
kept free, so that time in the file stays time.
"""

import dataclasses

import numpy as np

from controller.errors import FileError
from controller.kernels.jit import Float64Array, Int64Array
from controller.session.load import Session

# The loop's own rule for a missing sample.
_GAP_INTERVALS = 1.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Part of a file without trustworthy samples, in seconds from its first sample."""

    start_s: float
    duration_s: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleGrid:
    """The even grid of a file, and the session's samples on it.

    Parameters
    ----------
    sfreq_hz : float
        Nominal rate of the stream, which is the file's.
    stamps : array, shape (n,)
        Of the recorded samples, host clock.
    rows : array, shape (n,)
        The file's sample that each of them becomes; strictly ascending from 0.
    """

    sfreq_hz: float
    stamps: Float64Array
    rows: Int64Array

    @property
    def n_rows(self) -> int:
        """How many samples the file has."""
        return int(self.rows[-1]) + 1

    @property
    def t_first(self) -> float:
        """Stamp of the first sample, host clock."""
        return float(self.stamps[0])

    def seconds(self, t: Float64Array) -> Float64Array:
        """Return instants of the host clock as seconds from the file's first sample.

        Between two samples the file's time goes on as the stamps do; before the first
        and after the last it goes at the host clock's pace. NaN stays NaN.
        """
        places = self.rows / self.sfreq_hz
        inside = np.interp(t, self.stamps, places)
        before = np.minimum(t - self.stamps[0], 0.0)
        after = np.maximum(t - self.stamps[-1], 0.0)
        return np.asarray(inside + before + after)

    def gaps(self) -> list[Stretch]:
        """Return the stretches in which no sample was received."""
        at = np.flatnonzero(np.diff(self.rows) > 1)
        return [
            Stretch(
                start_s=float((self.rows[k] + 1) / self.sfreq_hz),
                duration_s=float((self.rows[k + 1] - self.rows[k] - 1) / self.sfreq_hz),
            )
            for k in at
        ]


def grid_of(session: Session) -> SampleGrid:
    """Return the grid that the samples of a session stand on.

    Raises
    ------
    FileError
        If there are no samples, no rate, or stamps that do not ascend.
    """
    stamps = np.ascontiguousarray(session.samples["t_sample"])
    sfreq_hz = session.stream.sfreq_hz
    if len(stamps) == 0:
        raise FileError(
            f"The session {session.path} holds no samples; there is nothing to export."
        )
    if not sfreq_hz > 0.0:
        raise FileError(
            f"The stream of {session.path} has no nominal rate; files of one rate "
            "cannot hold it."
        )
    steps = np.diff(stamps)
    if not (steps > 0.0).all():
        raise FileError(
            f"The stamps of {session.path} repeat or go back at sample "
            f"{int(np.argmin(steps > 0.0)) + 1}; such a recording is not exported."
        )
    # One row per sample, and for a hole as many as its stamps say: jitter between
    # neighbours neither doubles nor drops a sample.
    missing = steps > _GAP_INTERVALS / sfreq_hz
    forward = np.where(missing, np.rint(steps * sfreq_hz), 1.0).astype(np.int64)
    rows = np.concatenate([[0], np.cumsum(np.maximum(forward, 1))])
    return SampleGrid(sfreq_hz=sfreq_hz, stamps=stamps, rows=rows)


def on_grid(grid: SampleGrid, values: Float64Array) -> Float64Array:
    """Return one channel on the grid; what is missing is bridged by a straight line.

    The line is an obvious stand-in that rings less in a filter than a step would.
    Values that are no numbers count as missing. A channel without any number is zero.

    Parameters
    ----------
    grid : SampleGrid
    values : array, shape (n,)
    """
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(grid.n_rows)
    if finite.all() and grid.n_rows == len(values):
        return values
    bridged = np.interp(np.arange(grid.n_rows), grid.rows[finite], values[finite])
    return np.asarray(bridged)


def not_numbers(grid: SampleGrid, finite: np.ndarray) -> list[Stretch]:
    """Return the stretches in which samples came that hold no number.

    Parameters
    ----------
    grid : SampleGrid
    finite : array of bool, shape (n,)
    """
    padded = np.concatenate([[True], finite, [True]])
    starts = np.flatnonzero(padded[:-1] & ~padded[1:])
    ends = np.flatnonzero(~padded[:-1] & padded[1:])
    return [
        Stretch(
            start_s=float(grid.rows[first] / grid.sfreq_hz),
            duration_s=float(
                (grid.rows[last - 1] - grid.rows[first] + 1) / grid.sfreq_hz
            ),
        )
        for first, last in zip(starts, ends, strict=True)
    ]
