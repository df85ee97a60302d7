"""What other libraries take for the same step, measured in the same run."""

import importlib.util
from collections.abc import Callable

import numpy as np
import scipy.signal

from bench.scenes import ALPHA_BAND_HZ, N_TAPS, alpha_brief, fir_design

_SFREQ_HZ = 1000.0


def numpy_complex_dot() -> Callable[[], object]:
    """Return a 512-tap complex dot product of a window that already lies in a row."""
    window = np.random.default_rng(1).normal(size=N_TAPS).astype(np.complex128)
    design = fir_design(alpha_brief(_SFREQ_HZ))
    if design.fir is None:
        raise ValueError("The design has no filter.")
    weights = np.ascontiguousarray(design.fir[0])
    return lambda: np.dot(weights, window)


def scipy_one_sample() -> Callable[[], object]:
    """Return four biquads that take one sample of one channel, with their state."""
    sections = scipy.signal.butter(
        4, ALPHA_BAND_HZ, "bandpass", fs=_SFREQ_HZ, output="sos"
    )
    state = np.zeros((sections.shape[0], 2))
    sample = np.ones(1)
    return lambda: scipy.signal.sosfilt(sections, sample, zi=state)


def scipy_window() -> Callable[[], object]:
    """Return a zero-phase band-pass and a Hilbert transform of the last 512 samples."""
    sections = scipy.signal.butter(
        2, ALPHA_BAND_HZ, "bandpass", fs=_SFREQ_HZ, output="sos"
    )
    window = np.random.default_rng(1).normal(size=N_TAPS)
    return lambda: scipy.signal.hilbert(scipy.signal.sosfiltfilt(sections, window))[-1]


def meegkit_echt() -> Callable[[], object] | None:
    """Return meegkit's ecHT of the last 512 samples, None where it is not installed."""
    if importlib.util.find_spec("meegkit") is None:
        return None
    from meegkit.phase import ECHT  # type: ignore[import-not-found]

    low_hz, high_hz = ALPHA_BAND_HZ
    estimator = ECHT(low_hz, high_hz, _SFREQ_HZ, n_fft=N_TAPS)
    window = np.random.default_rng(1).normal(size=(N_TAPS, 1))
    estimator.fit(window)
    return lambda: estimator.transform(window)
