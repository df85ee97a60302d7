"""A participant's profile: what calibration found, for the sessions that use it."""

import dataclasses
import datetime as dt
import math
import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from controller.calibration.result import CalibrationResult, GateLevel
from controller.errors import ConfigError

Array = npt.NDArray[np.generic]
Setting = bool | int | float | str | tuple[float, ...] | tuple[str, ...]

_PARTICIPANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """One calibration, as it is kept.

    Parameters
    ----------
    participant : str
        Letters, digits, "-" and "_", because folders are named after it.
    version : int, optional
        Counts from 1 for each participant; absent until it is saved.
    created : datetime
        With its zone.
    code_version : str
        Of phasegate.
    source_name, source_sha256 : str
        Stream or file, and the hash of the samples.
    sfreq_hz : float
    labels : tuple of str
        Of all EEG channels recorded.
    filter_kind : str
        Of the spatial filter.
    montage : mapping of str to float
        Its weights that are not zero, by label.
    band_name : str
    frequency_hz, snr_db : float
    band_hz : tuple of float
    estimator : str
    estimator_settings : mapping
    horizon_s : float
    bias_rad : float
        Constant bias of the recommended level, delivered minus target.
    levels : tuple of GateLevel
    recommended : int
    rest_used_s, rest_recorded_s : float
    sentence : str
        What to expect.
    arrays : mapping of str to array
        Whatever the loop needs: the mixing, the weights of the predictor, the spectrum.

    Raises
    ------
    ConfigError
        If the participant's name cannot name a folder, the instant has no zone, or the
        recommended level is not there.
    """

    participant: str
    version: int | None = None
    created: dt.datetime
    code_version: str
    source_name: str
    source_sha256: str
    sfreq_hz: float
    labels: tuple[str, ...]
    filter_kind: str
    montage: Mapping[str, float]
    band_name: str
    frequency_hz: float
    snr_db: float
    band_hz: tuple[float, float]
    estimator: str
    estimator_settings: Mapping[str, Setting]
    horizon_s: float
    bias_rad: float
    levels: tuple[GateLevel, ...]
    recommended: int
    rest_used_s: float
    rest_recorded_s: float
    sentence: str
    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        """Refuse what cannot be kept or used."""
        check_participant(self.participant)
        if self.created.tzinfo is None:
            raise ConfigError(
                "A profile's instant needs its time zone; give it in UTC."
            )
        if not 0 <= self.recommended < len(self.levels):
            raise ConfigError(
                f"The profile recommends gate level {self.recommended} of "
                f"{len(self.levels)}, which is not there; calibrate again."
            )

    @property
    def level(self) -> GateLevel:
        """The recommended gate level."""
        return self.levels[self.recommended]

    @property
    def name(self) -> str:
        """What the profile is called in sentences."""
        version = "unsaved" if self.version is None else f"v{self.version:04d}"
        return f"profile {version} of {self.participant}"


def check_participant(participant: str) -> None:
    """Refuse a participant's name that cannot name a folder.

    Raises
    ------
    ConfigError
    """
    if not _PARTICIPANT.fullmatch(participant):
        raise ConfigError(
            f"The participant is called {participant!r}, but profiles are kept in a "
            "folder of that name; use up to 64 letters, digits, - and _."
        )


def profile_of(
    result: CalibrationResult,
    *,
    created: dt.datetime,
    code_version: str,
    arrays: Mapping[str, Array],
    estimator_settings: Mapping[str, Setting],
) -> Profile:
    """Return the profile of a calibration.

    The spectrum and the spatial filter's pattern are kept beside the given arrays, as
    `spectrum_hz`, `spectrum_uv2_per_hz` and `pattern` (of all labels, NaN where a
    channel was left out).

    Parameters
    ----------
    result : CalibrationResult
    created : datetime
    code_version : str
    arrays : mapping of str to array
        For the loop.
    estimator_settings : mapping

    Raises
    ------
    ConfigError
        As `Profile`, and if an array takes one of those names.
    """
    rhythm, spatial = result.rhythm, result.spatial_filter
    own: dict[str, Array] = {
        "spectrum_hz": rhythm.spectrum.frequencies_hz,
        "spectrum_uv2_per_hz": rhythm.spectrum.power_uv2_per_hz,
    }
    if spatial.pattern is not None:
        by_label = dict(zip(spatial.labels, spatial.pattern, strict=True))
        own["pattern"] = np.array(
            [by_label.get(name, np.nan) for name in result.labels]
        )
    taken = sorted(own.keys() & arrays.keys())
    if taken:
        raise ConfigError(
            f"The profile keeps its own array {', '.join(taken)}; name yours otherwise."
        )
    return Profile(
        participant=result.participant,
        created=created,
        code_version=code_version,
        source_name=result.source_name,
        source_sha256=result.source_sha256,
        sfreq_hz=result.sfreq_hz,
        labels=result.labels,
        filter_kind=spatial.kind,
        montage=spatial.montage,
        band_name=rhythm.band_name,
        frequency_hz=rhythm.frequency_hz,
        snr_db=rhythm.snr_db,
        band_hz=rhythm.band_hz,
        estimator=result.estimator,
        estimator_settings=estimator_settings,
        horizon_s=result.horizon_s,
        bias_rad=result.level.bias_rad,
        levels=result.levels,
        recommended=result.recommended,
        rest_used_s=result.rest_used_s,
        rest_recorded_s=result.rest_recorded_s,
        sentence=result.sentence(),
        arrays={**arrays, **own},
    )


def circ_sd_deg(level: GateLevel) -> float | None:
    """Return a level's circular SD in degrees, None where there is no direction."""
    if not math.isfinite(level.circ_sd_rad):
        return None
    return math.degrees(level.circ_sd_rad)
