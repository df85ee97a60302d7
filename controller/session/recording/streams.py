"""What the recording says about the stream it was made from."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel of a stream.

    Parameters
    ----------
    label : str
    unit : str
        As the stream gave it, `microvolts` for example.
    kind : str
        `EEG`, `EMG`, `TRIG` and so on.
    """

    label: str
    unit: str = ""
    kind: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StreamDescription:
    """Name, shape and channels of one recorded stream.

    Parameters
    ----------
    name : str
    kind : str
        Content type, `EEG` or `Markers` for example.
    sfreq_hz : float
        Nominal rate; 0 for irregular streams.
    sample_format : {"float32", "double64", "string"}
    channels : tuple of Channel
    source_id : str
    hostname : str
    """

    name: str
    kind: str
    sfreq_hz: float
    sample_format: str
    channels: tuple[Channel, ...]
    source_id: str = ""
    hostname: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the channels, in the order of the samples."""
        return tuple(channel.label for channel in self.channels)


def stream_as_dict(stream: StreamDescription) -> dict[str, Any]:
    """Return a description as JSON has it."""
    return dataclasses.asdict(stream)


def stream_of(entry: Mapping[str, Any]) -> StreamDescription:
    """Return the description that `stream_as_dict` was given."""
    channels = tuple(Channel(**channel) for channel in entry["channels"])
    return StreamDescription(**{**entry, "channels": channels})
