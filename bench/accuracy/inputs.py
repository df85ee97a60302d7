"""Options of the command line, checked once and turned into what is measured."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

from bench.accuracy.cases import RecordingSpec
from bench.accuracy.sites import SITES, Site, derive
from bench.accuracy.synthetic import KINDS, SNRS_DB, SyntheticSpec
from controller.errors import ConfigError, FileError
from controller.estimators.registry import find_designer, list_designers
from controller.sources.recording import read_recording

LONGEST_HORIZON_MS = 500.0


def site_of(montage: str | None, weights: str | None) -> Site:
    """Return the site that the options name.

    Raises
    ------
    ConfigError
        If they name none, or two.
    """
    if (montage is None) == (weights is None):
        raise ConfigError(
            f"Give either --montage ({', '.join(SITES)}) or --weights O1=0.5,O2=0.5."
        )
    return SITES[montage] if montage is not None else Site.of_weights(str(weights))


def recording_specs(
    files: Sequence[Path],
    site: Site,
    *,
    band_name: str | None,
    truth: str,
    require_peak: bool,
) -> list[RecordingSpec]:
    """Return the recordings to measure, each read once to see that it can be.

    Raises
    ------
    ConfigError
        If two have the same name.
    FileError, ChannelError, MissingExtra
        If one cannot be read or does not have the montage's channels.
    """
    names = [path.stem for path in files]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ConfigError(
            f"Two recordings are called {doubled[0]}; rows go by the file's name, so "
            "give each file once and rename others."
        )
    for path in files:
        derive(site, read_recording(path), path)
    return [
        RecordingSpec(
            path=path,
            site=site,
            band_name=band_name or site.band_name,
            truth=truth,
            require_peak=require_peak,
        )
        for path in files
    ]


def check_outputs(paths: Sequence[Path | None]) -> None:
    """Refuse before the work what could not be written after it.

    Raises
    ------
    FileError
    """
    for path in paths:
        if path is not None and not path.absolute().parent.is_dir():
            raise FileError(
                f"{path} cannot be written: there is no folder {path.parent}; make it."
            )
        if path is not None and not os.access(path.absolute().parent, os.W_OK):
            raise FileError(
                f"{path} cannot be written: its folder is read-only; choose another."
            )


def synthetic_specs(n_seeds: int) -> list[SyntheticSpec]:
    """Return three kinds at three signal-to-noise ratios, each with every seed."""
    return [
        SyntheticSpec(kind=kind, snr_db=snr_db, seed=seed)
        for kind in KINDS
        for snr_db in SNRS_DB
        for seed in range(1, n_seeds + 1)
    ]


def estimator_names(text: str | None) -> list[str]:
    """Return the estimators to measure: those named, or all that there are.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if text is None:
        return list(list_designers().designers)
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        find_designer(name)
    return names


def horizons(text: str) -> tuple[float, ...]:
    """Return the horizons in seconds that a text such as `10` or `0,5,10,20` lists.

    The main one, 10 ms if it is listed, else the first, comes first.

    Raises
    ------
    ConfigError
    """
    found: list[float] = []
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            value = math.nan
        if not 0.0 <= value <= LONGEST_HORIZON_MS:
            raise ConfigError(
                f"--horizon-ms: {part.strip()!r} is not between 0 and "
                f"{LONGEST_HORIZON_MS:g}; write milliseconds, as in 0,5,10,20."
            )
        found.append(value)
    found = list(dict.fromkeys(found))
    found.sort(key=lambda value: value != 10.0)
    return tuple(value / 1000.0 for value in found)


def reference_of(text: str | None, estimators: Sequence[str], default: str) -> str:
    """Return the estimator that the contrasts are against.

    Raises
    ------
    ConfigError
        If one is named that is not measured.
    """
    if text is not None and text not in estimators:
        raise ConfigError(
            f"--reference {text} is not measured in this run; it measures "
            f"{', '.join(estimators)}."
        )
    return default if text is None else text
