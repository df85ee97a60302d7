"""Pulses as a trigger channel beside the samples: a marker stream made a stim line."""

from collections.abc import Iterator

import numpy as np

from controller.kernels.jit import Float64Array

# The loop's own rule for a missing sample.
_GAP_INTERVALS = 1.5
_LONGEST_GAP_S = 60.0


class PulseLine:
    """Put markers on the samples nearest to them, and hand both out in even blocks.

    Samples wait for `hold_s` of their own time, because the marker of a pulse and the
    sample of the same instant come by different ways. Samples that never came are NaN,
    so that the count of samples stays time.

    Parameters
    ----------
    n_channels : int
    sfreq_hz : float
    block_s : float
        Length of the blocks.
    hold_s : float
        How long samples wait for markers.
    """

    def __init__(
        self, n_channels: int, sfreq_hz: float, *, block_s: float, hold_s: float
    ) -> None:
        self._sfreq_hz = sfreq_hz
        self._n_block = max(1, round(block_s * sfreq_hz))
        self._n_hold = round(hold_s * sfreq_hz)
        self._samples = np.empty((0, n_channels))
        self._stamps = np.empty(0)
        self._t_last: float | None = None
        self._pulses: list[float] = []
        self._n_missed = 0

    @property
    def n_missed(self) -> int:
        """How many markers came after their samples had been handed out."""
        return self._n_missed

    @property
    def n_waiting(self) -> int:
        """How many markers wait for their samples."""
        return len(self._pulses)

    def add_pulses(self, instants: list[float]) -> None:
        """Take markers in, by their stamps."""
        self._pulses += instants

    def add_samples(self, samples: Float64Array, stamps: Float64Array) -> None:
        """Take samples in.

        Parameters
        ----------
        samples : array, shape (n, n_channels)
        stamps : array, shape (n,)
            Ascending.

        Raises
        ------
        ValueError
            If stamps repeat or go back, or a minute is missing.
        """
        if len(stamps) == 0:
            return
        t_before = self._t_last
        if t_before is None:
            t_before = float(stamps[0]) - 1.0 / self._sfreq_hz
        steps = np.diff(stamps, prepend=t_before)
        if not (steps > 0.0).all():
            raise ValueError("time stamps repeat or go back")
        if not (steps <= _LONGEST_GAP_S).all():
            raise ValueError("more than a minute of samples is missing")
        missing = steps > _GAP_INTERVALS / self._sfreq_hz
        n_steps = np.where(missing, np.rint(steps * self._sfreq_hz), 1.0)
        rows = np.cumsum(n_steps.astype(np.int64)) - 1
        every = np.arange(rows[-1] + 1)
        filled = np.full((len(every), samples.shape[1]), np.nan)
        filled[rows] = samples
        told = np.interp(every, np.append(-1, rows), np.append(t_before, stamps))
        self._samples = np.concatenate([self._samples, filled])
        self._stamps = np.concatenate([self._stamps, told])
        self._t_last = float(stamps[-1])

    def blocks(self) -> Iterator[Float64Array]:
        """Yield what has waited long enough, shape (n_channels + 1, n_block).

        The last row is the trigger line: 1 at the sample nearest to a pulse, else 0.
        """
        while len(self._stamps) >= self._n_block + max(self._n_hold, 1):
            n = self._n_block
            line = self._line(self._stamps[: n + 1])
            block = np.vstack([self._samples[:n].T, line])
            self._samples, self._stamps = self._samples[n:], self._stamps[n:]
            yield block

    def _line(self, stamps: Float64Array) -> Float64Array:
        """Return the trigger line of a block; the last stamp is the next block's."""
        half_s = 0.5 / self._sfreq_hz
        line = np.zeros(len(stamps) - 1)
        later = []
        for t in self._pulses:
            nearest = int(np.argmin(np.abs(stamps - t)))
            if nearest == len(stamps) - 1:
                later.append(t)
            elif t < stamps[0] - half_s:
                self._n_missed += 1
            else:
                line[nearest] = 1.0
        self._pulses = later
        return line
