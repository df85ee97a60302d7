"""How late a trigger is: from our call to the EEG's own trigger channel.

What is measured is what a phase-locked pulse suffers: output, cable, amplifier and the
stamps of its stream together, on the time line on which the phase is estimated.
"""

import dataclasses
from typing import Any, Final

import numpy as np

from controller.errors import ChannelError, SignalFault
from controller.kernels.jit import Float64Array
from controller.safety.interlock import Refusal
from controller.session.arrivals import match_arrivals
from controller.session.load import Session

# A code comes within; the loopback's triggers are further apart.
_LONGEST_S: Final = 0.2
# Stamps of an amplifier may be early by its clock's error.
_EARLIEST_S: Final = 0.01
_MOST_MISSING: Final = 0.05
_FEWEST: Final = 20
_TRIGGER_TYPES: Final = frozenset({"trig", "trigger", "triggers", "stim", "markers"})
_TRIGGER_LABELS: Final = frozenset(
    {"trig", "trigger", "triggers", "sti", "sti 014", "status", "stim", "trg"}
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Loopback:
    """What a loopback came to; seconds.

    Parameters
    ----------
    channel : str
    n_sent, n_seen : int
    resolution_s : float
        From sample to sample: no single figure is finer.
    p5_s, p50_s, p95_s, max_s, sd_s : float
        From the call to the edge, taken to lie half a sample before the first that
        shows it.
    """

    channel: str
    n_sent: int
    n_seen: int
    resolution_s: float
    p5_s: float
    p50_s: float
    p95_s: float
    max_s: float
    sd_s: float

    @property
    def latency_s(self) -> float:
        """What is made up for: the median; 0 if it is earlier by half a sample at most.

        Raises
        ------
        SignalFault
            Triggers show before they are sent, so the stream's stamps are wrong.
        """
        if self.p50_s >= 0.0:
            return self.p50_s
        if self.p50_s >= -0.5 * self.resolution_s:
            return 0.0
        raise SignalFault(
            f"Triggers show {-self.p50_s * 1e3:.1f} ms before they are sent, so the "
            "stream's time stamps are early by at least that; see how the amplifier's "
            "program stamps its samples."
        )


def trigger_channel(labels: Any, types: Any, wanted: str | None) -> str:
    """Return the label of the channel that shows trigger codes.

    Parameters
    ----------
    labels, types : sequence of str
        Of the stream's channels.
    wanted : str or None
        Named by the user.

    Raises
    ------
    ChannelError
        There is none, or more than one.
    """
    if wanted is not None:
        if wanted not in labels:
            raise ChannelError(
                f"--trigger-channel is {wanted}, but the stream has no such channel; "
                "`phasegate streams --labels` lists them."
            )
        return wanted
    found = [
        label
        for label, kind in zip(labels, types, strict=True)
        if kind.lower() in _TRIGGER_TYPES or label.lower() in _TRIGGER_LABELS
    ]
    if len(found) != 1:
        how_many = "none" if not found else f"{len(found)} ({', '.join(found)})"
        raise ChannelError(
            "The loopback needs the one channel that shows trigger codes, and the "
            f"stream has {how_many} that looks like it; name it by --trigger-channel."
        )
    return str(found[0])


def rises(values: Any) -> Any:
    """Return the index of each sample that is the first to leave rest.

    Parameters
    ----------
    values : array, shape (n,)
        A trigger channel; its median is rest.
    """
    is_up = values != np.median(values)
    return np.flatnonzero(is_up[1:] & ~is_up[:-1]) + 1


def loopback_of(session: Session, channel: str) -> Loopback:
    """Return how late the triggers of a session were in the EEG's trigger channel.

    Raises
    ------
    SignalFault
        Too few of them show, so there is nothing to rely on.
    """
    t_sample = session.samples["t_sample"]
    place = list(session.stream.labels).index(channel)
    t_seen = t_sample[rises(session.raw[:, place])]
    fired = session.pulses["t_fired"][session.pulses["refusal"] == Refusal.NONE]
    found = match_arrivals(
        fired,
        [(float(t) + _EARLIEST_S, 1) for t in t_seen],
        max_latency_s=_LONGEST_S + _EARLIEST_S,
    )
    n_seen = len(fired) - found.n_missing
    if len(fired) < _FEWEST or not found.n_missing <= _MOST_MISSING * len(fired):
        raise SignalFault(
            f"Only {n_seen} of {len(fired)} triggers show in channel {channel}; check "
            "the cable from the trigger box to the amplifier, and that the channel is "
            "the right one."
        )
    resolution_s = 1.0 / session.stream.sfreq_hz
    delays: Float64Array = found.t_observed - _EARLIEST_S - fired - 0.5 * resolution_s
    delays = delays[np.isfinite(delays)]
    p5, p50, p95 = np.percentile(delays, [5.0, 50.0, 95.0])
    return Loopback(
        channel=channel,
        n_sent=len(fired),
        n_seen=n_seen,
        resolution_s=resolution_s,
        p5_s=float(p5),
        p50_s=float(p50),
        p95_s=float(p95),
        max_s=float(delays.max()),
        sd_s=float(delays.std()),
    )
