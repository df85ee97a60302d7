"""Spatial filters that other tools made: CSV or JSON of weights, an ICA of MNE."""

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np

from controller.calibration.spatial_filter import (
    SpatialFilter,
    check_once,
    index_of,
    weighted,
)
from controller.errors import ConfigError, FileError, MissingExtra
from controller.sources.labels import clean_label


def imported_filter(
    path: Path, labels: tuple[str, ...], *, component: int = 0
) -> SpatialFilter:
    """Read a spatial filter for the channels of a recording.

    Parameters
    ----------
    path : Path
        `.csv` with a label and a weight in each row, `.json` with an object of weights
        by label, or `.fif` with an ICA that MNE saved.
    labels : tuple of str
        Of the recording's channels.
    component : int
        Which component of an ICA; the other formats hold one filter.

    Raises
    ------
    FileError
        If the file is not there or holds no filter.
    ChannelError
        If it weights a channel that the recording does not have.
    ConfigError
        If a weight is no finite number, or the component does not exist.
    MissingExtra
        If an ICA is given and MNE is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".json", ".fif"):
        raise FileError(
            f"{path} is no spatial filter that can be read: its name must end in .csv, "
            ".json or .fif (an ICA of MNE)."
        )
    if not path.is_file():
        raise FileError(f"There is no spatial filter {path}; check the path.")
    if suffix == ".fif":
        return ica_filter(_read_ica(path), labels, component=component)
    if component != 0:
        raise ConfigError(
            f"{path} holds one filter, so there is no component {component}; leave "
            "the component out."
        )
    pairs = _read_csv(path) if suffix == ".csv" else _read_json(path)
    check_once(f"The spatial filter {path}", tuple(label for label, _ in pairs))
    made = weighted(labels, {label: _number(path, *pair) for label, *pair in pairs})
    return SpatialFilter(kind="imported", labels=labels, weights=made.weights)


def ica_filter(ica: Any, labels: tuple[str, ...], *, component: int) -> SpatialFilter:
    """Return one component of a fitted `mne.preprocessing.ICA`.

    Its weights are scaled so that the component reads in microvolts of the channel
    where it is strongest, and positive there.

    Parameters
    ----------
    ica : mne.preprocessing.ICA
    labels : tuple of str
        Of the recording's channels; must hold every channel of the ICA.
    component : int

    Raises
    ------
    ChannelError
        If a channel of the ICA is not in the recording.
    ConfigError
        If there is no such component, or the ICA mixes kinds of channels.
    """
    n_components = int(ica.n_components_)
    if not 0 <= component < n_components:
        raise ConfigError(
            f"The ICA has the components 0 to {n_components - 1}, so there is no "
            f"component {component}; choose one of them."
        )
    unmixing, mixing = _unmixing(ica), np.asarray(ica.get_components())
    pattern = mixing[:, component]
    at = int(np.argmax(np.abs(pattern)))
    names = tuple(clean_label(name) for name in ica.ch_names)
    weights, spread = np.zeros(len(labels)), np.zeros(len(labels))
    for channel, name in enumerate(names):
        place = index_of(name, labels, what="The ICA")
        weights[place] = unmixing[component, channel] * pattern[at]
        spread[place] = pattern[channel] / pattern[at]
    return SpatialFilter(
        kind="imported", labels=labels, weights=weights, pattern=spread
    )


def _unmixing(ica: Any) -> Any:
    """Return sources per whitened channel, shape (n_components, n_channels)."""
    scale = np.asarray(ica.pre_whitener_)
    if scale.ndim != 2 or scale.shape[1] != 1 or not np.allclose(scale, scale[0]):
        raise ConfigError(
            "The ICA whitens channels by different scales (several kinds of channels, "
            "or a noise covariance), which cannot become one row of weights; fit it on "
            "EEG channels alone."
        )
    # The scale drops out: the pattern is in whitened units too.
    n = int(ica.n_components_)
    return np.asarray(ica.unmixing_matrix_) @ np.asarray(ica.pca_components_)[:n]


def _read_ica(path: Path) -> Any:
    if importlib.util.find_spec("mne") is None:
        raise MissingExtra(
            f"{path} needs MNE, which is not installed; install phasegate[io]."
        )
    import mne

    try:
        return mne.preprocessing.read_ica(path, verbose="error")
    except (ValueError, RuntimeError, OSError, KeyError) as error:
        raise FileError(f"{path} holds no ICA that MNE can read: {error}.") from error


def _read_csv(path: Path) -> list[tuple[str, object]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path} cannot be read as CSV: {error}.") from error
    if rows and [cell.strip().lower() for cell in rows[0]] == ["label", "weight"]:
        rows = rows[1:]
    pairs: list[tuple[str, object]] = []
    for row in rows:
        if len(row) != 2:
            raise FileError(
                f"{path} has a row of {len(row)} cells ({','.join(row)}); write a "
                "label and a weight in each."
            )
        pairs.append((row[0].strip(), row[1].strip()))
    if not pairs:
        raise FileError(f"{path} holds no weights; write a label and a weight per row.")
    return pairs


def _read_json(path: Path) -> list[tuple[str, object]]:
    try:
        # Pairs, because a label that stands twice would overwrite itself in a dict.
        found = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise FileError(f"{path} cannot be read as JSON: {error}.") from error
    if not isinstance(found, list) or not found or not _all_pairs(found):
        raise FileError(
            f'{path} holds no weights; write one object, such as {{"O1": 0.5, '
            '"O2": 0.5}.'
        )
    return found


def _all_pairs(found: list[object]) -> bool:
    return all(isinstance(item, tuple) and len(item) == 2 for item in found)


def _number(path: Path, weight: object) -> float:
    if isinstance(weight, bool) or not isinstance(weight, str | int | float):
        raise ConfigError(f"{path}: a weight is {weight!r}, but must be a number.")
    try:
        number = float(weight)
    except ValueError as error:
        raise ConfigError(
            f"{path}: a weight is {weight!r}, but must be a number."
        ) from error
    if not np.isfinite(number):
        raise ConfigError(f"{path}: a weight is {number}, but must be finite.")
    return number
