"""What one block of a latency run gives, from either loop."""

import dataclasses

import numpy as np
import numpy.typing as npt

from bench.scenes import code_of

Float64Array = npt.NDArray[np.float64]

WARM_UP_S = 1.0
"""Triggers and processor time of a block's first second do not count."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """Triggers that left, one row each, instants in seconds on the host clock.

    Parameters
    ----------
    t_sample : array, shape (n,)
        Stamp of the sample that decided.
    push_delay_s : array, shape (n,)
        From that stamp to the push in the outlet's process.
    t_due, t_fired, t_after : array, shape (n,)
        Deadline; just before the call; just after it.
    t_observed : array, shape (n,)
        At the far end of the line.
    """

    t_sample: Float64Array
    push_delay_s: Float64Array
    t_due: Float64Array
    t_fired: Float64Array
    t_after: Float64Array
    t_observed: Float64Array

    @property
    def push_to_arrival_us(self) -> Float64Array:
        """From the push of the deciding sample to the byte's arrival."""
        return 1e6 * (self.t_observed - self.t_sample - self.push_delay_s)

    @property
    def fire_to_arrival_us(self) -> Float64Array:
        """From the call to the byte's arrival."""
        return 1e6 * (self.t_observed - self.t_fired)

    @property
    def deadline_error_us(self) -> Float64Array:
        """From the deadline to the call."""
        return 1e6 * (self.t_fired - self.t_due)

    def since(self, t_first: float) -> "Fired":
        """Return the triggers decided by samples from an instant on."""
        keep = self.t_sample >= t_first
        return Fired(
            **{
                field.name: getattr(self, field.name)[keep]
                for field in dataclasses.fields(self)
            }
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One uninterrupted run of a loop, its warm-up left out.

    Parameters
    ----------
    fired : Fired
    push_to_decision_us : array, shape (n_decisions,)
        Empty where the loop does not record it.
    refused_late : int
        Triggers refused at the deadline because it had passed by too much.
    n_samples, n_lost : int
    cpu_s, wall_s : float
        Processor time of the loop's thread, and the time it passed in.
    merged : int
        Bytes that arrived in a read together with others.
    privileges : str
    """

    fired: Fired
    push_to_decision_us: Float64Array
    refused_late: int
    n_samples: int
    n_lost: int
    cpu_s: float
    wall_s: float
    merged: int
    privileges: str

    @property
    def cpu_share(self) -> float:
        """Share of one processor that the loop's thread took."""
        return self.cpu_s / self.wall_s


class LineError(Exception):
    """Bytes on the line that do not match the triggers that left."""


def match_arrivals(
    trials: npt.NDArray[np.int64], arrivals: Float64Array
) -> Float64Array:
    """Return the instant at which each trigger arrived.

    Parameters
    ----------
    trials : array of int, shape (n,)
        In the order in which they were sent; trial k carries `code_of(k)`.
    arrivals : array, shape (n, 3)
        Instant, code, size of the read.

    Raises
    ------
    LineError
        If a byte was lost, doubled or changed: then no pairing can be trusted.
    """
    sent = np.array([code_of(int(trial)) for trial in trials], dtype=np.float64)
    if not np.array_equal(sent, arrivals[:, 1]):
        raise LineError(
            f"{len(sent)} triggers left and {len(arrivals)} bytes arrived, "
            "or not in that order; latencies would be those of other triggers."
        )
    return np.ascontiguousarray(arrivals[:, 0])
