"""The recorder's process: `python -m controller.session.recording.process RINGS`.

It outlives the controller: when that one is gone, by whatever way, everything left in
the rings goes to the disk and the files are finished.
"""

import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from controller.engine.clock import host_clock
from controller.errors import PhasegateError, RecordingError
from controller.session.folder import SessionFolder
from controller.session.further import Tell
from controller.session.recording.process_marks import is_alive, started_ticks
from controller.session.recording.recorder import SessionRecorder
from controller.session.recording.ring_recorder import RingRecorder, message_of
from controller.session.recording.rings import RecorderState, Rings, open_rings
from controller.session.recording.streams import stream_of
from controller.sources.further import FurtherStream

ENDED_ABRUPTLY = "controller died"
"""The event of a session whose controller was killed."""

TURN_S = 0.04
SYNC_EVERY_S = 0.5


def record(rings: Rings) -> None:
    """Record until the controller is done or dead.

    Raises
    ------
    RecordingError
        If the disk is full or gone.
    """
    words = rings.recorder[0]
    words["pid"], words["ticks"] = os.getpid(), started_ticks(os.getpid())
    folder = Path(rings.header["folder"])
    recorder = SessionRecorder(
        SessionFolder(folder), stream_of(rings.header["stream"]), t_now=host_clock()
    )
    further = [
        FurtherStream(entry["marks"], needed=entry["needed"], clock=host_clock)
        for entry in rings.header.get("further", [])
    ]
    further_recorder = recorder.recording_further(
        further, tell=_told(rings, recorder), clock=host_clock
    )
    ring_recorder = RingRecorder(
        rings,
        recorder,
        clock=host_clock,
        free_bytes=lambda: shutil.disk_usage(folder).free,
    )
    controller = (int(rings.header["pid"]), int(rings.header["ticks"]))
    words["n_further_missing"] = further_recorder.n_missing
    with _synced(ring_recorder), _running(further):
        ring_recorder.turn()
        words["state"] = RecorderState.RECORDING
        while True:
            # Asked before the turn: afterwards nothing can have come that it missed.
            alive = is_alive(*controller)
            closing = bool(rings.controller["closing"][0])
            moved = ring_recorder.turn()
            moved |= further_recorder.turn() and not closing
            words["n_further_missing"] = further_recorder.n_missing
            words["n_further_samples"] = further_recorder.n_samples
            if (closing or not alive) and not moved:
                break
            time.sleep(TURN_S)
    further_recorder.turn()
    if not closing:
        recorder.event(ENDED_ABRUPTLY, t=host_clock(), pid=controller[0])
    ring_recorder.finish()
    if not closing:
        rings.remove()


def _told(rings: Rings, recorder: SessionRecorder) -> Tell:
    """Return what puts an event into the log, and its sentence before the operator."""

    def tell(kind: str, fields: dict[str, object]) -> None:
        recorder.event(kind, **fields)
        # One that finds no place is in the log at least.
        rings.news.put(message_of(0, kind, {"sentence": fields["sentence"]}))

    return tell


@contextlib.contextmanager
def _running(streams: list[FurtherStream]) -> Iterator[None]:
    for stream in streams:
        stream.start()
    try:
        yield
    finally:
        for stream in streams:
            stream.close()


@contextlib.contextmanager
def _synced(recorder: RingRecorder) -> Iterator[None]:
    """Hand everything to the disk twice a second, beside the turns."""
    over = threading.Event()
    errors: list[RecordingError] = []

    def sync_on() -> None:
        try:
            while not over.wait(SYNC_EVERY_S):
                recorder.sync()
        except RecordingError as error:
            errors.append(error)

    thread = threading.Thread(target=sync_on, name="phasegate-sync", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if errors:
        raise errors[0]


def main() -> int:
    """Record the session whose rings are named on the command line."""
    # Whoever ends this process in good order ends the controller first, and that one
    # says when nothing comes any more.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    rings = open_rings(Path(sys.argv[1]))
    try:
        record(rings)
    except PhasegateError as error:
        rings.recorder["trouble"] = str(error).encode()[:480]
        rings.recorder["state"] = RecorderState.FAILED
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
