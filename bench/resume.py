"""Sessions killed at random moments and resumed: is any pulse lost, or counted twice?

`python -m bench.resume --kills 20` runs one protocol live against simulated devices,
kills the whole session with SIGKILL again and again, resumes it each time, and at the
end holds trial log and dose books against what the simulated trigger boxes saw.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from bench.outcome import exit_code, print_rows, to_json
from bench.rows import Bound, Row
from controller.cli.shipped import shipped_config
from controller.protocol.protocol_file import parse_protocol
from controller.rig.dose import count_session, is_counted
from controller.rig.study.resume import study_begun
from controller.session.books.dose_book import DoseBook
from controller.session.books.study_file import parts_of, read_begun
from controller.session.books.trial_file import TRIALS, TrialFile

_COMMAND = "from controller.cli.main import main; main()"
_LONGEST_S = 600.0
_FILE = click.Path(dir_okay=False, path_type=Path)

PROTOCOL = """
title = "Killed and resumed"
version = "1"
modality = "tms"
[intensity]
pct_mso = 50
[intervals]
iti_s = 2.5
[shadow]
share = 0.2
[dose]
min_interval_s = 1.5
max_pulses_per_session = 2000
max_pulses_per_day = 2000
max_pulses_total = 2000
[[conditions]]
name = "peak"
when = {{ kind = "phase", phase_deg = 0 }}
[[conditions]]
name = "clock"
when = {{ kind = "open-loop" }}
[[conditions]]
name = "pair"
when = {{ kind = "phase", phase_deg = 180 }}
pattern = {{ kind = "paired", interval_ms = 100 }}
[[stages]]
kind = "rest"
name = "rest"
duration_s = {rest_s}
[[stages]]
kind = "run"
name = "first"
n_trials = {half}
[[stages]]
kind = "run"
name = "second"
n_trials = {half}
"""


def protocol_text(n_trials: int, rest_s: float = 20.0) -> str:
    """Return a protocol of so many trials in two stages."""
    return PROTOCOL.format(half=max(1, n_trials // 2), rest_s=rest_s)


def books_of(first: Path) -> dict[str, Any]:
    """Return what log, dose books and simulated devices say of a session.

    Parameters
    ----------
    first : Path
        The session's first folder.
    """
    begun, text, _ = read_begun(first)
    study = study_begun(begun, text, where="protocol")
    progress = study.new_progress()
    TrialFile(first / TRIALS, progress).close()
    seen = booked = 0
    for folder in parts_of(first):
        seen += _pulses_seen(folder / "device.jsonl")
        if not is_counted(begun.participant, folder):
            count_session(begun.participant, folder)
        for session in DoseBook(folder / "dose.jsonl").sessions():
            booked += session.dose.pulses
    whole = {"pair": 2}
    wrong = [
        state.trial.number
        for state in progress.states
        if not state.trial.shadow
        and state.n_pulses > whole.get(state.trial.condition, 1)
    ]
    missing = [s.trial.number for s in progress.states if s.outcome is None]
    return {
        "seen": seen,
        "logged": progress.n_pulses,
        "booked": booked,
        "given_twice": wrong,
        "missing": missing,
        "parts": len(parts_of(first)),
        "over": progress.next_stage is None,
    }


def _pulses_seen(log: Path) -> int:
    lines = log.read_text(encoding="utf-8").split("\n") if log.exists() else []
    return sum(json.loads(line)["code"] > 0 for line in lines if line.endswith("}"))


def run_and_kill(
    n_kills: int, *, out: Path, n_trials: int, seed: int
) -> dict[str, Any]:
    """Kill a session so many times, let it end, and return what its books say."""
    chance = random.Random(seed)
    protocol = out / "protocol.toml"
    text = protocol_text(n_trials)
    parse_protocol(text, where="bench")
    protocol.write_text(text, encoding="utf-8")
    rig = str(shipped_config("mu-protocols-simulated.toml"))
    first: Path | None = None
    killed = 0
    t_end = time.monotonic() + _LONGEST_S + 60.0 * n_kills
    while True:
        what = [rig, "--protocol", str(protocol)]
        if first is not None:
            what = ["--resume", str(first)]
        command = [sys.executable, "-c", _COMMAND, "run", *what]
        with (out / "output.txt").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--unattended", "--out", str(out / "sessions")],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
            if killed < n_kills:
                _kill_within(process, first, out, chance)
                killed += 1
            code = process.wait(timeout=_LONGEST_S)
        if first is None:
            found = sorted((out / "sessions").glob("*/study.json"))
            first = found[0].parent if found else None
        click.echo(f"{killed} kills, exit {code}", err=True)
        if code > 0:
            told = (out / "output.txt").read_text(encoding="utf-8")[-2000:]
            raise click.ClickException(f"a session ended with {code}: {told}")
        if code == 0 or not time.monotonic() < t_end:
            break
    if first is None:
        raise click.ClickException("no session was begun")
    return books_of(first) | {"kills": killed}


def _kill_within(
    process: "subprocess.Popen[bytes]",
    first: Path | None,
    out: Path,
    chance: random.Random,
) -> None:
    """Kill at a random moment, most often while trials are given."""
    t_end = time.monotonic() + 60.0
    before = 0 if first is None else len(parts_of(first))
    while time.monotonic() < t_end and process.poll() is None:
        found = sorted((out / "sessions").glob("*/rows.json"))
        if len(found) > before:
            break
        time.sleep(0.05)
    time.sleep(chance.uniform(0.0, 8.0))
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)


def rows_of(books: dict[str, Any]) -> list[Row]:
    """Return the figures, each of which must be none."""
    what = (
        f"{books['kills']} kills, {books['parts']} parts, {books['seen']} pulses at "
        "the simulated trigger boxes"
    )
    figures = {
        "resume.lost_from_log": books["seen"] - books["logged"],
        "resume.lost_from_dose_books": max(0, books["seen"] - books["booked"]),
        # Each part that was killed counts one pulse that may have been on its way.
        "resume.too_many_in_dose_books": max(
            0, books["booked"] - books["seen"] - books["kills"]
        ),
        "resume.trials_given_twice": len(books["given_twice"]),
        "resume.trials_missing": len(books["missing"]),
    }
    return [
        Row(
            name=name,
            value=float(abs(value)),
            unit="",
            target=Bound("<=", 0.0),
            budget=Bound("<=", 0.0),
            detail=what,
        )
        for name, value in figures.items()
    ]


@click.command()
@click.option("--kills", type=click.IntRange(0, 1000), default=20)
@click.option("--trials", type=click.IntRange(2, 10_000), default=60)
@click.option("--seed", type=int, default=1)
@click.option("--json", "json_file", type=_FILE, help="Write the rows as JSON.")
def main(kills: int, trials: int, seed: int, json_file: Path | None) -> None:
    """Kill and resume a session, and hold its books against the simulated devices."""
    with tempfile.TemporaryDirectory(prefix="phasegate-resume-") as root:
        books = run_and_kill(kills, out=Path(root), n_trials=trials, seed=seed)
        rows = rows_of(books)
    print_rows(rows)
    if json_file is not None:
        json_file.write_text(to_json(rows), encoding="utf-8")
    sys.exit(exit_code(rows))


if __name__ == "__main__":
    main()
