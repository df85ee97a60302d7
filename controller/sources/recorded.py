"""A recording in memory, whatever its format was."""

import dataclasses

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

VOLTAGES = frozenset({"EEG", "EOG", "ECG", "EMG", "SEEG", "ECOG", "DBS", "BIO", "REF"})
"""Types of channels whose samples are microvolts."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that a recording says of an instant.

    Parameters
    ----------
    at_s : float
        Seconds from the first sample of the EEG.
    text : str
    """

    at_s: float
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """A recording, whole and in memory.

    Parameters
    ----------
    samples : array, shape (n_samples, n_channels)
        Microvolts for voltages, the file's own units for other channels. C-contiguous.
    sfreq_hz : float
        Nominal rate.
    labels : tuple of str
        Clean 10-20 names where the file's labels were such.
    types : tuple of str
        Of each channel, in capitals.
    stamps_s : array, shape (n_samples,), or None
        Of each sample, seconds from the first one, where the format stamps samples;
        None for samples that follow each other at the nominal rate.
    marks : tuple of Mark
        In the order of their instants.
    """

    samples: Float32Array
    sfreq_hz: float
    labels: tuple[str, ...]
    types: tuple[str, ...]
    stamps_s: Float64Array | None = None
    marks: tuple[Mark, ...] = ()

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each channel, as an LSL stream tells it."""
        return tuple("microvolts" if t in VOLTAGES else "none" for t in self.types)

    @property
    def instants_s(self) -> Float64Array:
        """Instants of the samples, seconds from the first one, shape (n_samples,)."""
        if self.stamps_s is not None:
            return self.stamps_s
        return np.arange(len(self.samples)) / self.sfreq_hz

    @property
    def duration_s(self) -> float:
        """From the first sample to an interval after the last one."""
        return float(self.instants_s[-1]) + 1 / self.sfreq_hz
