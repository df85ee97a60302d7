"""What a supervisor works with, without a thread, a disk or a device."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from bad_days import config_of

from controller.core.memory import new_memory
from controller.core.reasons import Fault
from controller.core.structures import (
    Memory,
    Program,
    Telemetry,
)
from controller.engine.control import ControlWords
from controller.engine.telemetry import Batch, new_telemetry
from controller.errors import EngineFault, RecordingError
from controller.rig.console.status import Status
from controller.rig.interrupt import Interrupt
from controller.rig.programs.program import Rules, build_program, make_trials
from controller.rig.supervisor import StageEnd, Supervisor
from controller.safety.interlock import TIMED, Permit
from drivers.base import PortLost


class Loop:
    """Stands in for the engine: writes one sample a look, and one when it stops."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self.fault: Fault | None = None
        self.running = False
        self.permits_at_stop: Permit | None = None
        self.words: ControlWords | None = None
        self.hangs = False

    def start(self, stretch: object) -> None:
        self.running = True

    def finished(self) -> Fault | None:
        self.write_sample()
        if self.fault is not None:
            self.running = False
        return self.fault

    def stop(self) -> Fault:
        assert self.words is not None
        self.permits_at_stop = self.words.permits
        if self.hangs:
            raise EngineFault("The loop's thread gave no answer within 5 s.")
        self.write_sample()
        self.running = False
        return self.fault or Fault.STOPPED

    def write_sample(self) -> None:
        telemetry = self.telemetry
        place = int(telemetry.heads[0]) & (len(telemetry.samples) - 1)
        telemetry.samples[place]["t_sample"] = float(telemetry.heads[0])
        telemetry.heads[0] += 1


class Recorder:
    """Takes events, and is in trouble when told to."""

    n_bytes = 99
    n_lost_events = 3

    def __init__(self) -> None:
        self.events: list[str] = []
        self.n_checks = 0
        self.fail_from = 10**9

    def lag_s(self, t_now: float) -> float:
        return 0.25

    def event(self, kind: str, **fields: object) -> None:
        self.events.append(kind)

    def news(self) -> list[str]:
        return []

    def check(self, t_now: float) -> None:
        self.n_checks += 1
        if self.n_checks >= self.fail_from:
            raise RecordingError("The disk is full.")


class Output:
    """Answers, until it is pulled out."""

    def __init__(self) -> None:
        self.lost = False
        self.n_checks = 0

    def check(self) -> None:
        self.n_checks += 1
        if self.lost:
            raise PortLost("The port was lost.")


class Watcher:
    """Does something at the n-th look."""

    def __init__(self) -> None:
        self.n_looks = 0
        self.at: dict[int, Callable[[], object]] = {}

    def note(self, sentence: str) -> None:
        pytest.fail(sentence)

    def update(self, status: Status) -> None:
        self.n_looks += 1
        self.at.get(self.n_looks, lambda: None)()


class Outlet:
    """Keeps the edges that it is told of."""

    def __init__(self) -> None:
        self.n_published = 0
        self.decisions: list[int] = []

    def publish(self, edges: np.ndarray) -> None:
        self.n_published += 1
        self.decisions += edges["decision"].tolist()


class Bench:
    """A supervisor among its stand-ins."""

    def __init__(self) -> None:
        self.telemetry = new_telemetry(1, n_samples=64)
        self.loop = Loop(self.telemetry)
        self.words = self.loop.words = ControlWords()
        self.recorder = Recorder()
        self.output = Output()
        self.watcher = Watcher()
        self.outlet = Outlet()
        self.interrupt = Interrupt()
        self.supervisor = Supervisor(
            engine=self.loop,  # type: ignore[arg-type]
            words=self.words,
            telemetry=self.telemetry,
            recorder=self.recorder,  # type: ignore[arg-type]
            output=self.output,  # type: ignore[arg-type]
            listener=self.watcher,
            outlet=self.outlet,
            interrupt=self.interrupt,
        )
        self.words.permit(Permit.ALL)
        self.words.vouch_until(TIMED, math.inf)
        self.program, self.memory = program_and_memory()
        self.kept: list[Batch] = []

    @property
    def seen(self) -> list[float]:
        """The samples that the supervisor has read along."""
        return [t for batch in self.kept for t in batch.samples["t_sample"].tolist()]

    def run(self, **options: object) -> StageEnd:
        options = {"keep": self.kept} | options
        options = {"duration_s": None, "done": lambda: self.watcher.n_looks >= 5} | (
            options
        )
        return self.supervisor.run_stage("x", self.program, self.memory, **options)


def program_and_memory() -> tuple[Program, Memory]:
    program = build_program(
        sfreq_hz=250.0,
        mixing=np.ones((1, 1)),
        scale_uv=np.ones(1),
        design=None,
        rules=Rules(),
        limits=config_of().limits.to_limits(),
        trials=make_trials(
            1, target_phase_rad=0.0, iti_s=1.0, iti_jitter_s=0.0, seed=1
        ),
        edges=None,
        pulse_s=0.005,
    )
    return program, new_memory(program, n_window=1)
