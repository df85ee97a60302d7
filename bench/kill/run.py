"""One kill after another, and what each left."""

import dataclasses
import enum
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.kill.checks import Expected, problems_of
from bench.kill.scene import SFREQ_HZ, Scene
from bench.lifeline import REPOSITORY
from controller.engine.clock import host_clock
from controller.session.folder import SessionFolder
from controller.session.recording.process_marks import is_alive
from controller.session.recording.rings import Rings, open_rings, rings_of
from controller.session.recover import recover

_START_TIMEOUT_S = 240.0
_END_TIMEOUT_S = 120.0


class Victim(enum.Enum):
    """Who is killed; the loop is a thread of the controller, beside its supervisor."""

    RECORDER = "recorder"
    CONTROLLER = "loop and supervisor"
    BOTH = "loop, supervisor, then recorder"
    BOTH_REVERSED = "recorder, then loop and supervisor"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """What one kill came to.

    Parameters
    ----------
    victim : str
    at_s : float
        Moment within the session, session time.
    n_acknowledged, n_written, n_read : int
        Samples that the recorder had acknowledged when it happened, that the loop had
        written in the end, and that pyxdf reads after `recover`.
    n_decisions : int
        In the file and in the log.
    n_recovered : int
        Samples that `recover` or the controller added.
    problems : tuple of str
        One sentence each; none where everything held.
    """

    victim: str
    at_s: float
    n_acknowledged: int
    n_written: int
    n_read: int
    n_decisions: int
    n_recovered: int
    problems: tuple[str, ...]


def run_kills(
    n_kills: int,
    work: Path,
    *,
    duration_s: float,
    speed: float,
    seed: int,
    tell: Callable[[int, Kill], None] = lambda _number, _kill: None,
) -> list[Kill]:
    """Run a session for each kill, kill, recover, check.

    Parameters
    ----------
    n_kills : int
    work : Path
        An empty folder.
    duration_s : float
        Of each session, session time.
    speed : float
        How much faster than real time it runs.
    seed : int
        Of samples, victims and moments.
    tell : callable
        Shown every kill as it is done.
    """
    scene = Scene(duration_s=duration_s, raw_path=work / "raw.npy")
    scene.make(seed=seed)
    decisions, edges = scene.expected()
    tape = scene.tape()
    expected = Expected(
        raw=tape.raw, stamps=tape.t_sample, decisions=decisions, edges=edges
    )
    rng = np.random.default_rng(seed)
    kills = []
    for number in range(n_kills):
        victim = tuple(Victim)[number % len(Victim)]
        # Also in the last moments, when the files are being closed.
        at_s = float(rng.uniform(0.0, 1.02 * duration_s))
        kill = _one(scene, expected, victim, at_s, work / f"{number:03d}", speed, rng)
        kills.append(kill)
        tell(number, kill)
    return kills


def _one(
    scene: Scene,
    expected: Expected,
    victim: Victim,
    at_s: float,
    root: Path,
    speed: float,
    rng: Any,
) -> Kill:
    folder = SessionFolder.create(root, title="kill")
    folder.write_config("title = 'kill'\n")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "bench.kill.session", str(folder.path)),
            *(str(scene.raw_path), repr(scene.duration_s), repr(speed)),
        ],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _await_ready(process)
        (path,) = rings_of(folder.path)
        # Mapped here too, so it can be read when its name is gone.
        rings = open_rings(path)
        _await(process, rings, round(at_s * SFREQ_HZ))
        n_acknowledged = int(rings.recorder["n_samples"][0])
        _strike(victim, process, rings, pause_s=float(rng.uniform(0.0, 0.05)))
        process.wait(_END_TIMEOUT_S)
        _await_recorder(rings)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    found = recover(folder.path, t_now=host_clock())
    n_written = int(rings.telemetry.heads[0])
    rings.remove()
    checked = problems_of(
        folder.path,
        expected,
        n_acknowledged=n_acknowledged,
        heads=rings.telemetry.heads.copy(),
    )
    if not checked.problems:
        shutil.rmtree(root)
    return Kill(
        victim=victim.value,
        at_s=round(at_s, 3),
        n_acknowledged=n_acknowledged,
        n_written=n_written,
        n_read=checked.n_samples,
        n_decisions=checked.n_decisions,
        n_recovered=found.n_samples or checked.n_recovered,
        problems=checked.problems,
    )


def _await_ready(process: "subprocess.Popen[bytes]") -> None:
    stdout = process.stdout
    ready = stdout and select.select([stdout], [], [], _START_TIMEOUT_S)[0]
    if stdout is None or not ready or stdout.readline() != b"ready\n":
        raise RuntimeError("The session did not start.")


def _await(process: "subprocess.Popen[bytes]", rings: Rings, n_samples: int) -> None:
    """Wait until the loop is so far, or the session has ended."""
    while process.poll() is None and int(rings.telemetry.heads[0]) < n_samples:
        time.sleep(2e-4)


def _strike(
    victim: Victim,
    process: "subprocess.Popen[bytes]",
    rings: Rings,
    *,
    pause_s: float,
) -> None:
    recorder = int(rings.recorder["pid"][0])
    ticks = int(rings.recorder["ticks"][0])

    def kill_recorder() -> None:
        if is_alive(recorder, ticks):
            os.kill(recorder, signal.SIGKILL)

    if victim is Victim.RECORDER:
        kill_recorder()
    elif victim is Victim.CONTROLLER:
        process.kill()
    elif victim is Victim.BOTH:
        process.kill()
        time.sleep(pause_s)
        kill_recorder()
    else:
        kill_recorder()
        time.sleep(pause_s)
        process.kill()


def _await_recorder(rings: Rings) -> None:
    words = rings.recorder[0]
    t_end = time.monotonic() + _END_TIMEOUT_S
    while is_alive(int(words["pid"]), int(words["ticks"])):
        if time.monotonic() > t_end:
            raise RuntimeError("The recorder did not end.")
        time.sleep(0.01)
