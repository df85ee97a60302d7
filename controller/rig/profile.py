"""Profiles: from a calibration to the disk, and from there into a session."""

import datetime as dt
from pathlib import Path

import numpy as np
import numpy.typing as npt

from controller import __version__
from controller.calibration.fit import check_fits
from controller.calibration.profile import Profile, profile_of
from controller.calibration.profile_file import (
    latest_profile,
    load_profile,
    save_profile,
)
from controller.config import Config, Montage
from controller.errors import FileError
from controller.kernels.jit import Float64Array
from controller.rig.calibration import Calibrated
from controller.rig.rest import Rest
from controller.rig.spatial import eeg_channels, resolved_montage
from controller.sources.description import StreamDescription
from controller.sources.montage import mixing_matrix

_REST = "rest_uv"
_WEIGHTS = "weights"


def keep(calibrated: Calibrated, stream: StreamDescription, root: Path) -> Path:
    """Write a calibration as the participant's next profile; return its folder.

    The virtual channels at rest are kept, so that a session designs its estimator for
    the latencies that it finds.

    Parameters
    ----------
    calibrated : Calibrated
    stream : StreamDescription
        That the rest came from.
    root : Path

    Raises
    ------
    ConfigError, RecordingError
        As `save_profile`.
    """
    eeg = eeg_channels(stream)
    weights = calibrated.rest.mixing[:, eeg] / stream.scale_uv[eeg]
    profile = profile_of(
        calibrated.result,
        created=dt.datetime.now(dt.UTC),
        code_version=__version__,
        arrays={_REST: calibrated.rest.uv, _WEIGHTS: weights},
        estimator_settings={},
    )
    return save_profile(profile, root)


def find_profile(where: Path, participant: str) -> Profile:
    """Return a profile: a version's folder, or the newest in a folder of profiles.

    Raises
    ------
    FileError, ConfigError
        As `load_profile` and `latest_profile`.
    """
    if where.name == "profile.toml" or (where / "profile.toml").is_file():
        return load_profile(where)
    if not where.is_dir():
        raise FileError(
            f"There is no profile {where}; give the folder that `phasegate calibrate` "
            "wrote, or the folder that holds all profiles."
        )
    return load_profile(latest_profile(where, participant))


def fitting(
    profile: Profile, config: Config, stream: StreamDescription
) -> tuple[str, ...]:
    """Refuse a profile of something else; return what an operator is to be warned of.

    Raises
    ------
    ProfileMismatch
        Another participant, rate, montage, band or estimator.
    ChannelError, ConfigError
        A montage that the stream cannot give.
    """
    montage = None
    if config.montage.ssd is None:
        row = mixing_matrix(resolved_montage(config.montage, stream.labels), stream)[0]
        montage = {
            stream.labels[at]: float(row[at] / stream.scale_uv[at])
            for at in np.flatnonzero(row)
        }
    return check_fits(
        profile,
        participant=config.run.participant,
        sfreq_hz=stream.sfreq_hz,
        labels=stream.labels,
        now=dt.datetime.now(dt.UTC),
        montage=montage,
        band_name=config.rhythm.band,
        estimator=config.estimator.kind,
    )


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
    mixing, known = _by_label(weights, profile.labels, stream)
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
