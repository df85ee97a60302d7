import numpy as np
import pytest


@pytest.fixture
def pink():
    """Make 1/f noise of 1 uV standard deviation: pink(n_samples, seed)."""

    def make(n_samples, seed=0):
        lines = np.random.default_rng(seed).standard_normal((n_samples // 2 + 1, 2))
        spectrum = lines @ np.array([1.0, 1j])
        spectrum[0] = 0.0
        spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
        noise = np.fft.irfft(spectrum, n_samples)
        return noise / noise.std()

    return make


@pytest.fixture
def rhythm_in_noise(pink):
    """Make a rhythm of known phase in noise, and its analytic signal."""

    def make(
        sfreq_hz, frequency_hz, seconds, *, amplitude_uv=10.0, noise_uv=4.0, seed=0
    ):
        rng = np.random.default_rng(seed + 1)
        n_samples = round(seconds * sfreq_hz)
        # A slow complex random walk keeps the line about half a hertz wide.
        shrink = np.exp(-2.0 * np.pi * 0.25 / sfreq_hz)
        steps = rng.standard_normal((n_samples, 2)) @ np.array([1.0, 1j])
        slow = np.empty(n_samples, dtype=np.complex128)
        state = steps[0] / np.sqrt(1.0 - shrink**2)
        for k in range(n_samples):
            state = shrink * state + steps[k]
            slow[k] = state
        slow *= amplitude_uv * np.sqrt(1.0 - shrink**2) / np.sqrt(2.0)
        turn = 2.0 * np.pi * frequency_hz / sfreq_hz
        analytic = slow * np.exp(1j * turn * np.arange(n_samples))
        return analytic.real + noise_uv * pink(n_samples, seed), analytic

    return make
