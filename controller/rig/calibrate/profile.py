"""Profiles: from a calibration to the disk, and from there into a session."""

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from controller import __version__
from controller.calibration.fit import ProfileMismatch, check_fits
from controller.calibration.profile import Profile, profile_of
from controller.calibration.profile_file import (
    PROFILE,
    latest_profile,
    load_profile,
    profile_folders,
    save_profile,
)
from controller.config import Config, Montage, Run
from controller.errors import ConfigError, FileError, RecordingError
from controller.kernels.jit import Float64Array
from controller.rig.calibrate.calibration import Calibrated
from controller.rig.calibrate.rest import Rest
from controller.rig.calibrate.spatial import eeg_channels, resolved_montage
from controller.session.recording.append_file import reason_of
from controller.sources.description import StreamDescription
from controller.sources.montage import mixing_matrix

UNNAMED = Run().participant
"""A participant whom nobody has named."""

_REST = "rest_uv"
_WEIGHTS = "weights"
_ANCHOR = "ssd_anchor"
_SAME_HZ = 1e-6


def keep(
    calibrated: Calibrated,
    stream: StreamDescription,
    root: Path,
    *,
    ssd_anchor: str | None = None,
) -> Path:
    """Write a calibration as the participant's next profile; return its folder.

    The virtual channels at rest are kept, so that a session designs its estimator for
    the latencies that it finds.

    Parameters
    ----------
    calibrated : Calibrated
    stream : StreamDescription
        That the rest came from.
    root : Path
    ssd_anchor : str, optional
        Where the decomposition looked for its component.

    Raises
    ------
    ConfigError, RecordingError
        As `save_profile`.
    """
    eeg = eeg_channels(stream)
    weights = calibrated.rest.mixing[:, eeg] / stream.scale_uv[eeg]
    arrays: dict[str, npt.NDArray[np.generic]] = {
        _REST: calibrated.rest.uv,
        _WEIGHTS: weights,
    }
    if ssd_anchor is not None:
        arrays[_ANCHOR] = np.array(ssd_anchor)
    profile = profile_of(
        calibrated.result,
        created=dt.datetime.now(dt.UTC),
        code_version=__version__,
        arrays=arrays,
        estimator_settings={},
    )
    return save_profile(profile, root)


def find_profile(where: Path, participant: str) -> Profile:
    """Return a profile: a version's folder, or the newest in a folder of profiles.

    Parameters
    ----------
    where : Path
        Of a version, of a participant, or of all profiles.
    participant : str
        Whose newest version to take, where there are several.

    Raises
    ------
    FileError, ConfigError
        As `load_profile` and `latest_profile`, and for one whose parts do not go
        together.
    """
    profile = load_profile(_version_in(where, participant))
    weights = np.asarray(profile.arrays.get(_WEIGHTS, np.zeros((1, 0))), np.float64)
    told = [profile.montage.get(label, 0.0) for label in profile.labels]
    if not (weights.ndim == 2 and np.array_equal(weights[0], told)):
        raise FileError(
            f"The montage of the {profile.name} does not go with its arrays: one of "
            "its files was changed; restore it or calibrate again."
        )
    return profile


def _version_in(where: Path, participant: str) -> Path:
    where = where.resolve()
    if where.name == PROFILE or (where / PROFILE).is_file():
        return where
    if not where.is_dir():
        raise FileError(
            f"There is no profile {where}; give the folder that `phasegate calibrate` "
            "wrote, or the folder that holds all profiles."
        )
    named = participants_in(where)
    if participant not in named and participants_in(where.parent).get(where.name):
        return latest_profile(where.parent, where.name)
    if participant == UNNAMED and participant not in named:
        raise FileError(
            f"The session names no participant, and {where} holds the profiles of "
            f"{', '.join(named) or 'nobody'}; name one with --participant."
        )
    return latest_profile(where, participant)


def participants_in(root: Path) -> dict[str, list[Path]]:
    """Return the versions of each participant in a folder of profiles, oldest first.

    Parameters
    ----------
    root : Path

    Raises
    ------
    FileError
        If the folder cannot be read.
    """
    found: dict[str, list[Path]] = {}
    try:
        homes = sorted(path for path in root.iterdir() if path.is_dir())
        for home in homes:
            try:
                versions = profile_folders(root, home.name)
            except ConfigError:  # no participant's name, so nobody's folder
                continue
            if versions:
                found[home.name] = versions
    except OSError as error:
        raise FileError(f"{root} cannot be read: {reason_of(error)}.") from error
    return found


def check_writable(root: Path) -> None:
    """Refuse a folder that no profile can be written to, before anybody rests.

    Raises
    ------
    RecordingError
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise RecordingError(
            f"Profiles cannot be written to {root}: {reason_of(error)}; choose another "
            "folder with --profiles."
        ) from error


def fitting_config(profile: Profile, config: Config) -> None:
    """Refuse a profile that a configuration cannot mean, whatever the stream.

    Parameters
    ----------
    profile : Profile
    config : Config

    Raises
    ------
    ProfileMismatch
        Another participant, band, estimator, frequency or kind of montage.
    """
    participant = config.run.participant
    if participant == UNNAMED and profile.participant != UNNAMED:
        raise ProfileMismatch(
            f"The {profile.name} cannot be used for a session that names no "
            f"participant; pass --participant {profile.participant} if it is theirs."
        )
    check_fits(
        profile,
        participant=participant,
        sfreq_hz=profile.sfreq_hz,
        labels=profile.labels,
        now=profile.created,
        band_name=config.rhythm.band,
        estimator=config.estimator.kind,
    )
    asked_hz = config.rhythm.frequency_hz
    if asked_hz is not None and not abs(asked_hz - profile.frequency_hz) < _SAME_HZ:
        raise ProfileMismatch(
            f"The {profile.name} follows {profile.frequency_hz:.2f} Hz, but "
            f"rhythm.frequency_hz is {asked_hz:g}; leave it out or calibrate again."
        )
    anchor = config.montage.ssd
    kept = str(profile.arrays.get(_ANCHOR, ""))
    if anchor is not None and anchor != kept:
        made = f"at {kept}" if kept else f"of the kind {profile.filter_kind!r}"
        raise ProfileMismatch(
            f"The {profile.name} was made with a montage {made}, but the session asks "
            f"for montage.ssd = {anchor!r}; use the same montage or calibrate again."
        )


def fitting(
    profile: Profile, config: Config, stream: StreamDescription
) -> tuple[str, ...]:
    """Refuse a profile of something else; return what an operator is to be warned of.

    Raises
    ------
    ProfileMismatch
        Another participant, rate, montage, band, estimator or frequency.
    ChannelError, ConfigError
        A montage that the stream cannot give.
    """
    fitting_config(profile, config)
    montage = None
    if config.montage.ssd is None:
        row = mixing_matrix(resolved_montage(config.montage, stream.labels), stream)[0]
        montage = {
            stream.labels[at]: float(row[at] / stream.scale_uv[at])
            for at in np.flatnonzero(row)
        }
    warnings = check_fits(
        profile,
        participant=config.run.participant,
        sfreq_hz=stream.sfreq_hz,
        labels=stream.labels,
        now=dt.datetime.now(dt.UTC),
        montage=montage,
    )
    if profile.participant == UNNAMED:
        said = f"The {profile.name} names nobody: make sure that it is this person's."
        warnings = (*warnings, said)
    return warnings


def with_profile(config: Config, profile: Profile) -> Config:
    """Return the configuration with what the profile has found."""
    rhythm = config.rhythm.model_copy(update={"frequency_hz": profile.frequency_hz})
    # The weights stand for the whole filter: a reference is in them already.
    montage = Montage.model_validate({"weights": dict(profile.montage)})
    return config.model_copy(update={"rhythm": rhythm, "montage": montage})


def rest_of_profile(profile: Profile, stream: StreamDescription) -> Rest:
    """Return the profile's rest, mixed from the channels of this stream.

    Raises
    ------
    FileError
        If the profile's arrays are not those of this version.
    """
    missing = [name for name in (_REST, _WEIGHTS) if name not in profile.arrays]
    if missing:
        raise FileError(
            f"The {profile.name} holds no {', '.join(missing)}; calibrate again."
        )
    weights = np.asarray(profile.arrays[_WEIGHTS], np.float64)
    rest_uv = np.ascontiguousarray(profile.arrays[_REST], np.float64)
    fits = (
        rest_uv.ndim == weights.ndim == 2
        and 1 <= len(rest_uv) == len(weights)
        and weights.shape[1] == len(profile.labels)
    )
    if not (fits and np.isfinite(weights).all() and np.isfinite(rest_uv).all()):
        raise FileError(
            f"The arrays of the {profile.name} do not go together; calibrate again."
        )
    mixing, known = _by_label(weights, profile.labels, stream)
    known &= np.isfinite(mixing).all(axis=1)
    if not known[0]:
        raise FileError(
            f"The stream does not give every channel that the {profile.name} follows "
            "as a voltage; check the montage, or calibrate again."
        )
    return Rest(uv=np.ascontiguousarray(rest_uv[known]), mixing=mixing[known])


def _by_label(
    weights: Float64Array, labels: tuple[str, ...], stream: StreamDescription
) -> tuple[Float64Array, npt.NDArray[np.bool_]]:
    """Return the rows over the stream's channels, and those that it can give."""
    mixing = np.zeros((len(weights), stream.n_channels))
    known = np.ones(len(weights), np.bool_)
    for column, label in enumerate(labels):
        read = weights[:, column] != 0.0
        if label not in stream.labels:
            known &= ~read
            continue
        at = stream.labels.index(label)
        mixing[read, at] = weights[read, column] * stream.scale_uv[at]
    return mixing, known
