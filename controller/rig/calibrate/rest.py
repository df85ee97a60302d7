"""From recorded rest to what a designer reads: virtual channels, without gaps."""

import dataclasses

import numpy as np

from controller.kernels.jit import Float32Array, Float64Array

WHOLE_INTERVALS = 1.5
"""Stamps further apart than so many intervals have a gap between them."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rest:
    """Virtual channels at rest.

    Parameters
    ----------
    uv : array, shape (n_virtual, n_samples)
        Microvolts, the followed channel first; perhaps no samples at all.
    mixing : array, shape (n_virtual, n_channels)
        Microvolts per stream unit.
    """

    uv: Float64Array
    mixing: Float64Array


def virtual_channel(raw: Float32Array, weights: Float64Array) -> Float64Array:
    """Return the virtual channel; channels without weight may hold anything.

    Parameters
    ----------
    raw : array, shape (n_samples, n_channels)
        As received, stream units.
    weights : array, shape (n_channels,)
        Microvolts per stream unit.
    """
    used = np.flatnonzero(weights)
    # 0 times NaN is NaN: a channel that is not read must not be multiplied either.
    return np.asarray(raw[:, used].astype(np.float64) @ weights[used])


def longest_whole(
    t_sample: Float64Array, virtual_uv: Float64Array, sfreq_hz: float
) -> slice:
    """Return the longest run of a virtual channel without gap or non-finite sample.

    Parameters
    ----------
    t_sample : array, shape (n_samples,)
    virtual_uv : array, shape (n_samples,)
    sfreq_hz : float
    """
    late = np.diff(t_sample, prepend=t_sample[:1]) > WHOLE_INTERVALS / sfreq_hz
    finite = np.isfinite(virtual_uv)
    longest = slice(0, 0)
    start = 0
    for stop in [*np.flatnonzero(late | ~finite).tolist(), len(virtual_uv)]:
        if stop - start > longest.stop - longest.start:
            longest = slice(start, stop)
        start = stop if stop < len(finite) and finite[stop] else stop + 1
    return longest


def rest_of(
    t_sample: Float64Array,
    raw: Float32Array,
    mixing: Float64Array,
    sfreq_hz: float,
) -> Rest:
    """Return the longest whole stretch of a rest recording.

    The followed channel decides which stretch that is; further channels that are flat
    or hold a sample that is not a number in it are left out.

    Parameters
    ----------
    t_sample : array, shape (n_samples,)
    raw : array, shape (n_samples, n_channels)
        As received, stream units.
    mixing : array, shape (n_virtual, n_channels)
    sfreq_hz : float
    """
    followed = virtual_channel(raw, mixing[0])
    whole = longest_whole(t_sample, followed, sfreq_hz)
    rows, kept = [followed[whole]], [0]
    for index in range(1, len(mixing)):
        row = virtual_channel(raw[whole], mixing[index])
        if np.isfinite(row).all() and row.size > 0 and np.ptp(row) > 0.0:
            rows.append(row)
            kept.append(index)
    return Rest(uv=np.ascontiguousarray(np.stack(rows)), mixing=mixing[kept])
