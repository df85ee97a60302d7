"""Which stretches of a rest recording are free of artifacts."""

import dataclasses

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

from controller.calibration.spatial_filter import check_once
from controller.errors import ConfigError, SignalFault
from controller.kernels.jit import Float64Array

Mask = npt.NDArray[np.bool_]

_BASELINE_HZ = 0.2  # slower is the electrode's own drift
_MISSING = "samples that are not finite numbers"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactLimits:
    """What makes a sample of rest unusable, and how much around it goes too.

    Parameters
    ----------
    amplitude_uv : float
        From the drifting baseline.
    gradient_uv_per_ms : float
    flat_s : float
        A value that stays the same for so long is no EEG.
    margin_s : float
        Lost on either side of what is found.
    shortest_s : float
        Clean stretches shorter than that are not used.
    """

    amplitude_uv: float = 150.0
    gradient_uv_per_ms: float = 50.0
    flat_s: float = 0.2
    margin_s: float = 0.5
    shortest_s: float = 4.0

    def __post_init__(self) -> None:
        """Refuse limits that say nothing."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            lowest_allowed = field.name == "margin_s" and value == 0.0
            if not (0.0 < value < np.inf or lowest_allowed):
                raise ConfigError(
                    f"artifact.{field.name} is {value:g}, but must be above 0."
                )


DEFAULT_LIMITS = ArtifactLimits()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UsableRest:
    """The clean part of a rest recording.

    Parameters
    ----------
    stretches : tuple of (start, stop)
        Samples, rising, not overlapping.
    sfreq_hz : float
    n_samples : int
        Of the whole recording.
    lost_s : dict of str to float
        Seconds, margins included, that each channel spoils; only those that spoil any.
    cause : dict of str to str
        What is found most on each of those channels, in words.
    """

    stretches: tuple[tuple[int, int], ...]
    sfreq_hz: float
    n_samples: int
    lost_s: dict[str, float]
    cause: dict[str, str]

    @property
    def used_s(self) -> float:
        """Seconds that are clean."""
        return sum(stop - start for start, stop in self.stretches) / self.sfreq_hz

    @property
    def recorded_s(self) -> float:
        """Seconds of the whole recording."""
        return self.n_samples / self.sfreq_hz

    @property
    def longest(self) -> tuple[int, int]:
        """The longest stretch; (0, 0) if there is none."""
        return max(self.stretches, key=lambda part: part[1] - part[0], default=(0, 0))

    @property
    def worst(self) -> str:
        """Label of the channel that spoils most, or nothing."""
        return max(self.lost_s, key=lambda label: self.lost_s[label], default="")

    def joined(self, rest: Float64Array) -> Float64Array:
        """Return the clean stretches one after the other.

        Parameters
        ----------
        rest : array, shape (..., n_samples)

        Returns
        -------
        array, shape (..., n_used)
            With a seam between stretches; see `stretches` for where.
        """
        parts = [rest[..., start:stop] for start, stop in self.stretches]
        return np.concatenate(parts, axis=-1) if parts else rest[..., :0]


def find_usable_rest(
    rest: Float64Array,
    labels: tuple[str, ...],
    sfreq_hz: float,
    limits: ArtifactLimits = DEFAULT_LIMITS,
) -> UsableRest:
    """Find the stretches in which no channel has an artifact.

    Parameters
    ----------
    rest : array, shape (n_channels, n_samples)
        Microvolts, of the channels that the filter reads; samples that are not finite
        count as artifacts.
    labels : tuple of str
    sfreq_hz : float
    limits : ArtifactLimits

    Raises
    ------
    ConfigError
        If the shape does not fit the labels.
    """
    check_once("The recording", labels)
    if rest.ndim != 2 or rest.shape[0] != len(labels) or not rest.size:
        raise ConfigError(
            f"The rest recording has the shape {rest.shape}, but {len(labels)} labels; "
            "give (n_channels, n_samples)."
        )
    spoiled = np.zeros(rest.shape[1], dtype=np.bool_)
    lost_s, cause = {}, {}
    for label, samples in zip(labels, rest, strict=True):
        found = _artifacts(samples, sfreq_hz, limits)
        bad = _widened(np.any(list(found.values()), axis=0), sfreq_hz, limits)
        if bad.any():
            lost_s[label] = float(np.count_nonzero(bad)) / sfreq_hz
            cause[label] = max(found, key=lambda words: np.count_nonzero(found[words]))
            spoiled |= bad
    return UsableRest(
        stretches=_stretches(~spoiled, limits.shortest_s * sfreq_hz),
        sfreq_hz=sfreq_hz,
        n_samples=rest.shape[1],
        lost_s=lost_s,
        cause=cause,
    )


def require_usable(usable: UsableRest, least_s: float) -> None:
    """Refuse a rest recording that is mostly artifact.

    Raises
    ------
    SignalFault
        With the share that is clean, and the channel that spoils most.
    """
    if usable.used_s >= least_s:
        return
    share = usable.used_s / usable.recorded_s
    sentence = (
        f"Only {usable.used_s:.1f} of {usable.recorded_s:.1f} s of rest ({share:.0%}) "
        f"are free of artifacts, but calibration needs {least_s:g} s"
    )
    worst = usable.worst
    if worst:
        alone = min(usable.lost_s[worst] / usable.recorded_s, 1.0)
        raise SignalFault(
            f"{sentence}; {worst} alone spoils {alone:.0%}, mostly by "
            f"{usable.cause[worst]}: mend that electrode or leave it out, and record "
            "again."
        )
    raise SignalFault(f"{sentence}; record more rest.")


def _artifacts(
    samples: Float64Array, sfreq_hz: float, limits: ArtifactLimits
) -> dict[str, Mask]:
    """Return the samples that each rule finds, by what is wrong with them."""
    missing = ~np.isfinite(samples)
    if missing.all():
        return {_MISSING: missing}
    # What is not finite must not spread through the baseline's filter.
    known = np.where(missing, np.median(samples[~missing]), samples)
    large = np.abs(known - _baseline(known, sfreq_hz)) > limits.amplitude_uv
    steps = np.diff(known)
    steep = np.abs(steps) > limits.gradient_uv_per_ms * 1e3 / sfreq_hz
    either_side = np.concatenate([steep, [False]]) | np.concatenate([[False], steep])
    same = np.concatenate([[False], steps == 0.0])
    n_flat = max(1, round(limits.flat_s * sfreq_hz))
    return {
        _MISSING: missing,
        f"amplitudes over {limits.amplitude_uv:g} uV": large,
        f"jumps over {limits.gradient_uv_per_ms:g} uV/ms": either_side,
        "a signal that stands still": scipy.ndimage.binary_opening(
            same, structure=np.ones(n_flat, dtype=np.bool_)
        ),
    }


def _baseline(samples: Float64Array, sfreq_hz: float) -> Float64Array:
    low = scipy.signal.butter(2, _BASELINE_HZ, output="sos", fs=sfreq_hz)
    # The padding must not be longer than the recording.
    n_pad = min(round(sfreq_hz / _BASELINE_HZ), samples.size - 1)
    return np.asarray(scipy.signal.sosfiltfilt(low, samples, padlen=n_pad))


def _widened(bad: Mask, sfreq_hz: float, limits: ArtifactLimits) -> Mask:
    reach = round(limits.margin_s * sfreq_hz)
    edges = np.diff(np.concatenate([[0], bad.view(np.int8), [0]]))
    widened = np.zeros_like(bad)
    for start, stop in zip(
        np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True
    ):
        widened[max(0, start - reach) : stop + reach] = True
    return widened


def _stretches(clean: Mask, n_least: float) -> tuple[tuple[int, int], ...]:
    edges = np.diff(np.concatenate([[0], clean.view(np.int8), [0]]))
    return tuple(
        (int(start), int(stop))
        for start, stop in zip(
            np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True
        )
        if stop - start >= n_least
    )
