"""Which weights make the virtual channel: told, found by position, imported, or SSD."""

import numpy as np

from controller.calibration.band_covariance import band_covariances
from controller.calibration.imported_filter import imported_filter
from controller.calibration.positions import POSITIONS, neighbours_of
from controller.calibration.spatial_filter import SpatialFilter
from controller.calibration.ssd import decompose
from controller.calibration.usable_rest import find_usable_rest
from controller.config import Config, Montage, Rhythm, SyntheticSource
from controller.errors import ConfigError, FileError
from controller.estimators.rhythm import SEARCH_HZ, band_around, find_rhythm
from controller.kernels.jit import Float64Array
from controller.sources.description import StreamDescription


def resolved_montage(
    montage: Montage, labels: tuple[str, ...], *, ssd: SpatialFilter | None = None
) -> Montage:
    """Return the montage with all weights, or a Hjorth's neighbours, spelled out.

    Parameters
    ----------
    montage : Montage
    labels : tuple of str
        Of the stream's channels.
    ssd : SpatialFilter, optional
        What the decomposition of this participant's rest gave.

    Raises
    ------
    ConfigError
        If the montage asks for a decomposition and there is none, or a position is not
        known.
    ChannelError, FileError, MissingExtra
        As `imported_filter`.
    """
    if montage.ssd is not None:
        if ssd is None:
            raise ConfigError(
                f"montage.ssd = {montage.ssd!r} is found by calibration; run "
                "`phasegate calibrate` first and give its profile with --profile."
            )
        return _told(montage, ssd.montage)
    if montage.file is not None:
        imported = imported_filter(montage.file, labels, component=montage.component)
        return _told(montage, imported.montage)
    if montage.hjorth is not None and not montage.neighbours:
        around = neighbours_of(montage.hjorth, labels)
        return montage.model_copy(update={"neighbours": around})
    return montage


def check_montage(config: Config) -> None:
    """Refuse what can be told from the configuration alone.

    Parameters
    ----------
    config : Config

    Raises
    ------
    ConfigError
        The montage is found by calibration, or reads a position that is not known.
    FileError
        The file with the weights is not there.
    ChannelError, MissingExtra
        As `imported_filter`.
    """
    montage, source = config.montage, config.source
    if isinstance(source, SyntheticSource):
        resolved_montage(montage, source.channels)
    elif montage.ssd is not None:
        resolved_montage(montage, ())
    elif montage.file is not None and not montage.file.is_file():
        raise FileError(f"There is no spatial filter {montage.file}; check the path.")
    elif montage.hjorth is not None and not montage.neighbours:
        neighbours_of(montage.hjorth, tuple(POSITIONS))


def _told(montage: Montage, weights: dict[str, float]) -> Montage:
    keep = {"reference": montage.reference, "average_over": montage.average_over}
    return Montage.model_validate({"weights": weights, **keep})


def ssd_filter(
    montage: Montage,
    rhythm: Rhythm,
    eeg_uv: Float64Array,
    labels: tuple[str, ...],
    sfreq_hz: float,
) -> SpatialFilter:
    """Decompose the rest and return the component at the montage's anchor.

    Parameters
    ----------
    montage : Montage
        With `ssd`.
    rhythm : Rhythm
    eeg_uv : array, shape (n_channels, n_samples)
        Without bad channels.
    labels : tuple of str
    sfreq_hz : float

    Raises
    ------
    RhythmTooWeak
        No component of the rhythm lies at the anchor.
    ChannelError, ConfigError, SignalFault
    """
    given_hz = rhythm.frequency_hz
    band_hz = rhythm.search_hz or SEARCH_HZ[rhythm.band]
    if given_hz is not None:
        band_hz = band_around(given_hz, rhythm.band)
    stretches = find_usable_rest(eeg_uv, labels, sfreq_hz).stretches
    anchor = str(montage.ssd)
    while True:
        found = decompose(eeg_uv, labels, sfreq_hz, band_hz, stretches=stretches)
        spatial = found.filter(found.component_near(anchor), anchor=anchor)
        if given_hz is not None:
            return spatial
        followed_uv = np.concatenate(
            [spatial.apply(eeg_uv[:, start:stop]) for start, stop in stretches]
        )
        # Once in the band's whole range, and again around what that finds.
        peak = find_rhythm(followed_uv, sfreq_hz, rhythm.band, rhythm.search_hz)
        given_hz, band_hz = peak.frequency_hz, peak.band_hz


def filter_of(
    mixing: Float64Array, stream: StreamDescription, montage: Montage
) -> SpatialFilter:
    """Return a mixing's first row as a filter over the stream's EEG channels."""
    eeg = eeg_channels(stream)
    scale = stream.scale_uv[eeg]
    return SpatialFilter(
        kind=_kind(montage),
        labels=tuple(stream.labels[channel] for channel in eeg),
        weights=np.asarray(mixing[0, eeg] / scale),
    )


def with_pattern(
    spatial: SpatialFilter,
    eeg_uv: Float64Array,
    sfreq_hz: float,
    band_hz: tuple[float, float],
    stretches: tuple[tuple[int, int], ...],
) -> SpatialFilter:
    """Return the filter with the pattern of what it extracts in the band."""
    (in_band,) = band_covariances(eeg_uv, sfreq_hz, ((band_hz,),), stretches=stretches)
    return spatial.with_pattern(in_band)


def eeg_channels(stream: StreamDescription) -> list[int]:
    """Return the indices of the EEG channels that are voltages."""
    return [
        channel
        for channel, kind in enumerate(stream.channel_types)
        if kind == "EEG" and np.isfinite(stream.scale_uv[channel])
    ]


def _kind(montage: Montage) -> str:
    if montage.ssd is not None:
        return "ssd"
    if montage.file is not None:
        return "imported"
    if montage.hjorth is not None:
        return "hjorth"
    return "average" if montage.reference == "average" else "weights"
