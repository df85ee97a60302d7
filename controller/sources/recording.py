"""Read recordings of any format that mne reads, as microvolts with clean labels."""

import importlib.util
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from controller.errors import ChannelError, FileError, MissingExtra
from controller.sources.edf import check_records, undo_text_transfer
from controller.sources.labels import clean_label, signal_type
from controller.sources.recorded import VOLTAGES, Mark
from controller.sources.recorded import Recording as Recording
from controller.sources.xdf_recording import read_xdf_recording

_XDF = ".xdf"
_READERS = {
    ".edf": "read_raw_edf",
    ".bdf": "read_raw_bdf",
    ".fif": "read_raw_fif",
    ".vhdr": "read_raw_brainvision",
    ".set": "read_raw_eeglab",
}
# Annotations of EDF files are often not the UTF-8 that the standard asks for. One byte
# a letter reads them all; `_text` undoes it where they were UTF-8 after all. That they
# are annotations in the first place is what `check_records` has made sure of.
_EDF_ENCODING = "latin1"
_SETTINGS: dict[str, dict[str, str]] = {
    ".edf": {"encoding": _EDF_ENCODING},
    ".bdf": {"encoding": _EDF_ENCODING},
}


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
    suffix = path.suffix.lower()
    if suffix not in (*_READERS, _XDF):
        raise FileError(
            f"{path} is no recording that can be read: its name ends in "
            f"{path.suffix or 'nothing'!r}, but must end in one of "
            f"{', '.join(sorted((*_READERS, _XDF)))}."
        )
    reader = "pyxdf" if suffix == _XDF else "mne"
    if importlib.util.find_spec(reader) is None:
        raise MissingExtra(
            f"{suffix[1:].upper()} files are read by {reader}, which is not installed; "
            "install it with `pip install 'phasegate[io]'`."
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


def read_recording(
    path: Path, *, stream: str | None = None, unit: str | None = None
) -> Recording:
    """Read a recording: EDF, BDF, FIF, BrainVision, EEGLAB or XDF, by the suffix.

    Parameters
    ----------
    path : Path
    stream, unit : str or None
        As `read_xdf_recording`; other formats hold one set of channels, and say their
        units.

    Raises
    ------
    FileError
        No such file, a format that we do not read, or content that cannot be read.
    ChannelError
        Two channels have the same name once prefixes and references are gone, or the
        unit of one is not known.
    MissingExtra
        The extra `io` is not installed.
    """
    check_recording(path)
    if path.suffix.lower() == _XDF:
        return read_xdf_recording(path, stream=stream, unit=unit)
    if stream is not None or unit is not None:
        raise FileError(
            f"{path} is no XDF file, so it has no streams to choose from and says its "
            "units itself; leave stream and unit out."
        )
    raw = _raw(path)
    names = [str(name) for name in raw.ch_names]
    labels = tuple(clean_label(name) for name in names)
    _check_once(labels, names, path)
    types = tuple(
        signal_type(name, str(told))
        for name, told in zip(names, raw.get_channel_types(), strict=True)
    )
    scale = np.array([1e6 if kind in VOLTAGES else 1.0 for kind in types])
    samples = (raw.get_data().T * scale).astype(np.float32)
    if not samples.size:
        raise FileError(f"{path} holds no samples; choose another recording.")
    return Recording(
        samples=np.ascontiguousarray(samples),
        sfreq_hz=float(raw.info["sfreq"]),
        labels=labels,
        types=types,
        marks=_marks(raw, path.suffix.lower()),
    )


def _marks(raw: Any, suffix: str) -> tuple[Mark, ...]:
    # With a date of measurement mne counts from the start of the measurement, which
    # may lie before the first sample.
    noted = raw.annotations
    before_s = 0.0 if noted.orig_time is None else float(raw.first_time)
    marks = [
        Mark(at_s=float(onset) - before_s, text=_text(str(text), suffix))
        for onset, text in zip(noted.onset, noted.description, strict=True)
    ]
    return tuple(sorted(marks, key=lambda mark: mark.at_s))


def _text(text: str, suffix: str) -> str:
    if suffix not in _SETTINGS:
        return text
    try:
        return text.encode(_EDF_ENCODING).decode()
    except UnicodeError:
        return text


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
