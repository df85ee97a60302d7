"""Channels, by label, into the weights of the one virtual channel."""

import difflib
from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from controller.config import Montage
from controller.errors import ChannelError, ConfigError
from controller.sources.description import StreamDescription

Weights = npt.NDArray[np.float64]

# Weights that sum to less than this, of what they sum to in size, sum to zero but for
# rounding; subtracting that much average would draw every channel into the montage.
_BALANCED = 1e-12


def mixing_matrix(montage: Montage, description: StreamDescription) -> Weights:
    """Return the weights from stream units to microvolts of the virtual channel.

    Parameters
    ----------
    montage : Montage
    description : StreamDescription
        Of the stream whose channels are mixed.

    Returns
    -------
    array, shape (1, n_channels)
        In virtual microvolts per stream unit; the channels' units are folded in.

    Raises
    ------
    ChannelError
        A label that the stream does not have, or a channel that is no voltage.
    ConfigError
        Labels named twice, or weights that cancel.
    """
    weights = _weights(montage, description)
    if montage.reference == "average":
        weights = _average_referenced(weights, montage, description)
    used = np.flatnonzero(weights)
    if len(used) == 0:
        raise ConfigError(
            "montage: the weights cancel to nothing; let average_over name more than "
            "the weighted channels."
        )
    for channel in used:
        if not np.isfinite(description.scale_uv[channel]):
            raise ChannelError(
                f"montage: channel {description.labels[channel]} (type "
                f"{description.channel_types[channel]!r}, unit "
                f"{description.units[channel]!r}) is no voltage; weight EEG channels."
            )
    matrix = np.zeros((1, description.n_channels))
    matrix[0, used] = weights[used] * description.scale_uv[used]
    return matrix


def other_channels(montage: Montage, description: StreamDescription) -> Weights:
    """Return a row for each further EEG channel, as `mixing_matrix` does.

    Against the common average where the virtual channel is. The channel that weighs
    most in that one is left out, so that no row is a sum of the others.

    Returns
    -------
    array, shape (n_others, n_channels)
        In microvolts per stream unit.

    Raises
    ------
    ConfigError
        An average over less than two channels.
    """
    heaviest = int(np.argmax(np.abs(_weights(montage, description))))
    eeg = [
        channel
        for channel, kind in enumerate(description.channel_types)
        if kind == "EEG"
        and np.isfinite(description.scale_uv[channel])
        and channel != heaviest
    ]
    rows = np.zeros((len(eeg), description.n_channels))
    for row, channel in zip(rows, eeg, strict=True):
        row[channel] = 1.0
        if montage.reference == "average":
            row[:] = _average_referenced(row, montage, description)
        used = np.flatnonzero(row)
        row[used] *= description.scale_uv[used]
    return rows


def used_channels(matrix: Weights) -> npt.NDArray[np.int64]:
    """Return the indices of the channels that any row of `matrix` reads, ascending."""
    return np.flatnonzero(np.any(matrix != 0, axis=0)).astype(np.int64)


def channel_index(label: str, labels: tuple[str, ...], *, where: str) -> int:
    """Return the position of `label`; `where` names the configuration key in messages.

    Raises
    ------
    ChannelError
        With the nearest labels that exist.
    """
    if label in labels:
        return labels.index(label)
    by_lower_case = {known.lower(): known for known in reversed(labels)}
    near = difflib.get_close_matches(label.lower(), by_lower_case, n=3, cutoff=0.5)
    hint = " or ".join(by_lower_case[name] for name in near)
    question = f"did you mean {hint}? " if hint else ""
    raise ChannelError(
        f"{where}: the stream has no channel {label!r}; {question}"
        f"It has {', '.join(labels)}."
    )


def _weights(montage: Montage, description: StreamDescription) -> Weights:
    weights = np.zeros(description.n_channels)
    if montage.weights is not None:
        for label, weight in montage.weights.items():
            channel = channel_index(label, description.labels, where="montage.weights")
            weights[channel] = weight
        return weights
    centre, neighbours = str(montage.hjorth), montage.neighbours
    _check_once("montage.hjorth and montage.neighbours", (centre, *neighbours))
    for label in neighbours:
        channel = channel_index(label, description.labels, where="montage.neighbours")
        weights[channel] = -1.0 / len(neighbours)
    weights[channel_index(centre, description.labels, where="montage.hjorth")] = 1.0
    return weights


def _average_referenced(
    weights: Weights, montage: Montage, description: StreamDescription
) -> Weights:
    total = float(np.sum(weights))
    if abs(total) <= _BALANCED * float(np.sum(np.abs(weights))):
        return weights
    average = np.zeros_like(weights)
    members = _average_members(montage, description)
    average[members] = 1.0 / len(members)
    return weights - total * average


def _average_members(montage: Montage, description: StreamDescription) -> list[int]:
    if montage.average_over is None:
        members = [
            channel
            for channel, kind in enumerate(description.channel_types)
            if kind == "EEG"
        ]
    else:
        _check_once("montage.average_over", montage.average_over)
        members = [
            channel_index(label, description.labels, where="montage.average_over")
            for label in montage.average_over
        ]
    if len(members) < 2:
        raise ConfigError(
            "montage: a common average needs at least two channels; name them with "
            "average_over."
        )
    return members


def _check_once(where: str, labels: Iterable[str]) -> None:
    doubled = [label for label, count in Counter(labels).items() if count > 1]
    if doubled:
        raise ConfigError(
            f"{where}: {', '.join(doubled)} is named twice; name it once."
        )
