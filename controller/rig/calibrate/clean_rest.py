"""The stretches of a rest recording that an estimator may be designed from."""

import dataclasses
import itertools

import numpy as np
import numpy.typing as npt

from controller.calibration.usable_rest import (
    ArtifactLimits,
    UsableRest,
    find_usable_rest,
)
from controller.config import Config
from controller.kernels.jit import Float32Array, Float64Array
from controller.rig.calibrate.rest import WHOLE_INTERVALS, virtual_channel
from controller.rig.calibrate.rest_recording import RestRecording
from controller.sources.montage import used_channels

# A channel beside the followed one that spoils more of the rest than this is not read.
_MOST_SPOILED = 0.05


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CleanRest:
    """Clean rest, stretch after stretch.

    Parameters
    ----------
    uv : array, shape (n_virtual, n_samples)
        Microvolts, the followed channel first.
    raw : float32 array, shape (n_samples, n_channels)
        The same samples as received.
    mixing : array, shape (n_virtual, n_channels)
        Microvolts per stream unit.
    seams : tuple of int
        Samples before which something was cut out.
    """

    uv: Float64Array
    raw: Float32Array
    mixing: Float64Array
    seams: tuple[int, ...] = ()


def usable_part(
    config: Config, recording: RestRecording, mixing: Float64Array
) -> UsableRest:
    """Return where no channel that a mixing reads has an artifact or a gap."""
    stream = recording.stream
    used = used_channels(mixing)
    found = find_usable_rest(
        np.ascontiguousarray(recording.raw[:, used].T * stream.scale_uv[used, None]),
        tuple(stream.labels[channel] for channel in used),
        stream.sfreq_hz,
        _limits(config),
    )
    shortest = _limits(config).shortest_s * stream.sfreq_hz
    stretches = tuple(
        (int(start), int(stop))
        for first, last in found.stretches
        for start, stop in _cut(first, last, gaps(recording))
        if stop - start >= shortest
    )
    return dataclasses.replace(found, stretches=stretches)


def gaps(recording: RestRecording) -> npt.NDArray[np.intp]:
    """Return the samples before which others were lost."""
    late = np.diff(recording.t_sample) > WHOLE_INTERVALS / recording.stream.sfreq_hz
    return np.flatnonzero(late) + 1


def clean_rest(
    config: Config,
    recording: RestRecording,
    mixing: Float64Array,
    usable: UsableRest,
) -> CleanRest:
    """Return the usable part in virtual channels.

    Channels beside the followed one that have artifacts of their own are left out: each
    one would hold the session's triggers back.

    Parameters
    ----------
    config : Config
    recording : RestRecording
    mixing : array, shape (n_virtual, n_channels)
        The followed channel first.
    usable : UsableRest
        Of the followed channel.
    """
    kept = [0]
    raw = np.concatenate(
        [recording.raw[start:stop] for start, stop in usable.stretches]
    )
    for index in range(1, len(mixing)):
        alone = usable_part(config, recording, mixing[index : index + 1])
        spoiled_s = usable.used_s - _shared_s(usable, alone)
        if spoiled_s <= _MOST_SPOILED * usable.used_s:
            kept.append(index)
    rows = [virtual_channel(raw, mixing[index]) for index in kept]
    sound = [k for k, row in enumerate(rows) if np.isfinite(row).all()]
    return CleanRest(
        uv=np.ascontiguousarray(np.stack([rows[k] for k in sound])),
        raw=raw,
        mixing=mixing[[kept[k] for k in sound]],
        seams=_seams(usable.stretches),
    )


def _limits(config: Config) -> ArtifactLimits:
    rules = config.artifact
    return ArtifactLimits(
        amplitude_uv=rules.amplitude_uv,
        gradient_uv_per_ms=rules.gradient_uv_per_ms,
        flat_s=rules.flat_s,
    )


def _cut(first: int, last: int, missing: npt.NDArray[np.intp]) -> list[tuple[int, int]]:
    inside = [int(gap) for gap in missing if first < gap < last]
    bounds = [first, *inside, last]
    return list(itertools.pairwise(bounds))


def _seams(stretches: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    lengths = [stop - start for start, stop in stretches]
    return tuple(itertools.accumulate(lengths))[:-1]


def _shared_s(one: UsableRest, two: UsableRest) -> float:
    mask = np.zeros(one.n_samples, np.bool_)
    other = np.zeros(one.n_samples, np.bool_)
    for start, stop in one.stretches:
        mask[start:stop] = True
    for start, stop in two.stretches:
        other[start:stop] = True
    return float(np.count_nonzero(mask & other)) / one.sfreq_hz
