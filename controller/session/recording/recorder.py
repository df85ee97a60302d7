"""The recorder: puts what the loop's rings hold on the disk as it comes."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from controller.core.records import DECISION, EDGE
from controller.kernels.jit import Float32Array, new_records
from controller.safety.interlock import Refusal
from controller.session.decisions import DecisionLog
from controller.session.folder import DECISIONS, EEG, PULSES, SessionFolder
from controller.session.further import Further, FurtherRecorder, Tell
from controller.session.jsonable import to_line
from controller.session.pulses import PulseTable, fired
from controller.session.recording.append_file import AppendFile, SystemWrite
from controller.session.recording.streams import Channel, StreamDescription
from controller.session.recording.xdf import XdfWriter

EEG_STREAM = "EEG"
ARRIVAL_STREAM = "EEG-arrival"
PULSE_STREAM = "phasegate-pulses"
DECISION_STREAM = "phasegate-decisions"
EDGE_STREAM = "phasegate-edges"
OWN_STREAMS = (EEG_STREAM, ARRIVAL_STREAM, PULSE_STREAM, DECISION_STREAM, EDGE_STREAM)
NOT_ENDED = "trigger not ended"
"""The event of a line that was raised and could not be lowered."""

ARRIVAL_CHANNELS = (
    Channel(label="t_arrival", unit="seconds"),
    Channel(label="permits"),
    Channel(label="artifacts"),
    Channel(label="phase_rad", unit="radians"),
    Channel(label="amplitude_uv", unit="microvolts"),
    Channel(label="sd_rad", unit="radians"),
    Channel(label="p_within"),
)


class SessionRecorder:
    """Record one session; for one thread.

    Parameters
    ----------
    folder : SessionFolder
        Must not hold a recording yet.
    stream : StreamDescription
        The stream that the samples come from.
    t_now : float
        Present instant, host clock.
    write : callable
        Stands in for `os.write`.

    Raises
    ------
    RecordingError
        If the files cannot be made.
    """

    def __init__(
        self,
        folder: SessionFolder,
        stream: StreamDescription,
        *,
        t_now: float,
        write: SystemWrite = os.write,
    ) -> None:
        self.folder = folder
        self._n_samples = 0
        with contextlib.ExitStack() as files:

            def opened(name: str) -> AppendFile:
                file = AppendFile(folder.path / name, write=write)
                return files.enter_context(file)

            self._xdf = XdfWriter(opened(EEG))
            self._log = DecisionLog(opened(DECISIONS))
            self._table = PulseTable(opened(PULSES))
            self._eeg, self._arrival, self._pulses, self._decisions, self._edges = (
                self._xdf.add_stream(description, t_now=t_now)
                for description in _descriptions(stream)
            )
            self.event(
                "recording",
                t=t_now,
                stream=stream.name,
                source_id=stream.source_id,
                sfreq_hz=stream.sfreq_hz,
                n_channels=len(stream.channels),
            )
            files.pop_all()

    @property
    def n_bytes(self) -> int:
        """How many bytes have reached the disk."""
        return self._xdf.n_bytes + self._log.n_bytes + self._table.n_bytes

    @property
    def n_samples(self) -> int:
        """How many samples have reached the disk."""
        return self._n_samples

    def append(
        self, samples: Any, raw: Float32Array, decisions: Any, edges: Any
    ) -> None:
        """Record everything that the loop wrote since the last call.

        Parameters
        ----------
        samples : array of SAMPLE, shape (n,)
        raw : array, shape (n, n_channels)
            The same samples as received, stream units.
        decisions : array of DECISION
        edges : array of EDGE

        Raises
        ------
        RecordingError
            If the disk is full or gone; what was recorded before stays readable.
        """
        stamps = samples["t_sample"]
        # The EEG first: nothing that happens to the tables may cost it.
        self._xdf.append(
            [
                (self._eeg, stamps, raw),
                (self._arrival, stamps, arrival_values(samples)),
                (self._decisions, decisions["t_decided"], record_values(decisions)),
                (self._edges, edges["t_fired"], record_values(edges)),
            ]
        )
        self._n_samples += len(samples)
        self._log.append(decisions)
        for edge in edges[(edges["rises"] == 0) & (edges["refusal"] != 0)]:
            self.event(NOT_ENDED, **not_ended(edge))
        mark(self._xdf, self._pulses, fired(self._table.append(decisions, edges)))

    def recording_further(
        self, streams: Sequence[Further], *, tell: Tell, clock: Callable[[], float]
    ) -> FurtherRecorder:
        """Return what records further streams into the same file."""
        return FurtherRecorder(streams, self._xdf, tell=tell, clock=clock)

    def sync(self) -> None:
        """Hand everything to the disk; may run beside `append`, in another thread.

        Raises
        ------
        RecordingError
            If the disk reports that it lost what it had taken.
        """
        for file in (self._xdf, self._log, self._table):
            file.sync()

    def message(self, number: int, kind: str, fields: Mapping[str, object]) -> None:
        """Record an event that another process sent as its `number`-th message."""
        self._log.event(kind, fields, number=number)

    def event(self, kind: str, **fields: object) -> None:
        """Record an event: a fault, arming, a change of stage.

        Parameters
        ----------
        kind : str
            One word or a few, the same ones for the same event.
        **fields
            What belongs to it; `t`, seconds on the host clock, by custom.

        Raises
        ------
        RecordingError
            If the disk is full or gone.
        """
        self._log.event(kind, fields)

    def close(self) -> None:
        """Finish all files; every one is closed also if another one cannot be finished.

        Raises
        ------
        RecordingError
            If the disk is full or gone.
        """
        with contextlib.ExitStack() as files:
            files.callback(self._xdf.close)
            files.callback(self._log.close)
            files.callback(self._table.close)


def mark(xdf: XdfWriter, stream: int, pulses: Any) -> None:
    """Append a marker for each pulse that was fired.

    Parameters
    ----------
    xdf : XdfWriter
    stream : int
    pulses : array of PULSE
    """
    if len(pulses):
        markers = [to_line(_marker(pulse)) for pulse in pulses]
        xdf.append([(stream, pulses["t_fired"], markers)])


def not_ended(edge: Any) -> dict[str, object]:
    """Return what the event of a falling edge says that did not leave."""
    return {
        "t": float(edge["t_fired"]),
        "decision": int(edge["decision"]),
        "refusal": Refusal(int(edge["refusal"])),
        "system_error": int(edge["system_error"]),
    }


def arrival_values(samples: Any) -> Any:
    """Return what the file holds of samples beside the EEG, column by column."""
    return np.column_stack([samples[channel.label] for channel in ARRIVAL_CHANNELS])


def _marker(pulse: Any) -> dict[str, object]:
    return {
        "decision": int(pulse["decision"]),
        "trial": int(pulse["trial"]),
        "condition": int(pulse["condition"]),
        "t_due": float(pulse["t_due"]),
        "t_fired": float(pulse["t_fired"]),
        "target_phase_deg": round(float(np.degrees(pulse["target_phase_rad"])), 4),
        "amplitude_uv": float(pulse["amplitude_uv"]),
    }


def record_values(rows: Any) -> Any:
    """Return records as the file holds them, every field a column."""
    return np.column_stack([rows[name] for name in rows.dtype.names])


def records_of(values: Any, labels: Sequence[str], dtype: np.dtype[Any]) -> Any:
    """Return the records that `record_values` was given.

    Parameters
    ----------
    values : array, shape (n, len(labels))
    labels : sequence of str
        The columns.
    dtype : dtype
        Fields that the file lacks stay 0.
    """
    rows = new_records(dtype, len(values))
    for column, label in enumerate(labels):
        rows[label] = values[:, column]
    return rows


def _descriptions(stream: StreamDescription) -> tuple[StreamDescription, ...]:
    eeg = dataclasses.replace(stream, name=EEG_STREAM, sample_format="float32")
    arrival = dataclasses.replace(
        eeg,
        name=ARRIVAL_STREAM,
        kind="Telemetry",
        sample_format="double64",
        channels=ARRIVAL_CHANNELS,
        source_id="phasegate-arrival",
    )
    pulses = StreamDescription(
        name=PULSE_STREAM,
        kind="Markers",
        sfreq_hz=0.0,
        sample_format="string",
        channels=(Channel(label="pulse"),),
        source_id="phasegate-pulses",
        hostname=stream.hostname,
    )
    decisions = _of_records(DECISION_STREAM, DECISION, stream.hostname)
    edges = _of_records(EDGE_STREAM, EDGE, stream.hostname)
    return eeg, arrival, pulses, decisions, edges


def _of_records(name: str, dtype: np.dtype[Any], hostname: str) -> StreamDescription:
    return StreamDescription(
        name=name,
        kind="Telemetry",
        sfreq_hz=0.0,
        sample_format="double64",
        channels=tuple(Channel(label=field) for field in dtype.names or ()),
        source_id=name,
        hostname=hostname,
    )
