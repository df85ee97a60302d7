"""Find the individual frequency of a rhythm in a rest recording, or refuse."""

import dataclasses

import numpy as np

from controller.errors import ConfigError, RhythmTooWeak
from controller.estimators.spectrum import (
    Background,
    Spectrum,
    fit_background,
    require_finite,
    smoothed,
    welch_spectrum,
)
from controller.kernels.jit import Float64Array

SEARCH_HZ: dict[str, tuple[float, float]] = {
    "alpha": (7.5, 13.0),
    "mu": (7.5, 13.0),
    "theta": (4.0, 7.5),
    "beta": (14.0, 30.0),
    "spindle": (11.0, 16.0),
    "slow": (0.5, 1.25),
}
"""Where the individual frequency of a band is looked for."""

HALF_WIDTH_HZ: dict[str, float] = {
    "alpha": 2.0,
    "mu": 2.0,
    "theta": 1.5,
    "beta": 3.0,
    "spindle": 2.0,
    "slow": 0.4,
}
"""Half the pass band around the individual frequency."""

WITHOUT_PEAK = ("slow",)
"""Bands below the range of the 1/f line: their frequency must be given."""

MINIMUM_REST_S = 10.0
"""Seven overlapping segments of spectrum; fewer are hardly an average."""

MINIMUM_SNR_DB = 5.0
"""Height over the 1/f line below which a rhythm is refused.

Below about 5 dB not even zero-phase filters agree on the phase of a recording, so there
is nothing to lock to. 1/f noise without any rhythm stays under it: its highest bump
passes 5 dB in 1 or 2 of 100 recordings of 10 s and in none of 300 of 15 s, in any band.
"""

_RHYTHM_RANGES_HZ = ((3.5, 7.5), (7.0, 14.0))  # theta and alpha never join the 1/f fit


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """A rhythm that was found.

    Parameters
    ----------
    band_name : str
        A key of `SEARCH_HZ`.
    frequency_hz : float
        Individual frequency, between the lines of the spectrum.
    snr_db : float
        Height of the peak over the 1/f line.
    band_hz : tuple of float
        Pass band around the individual frequency.
    spectrum : Spectrum
        What it was found in, for the report.
    background : Background
    """

    band_name: str
    frequency_hz: float
    snr_db: float
    band_hz: tuple[float, float]
    spectrum: Spectrum
    background: Background


def half_width_hz(band_name: str) -> float:
    """Return half the pass band of a band.

    Raises
    ------
    ConfigError
        If the band is unknown.
    """
    if band_name not in HALF_WIDTH_HZ:
        raise ConfigError(
            f"There is no band {band_name!r}; choose one of "
            f"{', '.join(sorted(HALF_WIDTH_HZ))}."
        )
    return HALF_WIDTH_HZ[band_name]


def band_around(frequency_hz: float, band_name: str) -> tuple[float, float]:
    """Return the pass band around an individual frequency.

    Raises
    ------
    ConfigError
        If the band is unknown or the frequency too low for it.
    """
    half = half_width_hz(band_name)
    if not frequency_hz - half > 0.0:
        raise ConfigError(
            f"A {band_name} rhythm at {frequency_hz:g} Hz leaves no pass band of "
            f"+-{half:g} Hz above 0 Hz; give a higher frequency."
        )
    return frequency_hz - half, frequency_hz + half


def find_rhythm(
    rest: Float64Array,
    sfreq_hz: float,
    band_name: str,
    search_hz: tuple[float, float] | None = None,
) -> Rhythm:
    """Find the individual frequency of a band in a rest recording.

    The highest peak of the smoothed Welch spectrum over the 1/f line, in decibels,
    placed between the lines of the spectrum by a parabola.

    Parameters
    ----------
    rest : array, shape (n_samples,)
        Rest recording of one virtual channel in microvolts, without gaps.
    sfreq_hz : float
    band_name : str
        A key of `SEARCH_HZ`.
    search_hz : tuple of float, optional
        Where to look, if not in the band's own range.

    Raises
    ------
    RhythmTooWeak
        If there is no peak, a peak lower than `MINIMUM_SNR_DB`, or too little rest.
    SignalFault
        If the recording is flat or holds a sample that is not a number.
    ConfigError
        If the band is unknown or the range cannot be searched.
    """
    low_hz, high_hz = _search_range(band_name, search_hz, sfreq_hz)
    require_findable(band_name)
    spectrum, background = _measured(rest, sfreq_hz, band_name, (low_hz, high_hz))
    frequency_hz, snr_db = _require_strong(
        _highest_peak(spectrum, background, low_hz, high_hz),
        f"{band_name} peak between {low_hz:g} and {high_hz:g} Hz",
    )
    return Rhythm(
        band_name=band_name,
        frequency_hz=frequency_hz,
        snr_db=snr_db,
        band_hz=band_around(frequency_hz, band_name),
        spectrum=spectrum,
        background=background,
    )


def given_rhythm(
    rest: Float64Array, sfreq_hz: float, band_name: str, frequency_hz: float
) -> Rhythm:
    """Return a rhythm whose frequency is known, with the height that it has at rest.

    However low that is: who gives the frequency says that there is a rhythm. Below
    2 Hz the 1/f line is drawn out from above, and the height only a rough figure.

    Parameters
    ----------
    rest : array, shape (n_samples,)
        Rest recording of one virtual channel in microvolts, without gaps.
    sfreq_hz : float
    band_name : str
        A key of `SEARCH_HZ`.
    frequency_hz : float

    Raises
    ------
    RhythmTooWeak
        If there is too little rest.
    SignalFault
        If the recording is flat or holds a sample that is not a number.
    ConfigError
        If the band is unknown or the frequency does not fit it or the rate.
    """
    band_hz = band_around(frequency_hz, band_name)
    if not band_hz[1] < sfreq_hz / 2.0:
        raise ConfigError(
            f"A {band_name} rhythm at {frequency_hz:g} Hz cannot be followed at "
            f"{sfreq_hz:g} Hz; its band must end below half the rate."
        )
    spectrum, background = _measured(rest, sfreq_hz, band_name, band_hz)
    power = np.interp(frequency_hz, spectrum.frequencies_hz, spectrum.power_uv2_per_hz)
    line = background.power_uv2_per_hz(np.array([frequency_hz]))[0]
    return Rhythm(
        band_name=band_name,
        frequency_hz=frequency_hz,
        snr_db=float(10.0 * np.log10(power / line)),
        band_hz=band_hz,
        spectrum=spectrum,
        background=background,
    )


def require_findable(band_name: str) -> None:
    """Refuse a band whose frequency no spectrum can tell.

    Raises
    ------
    ConfigError
    """
    if band_name in WITHOUT_PEAK:
        raise ConfigError(
            f"A {band_name} rhythm has no peak over the 1/f background to be found by; "
            "give rhythm.frequency_hz."
        )


def _measured(
    rest: Float64Array, sfreq_hz: float, band_name: str, band_hz: tuple[float, float]
) -> tuple[Spectrum, Background]:
    """Return the smoothed spectrum of the rest, and its 1/f line without the band."""
    if not rest.size / sfreq_hz >= MINIMUM_REST_S:
        raise RhythmTooWeak(
            f"The rest recording lasts {rest.size / sfreq_hz:.1f} s, but finding the "
            f"{band_name} rhythm needs at least {MINIMUM_REST_S:g} s; record more rest."
        )
    require_finite(rest, "The rest recording")
    spectrum = smoothed(welch_spectrum(rest, sfreq_hz))
    background = fit_background(spectrum, without_hz=(*_RHYTHM_RANGES_HZ, band_hz))
    return spectrum, background


def _require_strong(peak: tuple[float, float] | None, what: str) -> tuple[float, float]:
    advice = (
        "check the montage, record more rest (for alpha with the eyes closed), or "
        "choose another band or site."
    )
    if peak is None:
        raise RhythmTooWeak(f"The rest recording has no {what}; {advice}")
    frequency_hz, snr_db = peak
    if not snr_db >= MINIMUM_SNR_DB:
        raise RhythmTooWeak(
            f"The highest {what} stands {snr_db:.1f} dB over the 1/f background, at "
            f"{frequency_hz:.2f} Hz, but phase needs at least {MINIMUM_SNR_DB:.1f} dB; "
            f"{advice}"
        )
    return peak


def _search_range(
    band_name: str, search_hz: tuple[float, float] | None, sfreq_hz: float
) -> tuple[float, float]:
    half = half_width_hz(band_name)
    low_hz, high_hz = SEARCH_HZ[band_name] if search_hz is None else search_hz
    if not half < low_hz < high_hz < sfreq_hz / 2.0 - half:
        raise ConfigError(
            f"The individual {band_name} frequency cannot be searched from {low_hz:g} "
            f"to {high_hz:g} Hz at {sfreq_hz:g} Hz; give two rising frequencies "
            f"between {half:g} and {sfreq_hz / 2.0 - half:g} Hz."
        )
    return low_hz, high_hz


def _highest_peak(
    spectrum: Spectrum, background: Background, low_hz: float, high_hz: float
) -> tuple[float, float] | None:
    frequencies_hz = spectrum.frequencies_hz
    inside = np.flatnonzero((frequencies_hz >= low_hz) & (frequencies_hz <= high_hz))
    # One line more on either side, so that a slope is not taken for a peak.
    near = np.arange(inside[0] - 1, inside[-1] + 2)
    line = background.power_uv2_per_hz(frequencies_hz[near])
    height_db = 10.0 * np.log10(spectrum.power_uv2_per_hz[near] / line)
    middle = height_db[1:-1]
    is_peak = (middle > height_db[:-2]) & (middle >= height_db[2:])
    if not is_peak.any():
        return None
    at = int(np.argmax(np.where(is_peak, middle, -np.inf))) + 1
    left, top, right = height_db[at - 1 : at + 2]
    shift = 0.5 * (left - right) / (left - 2.0 * top + right)
    spacing_hz = frequencies_hz[1] - frequencies_hz[0]
    frequency_hz = float(frequencies_hz[near[at]] + shift * spacing_hz)
    return frequency_hz, float(top - 0.25 * (left - right) * shift)
