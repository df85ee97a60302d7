"""Montages by name, found in a recording or refused in a sentence."""

import dataclasses
from pathlib import Path
from typing import Self

import numpy as np

from controller.errors import ChannelError, ConfigError
from controller.kernels.jit import Float64Array
from controller.sources.labels import clean_label
from controller.sources.recording import Recording

MINIMUM_AVERAGE = 8
"""Fewer channels are no average reference: the target itself is too much of it."""

Weights = tuple[tuple[str, float], ...]


def _hjorth(centre: str, *around: str) -> Weights:
    return ((centre, 1.0), *((label, -1.0 / len(around)) for label in around))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the rhythm is looked for.

    Parameters
    ----------
    name : str
    choices : tuple of Weights
        Montages that count as the same site; the first that a recording has is used.
    average : bool
        Whether the mean of all EEG channels is the reference.
    band_name : str
        "alpha" or "theta".
    """

    name: str
    choices: tuple[Weights, ...]
    average: bool = False
    band_name: str = "alpha"

    @classmethod
    def of_weights(cls, text: str) -> Self:
        """Return the site that a text such as `O1=0.5,O2=0.5` describes.

        Raises
        ------
        ConfigError
        """
        weights: dict[str, float] = {}
        for part in text.split(","):
            label, equals, number = part.partition("=")
            label = clean_label(label)
            try:
                value = float(number)
            except ValueError:
                value = np.nan
            if not (label and equals and np.isfinite(value)) or label in weights:
                raise ConfigError(
                    f"--weights: {part.strip()!r} cannot be used; write each channel "
                    "once, with a number, as in O1=0.5,O2=0.5."
                )
            weights[label] = value
        if not any(weights.values()):
            raise ConfigError("--weights: all are 0; give one that is not.")
        return cls(name=f"weights {text}", choices=(tuple(weights.items()),))


SITES: dict[str, Site] = {
    "occipital": Site(name="occipital", choices=((("O1", 0.5), ("O2", 0.5)),)),
    "c3-hjorth": Site(
        name="c3-hjorth",
        choices=(
            _hjorth("C3", "F3", "P3", "T3", "Cz"),
            _hjorth("C3", "F3", "P3", "T7", "Cz"),
            _hjorth("C3", "FC1", "FC5", "CP1", "CP5"),
        ),
    ),
    "fz": Site(name="fz", choices=((("Fz", 1.0),),), average=True, band_name="theta"),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derived:
    """What a site is in one recording.

    Parameters
    ----------
    samples : array, shape (n_virtual, n_samples)
        Microvolts. Row 0 is the target; then every EEG channel as recorded, but for the
        one that weighs most in the target: it follows from the target and the others.
    words : str
        The montage as it was made.
    """

    samples: Float64Array
    words: str


def derive(site: Site, recording: Recording, path: Path) -> Derived:
    """Return the site's virtual channel in a recording, and the other EEG channels.

    Raises
    ------
    ChannelError
        If the recording does not have the channels; the path is named.
    """
    eeg = [k for k, kind in enumerate(recording.types) if kind == "EEG"]
    places = {recording.labels[k].lower(): k for k in eeg}
    weights = _first_complete(site, places, recording, eeg, path)
    mixing = np.zeros(len(recording.labels))
    for label, weight in weights:
        mixing[places[label.lower()]] = weight
    heaviest = int(np.argmax(np.abs(mixing)))
    words = " ".join(f"{weight:+.3g} {label}" for label, weight in weights)
    if site.average:
        if len(eeg) < MINIMUM_AVERAGE:
            raise ChannelError(
                f"{path}: the montage {site.name} needs an average reference over at "
                f"least {MINIMUM_AVERAGE} EEG channels, but there are {len(eeg)}; use "
                "another recording or --weights."
            )
        mixing[eeg] -= mixing.sum() / len(eeg)
        words += f" against the average of {len(eeg)} channels"
    used = np.flatnonzero(mixing)
    every = recording.samples.T
    target = mixing[used] @ every[used].astype(np.float64)
    others = every[[k for k in eeg if k != heaviest]].astype(np.float64)
    return Derived(samples=np.vstack((target, others)), words=words)


def _first_complete(
    site: Site,
    places: dict[str, int],
    recording: Recording,
    eeg: list[int],
    path: Path,
) -> Weights:
    for weights in site.choices:
        if all(label.lower() in places for label, _ in weights):
            return weights
    needed = ", or ".join(
        " ".join(label for label, _ in weights) for weights in site.choices
    )
    missing = ", or ".join(
        " ".join(label for label, _ in weights if label.lower() not in places)
        for weights in site.choices
    )
    there = ", ".join(recording.labels[k] for k in eeg) or "none"
    raise ChannelError(
        f"{path}: the montage {site.name} needs {needed}, but there is no {missing}; "
        f"the EEG channels are {there}. Choose another montage or give --weights."
    )
