"""The controller that is killed: `-m bench.kill.session FOLDER RAW SECONDS SPEED`.

Rings, recorder and clean-up are those of a live session; the loop is the same compiled
function, in a thread of its own, on a virtual clock that runs SPEED times too fast.
"""

import sys
import threading
import time
from pathlib import Path

from bench.kill.scene import N_CHANNELS, SFREQ_HZ, Scene, stream
from controller.core.reasons import Fault
from controller.engine.clock import host_clock
from controller.engine.telemetry import backlog
from controller.engine.virtual import VirtualLoop
from controller.errors import RecordingError
from controller.session.folder import SessionFolder
from controller.session.recording.rings import create_rings
from controller.session.recording.running_recorder import RunningRecorder
from controller.session.recording.streams import stream_as_dict
from controller.session.salvage import salvage

_RING_S = 10.0
_LOOK_EVERY_S = 0.01
_SLICE = 50
_MOST_BACKLOG = 0.6


class Loop:
    """Runs the samples through the compiled loop, at its speed, until it is stopped."""

    def __init__(self, loop: VirtualLoop, telemetry: object, *, speed: float) -> None:
        self._loop, self._telemetry, self._speed = loop, telemetry, speed
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.fault: Fault | None = None

    def start(self, n_samples: int) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, args=(n_samples,))
        self._thread.start()

    def stop(self) -> None:
        """Stop it, wherever it is."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def ended(self) -> bool:
        """Whether all samples are through, or there was a fault."""
        return self._thread is not None and not self._thread.is_alive()

    def _run(self, n_samples: int) -> None:
        t_start = time.monotonic()
        for at in range(_SLICE, n_samples + _SLICE, _SLICE):
            due = t_start + at / SFREQ_HZ / self._speed
            # Faster than the recorder is only this clock, so it waits; a live loop
            # never does.
            while not self._stop.is_set() and (
                time.monotonic() < due or backlog(self._telemetry) > _MOST_BACKLOG  # type: ignore[arg-type]
            ):
                time.sleep(1e-3)
            if self._stop.is_set():
                return
            self.fault = self._loop.run_to(min(at, n_samples))
            if self.fault is not Fault.END_OF_TAPE:
                return


def main() -> int:
    """Run the session; the exit code is that of a live one."""
    path, raw_path, duration_s, speed = sys.argv[1:]
    scene = Scene(duration_s=float(duration_s), raw_path=Path(raw_path))
    folder = SessionFolder(Path(path))
    program, memory = scene.entered()
    rings = create_rings(
        N_CHANNELS,
        n_samples=round(_RING_S * SFREQ_HZ),
        header={
            "folder": str(folder.path.resolve()),
            "stream": stream_as_dict(stream()),
        },
    )
    recorder = RunningRecorder(rings)
    loop = Loop(
        VirtualLoop(program, memory, scene.tape(), rings.telemetry),
        rings.telemetry,
        speed=float(speed),
    )
    error: RecordingError | None = None
    try:
        recorder.start()
        loop.start(scene.n_samples)
        print("ready", flush=True)
        while not loop.ended:
            recorder.check(host_clock())
            recorder.event("look", t=host_clock())
            time.sleep(_LOOK_EVERY_S)
    except RecordingError as caught:
        error = caught
    finally:
        loop.stop()
    if error is not None:
        recorder.event("fault", t=host_clock(), sentence=str(error))
    if not recorder.close():
        salvage(folder, rings, t_now=host_clock())
    rings.remove()
    return 0 if error is None else error.exit_code


if __name__ == "__main__":
    sys.exit(main())
