"""Shortened copies of the ready protocols, run live: do log, book and twins agree?

`python -m bench.protocols --live` keeps each protocol's patterns, conditions and
intensities, leaves a trial of each condition and a short rest, and runs it unattended
against the simulated participant, trigger box and the first simulated stimulator whose
rules allow it.
"""

import bisect
import collections
import contextlib
import dataclasses
import json
import math
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bench.faults.command import keep_to_ourselves
from bench.rows import Bound, Row
from controller.calibration.toml_text import to_toml
from controller.cli.shipped import shipped_config
from controller.config import parse_config
from controller.errors import ConfigError
from controller.protocol.form import Protocol
from controller.protocol.patterns import layout_of
from controller.protocol.protocol_file import parse_protocol
from controller.protocol.stage_forms import Task
from controller.protocol.trial_list import cells_of
from controller.rig.study.prepared import Study, require_runnable
from controller.rig.study.resume import study_begun
from controller.session.books.dose_book import DoseBook
from controller.session.books.study_file import read_begun
from controller.session.books.trial_file import TRIALS, TrialFile

RMT_PCT_MSO: Final = 50.0
REST_S: Final = 20.0
MOST_TRIALS: Final = 6
STIMULATORS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "simulated-magstim-200"},
    {
        "kind": "simulated-magstim-bistim",
        "second_intensity_pct_mso": 0,
        "pair_interval_ms": 0,
    },
    # Before the Rapid², whose twin does not follow bursts triggered pulse by pulse.
    {"kind": "simulated-magpro"},
    {"kind": "simulated-magstim-rapid", "variant": "super-plus"},
)
_COMMAND: Final = "from controller.cli.main import main; main()"
_LONGEST_S: Final = 300.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What trial log, dose book and simulated devices say of one session.

    Parameters
    ----------
    logged, at_box, made : mapping of str to int
        Pulses by condition: of the trial log, rising edges at the simulated trigger
        box, and pulses of the simulated stimulator. What a device saw belongs to the
        trial that had fired last.
    booked : int
        Pulses in the dose book.
    missed : int
        Triggers that the simulated stimulator could not follow.
    unfinished : int
        Trials without an outcome.
    """

    logged: Mapping[str, int]
    at_box: Mapping[str, int]
    made: Mapping[str, int]
    booked: int
    missed: int
    unfinished: int

    @property
    def disagreements(self) -> int:
        """In how many ways they differ, or something is left out."""
        logged = dict(self.logged)
        return sum(
            (
                dict(self.at_box) != logged,
                dict(self.made) != logged,
                self.booked != sum(logged.values()),
                self.missed > 0,
                self.unfinished > 0,
                not logged,
            )
        )

    def told(self) -> str:
        """Return it in words."""
        by_condition = ", ".join(
            f"{name} {n}/{self.at_box.get(name, 0)}/{self.made.get(name, 0)}"
            for name, n in self.logged.items()
        )
        parts = [
            f"pulses by trial log/box/stimulator: {by_condition}",
            f"dose book {self.booked}",
        ]
        if self.missed:
            parts.insert(0, f"twin could not follow {self.missed} triggers")
        if self.unfinished:
            parts.append(f"{self.unfinished} trials without an outcome")
        return "; ".join(parts)


def shortened(text: str) -> str:
    """Return a protocol that is over in a minute or so.

    One trial of each condition and phase in each stage, six at most; the rest is short,
    and nobody is blinded.

    Parameters
    ----------
    text : str
        Of a protocol's file.
    """
    protocol = parse_protocol(text, where="protocol")
    table = tomllib.loads(text)
    table.pop("blinding", None)
    for stage in table["stages"]:
        if stage["kind"] in ("rest", "calibration"):
            stage["duration_s"] = REST_S
    for place, stage in protocol.stimulating_stages():
        n = min(max(2, len(cells_of(protocol, stage))), MOST_TRIALS)
        table["stages"][place].pop("duration_s", None)
        table["stages"][place]["n_trials"] = min(n, stage.n_trials or n)
    return to_toml(table)


def rig_text(protocol: Protocol, stimulator: Mapping[str, Any]) -> str:
    """Return the shipped rig with a simulated stimulator behind its trigger box.

    Its `min_interval_s` is what the protocol leaves between patterns, for a device may
    refuse a shorter one that never comes.
    """
    path = shipped_config("mu-protocols-simulated.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    table["stimulator"] = {"intensity_pct_mso": 1, **stimulator}
    table["limits"]["stimulator"] = {
        "max_intensity_pct_mso": 60,
        "max_intensity_step_pct": 60,
        "max_coil_c": 40,
        "max_status_age_s": 1.0,
    }
    longest_s = max(
        layout_of(protocol.pattern_of(each)).duration_s
        for each in protocol.conditions
        if each.gives_pulses
    )
    shortest_s = min(
        iti_s - jitter_s - longest_s
        for iti_s, jitter_s in (
            protocol.iti_of(stage) for _, stage in protocol.stimulating_stages()
        )
    )
    between_s = math.floor(shortest_s * 10.0) / 10.0
    table["limits"]["min_interval_s"] = between_s
    # Not used where a protocol leads, but the file has to be sound.
    table["timing"]["iti_s"] = between_s
    return to_toml(table)


def run_live(name: str, text: str, out: Path) -> Row:
    """Run a shortened protocol and return how far its books disagree.

    Parameters
    ----------
    name : str
    text : str
        Of the shortened protocol.
    out : Path
        For its sessions; a folder that is there.
    """
    protocol = parse_protocol(text, where=name)
    study = Study.of(protocol, text, seed=1, rmt_pct_mso=RMT_PCT_MSO)
    refusals = []
    for stimulator in STIMULATORS:
        config = rig_text(protocol, stimulator)
        rig = parse_config(config, where="rig")
        try:
            require_runnable(study, rig)
        except ConfigError as refusal:
            refusals.append(f"{stimulator['kind']}: {refusal}")
            continue
        return _row(name, str(stimulator["kind"]), *_session(text, config, out))
    return _result(name, 0, f"refused by every stimulator; {' '.join(refusals)}")


def _session(text: str, config: str, out: Path) -> tuple[int, str, Path | None]:
    """Return exit code, its reason, and the folder."""
    protocol, rig = out / "protocol.toml", out / "rig.toml"
    protocol.write_text(text, encoding="utf-8")
    rig.write_text(config, encoding="utf-8")
    command = [sys.executable, "-c", _COMMAND, "run", str(rig)]
    command += ["--protocol", str(protocol), "--unattended", "--json"]
    command += ["--rmt", str(RMT_PCT_MSO), "--out", str(out / "sessions")]
    with (
        keep_to_ourselves(out),
        _task_of(parse_protocol(text, where="protocol")),
    ):
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 1, f"it was not over after {_LONGEST_S:g} s", None
    try:
        told = json.loads(ended.stdout)
    except ValueError:
        return ended.returncode, ended.stderr[-1000:], None
    folder = told.get("folder")
    reason = str(told.get("exit", {}).get("reason", ""))
    return ended.returncode, reason, None if folder is None else Path(folder)


@contextlib.contextmanager
def _task_of(protocol: Protocol) -> Iterator[None]:
    """Send a task's markers over LSL while the block runs, if the protocol has a task.

    Window after window, and its beginning again and again: which of them counts is the
    session's business.
    """
    tasks = [stage for stage in protocol.stages if isinstance(stage, Task)]
    streams = protocol.marker_streams
    if not tasks or streams is None or streams.listen_to is None:
        yield
        return
    import pylsl

    name, task = streams.listen_to, tasks[0]
    outlet = pylsl.StreamOutlet(
        pylsl.StreamInfo(name, "Markers", 1, 0.0, pylsl.cf_string, name)
    )
    markers = [
        wanted.marker
        for wanted in (task.enter, task.window)
        if wanted is not None and wanted.marker is not None
    ]
    over = threading.Event()
    iti_s, jitter_s = protocol.iti_of(task)

    def send() -> None:
        while not over.wait(iti_s + jitter_s + 0.5):
            for marker in markers:
                outlet.push_sample([marker])

    sender = threading.Thread(target=send, name="bench-task")
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


def books_of(folder: Path) -> Books:
    """Return what the records of a session say, each by itself.

    Parameters
    ----------
    folder : Path
        Of a session with a protocol and a simulated stimulator.
    """
    begun, text, _ = read_begun(folder)
    progress = study_begun(begun, text, where="protocol").new_progress()
    TrialFile(folder / TRIALS, progress).close()
    condition = {state.trial.number: state.trial.condition for state in progress.states}
    logged: collections.Counter[str] = collections.Counter()
    for state in progress.states:
        if state.n_pulses:
            logged[state.trial.condition] += state.n_pulses
    begun_at = sorted(
        (line["t"], condition[line["trial"]])
        for line in _lines(folder / TRIALS)
        if line["kind"] == "fired"
    )
    edges = [
        line["t_observed"]
        for line in _lines(folder / "device.jsonl")
        if line["code"] > 0
    ]
    said = _lines(folder / "stimulator.jsonl")
    pulses = [line["t"] for line in said if line["kind"] == "pulse"]
    return Books(
        logged=logged,
        at_box=_by_condition(edges, begun_at),
        made=_by_condition(pulses, begun_at),
        booked=sum(
            each.dose.pulses for each in DoseBook(folder / "dose.jsonl").sessions()
        ),
        missed=sum(line["kind"] == "missed" for line in said),
        unfinished=sum(state.outcome is None for state in progress.states),
    )


def _by_condition(
    t_seen: list[float], begun_at: list[tuple[float, str]]
) -> Mapping[str, int]:
    counts: collections.Counter[str] = collections.Counter()
    instants = [t for t, _ in begun_at]
    for t in t_seen:
        place = bisect.bisect_right(instants, t) - 1
        counts[begun_at[place][1] if place >= 0 else "before any trial"] += 1
    return counts


def _lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def _row(name: str, kind: str, code: int, reason: str, folder: Path | None) -> Row:
    if code == ConfigError.exit_code:
        return _result(name, 0, f"{kind}: refused: {reason}")
    if code != 0 or folder is None:
        return _result(name, 1, f"{kind}: ended with {code}: {reason}")
    books = books_of(folder)
    return _result(name, books.disagreements, f"{kind}: {books.told()}")


def _result(name: str, n_disagreements: int, detail: str) -> Row:
    none = Bound("<=", 0.0)
    return Row(
        name=f"live.{name}",
        value=float(n_disagreements),
        unit="differences",
        target=none,
        budget=none,
        detail=detail,
    )
