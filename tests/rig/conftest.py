import functools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bad_days import SETTLE_S, Day, Operator, assert_nothing_runs

from controller.config import parse_config
from controller.rig.outputs.opened import opened_output
from controller.rig.run import run_session
from controller.rig.stimulator.stimulators import opened_stimulator
from controller.rig.study.hunt import LiveHunt
from controller.sources.description import StreamDescription
from controller.sources.network import configure_lsl
from controller.sources.process import start_source

configure_lsl(local_only=True)

RunDay = Callable[..., Day]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[Any]]:
    """Return the processes that the test starts, as they come."""
    processes: list[subprocess.Popen[Any]] = []

    class Noted(subprocess.Popen[Any]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return processes


@pytest.fixture
def run_day(
    tmp_path: Path,
    started: list[subprocess.Popen[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RunDay]:
    """Run a session to its end; afterwards no process or thread of it may be left."""

    def run(
        text: str,
        *source_faults: str,
        twin_options: tuple[str, ...] = (),
        stimulator_options: tuple[str, ...] = (),
        operator: Operator | None = None,
        confirm_arming: Callable[[str], bool] = lambda _: False,
        settle_s: float = SETTLE_S,
        hunt: Callable[[StreamDescription], LiveHunt] | None = None,
    ) -> Day:
        monkeypatch.setattr("controller.rig.stages.SETTLE_S", settle_s)
        operator = operator or Operator()
        finished = run_session(
            parse_config(text, where="bad-day.toml"),
            text,
            out=tmp_path,
            listener=operator,
            confirm_arming=confirm_arming,
            hunt=hunt,
            begin_source=functools.partial(start_source, options=source_faults),
            open_output=functools.partial(opened_output, twin_options=twin_options),
            open_stimulator=functools.partial(
                opened_stimulator, twin_options=stimulator_options
            ),
        )
        return Day.of(finished, operator)

    yield run
    assert_nothing_runs(started)
