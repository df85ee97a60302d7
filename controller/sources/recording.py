"""Read recordings of any format that mne reads, as microvolts with clean labels."""

import dataclasses
import importlib.util
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from controller.errors import ChannelError, FileError, MissingExtra
from controller.sources.edf import check_records, undo_text_transfer
from controller.sources.labels import clean_label, signal_type

Float32Array = npt.NDArray[np.float32]

_READERS = {
    ".edf": "read_raw_edf",
    ".bdf": "read_raw_bdf",
    ".fif": "read_raw_fif",
    ".vhdr": "read_raw_brainvision",
    ".set": "read_raw_eeglab",
}
# Annotations of EDF files are often not the UTF-8 that the standard asks for; we use
# none of them, so any one-byte encoding does. That they are annotations at all is what
# `check_records` has made sure of.
_SETTINGS: dict[str, dict[str, str]] = {
    ".edf": {"encoding": "latin1"},
    ".bdf": {"encoding": "latin1"},
}
_VOLTAGES = {"EEG", "EOG", "ECG", "EMG", "SEEG", "ECOG", "DBS", "BIO", "REF"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """A recording, whole and in memory.

    Parameters
    ----------
    samples : array, shape (n_samples, n_channels)
        Microvolts for voltages, the file's own units for other channels. C-contiguous.
    sfreq_hz : float
    labels : tuple of str
        Clean 10-20 names where the file's labels were such.
    types : tuple of str
        Of each channel, in capitals.
    """

    samples: Float32Array
    sfreq_hz: float
    labels: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each channel, as an LSL stream tells it."""
        return tuple("microvolts" if t in _VOLTAGES else "none" for t in self.types)


def check_recording(path: Path) -> None:
    """Return if `path` can be a recording that we read, without reading it.

    Raises
    ------
    FileError
        No such file, or a format that we do not read.
    MissingExtra
        The packages that read recordings are not installed.
    """
    if not path.is_file():
        raise FileError(f"There is no recording {path}; check the path.")
    if path.suffix.lower() not in _READERS:
        raise FileError(
            f"{path} is no recording that can be read: its name ends in "
            f"{path.suffix or 'nothing'!r}, but must end in one of "
            f"{', '.join(sorted(_READERS))}."
        )
    if importlib.util.find_spec("mne") is None:
        raise MissingExtra(
            "Recordings are read by mne, which is not installed; install it with "
            "`pip install 'phasegate[io]'`."
        )


def recording_note(path: Path) -> str | None:
    """Return what a user has to know about a recording before it is used, if anything.

    Raises
    ------
    FileError
        The file is damaged beyond what can be undone.
    """
    if path.suffix.lower() not in _SETTINGS or not _is_mended(path):
        return None
    return (
        f"{path.name} was damaged by a transfer as text: every line end is put back "
        "for this run, its complete data records are in their places again, and the "
        "file itself is left as it is."
    )


def read_recording(path: Path) -> Recording:
    """Read a recording: EDF, BDF, FIF, BrainVision or EEGLAB, by the file's suffix.

    Raises
    ------
    FileError
        No such file, a format that we do not read, or content that mne cannot read.
    ChannelError
        Two channels have the same name once prefixes and references are gone.
    MissingExtra
        The extra `io` is not installed.
    """
    check_recording(path)
    raw = _raw(path)
    names = [str(name) for name in raw.ch_names]
    labels = tuple(clean_label(name) for name in names)
    _check_once(labels, names, path)
    types = tuple(
        signal_type(name, str(told))
        for name, told in zip(names, raw.get_channel_types(), strict=True)
    )
    scale = np.array([1e6 if kind in _VOLTAGES else 1.0 for kind in types])
    samples = (raw.get_data().T * scale).astype(np.float32)
    if not samples.size:
        raise FileError(f"{path} holds no samples; choose another recording.")
    return Recording(
        samples=np.ascontiguousarray(samples),
        sfreq_hz=float(raw.info["sfreq"]),
        labels=labels,
        types=types,
    )


def _raw(path: Path) -> Any:
    # Here and not above: mne takes a second to import and is an optional extra.
    import mne

    suffix = path.suffix.lower()
    if suffix in _SETTINGS and _is_mended(path):
        with tempfile.TemporaryDirectory(prefix="phasegate-") as folder:
            mended = Path(folder) / path.name
            mended.write_bytes(undo_text_transfer(path) or b"")
            return _raw(mended)
    reader = getattr(mne.io, _READERS[suffix])
    try:
        raw = reader(path, preload=True, verbose="ERROR", **_SETTINGS.get(suffix, {}))
    except Exception as error:  # mne's readers raise whatever they met
        raise FileError(
            f"{path} cannot be read as {suffix[1:].upper()} "
            f"({type(error).__name__}: {error}); check the file."
        ) from error
    return raw


def _is_mended(path: Path) -> bool:
    """Return whether the content was mended; raise if it is damaged and cannot be."""
    if undo_text_transfer(path) is not None:
        return True
    check_records(path)
    return False


def _check_once(labels: tuple[str, ...], names: list[str], path: Path) -> None:
    doubled = [label for label, count in Counter(labels).items() if count > 1]
    if doubled:
        original = [
            n for n, label in zip(names, labels, strict=True) if label in doubled
        ]
        raise ChannelError(
            f"{path} has more than one channel {', '.join(doubled)} (in the file: "
            f"{', '.join(original)}); rename them in the recording."
        )
