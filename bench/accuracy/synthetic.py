"""Recordings whose phase is known: an oscillation, bursts, phase resets, in 1/f noise.

The rhythm is made as an analytic signal, so its phase is known at every sample. The
signal-to-noise ratio is the rhythm's power where it is present over the noise's power
within 2 Hz of its frequency, and exact in every recording.
"""

import dataclasses
import math
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy.fft

from bench.accuracy.cases import Case, Reference, find_frequency, scored_part
from controller.estimators.rhythm import HALF_WIDTH_HZ, band_around
from controller.estimators.truth import analytic_truth
from controller.kernels.circular import resultant_length
from controller.kernels.jit import ComplexArray, Float64Array

SNRS_DB = (-3.0, 3.0, 10.0)
SFREQ_HZ = 250.0
CALIBRATION_S = 60.0
TEST_S = 120.0

_NOISE_UV = 3.0  # root mean square within the band
_LOWEST_HZ = 0.5  # below, the noise's spectrum is level
_MARGIN_S = 10.0  # cut off: noise from a transform joins up at its ends
_LINE_SD_HZ = 0.4
_WANDER_HZ = 0.3
_WANDER_SD_HZ = 0.5
_FREQUENCIES_HZ = (9.0, 11.0)
BoolArray = npt.NDArray[np.bool_]

_PRESENT = 0.5  # of the envelope, from which on a burst has a phase worth scoring


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """A synthetic recording.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Rhythm and noise, microvolts.
    analytic : complex array, shape (n_samples,)
        The rhythm alone.
    present : array of bool, shape (n_samples,)
        Where there is a rhythm.
    frequency_hz : float
    """

    samples: Float64Array
    analytic: ComplexArray
    present: BoolArray
    frequency_hz: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSpec:
    """How a case is made from a seed.

    Parameters
    ----------
    kind : {"stationary", "bursts", "resets"}
    snr_db : float
    seed : int
    calibration_s, test_s : float
    """

    kind: str
    snr_db: float
    seed: int
    calibration_s: float = CALIBRATION_S
    test_s: float = TEST_S

    @property
    def name(self) -> str:
        """What the recording is called in tables."""
        return f"{self.cell} #{self.seed}"

    @property
    def cell(self) -> str:
        """Kind and signal-to-noise ratio."""
        return f"{self.kind} {self.snr_db:+g} dB"

    def load(self) -> Case:
        """Make the recording; the scored part's truth is the known phase.

        Without a peak, the rhythm's own frequency is used and the case marked.
        """
        known = make_known(
            self.kind,
            self.snr_db,
            np.random.default_rng([self.seed, zlib.crc32(self.kind.encode())]),
            self.calibration_s + self.test_s,
        )
        n_calibration = round(self.calibration_s * SFREQ_HZ)
        rest = np.ascontiguousarray(known.samples[:n_calibration])
        found = find_frequency(rest, SFREQ_HZ, "alpha", require_peak=False)
        frequency_hz = found.frequency_hz if found.has_peak else known.frequency_hz
        band_hz = band_around(frequency_hz, "alpha")
        n_samples = known.samples.size
        scored = scored_part(n_samples, n_calibration, SFREQ_HZ) & known.present
        convention = analytic_truth(known.samples, SFREQ_HZ, band_hz)
        return Case(
            name=self.name,
            words=f"{self.kind}, {self.snr_db:+g} dB, {known.frequency_hz:.2f} Hz",
            cell=self.cell,
            samples=known.samples[np.newaxis],
            sfreq_hz=SFREQ_HZ,
            n_calibration=n_calibration,
            frequency_hz=frequency_hz,
            band_hz=band_hz,
            snr_db=found.snr_db,
            has_peak=found.has_peak,
            references={
                "known": Reference(analytic=known.analytic, scored=scored),
                "fir": Reference(analytic=convention, scored=scored),
            },
            truth_r=resultant_length(
                np.angle(convention[scored] * known.analytic[scored].conj())
            ),
        )


def make_known(
    kind: str, snr_db: float, rng: np.random.Generator, seconds: float
) -> Known:
    """Return a recording with a rhythm of known phase.

    The same generator gives the same rhythm and noise at every ratio.

    Parameters
    ----------
    kind : {"stationary", "bursts", "resets"}
    snr_db : float
    rng : numpy.random.Generator
    seconds : float
    """
    n_samples = round(seconds * SFREQ_HZ)
    frequency_hz = float(rng.uniform(*_FREQUENCIES_HZ))
    at = np.arange(n_samples) / SFREQ_HZ
    slow, envelope = KINDS[kind](rng, n_samples)
    rhythm = slow * envelope * np.exp(2j * np.pi * frequency_hz * at)
    present = envelope >= _PRESENT
    noise = _pink(rng, n_samples)
    half = HALF_WIDTH_HZ["alpha"]
    noise *= _NOISE_UV / math.sqrt(
        band_power(noise, frequency_hz - half, frequency_hz + half)
    )
    power = float(np.mean(np.abs(rhythm[present]) ** 2)) / 2.0
    rhythm *= _NOISE_UV * math.sqrt(10.0 ** (snr_db / 10.0) / power)
    return Known(
        samples=rhythm.real + noise,
        analytic=rhythm,
        present=present,
        frequency_hz=frequency_hz,
    )


def band_power(samples: Float64Array, low_hz: float, high_hz: float) -> float:
    """Return the power between two frequencies, in the square of the samples' unit."""
    lines = scipy.fft.rfft(samples)
    frequencies_hz = scipy.fft.rfftfreq(samples.size, 1.0 / SFREQ_HZ)
    inside = (frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)
    return float(2.0 * np.sum(np.abs(lines[inside]) ** 2)) / samples.size**2


def _stationary(
    rng: np.random.Generator, n_samples: int
) -> tuple[ComplexArray, Float64Array]:
    """A narrow Gaussian line: amplitude and phase wander smoothly."""
    return _slow_noise(rng, n_samples, _LINE_SD_HZ), np.ones(n_samples)


def _bursts(
    rng: np.random.Generator, n_samples: int
) -> tuple[ComplexArray, Float64Array]:
    """Bursts of a third of a second to one and a half, each with its own phase."""
    envelope = np.zeros(n_samples)
    jump = np.zeros(n_samples)
    flank = np.sin(0.5 * np.pi * np.arange(25) / 25) ** 2  # 0.1 s
    at = 0
    while at < n_samples:
        at += round(rng.uniform(0.3, 1.0) * SFREQ_HZ)
        length = round(rng.uniform(0.35, 1.5) * SFREQ_HZ)
        shape = np.ones(length)
        shape[: flank.size], shape[-flank.size :] = flank, flank[::-1]
        stop = min(at + length, n_samples)
        if at < n_samples:
            envelope[at:stop] = shape[: stop - at]
        jump[at:] = rng.uniform(-np.pi, np.pi)
        at += length
    return np.exp(1j * (jump + _wander(rng, n_samples))), envelope


def _resets(
    rng: np.random.Generator, n_samples: int
) -> tuple[ComplexArray, Float64Array]:
    """A steady rhythm that jumps to any phase every two seconds or so."""
    jump = np.zeros(n_samples)
    at = 0
    while at < n_samples:
        jump[at:] = rng.uniform(-np.pi, np.pi)
        at += round((1.0 + rng.exponential(1.0)) * SFREQ_HZ)
    return np.exp(1j * (jump + _wander(rng, n_samples))), np.ones(n_samples)


KINDS: dict[
    str,
    Callable[[np.random.Generator, int], tuple[ComplexArray, Float64Array]],
] = {"stationary": _stationary, "bursts": _bursts, "resets": _resets}
"""By name: the rhythm without its rotation, and its envelope."""


def _wander(rng: np.random.Generator, n_samples: int) -> Float64Array:
    """Phase of a frequency that wanders smoothly around its mean, radians."""
    frequency_hz = _WANDER_HZ * _slow_noise(rng, n_samples, _WANDER_SD_HZ).real
    return np.asarray(2.0 * np.pi * np.cumsum(frequency_hz) / SFREQ_HZ)


def _slow_noise(rng: np.random.Generator, n_samples: int, sd_hz: float) -> ComplexArray:
    """Complex noise with a Gaussian spectrum around 0 Hz; each part has variance 1."""
    n_all = n_samples + round(_MARGIN_S * SFREQ_HZ)
    frequencies_hz = scipy.fft.fftfreq(n_all, 1.0 / SFREQ_HZ)
    shape = np.exp(-0.25 * (frequencies_hz / sd_hz) ** 2)
    lines = rng.standard_normal((n_all, 2)) @ np.array([1.0, 1j])
    scale = n_all / math.sqrt(float(np.sum(shape**2)))
    return np.asarray(scipy.fft.ifft(lines * shape)[:n_samples] * scale)


def _pink(rng: np.random.Generator, n_samples: int) -> Float64Array:
    """Noise whose power falls with frequency, in any scale."""
    n_all = n_samples + round(_MARGIN_S * SFREQ_HZ)
    frequencies_hz = scipy.fft.rfftfreq(n_all, 1.0 / SFREQ_HZ)
    lines = rng.standard_normal((frequencies_hz.size, 2)) @ np.array([1.0, 1j])
    lines[0] = 0.0
    lines /= np.sqrt(np.maximum(frequencies_hz, _LOWEST_HZ))
    return np.asarray(scipy.fft.irfft(lines, n_all)[:n_samples])
