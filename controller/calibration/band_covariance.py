"""Covariance of channels within a band of frequencies."""

import numpy as np
import scipy.fft

from controller.errors import ConfigError, SignalFault
from controller.estimators.spectrum import SEGMENT_S, require_finite
from controller.kernels.jit import ComplexArray, Float64Array, Int64Array

Ranges = tuple[tuple[float, float], ...]
Stretches = tuple[tuple[int, int], ...]


def band_covariances(
    rest: Float64Array,
    sfreq_hz: float,
    bands_hz: tuple[Ranges, ...],
    *,
    stretches: Stretches | None = None,
) -> list[Float64Array]:
    """Return the covariance in each of several sets of bands, microvolts squared.

    The sum of the cross spectrum over a band's lines is the covariance after an ideal
    band-pass, averaged over half-overlapping Hann segments of 4 s.

    Parameters
    ----------
    rest : array, shape (n_channels, n_samples)
        Microvolts.
    sfreq_hz : float
    bands_hz : tuple of tuple of (low, high)
        One covariance for each; its ranges count together.
    stretches : tuple of (start, stop), optional
        Samples to use; segments lie within one of them. All if absent.

    Returns
    -------
    list of array, shape (n_channels, n_channels)

    Raises
    ------
    SignalFault
        If a sample used is not finite, or no stretch holds a segment.
    ConfigError
        If a set of bands holds no line of the spectrum.
    """
    n_segment = round(SEGMENT_S * sfreq_hz)
    parts = stretches if stretches is not None else ((0, rest.shape[1]),)
    starts = [
        start
        for first, stop in parts
        for start in range(first, stop - n_segment + 1, n_segment // 2)
    ]
    if not starts:
        raise SignalFault(
            f"The rest recording has no stretch of {SEGMENT_S:g} s to take the "
            "channels' covariance from; record more rest."
        )
    lines_hz = scipy.fft.rfftfreq(n_segment, 1.0 / sfreq_hz)
    chosen = [_lines(lines_hz, ranges) for ranges in bands_hz]
    window = np.hanning(n_segment + 1)[:-1]
    sums = [np.zeros((rest.shape[0], rest.shape[0])) for _ in chosen]
    for start in starts:
        piece = rest[:, start : start + n_segment]
        require_finite(piece, f"The stretch of rest from sample {start}")
        lines = scipy.fft.rfft(
            (piece - piece.mean(axis=1, keepdims=True)) * window, axis=1
        )
        for total, at in zip(sums, chosen, strict=True):
            total += _power(lines[:, at])
    # One-sided: every line but the first and last stands for two.
    scale = 2.0 / (n_segment * float(np.sum(window**2)) * len(starts))
    return [total * scale for total in sums]


def _power(lines: ComplexArray) -> Float64Array:
    return np.asarray((lines @ lines.conj().T).real)


def _lines(lines_hz: Float64Array, ranges: Ranges) -> Int64Array:
    inside = np.zeros(lines_hz.size, dtype=np.bool_)
    for low_hz, high_hz in ranges:
        inside |= (lines_hz >= low_hz) & (lines_hz <= high_hz)
    if not inside.any():
        words = ", ".join(f"{low:g}-{high:g} Hz" for low, high in ranges)
        raise ConfigError(
            f"The spectrum up to {lines_hz[-1]:g} Hz has no line in {words}; choose "
            "another band."
        )
    return np.flatnonzero(inside)
