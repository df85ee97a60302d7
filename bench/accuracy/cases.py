"""One recording, split into calibration and scored part, with its truths."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.accuracy.sites import Site, derive
from bench.accuracy.truths import EDGES_S, TRUTHS
from controller.errors import FileError, RhythmTooWeak
from controller.estimators.rhythm import SEARCH_HZ, band_around, find_rhythm
from controller.estimators.spectrum import (
    fit_background,
    smoothed,
    welch_spectrum,
)
from controller.kernels.jit import ComplexArray, Float64Array
from controller.sources.recording import read_recording

AFTER_SPLIT_S = 0.5
BEFORE_END_S = 1.5
WITHOUT_PEAK_HZ: dict[str, float] = {"alpha": 10.0, "theta": 6.0}
"""Frequencies where the spectrum has no peak at all; they are marked as such."""

_WITHOUT_RHYTHMS_HZ = ((3.5, 7.5), (7.0, 14.0))
_MINIMUM_SCORED_S = 5.0

BoolArray = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """What the estimates are compared with.

    Parameters
    ----------
    analytic : complex array, shape (n_samples,)
    scored : array of bool, shape (n_samples,)
    """

    analytic: ComplexArray
    scored: BoolArray


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """Everything that all estimators share on one recording.

    Parameters
    ----------
    name : str
    words : str
        The montage, or how the recording was made.
    cell : str
        Kind and signal-to-noise ratio of a synthetic recording, else empty.
    samples : array, shape (n_virtual, n_samples)
        Microvolts; row 0 is the target.
    sfreq_hz : float
    n_calibration : int
        Samples before the split.
    frequency_hz : float
    band_hz : tuple of float
    snr_db : float
        Height of the calibration's peak, NaN where it was refused.
    has_peak : bool
    references : mapping of str to Reference
        The first is the one that scores.
    truth_r : float
        Resultant length of the offline truth against a known phase, else NaN.
    """

    name: str
    words: str
    cell: str = ""
    samples: Float64Array
    sfreq_hz: float
    n_calibration: int
    frequency_hz: float
    band_hz: tuple[float, float]
    snr_db: float
    has_peak: bool
    references: Mapping[str, Reference]
    truth_r: float = math.nan

    @property
    def reference(self) -> Reference:
        """The truth that scores."""
        return next(iter(self.references.values()))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """Individual frequency of a calibration, and whether there is a peak at it."""

    frequency_hz: float
    snr_db: float
    has_peak: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSpec:
    """How a case is made from a file.

    Parameters
    ----------
    path : Path
    site : Site
    band_name : str
    truth : str
        Name of the truth that scores.
    require_peak : bool
        Whether a recording without a strong peak is refused.
    """

    path: Path
    site: Site
    band_name: str
    truth: str
    require_peak: bool

    @property
    def name(self) -> str:
        """What the recording is called in tables."""
        return self.path.stem

    @property
    def cell(self) -> str:
        """Recordings belong to no cell of the synthetic table."""
        return ""

    def load(self) -> Case:
        """Read the file.

        Raises
        ------
        PhasegateError
            As reading, the montage and finding the rhythm do.
        """
        recording = read_recording(self.path)
        derived = derive(self.site, recording, self.path)
        return split_case(
            derived.samples, recording.sfreq_hz, self, words=derived.words
        )


def split_case(
    samples: Float64Array, sfreq_hz: float, spec: RecordingSpec, *, words: str
) -> Case:
    """Return the case of a recording, split in the middle.

    Parameters
    ----------
    samples : array, shape (n_virtual, n_samples)
    sfreq_hz : float
    spec : RecordingSpec
    words : str

    Raises
    ------
    PhasegateError
        If the recording is too short, not finite, or without a required peak.
    """
    n_calibration = samples.shape[1] // 2
    scored_s = n_calibration / sfreq_hz - AFTER_SPLIT_S - BEFORE_END_S
    if not scored_s >= _MINIMUM_SCORED_S:
        raise FileError(
            f"{spec.path} lasts {samples.shape[1] / sfreq_hz:.1f} s, of which too "
            "little is left to be scored; use recordings of half a minute or more."
        )
    found = find_frequency(
        np.ascontiguousarray(samples[0, :n_calibration]),
        sfreq_hz,
        spec.band_name,
        require_peak=spec.require_peak,
    )
    band_hz = band_around(found.frequency_hz, spec.band_name)
    order = (spec.truth, *(name for name in TRUTHS if name != spec.truth))
    return Case(
        name=spec.name,
        words=words,
        samples=samples,
        sfreq_hz=sfreq_hz,
        n_calibration=n_calibration,
        frequency_hz=found.frequency_hz,
        band_hz=band_hz,
        snr_db=found.snr_db,
        has_peak=found.has_peak,
        references={
            name: Reference(
                analytic=TRUTHS[name](samples[0], sfreq_hz, band_hz),
                scored=scored_part(
                    samples.shape[1], n_calibration, sfreq_hz, EDGES_S[name]
                ),
            )
            for name in order
        },
    )


def scored_part(
    n_samples: int, n_calibration: int, sfreq_hz: float, edge_s: float = 0.0
) -> BoolArray:
    """Return which samples are scored: the protocol's, and no filter edge."""
    first = n_calibration + math.ceil(AFTER_SPLIT_S * sfreq_hz)
    last = n_samples - math.ceil(max(BEFORE_END_S, edge_s + 0.5) * sfreq_hz)
    scored = np.zeros(n_samples, dtype=np.bool_)
    scored[first:last] = True
    return scored


def find_frequency(
    rest: Float64Array, sfreq_hz: float, band_name: str, *, require_peak: bool
) -> Frequency:
    """Return the individual frequency, or a marked stand-in for it.

    A peak that is too weak for a session still names a frequency: in alpha the highest
    one there is. Weak bumps in theta are noise, so there the convention is 6 Hz.

    Parameters
    ----------
    rest : array, shape (n_samples,)
    sfreq_hz : float
    band_name : str
    require_peak : bool

    Raises
    ------
    RhythmTooWeak
        If a peak is required and there is none.
    """
    try:
        found = find_rhythm(rest, sfreq_hz, band_name)
    except RhythmTooWeak:
        if require_peak:
            raise
        weak_hz = _weak_peak_hz(rest, sfreq_hz) if band_name == "alpha" else None
        return Frequency(
            frequency_hz=weak_hz or WITHOUT_PEAK_HZ[band_name],
            snr_db=math.nan,
            has_peak=False,
        )
    return Frequency(
        frequency_hz=found.frequency_hz, snr_db=found.snr_db, has_peak=True
    )


def _weak_peak_hz(rest: Float64Array, sfreq_hz: float) -> float | None:
    spectrum = smoothed(welch_spectrum(rest, sfreq_hz))
    line = fit_background(spectrum, without_hz=_WITHOUT_RHYTHMS_HZ)
    low_hz, high_hz = SEARCH_HZ["alpha"]
    frequencies_hz = spectrum.frequencies_hz[1:]
    height = spectrum.power_uv2_per_hz[1:] / line.power_uv2_per_hz(frequencies_hz)
    inside = (frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)
    peak = np.zeros_like(inside)
    peak[1:-1] = (height[1:-1] > height[:-2]) & (height[1:-1] >= height[2:])
    if not (inside & peak).any():
        return None
    return float(frequencies_hz[np.argmax(np.where(inside & peak, height, -np.inf))])
