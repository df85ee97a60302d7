"""The trial log survives processes that are killed at any moment."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.errors import FileError
from controller.protocol.canonical import protocol_hash
from controller.protocol.protocol_file import load_protocol
from controller.protocol.trial_events import Done, Fired, Note, StageBegun, Started
from controller.protocol.trial_list import trial_list
from controller.protocol.trial_log import Progress
from controller.session.books.trial_file import TrialFile

PATH = Path(__file__).parents[2] / "configs" / "protocols" / "power-gated.toml"
PROTOCOL = load_protocol(PATH)
TRIALS = trial_list(PROTOCOL, 1)
STARTED = {
    "protocol_hash": protocol_hash(PROTOCOL),
    "seed": 1,
    "n_trials": len(TRIALS),
}


@contextlib.contextmanager
def opened(path: Path) -> Iterator[TrialFile]:
    with contextlib.closing(TrialFile(path, Progress(PROTOCOL, TRIALS, 1))) as file:
        yield file


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "trials.jsonl"
    with opened(path) as file:
        file.add(Started, 1.0, **STARTED)
        file.add(StageBegun, 2.0, stage=1)
        file.add(Fired, 3.0, trial=0, key="0/7", n_pulses=1)
    return path


def test_a_log_goes_on_where_it_stopped(log: Path) -> None:
    with opened(log) as file:
        file.add(Started, 9.0, **STARTED)
        for event in file.progress.after_crash([], 9.0):
            file.append(event)
        assert file.progress.next_trial == TRIALS[1]
    with opened(log) as file:
        assert file.progress.states[0].outcome == "given"
        assert file.progress.n_pulses == 1
    assert [path.name for path in log.parent.iterdir()] == [log.name]


@pytest.mark.parametrize("n_torn", [1, 20, 60])
def test_a_torn_line_is_left_out_and_written_over(log: Path, n_torn: int) -> None:
    log.write_bytes(log.read_bytes()[:-n_torn])
    with opened(log) as file:
        assert file.progress.n_pulses == 0
        file.add(Note, 9.0, text="went on")
    with opened(log) as file:
        assert file.progress.notes[0].text == "went on"


def test_what_cannot_follow_is_not_written(log: Path) -> None:
    before = log.read_bytes()
    with opened(log) as file:
        file.add(Done, 9.0, trial=len(TRIALS) - 1, outcome="given")
        with pytest.raises(FileError, match="not to come"):
            file.add(Done, 9.0, trial=len(TRIALS) - 1, outcome="given")
    assert log.read_bytes().count(b"\n") == before.count(b"\n") + 1


def test_a_log_of_another_protocol_is_refused(log: Path) -> None:
    other = load_protocol(PATH.with_name("ctbs.toml"))
    with pytest.raises(FileError, match="another protocol"):
        TrialFile(log, Progress(other, trial_list(other, 1), 1))


KILLED = f"""
import sys
from pathlib import Path
from controller.protocol.protocol_file import load_protocol
from controller.protocol.trial_events import Done, Fired
from controller.protocol.trial_list import trial_list
from controller.protocol.trial_log import Progress
from controller.session.books.trial_file import TrialFile

protocol = load_protocol(Path({str(PATH)!r}))
progress = Progress(protocol, trial_list(protocol, 1), 1)
file = TrialFile(Path(sys.argv[1]), progress)
while (trial := progress.next_trial) is not None:
    key = f"{{progress.n_events}}"
    sys.stdout.write(f"{{trial.number}} {{key}}\\n")
    sys.stdout.flush()
    file.add(Fired, 1.0, trial=trial.number, key=key, n_pulses=1)
    file.add(Done, 1.0, trial=trial.number, outcome="given")
"""


def test_a_process_killed_at_any_moment_loses_no_pulse(log: Path) -> None:
    """What it said it fired stands for the records of edges."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(log)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(20)]
    process.kill()
    said += process.stdout.read().splitlines()
    process.wait(10)
    process.stdout.close()
    fired = [line.split() for line in said if len(line.split()) == 2]
    edges = [
        Fired(seq=0, t=0.0, trial=int(trial), key=key, n_pulses=1)
        for trial, key in fired
    ]
    with opened(log) as file:
        for event in file.progress.after_crash(edges, 9.0):
            file.append(event)
        # One from before the process, and each that it said.
        assert file.progress.n_pulses == 1 + len(edges)
        assert sum(s.outcome == "given" for s in file.progress.states) == len(
            {int(trial) for trial, _ in fired} | {0}
        )
