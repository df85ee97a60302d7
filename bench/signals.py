"""The benchmarks' signal: a cosine in noise, seeded. Imports nothing that compiles."""

import numpy as np
import numpy.typing as npt

# Fast, so that a minute holds thousands of triggers, and no divisor of a thousand, so
# that deadlines fall everywhere between two samples.
RHYTHM_HZ = 190.0
BAND_HZ = (150.0, 230.0)


def rhythm(
    n_samples: int, n_channels: int, sfreq_hz: float, frequency_hz: float
) -> npt.NDArray[np.float32]:
    """Return a cosine of 10 uV on channel 0, and 0.5 uV of noise on all."""
    noise = np.random.default_rng(20).normal(0.0, 0.5, (n_samples, n_channels))
    t = np.arange(n_samples) / sfreq_hz
    noise[:, 0] += 10.0 * np.cos(2.0 * np.pi * frequency_hz * t)
    return noise.astype(np.float32)
