"""Whether sessions are decided the same at every replay, on a busy machine as well.

`python -m bench.fingerprint` makes three sessions with different estimators and
troubles on a virtual clock, or takes those that it is given, and replays each some
times: first with the machine as it is, then in other processes while a process of
ours computes on every core. Every replay must give the hash of the decisions that
were recorded.
"""

import contextlib
import dataclasses
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click

from bench.outcome import conditions_now
from bench.session_maker import Trouble, make_session
from bench.session_troubles import artifacts, gaps, stalls
from controller.config import parse_config
from controller.rig.replay.report import replay_folder

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_SESSIONS: tuple[tuple[str, Trouble], ...] = (
    ("blend", gaps),
    ("wiener", stalls),
    ("kalman", artifacts),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprints:
    """The hashes of one session.

    Parameters
    ----------
    folder : str
    decisions : int
    recorded : str
        Hash of the decisions in the session's log.
    quiet, loaded : tuple of str
        Of each replay, with the machine as it is and with all cores loaded.
    """

    folder: str
    decisions: int
    recorded: str
    quiet: tuple[str, ...]
    loaded: tuple[str, ...]

    @property
    def different(self) -> int:
        """How many replays decided differently."""
        return sum(one != self.recorded for one in (*self.quiet, *self.loaded))


def make_sessions(root: Path) -> list[Path]:
    """Make three sessions that differ in estimator, participant and trouble."""
    demo = Path(__file__).parents[1] / "configs" / "demo.toml"
    text = demo.read_text(encoding="utf-8")
    folders = []
    for seed, (estimator, trouble) in enumerate(_SESSIONS, start=1):
        own = text.replace('kind = "blend"', f'kind = "{estimator}"')
        config = parse_config(own, where="bench.fingerprint")
        folders.append(make_session(config, own, root, seed=seed, trouble=trouble))
    return folders


def hashed(folder: Path) -> tuple[int, str, str]:
    """Replay a session once; return its decisions and both hashes."""
    verdict = replay_folder(folder).decisions
    return verdict.count, verdict.fingerprint, verdict.replayed_fingerprint


def fingerprints(folder: Path, *, n_replays: int) -> Fingerprints:
    """Replay a session on a quiet and on a loaded machine."""
    count, recorded, _ = hashed(folder)
    quiet = tuple(hashed(folder)[2] for _ in range(n_replays))
    context = multiprocessing.get_context("spawn")
    n_cores = os.cpu_count() or 1
    with (
        loaded_cores(n_cores),
        ProcessPoolExecutor(min(n_cores, n_replays), mp_context=context) as pool,
    ):
        loaded = tuple(one[2] for one in pool.map(hashed, [folder] * n_replays))
    return Fingerprints(
        folder=str(folder),
        decisions=count,
        recorded=recorded,
        quiet=quiet,
        loaded=loaded,
    )


@contextlib.contextmanager
def loaded_cores(n_cores: int) -> Iterator[None]:
    """Keep a process busy on each core, within a block."""
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_spin, args=(core,), daemon=True)
        for core in range(n_cores)
    ]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


def _spin(core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[core % len(allowed)]})
    total = 0
    while True:
        total = (total + 1) % 1_000_003


def as_dict(found: list[Fingerprints]) -> dict[str, Any]:
    """Return the outcome for machines."""
    return {
        "identical": all(one.different == 0 for one in found),
        "sessions": [
            dataclasses.asdict(one) | {"different": one.different} for one in found
        ],
        "conditions": conditions_now(),
    }


@click.command()
@click.argument("sessions", nargs=-1, type=_FOLDER)
@click.option("--replays", type=click.IntRange(1, 1000), default=10)
@click.option("--json", "json_file", type=_FILE, help="Write the hashes as JSON.")
def main(sessions: tuple[Path, ...], replays: int, json_file: Path | None) -> None:
    """Replay sessions again and again and compare the hashes of their decisions."""
    found = []
    with tempfile.TemporaryDirectory(prefix="phasegate-bench-") as root:
        for folder in sessions or make_sessions(Path(root)):
            one = fingerprints(folder, n_replays=replays)
            found.append(one)
            click.echo(
                f"{folder.name}: {one.decisions} decisions, {one.recorded[:16]}; "
                f"of {len(one.quiet)} replays and {len(one.loaded)} on loaded cores "
                f"{one.different} differ"
            )
    told = as_dict(found)
    if json_file is not None:
        json_file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if told["identical"] else 1)


if __name__ == "__main__":
    main()
