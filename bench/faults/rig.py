"""A rig to be hurt: participant, trigger box, stimulator, cables, and the program.

The devices are simulated ones that this process starts. The program runs as in a
laboratory: `phasegate run CONFIG --arm`, real kinds of output and stimulator, a stream
found on the network. It does not know that its devices are twins.
"""

import contextlib
import dataclasses
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.faults.cable import Cable
from bench.lifeline import REPOSITORY
from controller.config_source import SyntheticSource
from controller.session.recording.rings import rings_of
from controller.sources.process import ParticipantWires, SourceProcess, start_source
from drivers.sim.process import TwinProcess

PULSES_BEFORE = 2
"""So many pulses have to be seen before anything goes wrong."""

_PULSES_WITHIN_S = 60.0
_END_WITHIN_S = 60.0
_AGAIN_S = 0.005

_CONFIG = """\
title = "fault"

[source]
kind = "lsl"
source_id = "{source_id}"
rail_uv = 187500.0

[rhythm]
band = "alpha"
frequency_hz = 10.2

[montage]
weights = {{ O1 = 0.5, O2 = 0.5 }}

[estimator]
kind = "iir"

[target]
phase_deg = 0

[gate]
amplitude = "open"

[artifact]
hold_s = 0.2

[timing]
iti_s = 2.2
refractory_s = 0.5

[output]
kind = "serial-byte"
port = "{box}"

[stimulator]
kind = "magstim-200"
port = "{stimulator}"
intensity_pct_mso = 45

[limits]
modality = "tms"
min_interval_s = 2.1
max_pulses = 100
max_per_minute = 60
max_lateness_ms = 2.0
max_data_age_ms = 50
max_gap_s = 0.2
max_silence_s = 0.5
max_artifact_s = 2.0
max_armed_s = 600

[limits.stimulator]
max_intensity_pct_mso = 60
max_intensity_step_pct = 50
max_coil_c = 35
max_status_age_s = 1.0

[limits.dose]
max_pulses_per_day = 1000
max_pulses_total = 10000
max_trains_per_session = 0
max_trains_per_day = 0
max_trains_total = 0
max_full_pulses_per_day = 1000

[run]
participant = "P01"
rest_s = 0
duration_s = 120
"""

_CONSOLE = """
[console]
required = true
max_silence_s = 1.0
"""


class RigError(Exception):
    """A rig on which nothing can be shown, as no pulse came before the fault."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Rig:
    """What a fault can be done to.

    Parameters
    ----------
    folder : Path
        Of everything that belongs to this rig.
    config : Path
    source : SourceProcess
    box_cable, stimulator_cable : Cable
    box, stimulator : TwinProcess
    program : subprocess.Popen
    console : subprocess.Popen or None
        The operator's, where the study requires one.
    """

    folder: Path
    config: Path
    source: SourceProcess
    box_cable: Cable
    stimulator_cable: Cable
    box: TwinProcess
    stimulator: TwinProcess
    program: "subprocess.Popen[bytes]"
    console: "subprocess.Popen[bytes] | None" = None

    @property
    def session(self) -> Path:
        """The session's folder.

        Raises
        ------
        RigError
            If the program has not come so far.
        """
        found = sorted((self.folder / "sessions").glob("*"))
        if len(found) != 1:
            raise RigError(f"There is no session; the program said: {self.said()}")
        return found[0]

    def said(self) -> str:
        """Return the last lines that the program wrote."""
        text = (self.folder / "program.txt").read_text(errors="replace").strip()
        return " / ".join(text.splitlines()[-3:])

    def pulses(self) -> list[float]:
        """Return when the stimulator made pulses, seconds on the host clock."""
        return [one["t"] for one in self.stimulator_log() if one["kind"] == "pulse"]

    def stimulator_log(self) -> list[dict[str, Any]]:
        """Return what the simulated stimulator did, in order."""
        log = self.stimulator.log
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def wait_for(self, holds: Callable[[], bool], within_s: float, what: str) -> None:
        """Return once something holds.

        Raises
        ------
        RigError
            If the program ends before, or it takes too long.
        """
        t_end = time.monotonic() + within_s
        while not holds():
            if self.program.poll() is not None:
                raise RigError(f"The program ended before {what}: {self.said()}")
            if time.monotonic() > t_end:
                raise RigError(
                    f"{what} did not come within {within_s:g} s: {self.said()}"
                )
            time.sleep(_AGAIN_S)

    def wait_for_pulses(self, count: int = PULSES_BEFORE) -> float:
        """Return when the last of so many pulses was, once it was made."""
        self.wait_for(
            lambda: len(self.pulses()) >= count, _PULSES_WITHIN_S, f"pulse {count}"
        )
        return self.pulses()[count - 1]

    def end(self, within_s: float = _END_WITHIN_S) -> int:
        """Wait for the program's own end and return its exit code.

        Raises
        ------
        RigError
            If it does not end.
        """
        try:
            return self.program.wait(within_s)
        except subprocess.TimeoutExpired as error:
            raise RigError(f"The program did not end: {self.said()}") from error

    def watch(self, seconds: float) -> None:
        """Let the session go on for so long, and no longer than it lives."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.program.wait(seconds)

    def interrupt(self) -> None:
        """End the session as an operator would."""
        self.program.send_signal(signal.SIGINT)


@contextlib.contextmanager
def rig(
    *,
    source_options: tuple[str, ...] = (),
    stimulator_options: tuple[str, ...] = (),
    cue: str | None = None,
    with_console: bool = False,
) -> Iterator[Rig]:
    """Build a rig and start its session; everything is taken away at the end.

    Parameters
    ----------
    source_options, stimulator_options : tuple of str
        Of the simulated participant and stimulator.
    cue : str, optional
        Name of a file in the rig's folder whose coming makes the loop stall.
    with_console : bool
        The study requires a console, and somebody attends.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="phasegate-fault-"))
        )
        trigger, pulse = folder / "trigger", folder / "pulse"
        source = _participant(
            ParticipantWires(trigger_in=trigger, pulse_in=pulse), source_options
        )
        stack.callback(source.stop)
        stimulator = _twin(
            stack,
            folder / "stimulator.jsonl",
            *("magstim", "--ttl-in", str(folder / "coil"), "--ttl-out", str(pulse)),
            *stimulator_options,
        )
        box = _twin(
            stack,
            folder / "box.jsonl",
            *("serial-byte", "--ttl-out", str(folder / "coil")),
            *("--ttl-out", str(trigger)),
        )
        box_cable = stack.enter_context(Cable(box.port))
        stimulator_cable = stack.enter_context(Cable(stimulator.port))
        config = folder / "study.toml"
        text = _CONFIG.format(
            source_id=source.source_id,
            box=box_cable.port,
            stimulator=stimulator_cable.port,
        )
        text += _CONSOLE if with_console else ""
        config.write_text(text, encoding="utf-8")
        program = stack.enter_context(_program(folder, config, cue))
        built = Rig(
            folder=folder,
            config=config,
            source=source,
            box_cable=box_cable,
            stimulator_cable=stimulator_cable,
            box=box,
            stimulator=stimulator,
            program=program,
        )
        if with_console:
            built.console = stack.enter_context(_console(built))
        yield built


def _participant(wires: ParticipantWires, options: tuple[str, ...]) -> SourceProcess:
    settings = SyntheticSource(
        kind="synthetic",
        sfreq_hz=500.0,
        channels=("C3", "O1", "O2"),
        blinks_per_minute=0.0,
        trigger_channel="TRIG",
        seed=5,
    )
    process, _ = start_source(settings, wires, options=options)
    if process is None:
        raise RigError("The simulated participant has no process of its own.")
    return process


def _twin(
    stack: contextlib.ExitStack, log: Path, name: str, *options: str
) -> TwinProcess:
    return stack.enter_context(TwinProcess(name, *options, log=log))


@contextlib.contextmanager
def _console(built: Rig) -> "Iterator[subprocess.Popen[bytes]]":
    """Attend in a terminal of its own, once the session is there."""
    sessions = built.folder / "sessions"
    built.wait_for(
        lambda: any(map(any, map(rings_of, sessions.glob("*")))),
        _PULSES_WITHIN_S,
        "a session",
    )
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "bench.faults.program", "attend", str(sessions)]
    console = subprocess.Popen(
        command, cwd=REPOSITORY, stdin=end, stdout=end, stderr=end
    )
    os.close(end)
    reader = threading.Thread(target=_read_away, args=(terminal,), daemon=True)
    reader.start()
    try:
        yield console
    finally:
        console.kill()
        console.wait()
        reader.join()
        os.close(terminal)


def _read_away(terminal: int) -> None:
    # Until nobody holds the other end any more.
    with contextlib.suppress(OSError):
        while os.read(terminal, 4096):
            pass


@contextlib.contextmanager
def _program(
    folder: Path, config: Path, cue: str | None
) -> "Iterator[subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "bench.faults.program"]
    if cue is not None:
        command += ["--stall-on", str(folder / cue)]
    command += ["run", str(config), "--arm", "--out", str(folder / "sessions")]
    with (folder / "program.txt").open("wb") as said:
        program = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            env=os.environ | {"PHASEGATE_DOSE_BOOKS": str(folder / "doses")},
        )
    try:
        yield program
    finally:
        program.kill()
        program.wait()
