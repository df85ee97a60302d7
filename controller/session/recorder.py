"""The recorder: puts what the loop's rings hold on the disk as it comes."""

import contextlib
import dataclasses
import os
from typing import Any

import numpy as np

from controller.core.records import DECISION, EDGE
from controller.kernels.jit import Float32Array
from controller.safety.interlock import Refusal
from controller.session.append_file import AppendFile, SystemWrite
from controller.session.decisions import DecisionLog
from controller.session.folder import DECISIONS, EEG, PULSES, SessionFolder
from controller.session.jsonable import to_line
from controller.session.pulses import PulseTable, fired
from controller.session.streams import Channel, StreamDescription
from controller.session.xdf import XdfWriter

EEG_STREAM = "EEG"
ARRIVAL_STREAM = "EEG-arrival"
PULSE_STREAM = "phasegate-pulses"
DECISION_STREAM = "phasegate-decisions"
EDGE_STREAM = "phasegate-edges"
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
        arrival = [samples[channel.label] for channel in ARRIVAL_CHANNELS]
        # The EEG first: nothing that happens to the tables may cost it.
        self._xdf.append(
            [
                (self._eeg, stamps, raw),
                (self._arrival, stamps, np.column_stack(arrival)),
                (self._decisions, decisions["t_decided"], _columns(decisions)),
                (self._edges, edges["t_fired"], _columns(edges)),
            ]
        )
        self._n_samples += len(samples)
        self._log.append(decisions)
        for edge in edges[(edges["rises"] == 0) & (edges["refusal"] != 0)]:
            self.event(
                "trigger not ended",
                t=float(edge["t_fired"]),
                decision=int(edge["decision"]),
                refusal=Refusal(int(edge["refusal"])),
                system_error=int(edge["system_error"]),
            )
        self._mark(fired(self._table.append(decisions, edges)))

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

    def _mark(self, pulses: Any) -> None:
        if len(pulses) == 0:
            return
        markers = [to_line(_marker(pulse)) for pulse in pulses]
        self._xdf.append([(self._pulses, pulses["t_fired"], markers)])


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


def _columns(rows: Any) -> Any:
    """Return records as a matrix, every field a column."""
    return np.column_stack([rows[name] for name in rows.dtype.names])


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
