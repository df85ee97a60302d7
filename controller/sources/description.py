"""What a stream says of itself, read from its LSL description and checked."""

import dataclasses
from collections import Counter

import numpy as np
import numpy.typing as npt
import pylsl

from controller.errors import ChannelError, StreamFormatError
from controller.sources.units import stream_scale_uv

LOWEST_RATE_HZ = 100.0
HIGHEST_RATE_HZ = 20_000.0

_FORMATS = {
    pylsl.cf_float32: "float32",
    pylsl.cf_double64: "double64",
    pylsl.cf_string: "string",
    pylsl.cf_int8: "int8",
    pylsl.cf_int16: "int16",
    pylsl.cf_int32: "int32",
    pylsl.cf_int64: "int64",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamDescription:
    """A stream that the loop can work with.

    Parameters
    ----------
    name, type, source_id, hostname : str
        As the stream gives them.
    sfreq_hz : float
        Nominal rate.
    channel_format : {"float32", "double64"}
    labels : tuple of str
        One per channel, all different.
    channel_types : tuple of str
        One per channel, in capitals; the stream's own type where a channel has none.
    units : tuple of str or None
        As the stream gives them.
    scale_uv : array, shape (n_channels,)
        Microvolts per stream unit; NaN for channels that are no voltage.
    """

    name: str
    type: str
    source_id: str
    hostname: str
    sfreq_hz: float
    channel_format: str
    labels: tuple[str, ...]
    channel_types: tuple[str, ...]
    units: tuple[str | None, ...]
    scale_uv: npt.NDArray[np.float64]

    @property
    def n_channels(self) -> int:
        """Number of channels of the stream."""
        return len(self.labels)


def shown(stream: pylsl.StreamInfo) -> str:
    """Return a stream's marks as they stand in messages."""
    return (
        f"{stream.name()!r} (type {stream.type()!r}, source_id {stream.source_id()!r}, "
        f"on {stream.hostname()})"
    )


def check_format(stream: pylsl.StreamInfo) -> None:
    """Refuse a sample format or a nominal rate that the loop cannot work with.

    Raises
    ------
    StreamFormatError
    """
    channel_format = stream.channel_format()
    if channel_format not in (pylsl.cf_float32, pylsl.cf_double64):
        name = _FORMATS.get(channel_format, "undefined")
        raise StreamFormatError(
            f"Stream {shown(stream)} sends {name} samples, but EEG must come as "
            "float32 or double64; switch the sample format in the program that "
            "streams, or choose another of its streams."
        )
    rate_hz = stream.nominal_srate()
    if not rate_hz > 0:
        raise StreamFormatError(
            f"Stream {shown(stream)} has no regular rate (nominal rate {rate_hz:g}); "
            "choose the stream that carries the EEG, not its markers."
        )
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise StreamFormatError(
            f"Stream {shown(stream)} runs at {rate_hz:g} Hz, but the loop works from "
            f"{LOWEST_RATE_HZ:g} to {HIGHEST_RATE_HZ:g} Hz; change the amplifier's "
            "rate."
        )


def describe(stream: pylsl.StreamInfo, *, unit: str | None = None) -> StreamDescription:
    """Read and check a stream's full description.

    Parameters
    ----------
    stream : pylsl.StreamInfo
        With its description, as an inlet's `info` gives it.
    unit : str or None
        Unit of the channels whose unit the stream does not tell.

    Raises
    ------
    StreamFormatError, ChannelError
    """
    check_format(stream)
    labels = _labels(stream)
    types = tuple(
        (kind or stream.type()).upper() for kind in _per_channel(stream, "type")
    )
    units = _per_channel(stream, "unit")
    scale_uv = stream_scale_uv(
        units=units, labels=labels, types=types, configured=unit, stream=shown(stream)
    )
    scale_uv.flags.writeable = False
    return StreamDescription(
        name=stream.name(),
        type=stream.type(),
        source_id=stream.source_id(),
        hostname=stream.hostname(),
        sfreq_hz=stream.nominal_srate(),
        channel_format=_FORMATS[stream.channel_format()],
        labels=labels,
        channel_types=types,
        units=units,
        scale_uv=scale_uv,
    )


def _per_channel(stream: pylsl.StreamInfo, field: str) -> tuple[str | None, ...]:
    values: list[str | None] = []
    channel = stream.desc().child("channels").child("channel")
    while not channel.empty():
        values.append(channel.child_value(field).strip() or None)
        channel = channel.next_sibling("channel")
    if values and len(values) != stream.channel_count():
        raise ChannelError(
            f"Stream {shown(stream)} has {stream.channel_count()} channels but "
            f"describes {len(values)}; correct the description in the program that "
            "streams."
        )
    return tuple(values) or (None,) * stream.channel_count()


def _labels(stream: pylsl.StreamInfo) -> tuple[str, ...]:
    labels = _per_channel(stream, "label")
    unnamed = [number for number, label in enumerate(labels, start=1) if label is None]
    if unnamed:
        numbers = ", ".join(str(number) for number in unnamed[:8])
        more = " and more" if len(unnamed) > 8 else ""
        raise ChannelError(
            f"Stream {shown(stream)} gives no label to channel {numbers}{more} of "
            f"{len(labels)}; switch channel labels on in the program that streams."
        )
    named = tuple(label for label in labels if label is not None)
    doubled = [label for label, count in Counter(named).items() if count > 1]
    if doubled:
        raise ChannelError(
            f"Stream {shown(stream)} gives the label {', '.join(doubled)} to more than "
            "one channel; rename the channels in the program that streams."
        )
    return named
