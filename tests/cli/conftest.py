import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.cli.desk import Desk
from controller.cli.main import cli
from controller.config import Config
from controller.errors import PhasegateError
from controller.rig.config_watch import ConfigFile
from controller.rig.console.status import Status
from controller.rig.run import Finished


def summary_of(folder: str = "/sessions/one", **changes: Any) -> dict[str, Any]:
    """Return the summary of a session that went well, with some keys changed."""
    latency = {"n": 26, "p50": 82.0, "p99": 153.4, "p999": 160.0, "max": 161.0}
    summary = {
        "folder": folder,
        "title": "Test",
        "participant": "unnamed",
        "duration_s": 60.02,
        "estimator": "blend",
        "target_phase_deg": 0.0,
        "rhythm": {
            "band": "alpha",
            "frequency_hz": 10.21,
            "band_hz": [8.2, 12.2],
            "snr_db": 13.0,
            "expected_sd_deg": 15.2,
            "horizon_ms": 3.1,
        },
        "pulses": {"planned": 28, "fired": 26, "refused": {"TOO_LATE": 2}},
        "decisions": {"count": 600, "held": {"INTERVAL": 400, "AMPLITUDE": 180}},
        "phase_error_deg": {"n": 25, "mean": -1.5, "sd": 18.2, "within_45": 0.96},
        "latency_us": {
            "sample_to_decision": latency,
            "deadline_error": latency | {"p50": 0.024, "p99": 0.05},
            "fire_to_arrival": latency,
        },
        "arrivals": {"matched": 26, "missing": 0, "extra": 0},
        "samples": {"received": 92000, "lost": 0, "gaps": 0},
        "privileges": {"loop": "compiled", "fifo": "granted"},
        "exit": {"code": 0, "reason": "as planned"},
    }
    return summary | changes


@dataclasses.dataclass
class FakeSession:
    """Stands in for `run_session`, and remembers what it was asked for."""

    summary: dict[str, Any] = dataclasses.field(default_factory=summary_of)
    error: PhasegateError | None = None
    raises: BaseException | None = None
    needs_arming: bool = False
    statuses: Iterable[Status] = ()
    config: Config | None = None
    text: str = ""
    out: Path | None = None
    armed: bool | None = None
    config_file: ConfigFile | None = None

    def __call__(
        self,
        config: Config,
        text: str,
        *,
        out: Path,
        listener: Any,
        confirm_arming: Callable[[str], bool],
        config_file: ConfigFile | None = None,
    ) -> Finished:
        self.config_file = config_file
        self.config, self.text, self.out = config, text, out
        listener.note("Looking for the stream ...")
        if self.raises is not None:
            raise self.raises
        if self.needs_arming:
            self.armed = confirm_arming("serial byte trigger at /dev/ttyUSB0")
        for status in self.statuses:
            listener.update(status)
        return Finished(
            folder=Path(self.summary["folder"]),
            summary=self.summary,
            report=Path(self.summary["folder"]) / "report.html",
            error=self.error,
        )


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


Invoke = Callable[..., Result]


@pytest.fixture
def invoke(session: FakeSession) -> Invoke:
    """Run the command line in this process, on the fake session."""

    def run(
        *arguments: str | Path, terminal: bool = False, answer: str | None = None
    ) -> Result:
        desk = Desk(
            run_session=session,
            person_is_there=lambda: terminal,
            read_answer=lambda timeout_s: answer,
        )
        return CliRunner().invoke(cli, [str(each) for each in arguments], obj=desk)

    return run


def result_of(result: Result) -> Any:
    """Return the JSON that stdout carries, all of it."""
    return json.loads(result.stdout)


@pytest.fixture
def read_json() -> Callable[[Result], Any]:
    return result_of


@pytest.fixture
def make_summary() -> Callable[..., dict[str, Any]]:
    return summary_of
