"""The recorder's process as the controller sees it."""

import contextlib
import subprocess
import sys
import threading
import time
from typing import Any

from controller.engine.clock import host_clock
from controller.errors import RecordingError
from controller.session.jsonable import jsonable
from controller.session.recording.ring_recorder import message_of, read_message
from controller.session.recording.rings import RecorderState, Rings

STALL_S = 1.0
"""A recorder that has not finished a turn for so long is behind."""

UNSYNCED_S = 10.0
"""A disk that has kept nothing for so long is not keeping up."""

_START_TIMEOUT_S = 60.0
_FINISH_TIMEOUT_S = 30.0
_POLL_S = 0.02


class RunningRecorder:
    """Starts the recorder's process, watches it, and hands it events.

    Parameters
    ----------
    rings : Rings
        As `create_rings` made them, with the session's folder and stream.
    """

    def __init__(self, rings: Rings) -> None:
        self._rings = rings
        self._words = rings.recorder[0]
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def n_bytes(self) -> int:
        """How many bytes the system has taken."""
        return int(self._words["n_bytes"])

    @property
    def n_samples(self) -> int:
        """How many samples the system has taken."""
        return int(self._words["n_samples"])

    @property
    def n_synced_samples(self) -> int:
        """How many samples are on the disk itself."""
        return int(self._words["n_synced_samples"])

    @property
    def n_lost_events(self) -> int:
        """How many events found no place in the queue."""
        return int(self._rings.controller["n_messages_lost"][0])

    @property
    def pid(self) -> int:
        """Number of the process."""
        return int(self._words["pid"])

    def lag_s(self, t_now: float) -> float:
        """Return for how long no turn of the recorder has ended."""
        lag_s = t_now - float(self._words["t_beat"])
        # Not by max(), which would make nothing of what is not a number.
        return 0.0 if lag_s < 0.0 else lag_s

    def start(self) -> None:
        """Start the process and return once the files stand.

        Raises
        ------
        RecordingError
            What stands against it.
        """
        # -P: a folder named controller in the working directory must not be us. A
        # session of its own: Ctrl-C reaches the controller and not this one.
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "controller.session.recording.process"),
                str(self._rings.path),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        t_end = time.monotonic() + _START_TIMEOUT_S
        while self._state is RecorderState.STARTING:
            if self._process.poll() is not None:
                break
            if time.monotonic() > t_end:
                self._process.kill()
                self._process.wait()
                raise RecordingError(
                    f"The recorder did not start within {_START_TIMEOUT_S:g} s; see "
                    "whether the machine is overloaded."
                )
            time.sleep(_POLL_S)
        if self._state is not RecorderState.RECORDING:
            raise self._failure(self._process.wait())

    def event(self, kind: str, **fields: object) -> None:
        """Hand an event to the recorder, without waiting; one that does not fit counts.

        Parameters
        ----------
        kind : str
            One word or a few, the same ones for the same event.
        **fields
            What belongs to it; `t`, seconds on the host clock, by custom.
        """
        plain: dict[str, Any] = {
            name: jsonable(value) for name, value in fields.items()
        }
        words = self._rings.controller
        with self._lock:
            number = int(words["n_messages"][0]) + 1
            if self._rings.messages.put(message_of(number, kind, plain)):
                words["n_messages"] = number
            else:
                words["n_messages_lost"] += 1

    def check(self, t_now: float) -> None:
        """Make sure that everything is on its way to the disk.

        Raises
        ------
        RecordingError
            The recorder is dead, has failed, or is behind.
        """
        exit_code = None if self._process is None else self._process.poll()
        if exit_code is not None or self._state is RecorderState.FAILED:
            raise self._failure(exit_code)
        if self._words["trouble"]:
            raise RecordingError(self._words["trouble"].decode(errors="replace"))
        if not self.lag_s(t_now) <= STALL_S:
            raise RecordingError(
                f"The recorder has written nothing for {self.lag_s(t_now):.1f} s; see "
                "whether the disk answers and the machine is overloaded."
            )
        # In this order: the first time may be written in between.
        has_synced = self.n_synced_samples > 0
        unsynced_s = t_now - float(self._words["t_synced"])
        if has_synced and not unsynced_s <= UNSYNCED_S:
            raise RecordingError(
                f"The disk has kept nothing for {unsynced_s:.0f} s; see whether it "
                "answers."
            )

    def check_ready(self, t_now: float, *, n_bytes_needed: int) -> None:
        """Make sure that a session may be armed: it is recorded, and room is left.

        Parameters
        ----------
        t_now : float
        n_bytes_needed : int
            What the rest of the session will take.

        Raises
        ------
        RecordingError
        """
        self.check(t_now)
        if not self.n_synced_samples > 0:
            raise RecordingError(
                "Nothing of the session has reached the disk, so it is not armed; "
                "check the disk and start again."
            )
        n_free = int(self._words["free_bytes"])
        if not n_free >= n_bytes_needed:
            raise RecordingError(
                f"The session still needs about {n_bytes_needed / 1e9:.2f} GB and "
                f"{n_free / 1e9:.2f} GB are free, so it is not armed; free some space."
            )
        n_missing = int(self._words["n_further_missing"])
        if n_missing != 0:
            raise RecordingError(
                f"{n_missing} of the streams in [recording] are not recorded, so the "
                "session is not armed; start them, or set needed = false."
            )

    def news(self) -> list[str]:
        """Return sentences for the operator that came since the last call."""
        return [
            str(read_message(message)[2]["sentence"])
            for message in self._rings.news.take()
        ]

    def close(self) -> bool:
        """Have everything written and the files finished; a second call does nothing.

        Returns
        -------
        finished : bool
            False where the process did not do it: what it left is in the rings.
        """
        process, self._process = self._process, None
        if process is None:
            return self._state is RecorderState.FINISHED
        self._rings.controller["closing"] = 1
        try:
            self._wait(process)
        finally:
            if process.poll() is None:
                process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_FINISH_TIMEOUT_S)
        return self._state is RecorderState.FINISHED and self._rings.is_empty

    @property
    def _state(self) -> RecorderState:
        return RecorderState(int(self._words["state"]))

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait for as long as the recorder goes on working."""
        while self.lag_s(host_clock()) <= _FINISH_TIMEOUT_S:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_POLL_S)
                return

    def _failure(self, exit_code: int | None) -> RecordingError:
        said = self._words["trouble"].decode(errors="replace")
        if said:
            return RecordingError(said)
        if exit_code is not None and exit_code < 0:
            return RecordingError(
                f"The recorder was killed (signal {-exit_code}), so the session was "
                "disarmed; see what ended it, the system's memory for example."
            )
        return RecordingError(
            f"The recorder ended by itself (code {exit_code}), so the session was "
            "disarmed; start again."
        )
