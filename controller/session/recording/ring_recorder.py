"""From the rings to the disk, turn after turn; a row is freed only once it is there."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from controller.engine.telemetry import read_on
from controller.errors import RecordingError
from controller.session.recording.recorder import SessionRecorder
from controller.session.recording.rings import RecorderState, Rings

LEAST_FREE_BYTES = 32 * 2**20
"""Below this the session ends while there is still room to finish its files."""

_LOOK_AT_DISK_EVERY_S = 0.5


class RingRecorder:
    """Moves what is in the rings to a session's files, and says how far it is.

    Parameters
    ----------
    rings : Rings
    recorder : SessionRecorder
        Closed by `finish`.
    clock : callable
        The host clock.
    free_bytes : callable
        How much room there is on the session's disk.
    """

    def __init__(
        self,
        rings: Rings,
        recorder: SessionRecorder,
        *,
        clock: Callable[[], float],
        free_bytes: Callable[[], int],
    ) -> None:
        self._rings = rings
        self._words = rings.recorder[0]
        self._recorder = recorder
        self._clock = clock
        self._free_bytes = free_bytes
        self._t_disk = -np.inf

    def turn(self) -> bool:
        """Record what is new; return whether there was anything.

        Raises
        ------
        RecordingError
            If the disk is full or gone. What it did not take is still in the rings.
        """
        t_start = self._clock()
        telemetry = self._rings.telemetry
        tails = telemetry.tails.copy()
        batch = read_on(telemetry, tails)
        moved = bool(np.any(tails != telemetry.tails))
        if moved:
            self._recorder.append(
                batch.samples, batch.raw, batch.decisions, batch.edges
            )
            telemetry.tails[:] = tails
        moved |= self._take_messages()
        self._look_at_disk(t_start)
        self._report(t_start)
        return moved

    def sync(self) -> None:
        """Hand everything to the disk; runs in a thread of its own."""
        n_bytes, n_samples = self._recorder.n_bytes, self._recorder.n_samples
        self._recorder.sync()
        # In this order: whoever finds samples kept also finds when.
        self._words["t_synced"] = self._clock()
        self._words["n_synced_bytes"] = n_bytes
        self._words["n_synced_samples"] = n_samples

    def finish(self) -> None:
        """Close the files; everything has to be in them already."""
        self._recorder.close()
        self._words["n_bytes"] = self._words["n_synced_bytes"] = self._recorder.n_bytes
        self._words["n_synced_samples"] = self._recorder.n_samples
        self._words["state"] = RecorderState.FINISHED

    def _take_messages(self) -> bool:
        messages, upto = self._rings.messages.waiting()
        for message in messages:
            number, kind, fields = read_message(message)
            self._recorder.message(number, kind, fields)
        self._rings.messages.free(upto)
        return bool(messages)

    def _look_at_disk(self, t_now: float) -> None:
        if not t_now - self._t_disk >= _LOOK_AT_DISK_EVERY_S:
            return
        self._t_disk = t_now
        n_free = self._free_bytes()
        self._words["free_bytes"] = n_free
        if not n_free >= LEAST_FREE_BYTES:
            self._words["trouble"] = (
                f"Only {n_free / 1e6:.0f} MB are left on the disk of "
                f"{self._recorder.folder.path}, so the session was ended while its "
                "files could still be finished; free some space."
            ).encode()[:480]

    def _report(self, t_start: float) -> None:
        words, t_now = self._words, self._clock()
        words["n_bytes"] = self._recorder.n_bytes
        words["n_samples"] = self._recorder.n_samples
        words["longest_turn_s"] = max(float(words["longest_turn_s"]), t_now - t_start)
        words["t_beat"] = t_now


def message_of(number: int, kind: str, fields: dict[str, Any]) -> bytes:
    """Return an event as it travels; plain types only."""
    return json.dumps([number, kind, fields], ensure_ascii=False).encode()


def read_message(message: bytes) -> tuple[int, str, dict[str, Any]]:
    """Return number, kind and fields of an event that travelled.

    Raises
    ------
    RecordingError
        If it is no event: then the shared memory was damaged.
    """
    try:
        number, kind, fields = json.loads(message)
        return int(number), str(kind), dict(fields)
    except (ValueError, TypeError) as error:
        raise RecordingError(
            "A message to the recorder arrived damaged; end the session and start "
            "again."
        ) from error
