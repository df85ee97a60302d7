"""Rest to calibrate on, from a live stream, a recording or an earlier session."""

import contextlib
import dataclasses
from pathlib import Path

import numpy as np

from controller.config import Config
from controller.errors import FileError
from controller.kernels.jit import Float32Array, Float64Array
from controller.session.load import Session, load_session
from controller.sources.description import StreamDescription
from controller.sources.lsl import LslInlet, find_stream
from controller.sources.process import start_source
from controller.sources.recording import read_recording
from controller.sources.rest_receiver import Progress, receive
from controller.sources.timing import StreamTiming, judge_timing
from controller.sources.units import stream_scale_uv


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RestRecording:
    """Rest, as received.

    Parameters
    ----------
    name : str
        Of the stream, file or session, for the records.
    stream : StreamDescription
    t_sample : array, shape (n_samples,)
    raw : float32 array, shape (n_samples, n_channels)
        Stream units.
    timing : StreamTiming
        How the samples arrived; of a recording, as if each came at once.
    """

    name: str
    stream: StreamDescription
    t_sample: Float64Array
    raw: Float32Array
    timing: StreamTiming


def rest_of_stream(config: Config, seconds: float, progress: Progress) -> RestRecording:
    """Record rest from the source that the configuration names.

    Raises
    ------
    PhasegateError
        As finding, opening and receiving the stream do.
    """
    with contextlib.ExitStack() as stack:
        process, wanted = start_source(config.source)
        if process is not None:
            stack.callback(process.stop)
        found = find_stream(wanted)
        inlet = LslInlet(found)
        inlet.open()
        stack.callback(inlet.close)
        received = receive(inlet, seconds, progress)
    stream = found.description
    return RestRecording(
        name=stream.name,
        stream=stream,
        t_sample=received.t_sample,
        raw=received.raw,
        timing=judge_timing(received.t_sample, received.t_arrival, stream.sfreq_hz),
    )


def rest_of_file(path: Path, seconds: float | None = None) -> RestRecording:
    """Take the beginning of a recording, or all of it, for rest.

    Raises
    ------
    FileError, ChannelError, MissingExtra
        As `read_recording`.
    """
    recording = read_recording(path)
    n_samples = len(recording.samples)
    if seconds is not None:
        n_samples = min(n_samples, round(seconds * recording.sfreq_hz))
    stream = StreamDescription(
        name=path.name,
        type="EEG",
        source_id="",
        hostname="",
        sfreq_hz=recording.sfreq_hz,
        channel_format="float32",
        labels=recording.labels,
        channel_types=recording.types,
        units=recording.units,
        scale_uv=np.array(
            [1.0 if unit == "microvolts" else np.nan for unit in recording.units]
        ),
    )
    # From 1 s on: a stamp of 0 means "no sample" to the loop.
    t_sample = 1.0 + recording.instants_s[:n_samples]
    return RestRecording(
        name=path.name,
        stream=stream,
        t_sample=t_sample,
        raw=np.ascontiguousarray(recording.samples[:n_samples]),
        timing=judge_timing(t_sample, t_sample.copy(), stream.sfreq_hz),
    )


def rest_of_session(path: Path, *, participant: str) -> RestRecording:
    """Take the rest at the beginning of a recorded session.

    Parameters
    ----------
    path : Path
    participant : str
        Whose rest it is to be.

    Raises
    ------
    FileError
        If it is no session, holds no rest, or is another participant's.
    """
    session = load_session(path)
    whose = str((session.summary or {}).get("participant") or participant)
    if whose != participant:
        raise FileError(
            f"The session {path} is of {whose}, not of {participant}; pass "
            f"--participant {whose}, or choose another session."
        )
    closed = [
        event["t"]
        for event in session.events
        if event.get("event") == "stage" and event.get("name") == "closed loop"
    ]
    t_sample = np.ascontiguousarray(session.samples["t_sample"])
    n_rest = len(t_sample) if not closed else int(np.searchsorted(t_sample, closed[0]))
    if n_rest == 0:
        raise FileError(f"The session {path} holds no rest; calibrate on another.")
    stream = described(session, unit=None)
    arrivals = np.ascontiguousarray(session.samples["t_arrival"][:n_rest])
    return RestRecording(
        name=f"session {path.name}",
        stream=stream,
        t_sample=t_sample[:n_rest],
        raw=np.ascontiguousarray(session.raw[:n_rest]),
        timing=judge_timing(t_sample[:n_rest], arrivals, stream.sfreq_hz),
    )


def described(session: Session, *, unit: str | None) -> StreamDescription:
    """Return the recorded stream as the rig knows streams.

    Raises
    ------
    ChannelError
        An EEG channel without a unit.
    """
    recorded = session.stream
    units = tuple(channel.unit or None for channel in recorded.channels)
    types = tuple(channel.kind for channel in recorded.channels)
    return StreamDescription(
        name=recorded.name,
        type=recorded.kind,
        source_id=recorded.source_id,
        hostname=recorded.hostname,
        sfreq_hz=recorded.sfreq_hz,
        channel_format=recorded.sample_format,
        labels=recorded.labels,
        channel_types=types,
        units=units,
        scale_uv=stream_scale_uv(
            units=units,
            labels=recorded.labels,
            types=types,
            configured=unit,
            stream=recorded.name,
        ),
    )
