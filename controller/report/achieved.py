"""Where in the cycle each pulse really landed, by the offline truth."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from controller.errors import FileError
from controller.estimators.truth import analytic_truth, filter_s
from controller.kernels.circular import wrap_phase
from controller.kernels.jit import Float64Array
from controller.session.folder import DESIGN
from controller.session.load import Session

# The loop's own rule for a missing sample.
_GAP_INTERVALS = 1.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Virtual:
    """The virtual channel that the phase is taken from.

    Parameters
    ----------
    stamps : array, shape (n,)
    microvolts : array, shape (n,)
        Not finite where a channel was not.
    sfreq_hz : float
    """

    stamps: Float64Array
    microvolts: Float64Array
    sfreq_hz: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What of the loop's design the offline truth needs.

    Parameters
    ----------
    weights : array, shape (n_channels,)
        Of the virtual channel, microvolts per stream unit.
    band_hz : tuple of float
    output_latency_s : float
        From the call to the edge at the device.
    """

    weights: Float64Array
    band_hz: tuple[float, float]
    output_latency_s: float

    @classmethod
    def of(cls, arrays: dict[str, npt.NDArray[Any]]) -> "Design":
        """Take the design from the arrays of a session.

        Raises
        ------
        FileError
            If an array is missing.
        """
        needed = ("mixing", "band_hz", "output_latency_s")
        missing = [name for name in needed if name not in arrays]
        if missing:
            raise FileError(
                f"{DESIGN} is missing or lacks {', '.join(missing)}; without that the "
                "session cannot be scored."
            )
        low_hz, high_hz = (float(edge) for edge in arrays["band_hz"])
        return cls(
            weights=np.atleast_2d(arrays["mixing"])[0],
            band_hz=(low_hz, high_hz),
            output_latency_s=float(arrays["output_latency_s"]),
        )


def virtual_channel(
    stamps: Float64Array,
    raw: npt.NDArray[np.float32],
    sfreq_hz: float,
    weights: Float64Array,
) -> Virtual:
    """Return the virtual channel; channels without weight are not read."""
    used = np.flatnonzero(weights)
    microvolts = np.zeros(len(raw))
    for channel in used:
        microvolts += weights[channel] * raw[:, channel].astype(np.float64)
    return Virtual(stamps=stamps, microvolts=microvolts, sfreq_hz=sfreq_hz)


def virtual_of(session: Session) -> Virtual | None:
    """Return the virtual channel; None where there was no design yet."""
    if not session.design or len(session.samples) == 0:
        return None
    return virtual_channel(
        np.asarray(session.samples["t_sample"]),
        session.raw,
        session.stream.sfreq_hz,
        Design.of(session.design).weights,
    )


def segments(virtual: Virtual) -> Iterator[slice]:
    """Yield the stretches without a gap, a step back, or a value that is no number."""
    finite = np.isfinite(virtual.microvolts)
    steps = np.diff(virtual.stamps)
    even = (steps > 0) & (steps <= _GAP_INTERVALS / virtual.sfreq_hz)
    breaks = np.flatnonzero(~even | (finite[1:] != finite[:-1])) + 1
    edges = [0, *breaks.tolist(), len(finite)]
    for start, stop in itertools.pairwise(edges):
        if stop > start and finite[start]:
            yield slice(start, stop)


def achieved_phase(
    virtual: Virtual, band_hz: tuple[float, float], instants: Float64Array
) -> Float64Array:
    """Return the offline phase at each instant, radians.

    NaN where the truth does not hold: within its filter's length, a second most often,
    of a gap or an end.

    Parameters
    ----------
    virtual : Virtual
    band_hz : tuple of float
    instants : array, shape (n_pulses,)
        When the edge was at the device; NaN gives NaN.
    """
    phase = np.full(len(instants), np.nan)
    edge_s = filter_s(band_hz)
    for part in segments(virtual):
        stamps = virtual.stamps[part]
        inside = (instants >= stamps[0] + edge_s) & (instants <= stamps[-1] - edge_s)
        if stamps[-1] - stamps[0] < 2 * edge_s or not inside.any():
            continue
        microvolts = virtual.microvolts[part]
        analytic = analytic_truth(
            microvolts - np.mean(microvolts), virtual.sfreq_hz, band_hz
        )
        # Without its rotation the signal is smooth enough for straight lines.
        turn = 2 * np.pi * np.mean(band_hz)
        slow = analytic * np.exp(-1j * turn * (stamps - stamps[0]))
        at = instants[inside]
        between = np.interp(at, stamps, slow.real) + 1j * np.interp(
            at, stamps, slow.imag
        )
        phase[inside] = wrap_phase(np.angle(between) + turn * (at - stamps[0]))
    return phase


def edge_instants(pulses: Any, output_latency_s: float) -> Float64Array:
    """Return when each pulse's edge was at the device: as observed, else as estimated.

    NaN for pulses that were not fired.
    """
    estimated = pulses["t_fired"] + output_latency_s
    observed = pulses["t_observed"]
    return np.asarray(np.where(np.isfinite(observed), observed, estimated))
