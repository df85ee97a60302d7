"""Read the EEG of an XDF file, with its stamps and its markers.

The stamps are the recorded ones, brought to one clock and freed of jitter by pyxdf
within each uninterrupted piece, so that a gap stays a gap.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from controller.errors import ChannelError, FileError
from controller.sources.labels import clean_label
from controller.sources.recorded import VOLTAGES, Mark, Recording
from controller.sources.units import stream_scale_uv

Stream = dict[str, Any]

_MARKERS = ("marker", "event", "annotation")


def read_xdf_recording(
    path: Path, *, stream: str | None = None, unit: str | None = None
) -> Recording:
    """Read one regular stream of an XDF file.

    Parameters
    ----------
    path : Path
    stream : str or None
        Its name; None where the file has one stream of EEG, or only one that is
        regular.
    unit : str or None
        Unit of EEG channels whose unit the file does not tell.

    Raises
    ------
    FileError
        The file cannot be read, it does not say which stream is meant, or the stream
        has no samples or stamps that go backwards.
    ChannelError
        A label is given twice, or a unit is missing or unknown.
    """
    streams = _load(path)
    chosen = _chosen(streams, stream, path)
    name = _told(chosen, "name")
    stamps = np.asarray(chosen["time_stamps"], dtype=np.float64)
    if not len(stamps):
        raise FileError(f"Stream {name!r} of {path} holds no samples; choose another.")
    backward = np.flatnonzero(~(np.diff(stamps) > 0))
    if len(backward):
        raise FileError(
            f"The stamps of stream {name!r} of {path} go backwards, or stand still, "
            f"after sample {backward[0]}; it cannot be replayed in time."
        )
    labels, types, units = _channels(chosen)
    _check_once(labels, f"Stream {name!r} of {path}")
    scale_uv = stream_scale_uv(
        units=units,
        labels=labels,
        types=types,
        configured=unit,
        stream=f"{name!r} of {path}",
    )
    voltage = np.array([kind in VOLTAGES for kind in types])
    scale = np.where(voltage & np.isfinite(scale_uv), scale_uv, 1.0)
    samples = np.asarray(chosen["time_series"], dtype=np.float64) * scale
    return Recording(
        samples=np.ascontiguousarray(samples, dtype=np.float32),
        sfreq_hz=_rate_hz(chosen),
        labels=labels,
        types=types,
        stamps_s=stamps - stamps[0],
        marks=_marks(streams, float(stamps[0])),
    )


def _load(path: Path) -> list[Stream]:
    # Here and not above: an optional extra.
    import pyxdf

    try:
        # Opened here: pyxdf leaves a file open that it refuses.
        with path.open("rb") as opened:
            streams, _ = pyxdf.load_xdf(opened)
    except Exception as error:  # pyxdf raises whatever it met
        raise FileError(
            f"{path} cannot be read as XDF ({type(error).__name__}: {error}); check "
            "the file."
        ) from error
    return list(streams)


def _chosen(streams: Sequence[Stream], name: str | None, path: Path) -> Stream:
    regular = [stream for stream in streams if _rate_hz(stream) > 0]
    if name is None:
        eeg = [stream for stream in regular if _told(stream, "type").upper() == "EEG"]
        found = eeg or regular
        which = "of EEG" if eeg else "with a regular rate"
    else:
        found = [stream for stream in regular if _told(stream, "name") == name]
        which = f"with a regular rate and the name {name!r}"
    if len(found) == 1:
        return found[0]
    listing = "; ".join(map(_shown, streams)) or "none at all"
    raise FileError(
        f"{path} has {len(found) or 'no'} stream{'s' * (len(found) != 1)} {which}; "
        f"name the one that is meant. Its streams are: {listing}."
    )


def _channels(
    stream: Stream,
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str | None, ...]]:
    """Return labels, types and units; numbers for labels where there are none."""
    kind = _told(stream, "type").upper()
    n_channels = int(_told(stream, "channel_count"))
    described = _described(stream)
    if len(described) != n_channels:
        described = [{}] * n_channels
    labels = tuple(
        clean_label(_of(channel, "label") or str(number))
        for number, channel in enumerate(described, start=1)
    )
    types = tuple((_of(channel, "type") or kind).upper() for channel in described)
    units = tuple(_of(channel, "unit") for channel in described)
    return labels, types, units


def _described(stream: Stream) -> list[dict[str, Any]]:
    for desc in stream["info"].get("desc") or []:
        for channels in (desc or {}).get("channels") or []:
            return [channel or {} for channel in (channels or {}).get("channel") or []]
    return []


def _of(channel: dict[str, Any], field: str) -> str | None:
    values = channel.get(field) or [None]
    return (values[0] or "").strip() or None


def _check_once(labels: tuple[str, ...], where: str) -> None:
    doubled = [label for label, count in Counter(labels).items() if count > 1]
    if doubled:
        raise ChannelError(
            f"{where} has more than one channel {', '.join(doubled)}; rename them in "
            "the recording."
        )


def _marks(streams: Sequence[Stream], t_first: float) -> tuple[Mark, ...]:
    marks = [
        Mark(at_s=float(stamp) - t_first, text=str(row[0]))
        for stream in streams
        if _rate_hz(stream) == 0
        and any(word in _told(stream, "type").lower() for word in _MARKERS)
        for stamp, row in zip(stream["time_stamps"], stream["time_series"], strict=True)
    ]
    return tuple(sorted(marks, key=lambda mark: mark.at_s))


def _rate_hz(stream: Stream) -> float:
    return float(_told(stream, "nominal_srate") or 0)


def _told(stream: Stream, field: str) -> str:
    return str((stream["info"].get(field) or [""])[0] or "")


def _shown(stream: Stream) -> str:
    rate_hz = _rate_hz(stream)
    rate = f"{rate_hz:g} Hz" if rate_hz else "irregular"
    return f"{_told(stream, 'name')!r} ({_told(stream, 'type')}, {rate})"
