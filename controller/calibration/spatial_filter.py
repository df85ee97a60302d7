"""Spatial filters: how the channels of a recording become one virtual channel."""

import dataclasses
from collections import Counter
from collections.abc import Mapping

import numpy as np

from controller.calibration.positions import neighbours_of
from controller.errors import ChannelError, ConfigError
from controller.kernels.jit import Float64Array

# Weights that sum to less than this, of what they sum to in size, sum to zero.
_BALANCED = 1e-12


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpatialFilter:
    """Weights of one virtual channel.

    Parameters
    ----------
    kind : str
        "weights", "hjorth", "average", "ssd" or "imported".
    labels : tuple of str
        Of all channels, in the order of the recording.
    weights : array, shape (n_channels,)
        Virtual microvolts per microvolt of each channel; zero where a channel is not
        read.
    pattern : array, shape (n_channels,), optional
        What a source of one virtual microvolt puts on each channel.

    Raises
    ------
    ConfigError
        Labels named twice, shapes that do not fit, or weights that are not finite or
        all zero.
    """

    kind: str
    labels: tuple[str, ...]
    weights: Float64Array
    pattern: Float64Array | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be a filter."""
        check_once("The recording", self.labels)
        for name, values in (("weights", self.weights), ("pattern", self.pattern)):
            if values is None:
                continue
            if values.shape != (len(self.labels),):
                raise ConfigError(
                    f"The spatial filter's {name} have the shape {values.shape}, but "
                    f"there are {len(self.labels)} channels; give one per channel."
                )
            if not np.isfinite(values).all():
                raise ConfigError(
                    f"The spatial filter's {name} hold a value that is no finite "
                    "number; make the filter again."
                )
        if not self.weights.any():
            raise ConfigError(
                f"All weights of the spatial filter ({self.kind}) are zero; give at "
                "least one that is not."
            )

    @property
    def montage(self) -> dict[str, float]:
        """Weights that are not zero, by label."""
        return {
            label: float(weight)
            for label, weight in zip(self.labels, self.weights, strict=True)
            if weight != 0.0
        }

    def apply(self, samples: Float64Array) -> Float64Array:
        """Return the virtual channel, shape (n_samples,), microvolts.

        Parameters
        ----------
        samples : array, shape (n_channels, n_samples)
            Microvolts. Channels without weight may hold anything.

        Raises
        ------
        ConfigError
            If there is another number of channels.
        """
        if samples.ndim != 2 or samples.shape[0] != len(self.labels):
            raise ConfigError(
                f"The spatial filter mixes {len(self.labels)} channels, but the "
                f"recording has the shape {samples.shape}; give (n_channels, "
                "n_samples)."
            )
        used = np.flatnonzero(self.weights)
        return np.asarray(self.weights[used] @ samples[used])

    def with_pattern(self, covariance: Float64Array) -> "SpatialFilter":
        """Return the filter with the pattern of what it extracts.

        Parameters
        ----------
        covariance : array, shape (n_channels, n_channels)
            Of the channels in the rhythm's band.

        Raises
        ------
        ConfigError
            If the filter extracts nothing.

        References
        ----------
        Haufe et al. (2014), NeuroImage 87:96: a filter's weights do not show where its
        signal comes from; the covariance of channels and output does.
        """
        power_uv2 = float(self.weights @ covariance @ self.weights)
        if not power_uv2 > 0.0:
            raise ConfigError(
                "The spatial filter extracts nothing in the rhythm's band; check that "
                "its channels are connected, or choose others."
            )
        return dataclasses.replace(self, pattern=covariance @ self.weights / power_uv2)


def check_once(where: str, labels: tuple[str, ...]) -> None:
    """Refuse labels that are named twice.

    Raises
    ------
    ConfigError
    """
    doubled = [label for label, n in Counter(labels).items() if n > 1]
    if doubled:
        raise ConfigError(
            f"{where} names {', '.join(doubled)} more than once; name each once."
        )


def index_of(label: str, labels: tuple[str, ...], *, what: str) -> int:
    """Return the position of a channel; `what` says in messages who wants it.

    Raises
    ------
    ChannelError
        If there is no such channel.
    """
    if label not in labels:
        raise ChannelError(
            f"{what} needs channel {label!r}, which the recording does not have; it "
            f"has {', '.join(labels)}."
        )
    return labels.index(label)


def weighted(labels: tuple[str, ...], weights: Mapping[str, float]) -> SpatialFilter:
    """Return the filter of given weights by label.

    Raises
    ------
    ChannelError
        A label that the recording does not have.
    ConfigError
        As `SpatialFilter`.
    """
    return SpatialFilter(
        kind="weights", labels=labels, weights=_by_label(labels, weights)
    )


def hjorth(
    labels: tuple[str, ...], centre: str, neighbours: tuple[str, ...] | None = None
) -> SpatialFilter:
    """Return a centre minus the mean of its neighbours.

    Parameters
    ----------
    labels : tuple of str
        Of all channels.
    centre : str
    neighbours : tuple of str, optional
        Found from the electrodes' positions if absent.

    Raises
    ------
    ChannelError
        A label that the recording does not have.
    ConfigError
        Fewer than two neighbours, a label named twice, or a centre whose position is
        not known.

    References
    ----------
    Hjorth (1975), Electroencephalogr. Clin. Neurophysiol. 39:526.
    """
    index_of(centre, labels, what="The Hjorth derivation")
    around = neighbours_of(centre, labels) if neighbours is None else neighbours
    check_once("The Hjorth derivation", (centre, *around))
    if len(around) < 2:
        raise ConfigError(
            f"The Hjorth derivation of {centre} needs at least two neighbours, not "
            f"{len(around)}; name more."
        )
    weights = dict.fromkeys(around, -1.0 / len(around))
    weights[centre] = 1.0
    return SpatialFilter(
        kind="hjorth", labels=labels, weights=_by_label(labels, weights)
    )


def average_referenced(
    labels: tuple[str, ...],
    weights: Mapping[str, float],
    over: tuple[str, ...] | None = None,
) -> SpatialFilter:
    """Return weighted channels against the mean of many.

    Parameters
    ----------
    labels : tuple of str
        Of all channels.
    weights : mapping of str to float
        Of the channels before re-referencing.
    over : tuple of str, optional
        Channels of the average; all if absent.

    Raises
    ------
    ChannelError
        A label that the recording does not have.
    ConfigError
        Fewer than two channels to average, or weights that cancel to nothing.
    """
    members = labels if over is None else over
    check_once("The average reference", members)
    if len(members) < 2:
        raise ConfigError(
            f"An average reference needs at least two channels, not {len(members)}; "
            "name more."
        )
    mixed = _by_label(labels, weights)
    total = float(mixed.sum())
    if abs(total) > _BALANCED * float(np.abs(mixed).sum()):
        for label in members:
            at = index_of(label, labels, what="The average reference")
            mixed[at] -= total / len(members)
    return SpatialFilter(kind="average", labels=labels, weights=mixed)


def _by_label(labels: tuple[str, ...], weights: Mapping[str, float]) -> Float64Array:
    mixed = np.zeros(len(labels))
    for label, weight in weights.items():
        mixed[index_of(label, labels, what="The spatial filter")] = weight
    return mixed
