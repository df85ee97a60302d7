"""Write XDF 1.0: several streams in one file that is readable after every append.

Each call appends whole chunks. A file without footers, because the process was killed,
reads like any other. See https://github.com/sccn/xdf/wiki/Specifications.
"""

import dataclasses
import enum
import struct
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from controller.kernels.jit import Float64Array
from controller.session.recording.append_file import AppendFile
from controller.session.recording.streams import StreamDescription

MAGIC = b"XDF:"
BOUNDARY = uuid.UUID("43a546dc-cbf5-410f-b30e-d5467383cbe4").bytes
SAMPLE_FORMATS = {
    "float32": "<f4",
    "double64": "<f8",
    "int8": "i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
}
STAMP_BYTES = 8
BOUNDARY_INTERVAL_S = 10.0


class Tag(enum.IntEnum):
    """Kinds of chunk."""

    FILE_HEADER = 1
    STREAM_HEADER = 2
    SAMPLES = 3
    CLOCK_OFFSET = 4
    BOUNDARY = 5
    STREAM_FOOTER = 6


class XdfWriter:
    """Append streams of numbers or text to a new XDF file.

    Parameters
    ----------
    file : AppendFile
        Empty; closed by `close`.
    resume : mapping of int to Extent, optional
        The streams of a file without footers that ends with a whole chunk.
    """

    def __init__(
        self, file: AppendFile, *, resume: Mapping[int, "Extent"] | None = None
    ) -> None:
        self._file = file
        self._streams: dict[int, Extent] = dict(resume or {})
        self._own = set(self._streams) if resume is None else set()
        # A file that is resumed is only completed; its marks are there.
        self._t_boundary = -np.inf if resume is None else np.inf
        if resume is None:
            header = '<?xml version="1.0"?><info><version>1.0</version></info>'
            file.append(MAGIC + _chunk(Tag.FILE_HEADER, header.encode()))

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._file.path

    @property
    def n_bytes(self) -> int:
        """How many bytes the file holds."""
        return self._file.n_bytes

    def add_stream(
        self, description: StreamDescription, *, t_now: float, own_clock: bool = True
    ) -> int:
        """Write a stream's header and return the number that stands for it.

        Parameters
        ----------
        description : StreamDescription
        t_now : float
            Present instant, host clock.
        own_clock : bool
            The stamps are on the host's clock; if not, `clock_offset` tells.
        """
        stream = len(self._streams) + 1
        header = _header_xml(description, t_now).encode()
        self._file.append(_chunk(Tag.STREAM_HEADER, struct.pack("<I", stream) + header))
        self._streams[stream] = Extent(description=description)
        if own_clock:
            self._own.add(stream)
        return stream

    def clock_offset(self, stream: int, t: float, offset_s: float) -> None:
        """Append a measurement of the clock of a stream's stamps.

        Parameters
        ----------
        stream : int
        t : float
            When it was measured, host clock.
        offset_s : float
            What has to be added to the stamps.
        """
        self._file.append(_clock_offset(stream, t, offset_s))

    def append(
        self, blocks: Sequence[tuple[int, Float64Array, npt.NDArray[Any] | list[str]]]
    ) -> None:
        """Append one chunk for each of `blocks`, in one write.

        Parameters
        ----------
        blocks : sequence of (stream, stamps, values)
            `stamps` has shape (n,); `values` has shape (n, n_channels), or is a list of
            n texts for a stream of text. Blocks without samples are left out.

        Raises
        ------
        RecordingError
            If the disk is full or gone.
        ValueError
            If stamps and values do not have the same length.
        """
        pieces: list[bytes] = []
        for stream, stamps, values in blocks:
            if len(stamps) == 0:
                continue
            written = self._streams[stream]
            if len(stamps) != len(values):
                raise ValueError(
                    f"stream {written.description.name!r} got {len(stamps)} stamps for "
                    f"{len(values)} samples"
                )
            content = _samples(written.description, stamps, values)
            pieces.append(
                _chunk(Tag.SAMPLES, struct.pack("<I", stream), *content)
                + self._marks(float(stamps[-1]))
            )
        if pieces:
            self._file.append(b"".join(pieces))
            for stream, stamps, _ in blocks:
                self._streams[stream].count(stamps)

    def sync(self) -> None:
        """Hand what was appended to the disk."""
        self._file.sync()

    def close(self) -> None:
        """Write the footers and close the file; a second call does nothing."""
        streams, self._streams = self._streams, {}
        try:
            if streams:
                self._file.append(
                    b"".join(
                        _chunk(
                            Tag.STREAM_FOOTER,
                            struct.pack("<I", stream) + written.footer().encode(),
                        )
                        for stream, written in streams.items()
                    )
                )
        finally:
            self._file.close()

    def _marks(self, t_now: float) -> bytes:
        """Every few seconds a boundary, and offsets of zero: there is one clock."""
        if not t_now - self._t_boundary >= BOUNDARY_INTERVAL_S:
            return b""
        self._t_boundary = t_now
        offsets = [_clock_offset(stream, t_now, 0.0) for stream in sorted(self._own)]
        return _chunk(Tag.BOUNDARY, BOUNDARY) + b"".join(offsets)


@dataclasses.dataclass(slots=True, kw_only=True)
class Extent:
    """How much there is of a stream: what its footer says.

    Parameters
    ----------
    description : StreamDescription
    n_samples : int
    t_first, t_last : float
        Stamps; 0 without samples.
    """

    description: StreamDescription
    n_samples: int = 0
    t_first: float = 0.0
    t_last: float = 0.0

    def count(self, stamps: Float64Array) -> None:
        """Add samples."""
        if len(stamps) == 0:
            return
        if self.n_samples == 0:
            self.t_first = float(stamps[0])
        self.t_last = float(stamps[-1])
        self.n_samples += len(stamps)

    def footer(self) -> str:
        """Return the footer's text."""
        return (
            '<?xml version="1.0"?><info>'
            f"<first_timestamp>{self.t_first!r}</first_timestamp>"
            f"<last_timestamp>{self.t_last!r}</last_timestamp>"
            f"<sample_count>{self.n_samples}</sample_count>"
            "<clock_offsets/></info>"
        )


def packed_samples(sample_format: str, n_channels: int) -> np.dtype[Any]:
    """Return the layout of one sample of numbers with its stamp."""
    return np.dtype(
        [
            ("stamp_bytes", "u1"),
            ("stamp", "<f8"),
            ("values", SAMPLE_FORMATS[sample_format], (n_channels,)),
        ]
    )


def _samples(
    description: StreamDescription,
    stamps: Float64Array,
    values: npt.NDArray[Any] | list[str],
) -> tuple[bytes, bytes]:
    n = _variable_length(len(stamps))
    if isinstance(values, list):
        return n, b"".join(
            struct.pack("<Bd", STAMP_BYTES, stamp) + _text(value)
            for stamp, value in zip(stamps, values, strict=True)
        )
    layout = packed_samples(description.sample_format, len(description.channels))
    packed = np.empty(len(stamps), layout)
    packed["stamp_bytes"] = STAMP_BYTES
    packed["stamp"] = stamps
    packed["values"] = values
    return n, packed.tobytes()


def _chunk(tag: Tag, *content: bytes) -> bytes:
    length = 2 + sum(len(part) for part in content)
    return _variable_length(length) + struct.pack("<H", tag) + b"".join(content)


def _clock_offset(stream: int, t: float, offset_s: float) -> bytes:
    # The format wants the sender's instant, and the offset that leads to ours.
    content = struct.pack("<Idd", stream, t - offset_s, offset_s)
    return _chunk(Tag.CLOCK_OFFSET, content)


def _variable_length(number: int) -> bytes:
    if number < 1 << 8:
        return struct.pack("<BB", 1, number)
    if number < 1 << 32:
        return struct.pack("<BI", 4, number)
    return struct.pack("<BQ", 8, number)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _variable_length(len(encoded)) + encoded


def _header_xml(description: StreamDescription, t_now: float) -> str:
    channels = "".join(
        f"<channel><label>{escape(channel.label)}</label>"
        f"<unit>{escape(channel.unit)}</unit><type>{escape(channel.kind)}</type></channel>"
        for channel in description.channels
    )
    # Gaps are real here: readers that straighten stamps must leave these alone.
    synchronization = (
        "<synchronization><can_drop_samples>true</can_drop_samples></synchronization>"
    )
    return (
        '<?xml version="1.0"?><info>'
        f"<name>{escape(description.name)}</name><type>{escape(description.kind)}</type>"
        f"<channel_count>{len(description.channels)}</channel_count>"
        f"<nominal_srate>{description.sfreq_hz!r}</nominal_srate>"
        f"<channel_format>{description.sample_format}</channel_format>"
        f"<source_id>{escape(description.source_id)}</source_id>"
        f"<hostname>{escape(description.hostname)}</hostname>"
        f"<version>1.0</version><created_at>{t_now!r}</created_at>"
        f"<desc><channels>{channels}</channels>{synchronization}</desc></info>"
    )
