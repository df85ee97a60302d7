"""Stretches around the pulses, channel by channel: what responses are read from."""

from collections.abc import Sequence

import numpy as np

from controller.kernels.jit import Float64Array
from controller.report.achieved import Virtual, segments
from controller.session.load import Session
from controller.sources.units import microvolts_per_unit


def channels_of(
    session: Session, kinds: Sequence[str]
) -> tuple[list[int], Float64Array]:
    """Return the channels of some kinds whose unit is known, and their factors to µV.

    Parameters
    ----------
    session : Session
    kinds : sequence of str
        In capitals; `""` for channels that do not say.
    """
    places, scales = [], []
    for place, channel in enumerate(session.stream.channels):
        scale = microvolts_per_unit(channel.unit)
        if channel.kind.upper() in kinds and scale is not None:
            places.append(place)
            scales.append(scale)
    return places, np.array(scales)


def epochs_around(
    session: Session,
    channels: Sequence[int],
    scale_uv: Float64Array,
    instants: Float64Array,
    t_s: Float64Array,
) -> tuple[Float64Array, Float64Array]:
    """Return stretches around instants, microvolts, and which instants they belong to.

    Those that reach into a gap or beyond an end are left out.

    Parameters
    ----------
    session : Session
    channels : sequence of int
    scale_uv : array, shape (n_channels,)
    instants : array, shape (n,)
    t_s : array, shape (n_times,)
        Relative to the instants.

    Returns
    -------
    epochs : array, shape (n_epochs, n_channels, n_times)
    which : array of int, shape (n_epochs,)
        Places among the instants.
    """
    microvolts = session.raw[:, list(channels)].astype(np.float64) * scale_uv
    virtual = Virtual(
        stamps=np.asarray(session.samples["t_sample"]),
        microvolts=microvolts.sum(axis=1),
        sfreq_hz=session.stream.sfreq_hz,
    )
    epochs, which = [], []
    for part in segments(virtual):
        stamps, inside = virtual.stamps[part], microvolts[part]
        fits = (instants + t_s[0] >= stamps[0]) & (instants + t_s[-1] <= stamps[-1])
        for k in np.flatnonzero(fits):
            at = instants[k] + t_s
            epochs.append([np.interp(at, stamps, row) for row in inside.T])
            which.append(int(k))
    shape = (len(epochs), len(channels), len(t_s))
    return np.array(epochs, np.float64).reshape(shape), np.array(which, np.int64)
