"""Short whole sessions on simulated devices, and what must hold at their end."""

import dataclasses
import html
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from controller.config import Config, parse_config
from controller.errors import PhasegateError
from controller.rig.console.status import Status
from controller.rig.replay.report import replay_folder
from controller.rig.run import Finished
from controller.safety.interlock import Refusal
from controller.session.load import Session, load_session
from drivers.sim.arrival_log import read_arrivals

FAULT_AT_S = 2.5
"""On the stream's own clock: about a second into the closed loop."""

SETTLE_S = 1.2
"""Instead of the longer look that a real stream deserves."""

SFREQ_HZ = 500.0
MAX_DATA_AGE_S = 0.05

# A trigger may still leave when its decision was fixed before the fault.
LOCKED_S = 0.02

_TABLES: dict[str, dict[str, object]] = {
    "source": {
        "kind": "synthetic",
        "sfreq_hz": SFREQ_HZ,
        "channels": ["C3", "O1", "O2"],
        "blinks_per_minute": 0,
        "seed": 5,
    },
    "rhythm": {"band": "alpha", "frequency_hz": 10.2},
    "montage": {"weights": {"O1": 0.5, "O2": 0.5}},
    "estimator": {"kind": "iir"},
    "target": {"phase_deg": 0},
    "gate": {"amplitude": "open"},
    "artifact": {"hold_s": 0.2},
    "timing": {"iti_s": 0.3},
    "output": {"kind": "simulated-serial-byte"},
    "limits": {
        "modality": "marker",
        "min_interval_s": 0.25,
        "max_pulses": 100,
        "max_per_minute": 240,
        "max_lateness_ms": 2.0,
        "max_data_age_ms": MAX_DATA_AGE_S * 1e3,
        "max_gap_s": 0.2,
        "max_silence_s": 0.5,
        "max_artifact_s": 0.5,
        "max_armed_s": 600,
    },
    "run": {"rest_s": 0, "duration_s": 20},
}

_DOSE: dict[str, object] = {
    "max_pulses_per_day": 1000,
    "max_pulses_total": 10_000,
    "max_trains_per_session": 0,
    "max_trains_per_day": 0,
    "max_trains_total": 0,
    "max_full_pulses_per_day": 1000,
}


def config_text(**tables: dict[str, object]) -> str:
    """Return a short session's file; a table with a `kind` replaces, others change."""
    lines = []
    usually = dict(_TABLES)
    if not str(tables.get("output", {}).get("kind", "simulated")).startswith("sim"):
        usually["run"] = _TABLES["run"] | {"participant": "P01"}
        usually["limits.dose"] = _DOSE
    for name in usually | tables:
        usual, given = usually.get(name, {}), tables.get(name, {})
        table = given if "kind" in given else usual | given
        lines += [f"[{name}]", *(f"{key} = {_toml(v)}" for key, v in table.items()), ""]
    return "\n".join(lines)


def config_of(**tables: dict[str, object]) -> Config:
    """Return the configuration of `config_text`."""
    return parse_config(config_text(**tables), where="bad-day.toml")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{k} = {_toml(v)}' for k, v in value.items())} }}"
    return json.dumps(value)


class Operator:
    """A listener that does one thing once, as soon as the session is so far.

    Parameters
    ----------
    when : callable
        Of the session's status.
    do : callable
    """

    def __init__(
        self,
        when: Callable[[Status], bool] = lambda _: False,
        do: Callable[[], object] = lambda: None,
    ) -> None:
        self.notes: list[str] = []
        self.status = Status()
        self._when = when
        self._do: Callable[[], object] | None = do

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def update(self, status: Status) -> None:
        self.status = status
        if self._do is not None and self._when(status):
            do, self._do = self._do, None
            do()


def in_closed_loop(fired: int) -> Callable[[Status], bool]:
    """Return whether the loop is closed and has fired so often."""
    return lambda status: status.stage == "closed loop" and status.fired >= fired


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A session that has ended: what the operator got, and its folder read back."""

    finished: Finished
    session: Session
    operator: Operator
    codes: tuple[tuple[float, int], ...]

    @classmethod
    def of(cls, finished: Finished, operator: Operator) -> "Day":
        log = finished.folder / "device.jsonl"
        arrivals = read_arrivals(log) if log.exists() else []
        return cls(
            finished=finished,
            session=load_session(finished.folder),
            operator=operator,
            codes=tuple((one.t_observed, one.code) for one in arrivals),
        )

    @property
    def summary(self) -> Mapping[str, Any]:
        return self.finished.summary

    @property
    def t_fired(self) -> Any:
        pulses = self.session.pulses
        return pulses["t_fired"][pulses["refusal"] == Refusal.NONE]

    @property
    def last_event(self) -> dict[str, Any]:
        return self.session.events[-1]

    def event(self, kind: str) -> dict[str, Any]:
        (found,) = (one for one in self.session.events if one["event"] == kind)
        return found

    def t_last_sample(self) -> float:
        return float(self.session.samples["t_sample"][-1])

    def assert_no_trigger_after(self, t: float) -> None:
        """Neither the records nor the device may know of one."""
        assert np.all(self.t_fired <= t)
        assert all(t_arrived <= t + 0.01 for t_arrived, code in self.codes if code)

    def assert_every_trigger_arrived(self) -> None:
        arrivals = self.summary["arrivals"]
        assert arrivals["missing"] == arrivals["extra"] == 0
        assert sum(code != 0 for _, code in self.codes) == len(self.t_fired)

    def assert_line_low(self) -> None:
        assert not self.codes or self.codes[-1][1] == 0

    def assert_replays(self) -> None:
        """Every decision, wire action and estimate comes out again, bit for bit."""
        report = replay_folder(self.finished.folder)
        for verdict in (report.decisions, report.edges, report.samples):
            assert verdict.identical, verdict.first_difference
        assert report.handed_over is not False

    def assert_complete(self) -> None:
        """The folder opens, is whole, holds summary and report, and replays."""
        assert self.session.notes == ()
        assert self.session.summary == self.finished.summary
        assert self.finished.report.stat().st_size > 10_000
        self.assert_replays()

    def assert_failed(self, kind: type[PhasegateError], *words: str) -> None:
        """The operator got one sentence and a code; the folder says the same."""
        error = self.finished.error
        assert type(error) is kind
        assert_one_sentence(str(error), *words)
        assert self.finished.exit_code == kind.exit_code
        assert self.summary["exit"] == {"code": kind.exit_code, "reason": str(error)}
        assert self.last_event["event"] == "fault"
        assert self.last_event["sentence"] == str(error)
        page = self.finished.report.read_text(encoding="utf-8")
        assert str(error) in html.unescape(page)
        self.assert_complete()
        self.assert_no_trigger_after(self.last_event["t"])


def assert_one_sentence(sentence: str, *words: str) -> None:
    """One line, one full stop, at its end; with these words in it."""
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert ". " not in sentence
    assert "nan" not in sentence.split()
    for word in words:
        assert word in sentence


def assert_nothing_runs(started: list[Any]) -> None:
    """Every process that was started has been waited for, and the loop's thread too."""
    assert started
    assert all(process.returncode is not None for process in started)
    names = {thread.name for thread in threading.enumerate()}
    assert "phasegate-loop" not in names
