import dataclasses
import uuid
from collections.abc import Callable, Iterator

import numpy as np
import pylsl
import pytest

from controller.sources.description import StreamDescription
from controller.sources.network import configure_lsl

configure_lsl(local_only=True)


@dataclasses.dataclass
class Announced:
    """An outlet of this process, and the mark that no other test's outlet has."""

    source_id: str
    outlet: pylsl.StreamOutlet


Announce = Callable[..., Announced]


@pytest.fixture
def announce() -> Iterator[Announce]:
    standing: list[Announced] = []

    def build(
        *,
        labels: tuple[str | None, ...] = ("O1", "O2"),
        units: tuple[str | None, ...] | None = None,
        types: tuple[str | None, ...] | None = None,
        rate_hz: float = 250.0,
        channel_format: str = "float32",
        name: str = "amplifier",
        stream_type: str = "EEG",
        source_id: str | None = None,
        described: int | None = None,
    ) -> Announced:
        source_id = source_id or f"test-{uuid.uuid4().hex}"
        info = pylsl.StreamInfo(
            name, stream_type, len(labels), rate_hz, channel_format, source_id
        )
        channels = info.desc().append_child("channels")
        units = units or ("microvolts",) * len(labels)
        types = types or ("EEG",) * len(labels)
        fields = list(zip(labels, units, types, strict=True))[:described]
        for label, unit, kind in fields:
            channel = channels.append_child("channel")
            for key, value in (("label", label), ("unit", unit), ("type", kind)):
                if value is not None:
                    channel.append_child_value(key, value)
        standing.append(Announced(source_id, pylsl.StreamOutlet(info)))
        return standing[-1]

    yield build
    standing.clear()


@pytest.fixture
def described() -> Callable[..., StreamDescription]:
    """Return a description without any stream behind it."""

    def build(
        labels: tuple[str, ...],
        *,
        types: tuple[str, ...] | None = None,
        scale_uv: tuple[float, ...] | None = None,
    ) -> StreamDescription:
        return StreamDescription(
            name="amplifier",
            type="EEG",
            source_id="1",
            hostname="here",
            sfreq_hz=1000.0,
            channel_format="float32",
            labels=labels,
            channel_types=types or ("EEG",) * len(labels),
            units=("microvolts",) * len(labels),
            scale_uv=np.array(scale_uv or (1.0,) * len(labels)),
        )

    return build
