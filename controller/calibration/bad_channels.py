"""Channels of a rest recording that nobody should build on, each with the reason."""

import dataclasses
import math

import numpy as np
import scipy.signal

from controller.calibration.positions import position_of
from controller.calibration.spatial_filter import check_once
from controller.errors import ConfigError
from controller.kernels.jit import Float64Array

_FLAT_UV = 0.1  # no amplifier's own noise is smaller
_FEWEST_TO_COMPARE = 5  # channels that a median and a spread can be taken from
_TOO_LARGE = 4.0  # times the median channel
_TOO_SMALL = 8.0  # times below it: beside the reference, channels are small
_ROBUST_Z = 4.0
_LEAST_SPREAD = 0.3  # of log amplitude; channels of one head always differ that much
_MAD_TO_SD = 1.4826
_HIGH_HZ = 30.0
_BROAD_HZ = (1.0, 30.0)
_WINDOW_S = 2.0
_NEAR = 0.62  # head radii: the next but one electrode of the 10-20 system
_FEWEST_NEIGHBOURS = 2
_POOR_CORRELATION = 0.3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BadChannel:
    """A channel and, as a sentence, what is wrong with it."""

    label: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Measured:
    """Per channel: broad and high-frequency amplitude, and the broad signal itself."""

    broad: Float64Array
    broad_uv: Float64Array
    high_uv: Float64Array


def find_bad_channels(
    rest: Float64Array, labels: tuple[str, ...], sfreq_hz: float
) -> tuple[BadChannel, ...]:
    """Return the bad channels, in the order of the recording.

    A channel is bad if it holds samples that are not finite, is flat, is much larger
    or smaller than the others, has much more high-frequency noise, or does not go
    along with the channels around it. Amplitudes are compared from five channels on,
    and a channel with its neighbours where two of those are near.

    Parameters
    ----------
    rest : array, shape (n_channels, n_samples)
        Microvolts, at least two seconds.
    labels : tuple of str
        Of EEG channels.
    sfreq_hz : float

    Raises
    ------
    ConfigError
        If the shape does not fit the labels, or the recording is too short.
    """
    _check(rest, labels, sfreq_hz)
    reasons: dict[str, str] = {}
    for label, samples in zip(labels, rest, strict=True):
        reason = _not_finite(samples) or _flat(samples)
        if reason:
            reasons[label] = f"{label} {reason}"
    left = [k for k, label in enumerate(labels) if label not in reasons]
    if left:
        measured = _measure(rest[left], sfreq_hz)
        names = tuple(labels[k] for k in left)
        reasons |= _outlying(measured, names)
        for label, reason in _lonely(measured.broad, names, sfreq_hz).items():
            reasons.setdefault(label, reason)
    return tuple(
        BadChannel(label=label, reason=reasons[label])
        for label in labels
        if label in reasons
    )


def _check(rest: Float64Array, labels: tuple[str, ...], sfreq_hz: float) -> None:
    check_once("The recording", labels)
    if rest.ndim != 2 or rest.shape[0] != len(labels):
        raise ConfigError(
            f"The rest recording has the shape {rest.shape}, but {len(labels)} labels; "
            "give (n_channels, n_samples)."
        )
    if not rest.shape[1] >= _WINDOW_S * sfreq_hz:
        raise ConfigError(
            f"The rest recording lasts {rest.shape[1] / sfreq_hz:.1f} s, too short to "
            f"judge channels by; record at least {_WINDOW_S:g} s."
        )


def _not_finite(samples: Float64Array) -> str:
    n = int(np.count_nonzero(~np.isfinite(samples)))
    return f"holds {n} samples that are not finite numbers." if n else ""


def _flat(samples: Float64Array) -> str:
    low, high = np.percentile(samples, [5.0, 95.0])
    share = float(np.mean(np.diff(samples) == 0.0))
    if high - low < _FLAT_UV:
        return f"is flat: it moves by {high - low:.2g} uV, less than {_FLAT_UV:g} uV."
    if share > 0.5:
        return f"is flat: {share:.0%} of its samples repeat the one before."
    return ""


def _measure(rest: Float64Array, sfreq_hz: float) -> _Measured:
    # Some recordings are so slow that there is nothing above 30 Hz.
    highest_hz = min(_BROAD_HZ[1], 0.4 * sfreq_hz)
    band = scipy.signal.butter(
        2, (_BROAD_HZ[0], highest_hz), "bandpass", output="sos", fs=sfreq_hz
    )
    above = scipy.signal.butter(4, highest_hz, "highpass", output="sos", fs=sfreq_hz)
    centred = rest - np.median(rest, axis=1, keepdims=True)
    broad = np.asarray(scipy.signal.sosfiltfilt(band, centred, axis=1))
    high = scipy.signal.sosfilt(above, centred, axis=1)
    return _Measured(broad=broad, broad_uv=_robust_uv(broad), high_uv=_robust_uv(high))


def _robust_uv(samples: Float64Array) -> Float64Array:
    """Return an SD that blinks and single artifacts do not move."""
    return np.asarray(_MAD_TO_SD * np.median(np.abs(samples), axis=1))


def _outlying(measured: _Measured, labels: tuple[str, ...]) -> dict[str, str]:
    if len(labels) < _FEWEST_TO_COMPARE:
        return {}
    reasons = {}
    typical_uv = float(np.median(measured.broad_uv))
    typical_high_uv = float(np.median(measured.high_uv))
    broad_z, high_z = _robust_z(measured.broad_uv), _robust_z(measured.high_uv)
    for k, label in enumerate(labels):
        broad_uv, high_uv = float(measured.broad_uv[k]), float(measured.high_uv[k])
        if broad_z[k] > _ROBUST_Z and broad_uv > _TOO_LARGE * typical_uv:
            reasons[label] = (
                f"{label} is too large: {broad_uv:.1f} uV, where the median channel "
                f"has {typical_uv:.1f} uV."
            )
        elif broad_z[k] < -_ROBUST_Z and broad_uv < typical_uv / _TOO_SMALL:
            reasons[label] = (
                f"{label} is too small: {broad_uv:.2g} uV, where the median channel "
                f"has {typical_uv:.1f} uV."
            )
        elif high_z[k] > _ROBUST_Z and high_uv > _TOO_LARGE * typical_high_uv:
            reasons[label] = (
                f"{label} is noisy: {high_uv:.1f} uV above {_HIGH_HZ:g} Hz, where the "
                f"median channel has {typical_high_uv:.1f} uV."
            )
    return reasons


def _robust_z(amplitude_uv: Float64Array) -> Float64Array:
    log = np.log(np.maximum(amplitude_uv, 1e-12))
    off = log - np.median(log)
    spread = max(_MAD_TO_SD * float(np.median(np.abs(off))), _LEAST_SPREAD)
    return np.asarray(off / spread)


def _lonely(
    broad: Float64Array, labels: tuple[str, ...], sfreq_hz: float
) -> dict[str, str]:
    neighbours = _near(labels)
    n_window = round(_WINDOW_S * sfreq_hz)
    n_windows = broad.shape[1] // n_window
    windows = broad[:, : n_windows * n_window].reshape(len(labels), n_windows, -1)
    unit = windows - windows.mean(axis=2, keepdims=True)
    unit = unit / np.maximum(np.linalg.norm(unit, axis=2, keepdims=True), 1e-12)
    reasons = {}
    for k, around in enumerate(neighbours):
        if len(around) < _FEWEST_NEIGHBOURS:
            continue
        alike = np.abs(np.einsum("ws,nws->nw", unit[k], unit[around]))
        best = float(np.median(alike.max(axis=0)))
        if not best >= _POOR_CORRELATION:
            names = ", ".join(labels[n] for n in around)
            reasons[labels[k]] = (
                f"{labels[k]} does not go along with its neighbours {names}: the best "
                f"correlation is {best:.2f}, less than {_POOR_CORRELATION:g}."
            )
    return reasons


def _near(labels: tuple[str, ...]) -> list[list[int]]:
    places = [position_of(label) for label in labels]
    return [
        [
            n
            for n, there in enumerate(places)
            if n != k and there is not None and math.dist(here, there) <= _NEAR
        ]
        if here is not None
        else []
        for k, here in enumerate(places)
    ]
