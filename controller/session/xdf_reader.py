"""Read back the XDF files that this project writes, also after a killed process."""

import contextlib
import dataclasses
import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from controller.errors import FileError
from controller.kernels.jit import Float64Array
from controller.session.recording.append_file import reason_of
from controller.session.recording.streams import Channel, StreamDescription
from controller.session.recording.xdf import (
    MAGIC,
    SAMPLE_FORMATS,
    STAMP_BYTES,
    Extent,
    Tag,
    packed_samples,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class XdfStream:
    """One stream of a file.

    Parameters
    ----------
    description : StreamDescription
    stamps : array, shape (n,)
    values : array, shape (n, n_channels)
        Of the stream's own number format; without rows for a stream of text.
    texts : tuple of str
        The samples of a stream of text.
    finished : bool
        The stream has its footer.
    """

    description: StreamDescription
    stamps: Float64Array
    values: npt.NDArray[Any]
    texts: tuple[str, ...]
    finished: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class XdfFile:
    """All streams of a file, by name, and the bytes of a torn last chunk."""

    streams: dict[str, XdfStream]
    n_torn_bytes: int


def read_xdf(path: Path, *, only: Collection[str] | None = None) -> XdfFile:
    """Read a file that `XdfWriter` wrote.

    A last chunk that is not whole is left out and counted.

    Parameters
    ----------
    path : Path
    only : collection of str, optional
        The streams to read, by name; all of them if None.

    Raises
    ------
    FileError
        If the file cannot be read, is no XDF file or is damaged before its end.
    """
    content = _opened(path)
    parts: dict[int, _Parts] = {}
    at = len(MAGIC)
    try:
        for tag, start, end in _chunks(content):
            _take(parts, tag, content[start:end], only)
            at = end
        # Ours come first; a further stream may be named like one of them.
        streams: dict[str, XdfStream] = {}
        for part in parts.values():
            streams.setdefault(part.description.name, part.stream())
    except (ValueError, KeyError, struct.error, ET.ParseError) as error:
        raise FileError(
            f"{path} is damaged, or was not written by phasegate, after byte {at}; "
            f"`phasegate recover` saves what stands before it ({error})."
        ) from error
    return XdfFile(streams=streams, n_torn_bytes=len(content) - at)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class XdfScan:
    """What a file holds, without its samples.

    Parameters
    ----------
    extents : dict of int to Extent
        Of every stream, by its number in the file.
    n_whole_bytes : int
        Up to the end of the last whole chunk.
    finished : bool
        The streams have their footers.
    """

    extents: dict[int, Extent]
    n_whole_bytes: int
    finished: bool


def scan_xdf(path: Path) -> XdfScan:
    """Return what a file of `XdfWriter` holds up to its last whole chunk.

    Raises
    ------
    FileError
        If the file cannot be read or is no XDF file of ours.
    """
    content = _opened(path)
    extents: dict[int, Extent] = {}
    n_whole, finished = len(MAGIC), False
    try:
        for tag, start, end in _chunks(content):
            if tag == Tag.STREAM_HEADER:
                (stream,) = struct.unpack_from("<I", content, start)
                description = _description(bytes(content[start + 4 : end]))
                extents[stream] = Extent(description=description)
            elif tag == Tag.SAMPLES:
                (stream,) = struct.unpack_from("<I", content, start)
                part = _Parts(extents[stream].description)
                part.take(content[start + 4 : end])
                extents[stream].count(part.stamps[0])
            finished |= tag == Tag.STREAM_FOOTER
            n_whole = end
    except (ValueError, KeyError, struct.error, ET.ParseError) as error:
        raise FileError(
            f"{path} is damaged, or was not written by phasegate, after byte "
            f"{n_whole} ({error})."
        ) from error
    return XdfScan(extents=extents, n_whole_bytes=n_whole, finished=finished)


def whole_bytes(path: Path) -> int:
    """Return the length of any XDF file up to the end of its last whole chunk.

    What follows a place where no chunk begins does not count either.

    Raises
    ------
    FileError
        If the file cannot be read or is no XDF file.
    """
    n_whole = len(MAGIC)
    with contextlib.suppress(ValueError):
        for tag, _, end in _chunks(_opened(path)):
            if tag not in tuple(Tag):
                break
            n_whole = end
    return n_whole


def _opened(path: Path) -> memoryview:
    try:
        is_empty = path.stat().st_size == 0
        content = memoryview(b"") if is_empty else _mapped(path)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
    if bytes(content[:4]) != MAGIC:
        raise FileError(f"{path} is not an XDF file.")
    return content


def _mapped(path: Path) -> memoryview:
    # Mapped, not read: an hour of 64 channels is a gigabyte.
    return memoryview(np.memmap(path, np.uint8, "r"))  # type: ignore[arg-type]


class _Parts:
    """A stream while its chunks are being collected."""

    def __init__(self, description: StreamDescription) -> None:
        self.description = description
        self.stamps: list[npt.NDArray[np.float64]] = []
        self.values: list[npt.NDArray[Any]] = []
        self.texts: list[str] = []
        self.finished = False

    def take(self, content: memoryview) -> None:
        n, at = _read_variable_length(content, 0)
        if self.description.sample_format == "string":
            self._take_texts(content, at, n)
            return
        layout = packed_samples(
            self.description.sample_format, len(self.description.channels)
        )
        if len(content) - at != n * layout.itemsize:
            raise ValueError(f"a chunk of {self.description.name!r} has a wrong length")
        packed = np.frombuffer(content[at:], layout)
        if not np.all(packed["stamp_bytes"] == STAMP_BYTES):
            raise ValueError(f"a sample of {self.description.name!r} has no stamp")
        self.stamps.append(packed["stamp"])
        self.values.append(packed["values"])

    def _take_texts(self, content: memoryview, at: int, n: int) -> None:
        stamps = np.empty(n)
        for i in range(n):
            stamps[i] = struct.unpack_from("<d", content, at + 1)[0]
            length, at = _read_variable_length(content, at + 1 + STAMP_BYTES)
            self.texts.append(bytes(content[at : at + length]).decode())
            at += length
        self.stamps.append(stamps)

    def stream(self) -> XdfStream:
        n_channels = len(self.description.channels)
        none = np.empty(0, "<f8")
        form = SAMPLE_FORMATS.get(self.description.sample_format, "<f8")
        no_values = np.empty((0, n_channels), form)
        return XdfStream(
            description=self.description,
            stamps=np.concatenate(self.stamps) if self.stamps else none,
            values=np.concatenate(self.values) if self.values else no_values,
            texts=tuple(self.texts),
            finished=self.finished,
        )


def _take(
    parts: dict[int, _Parts],
    tag: int,
    content: memoryview,
    only: Collection[str] | None,
) -> None:
    if tag not in (Tag.STREAM_HEADER, Tag.SAMPLES, Tag.STREAM_FOOTER):
        return
    stream = int(struct.unpack_from("<I", content)[0])
    if tag == Tag.STREAM_HEADER:
        description = _description(bytes(content[4:]))
        if only is None or description.name in only:
            parts[stream] = _Parts(description)
    elif only is not None and stream not in parts:
        return
    elif tag == Tag.SAMPLES:
        parts[stream].take(content[4:])
    else:
        parts[stream].finished = True


def _chunks(content: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield (tag, start, end) of the content of every whole chunk."""
    at = len(MAGIC)
    while at < len(content):
        n_length_bytes = content[at]
        if n_length_bytes not in (1, 4, 8):
            raise ValueError(f"no chunk begins at byte {at}")
        if at + 1 + n_length_bytes > len(content):
            return
        length, start = _read_variable_length(content, at)
        end = start + length
        if end > len(content):
            return
        if length < 2:
            raise ValueError(f"the chunk at byte {at} has no tag")
        yield struct.unpack_from("<H", content, start)[0], start + 2, end
        at = end


def _read_variable_length(content: memoryview, at: int) -> tuple[int, int]:
    form = {1: "<B", 4: "<I", 8: "<Q"}[content[at]]
    return int(struct.unpack_from(form, content, at + 1)[0]), at + 1 + content[at]


def _description(xml: bytes) -> StreamDescription:
    info = ET.fromstring(xml)  # noqa: S314 - from a file of our own making
    channels = tuple(
        Channel(
            label=channel.findtext("label", ""),
            unit=channel.findtext("unit", ""),
            kind=channel.findtext("type", ""),
        )
        for channel in info.iterfind("desc/channels/channel")
    )
    sample_format = info.findtext("channel_format", "")
    if sample_format not in (*SAMPLE_FORMATS, "string"):
        raise ValueError(f"no samples of format {sample_format!r} are expected")
    return StreamDescription(
        name=info.findtext("name", ""),
        kind=info.findtext("type", ""),
        sfreq_hz=float(info.findtext("nominal_srate", "0")),
        sample_format=sample_format,
        channels=channels,
        source_id=info.findtext("source_id", ""),
        hostname=info.findtext("hostname", ""),
    )
