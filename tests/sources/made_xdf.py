"""XDF files for tests, of any streams."""

from pathlib import Path
from typing import Any

import numpy as np

from controller.session.recording.append_file import AppendFile
from controller.session.recording.streams import Channel, StreamDescription
from controller.session.recording.xdf import XdfWriter

Stream = tuple[StreamDescription, np.ndarray, Any]


def eeg(
    n: int = 1000,
    *,
    name: str = "amplifier",
    unit: str = "microvolts",
    gap_s: float = 0.0,
    t_first: float = 500.0,
    **changes: Any,
) -> Stream:
    """Return a stream of two channels at 250 Hz, with a gap before its middle."""
    stamps = t_first + np.arange(n) / 250.0
    stamps[n // 2 :] += gap_s
    values = np.random.default_rng(1).normal(0.0, 10.0, (n, 2)).astype(np.float32)
    described = {
        "name": name,
        "kind": "EEG",
        "sfreq_hz": 250.0,
        "sample_format": "float32",
        "channels": tuple(
            Channel(label=label, unit=unit, kind="EEG") for label in ("EEG O1", "oz")
        ),
    }
    return StreamDescription(**described | changes), stamps, values


def markers(*marks: tuple[float, str], kind: str = "Markers") -> Stream:
    """Return a stream of markers, given their stamps and texts."""
    described = StreamDescription(
        name="marks",
        kind=kind,
        sfreq_hz=0.0,
        sample_format="string",
        channels=(Channel(label="mark"),),
    )
    stamps = np.array([stamp for stamp, _ in marks])
    return described, stamps, [text for _, text in marks]


def write_xdf(path: Path, *streams: Stream) -> Path:
    """Write them to a new file."""
    writer = XdfWriter(AppendFile(path))
    for description, stamps, values in streams:
        number = writer.add_stream(description, t_now=500.0)
        writer.append([(number, stamps, values)])
    writer.close()
    return path
