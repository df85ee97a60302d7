"""What a simulated participant's EEG is made of, each part carried on sample by sample.

Each part draws from a random generator of its own, so that none shifts the others.
"""

import math

import numpy as np
import numpy.typing as npt
import scipy.signal

from controller.config_source import SyntheticSource
from controller.sources.synthetic.scalp import EYES, background_mixing, reach

Float64Array = npt.NDArray[np.float64]

_EYES_REACH = 0.4
_BLINK_UV = 180.0
_BLINK_S = 0.3
# Power of 1/f noise between 1 and 2 Hz, which is that of every octave.
_OCTAVE_HZ = (1.0, 2.0)
_LOWEST_POLE_HZ = 0.3
_MUSCLE_STREAM = 5
_MUSCLE_UV = 3.0


def random_generator(seed: int, part: int) -> np.random.Generator:
    """Return the generator of one part of the participant; each has its own."""
    sequence = np.random.SeedSequence(seed, spawn_key=(part,))
    return np.random.default_rng(sequence)


class Rhythm:
    """An oscillation whose frequency wanders, phase diffuses and amplitude bursts.

    Parameters
    ----------
    frequency_hz, amplitude_uv, sfreq_hz : float
    rng : numpy.random.Generator
    pace : float
        How much faster than an alpha rhythm all that happens to it.
    """

    # Chosen so that the peak is some half a hertz wide and stays within a tenth of
    # a hertz from one half-minute to the next, as an individual alpha peak does.
    _WANDER_HZ = 0.15
    _WANDER_S = 1.0
    _DIFFUSION_RAD2_PER_S = 1.0
    _BURST_S = 0.3
    _BURST_SIGMA = math.sqrt(math.log(1 + 0.4**2))  # of a log-normal with CV 0.4

    def __init__(
        self,
        frequency_hz: float,
        amplitude_uv: float,
        sfreq_hz: float,
        rng: np.random.Generator,
        *,
        pace: float = 1.0,
    ) -> None:
        self._frequency_hz = frequency_hz
        self._amplitude_uv = amplitude_uv
        self._sfreq_hz = sfreq_hz
        self._rng = rng
        self._pace = pace
        self._wander = SlowNoise(self._WANDER_S / pace, sfreq_hz, rng)
        self._burst = SlowNoise(self._BURST_S / pace, sfreq_hz, rng)
        self._phase_rad = float(rng.uniform(-np.pi, np.pi))

    def read(self, n: int) -> tuple[Float64Array, Float64Array]:
        """Return unwrapped phase and amplitude of the next `n` samples."""
        wander_hz = self._pace * self._WANDER_HZ
        frequency_hz = self._frequency_hz + wander_hz * self._wander.read(n)
        steps_rad = 2 * np.pi * frequency_hz / self._sfreq_hz
        diffusion = self._pace * self._DIFFUSION_RAD2_PER_S
        steps_rad += self._rng.normal(0.0, math.sqrt(diffusion / self._sfreq_hz), n)
        phase_rad = self._phase_rad + np.cumsum(steps_rad)
        self._phase_rad = float(phase_rad[-1]) % (2 * np.pi)
        sigma = self._BURST_SIGMA
        burst = np.exp(sigma * self._burst.read(n) - 0.5 * sigma * sigma)
        return phase_rad, self._amplitude_uv * burst


class SlowNoise:
    """Smooth noise of unit variance: white noise through two equal low-passes."""

    def __init__(
        self, time_constant_s: float, sfreq_hz: float, rng: np.random.Generator
    ) -> None:
        pole = math.exp(-1.0 / (time_constant_s * sfreq_hz))
        power = (1 + pole**2) / (1 - pole**2) ** 3
        self._rng = rng
        self._b = [1 / math.sqrt(power)]
        self._a = [1.0, -2 * pole, pole**2]
        self._state = np.zeros(2)
        self.read(round(10 * time_constant_s * sfreq_hz))

    def read(self, n: int) -> Float64Array:
        """Return the next `n` values."""
        white = self._rng.standard_normal(n)
        values, self._state = scipy.signal.lfilter(
            self._b, self._a, white, zi=self._state
        )
        return np.asarray(values)


class Background:
    """1/f noise that neighbouring channels share, and a little white sensor noise."""

    _SENSOR_NOISE = 0.05
    _SETTLE_S = 4

    def __init__(
        self, config: SyntheticSource, positions: Float64Array, rng: np.random.Generator
    ) -> None:
        self._rng = rng
        self._noise_uv = config.noise_uv
        self._mixing = background_mixing(positions) * config.noise_uv
        self._sos = _pink_filter(config.sfreq_hz)
        n_sources = len(self._mixing)
        self._state = np.zeros((len(self._sos), 2, n_sources))
        for _ in range(self._SETTLE_S):
            self._sources(round(config.sfreq_hz))

    def read(self, n: int) -> Float64Array:
        """Return the next samples, shape (n, n_channels), microvolts."""
        samples: Float64Array = self._sources(n) @ self._mixing
        sensor = self._rng.standard_normal(samples.shape)
        return samples + self._SENSOR_NOISE * self._noise_uv * sensor

    def _sources(self, n: int) -> Float64Array:
        white = self._rng.standard_normal((n, self._mixing.shape[0]))
        sources, self._state = scipy.signal.sosfilt(
            self._sos, white, axis=0, zi=self._state
        )
        return np.asarray(sources)


class Blinks:
    """Eye blinks at random instants, largest over the eyes."""

    def __init__(
        self, config: SyntheticSource, positions: Float64Array, rng: np.random.Generator
    ) -> None:
        self._rng = rng
        self._gain = _BLINK_UV * reach(positions, EYES, _EYES_REACH)
        length = max(2, round(_BLINK_S * config.sfreq_hz))
        self._shape = np.sin(np.pi * np.arange(length) / length) ** 2
        self._probability = config.blinks_per_minute / 60 / config.sfreq_hz
        self._tail = np.zeros(length)

    def read(self, n: int) -> Float64Array:
        """Return the next samples, shape (n, n_channels), microvolts."""
        length = len(self._shape)
        course = np.zeros(n + length)
        course[:length] = self._tail
        for onset in np.flatnonzero(self._rng.random(n) < self._probability):
            course[onset : onset + length] += self._shape
        self._tail = course[n:]
        return np.outer(course[:n], self._gain)


class FurtherChannels:
    """The muscle at rest, and the trigger input at rest, beside the EEG.

    Parameters
    ----------
    config : SyntheticSource
    """

    def __init__(self, config: SyntheticSource) -> None:
        self._rng = random_generator(config.seed, _MUSCLE_STREAM)
        self._muscle = config.emg_channel is not None
        self._trigger = config.trigger_channel is not None

    def beside(self, eeg_uv: Float64Array, hum_uv: Float64Array) -> Float64Array:
        """Return the next samples of all channels.

        Parameters
        ----------
        eeg_uv : array, shape (n, n_eeg_channels)
        hum_uv : array, shape (n, 1)
            Of the mains, which the muscle's electrodes get too.
        """
        columns = [eeg_uv]
        if self._muscle:
            noise = self._rng.standard_normal((len(eeg_uv), 1))
            columns.append(_MUSCLE_UV * noise + hum_uv)
        if self._trigger:
            columns.append(np.zeros((len(eeg_uv), 1)))
        return np.hstack(columns)


def _pink_filter(sfreq_hz: float) -> Float64Array:
    """Design a filter from unit white noise to 1/f noise of unit power per octave.

    Poles two to the octave and zeros halfway between them, on the frequency axis'
    logarithm, fall by 10 dB a decade within a fraction of a decibel.
    """
    top_hz = 0.45 * sfreq_hz
    n_poles = max(2, math.ceil(math.log2(top_hz / _LOWEST_POLE_HZ)))
    poles_hz = _LOWEST_POLE_HZ * 2.0 ** np.arange(n_poles)
    poles = np.exp(-2 * np.pi * poles_hz / sfreq_hz)
    zeros = np.exp(-2 * np.pi * poles_hz * math.sqrt(2.0) / sfreq_hz)
    sos = scipy.signal.zpk2sos(zeros, poles, 1.0)
    low_hz, high_hz = _OCTAVE_HZ
    frequencies_hz = np.linspace(low_hz, high_hz, 257)
    _, response = scipy.signal.freqz_sos(sos, worN=frequencies_hz, fs=sfreq_hz)
    density = np.abs(response) ** 2 * 2 / sfreq_hz
    sos[0, :3] /= math.sqrt(float(np.mean(density)) * (high_hz - low_hz))
    return np.asarray(sos)
