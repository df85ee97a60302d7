"""How fast a session's folder is replayed: 64 channels at 1 kHz, files and all.

`python -m bench.virtual_session` makes sessions of a simulated participant on a virtual
clock, one for a filter of 512 taps and one for a recursion, and replays each some times
as `phasegate replay SESSION` does. The fastest counts, for the loop alone and with the
reading of the folder; a replay that differs in a bit is an error.
"""

import sys
import tempfile
from pathlib import Path

import click

from bench.budgets import read_budgets
from bench.outcome import conditions_now, exit_code, print_rows, to_json
from bench.rows import Bound, Row
from bench.scenes import fir_design, recursive_design
from bench.session_maker import make_session
from controller.calibration.positions import POSITIONS
from controller.config import parse_config
from controller.estimators.base import Brief, Design, Designer
from controller.kernels.jit import Float64Array
from controller.rig.replay.report import ReplayReport, replay_folder

SUITE = "virtual_session"

_N_CHANNELS = 64
_SFREQ_HZ = 1000
_REST_S = 20.0
_TARGETS = {"recursive": 4000.0, "fir512": 400.0}
_FILE = click.Path(dir_okay=False, path_type=Path)

_TEXT = """
title = "virtual session"
[source]
kind = "synthetic"
channels = [{labels}]
sfreq_hz = {sfreq_hz}
alpha_uv = 18
seed = 3
[rhythm]
band = "alpha"
[montage]
weights = {{ Oz = 1.0, Cz = -0.25, C3 = -0.25, C4 = -0.25, Fz = -0.25 }}
[estimator]
kind = "iir"
[target]
phase_deg = 0
[gate]
amplitude = "percentile"
percentile = 30
[timing]
iti_s = 1.5
iti_jitter_s = 0.2
seed = 7
[output]
kind = "simulated-serial-byte"
{limits}
[run]
rest_s = {rest_s}
duration_s = {loop_s}
"""


class _Fir512:
    """The longest filter that the figures promise."""

    name = "fir512"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return a filter of 512 taps, whatever the rest."""
        del rest
        return fir_design(brief)


class _Recursive:
    """The shortest recursion of the shipped estimators."""

    name = "recursive"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return the recursion of the estimator `iir`, whatever the rest."""
        del rest
        return recursive_design(brief)


def labels_of(n_channels: int) -> list[str]:
    """Return so many electrodes, those of the montage first."""
    first = ["Oz", "Cz", "C3", "C4", "Fz"]
    beside = {"Nz", "I1", "Iz", "I2"}  # where the participant has no electrode
    others = [label for label in POSITIONS if label not in {*first, *beside}]
    return (first + others)[:n_channels]


def session_of(designer: Designer, root: Path, *, minutes: float) -> Path:
    """Make a session of 64 channels at 1 kHz and return its folder."""
    demo = Path(__file__).parents[1] / "configs" / "demo.toml"
    text = demo.read_text(encoding="utf-8")
    limits = text[text.index("[limits]") : text.index("[run]")]
    text = _TEXT.format(
        labels=", ".join(f'"{label}"' for label in labels_of(_N_CHANNELS)),
        sfreq_hz=_SFREQ_HZ,
        limits=limits,
        rest_s=_REST_S,
        loop_s=60.0 * minutes,
    )
    config = parse_config(text, where="bench.virtual_session")
    return make_session(config, text, root, designer=designer)


def measure(*, minutes: float, n_repeats: int) -> list[Row]:
    """Return how many times faster than real time folders are replayed."""
    rows: list[Row] = []
    for designer in (_Recursive(), _Fir512()):
        with tempfile.TemporaryDirectory(prefix="phasegate-bench-") as root:
            folder = session_of(designer, Path(root), minutes=minutes)
            megabytes = (folder / "eeg.xdf").stat().st_size / 1e6
            reports = [replay_folder(folder) for _ in range(n_repeats)]
        rows += rows_of(designer.name, reports, megabytes)
    return rows


def rows_of(name: str, reports: list[ReplayReport], megabytes: float) -> list[Row]:
    """Return the fastest loop, and the fastest with the reading of the files.

    Raises
    ------
    RuntimeError
        If a replay was not identical.
    """
    for report in reports:
        if not (report.identical and report.edges.identical):
            raise RuntimeError(
                f"The replay of {name} differs: {report.decisions.first_difference}."
            )
    best = max(reports, key=lambda report: report.speed.times)
    read = max(reports, key=lambda report: report.speed.times_with_reading)
    what = (
        f"{best.speed.recorded_s:.0f} s of {_N_CHANNELS} channels at 1 kHz, "
        f"{best.decisions.count} decisions, all identical; fastest of {len(reports)}"
    )
    return [
        Row(
            name=f"session.{name}",
            value=best.speed.times,
            unit="x real time",
            target=Bound(">=", _TARGETS[name]),
            detail=f"rest, warm-up and closed loop of a session's folder: {what}",
        ),
        Row(
            name=f"session.{name}_with_files",
            value=read.speed.times_with_reading,
            unit="x real time",
            detail=f"the same with the reading of {megabytes:.0f} MB in "
            f"{read.speed.reading_s:.3f} s, from the page cache",
        ),
    ]


@click.command()
@click.option("--smoke", is_flag=True, help="Short, with looser budgets.")
@click.option("--minutes", type=click.FloatRange(0.1, 120.0), default=5.0)
@click.option("--repeats", type=click.IntRange(1, 100), default=10)
@click.option("--json", "json_file", type=_FILE, help="Write the rows as JSON.")
def main(json_file: Path | None, minutes: float, repeats: int, *, smoke: bool) -> None:
    """Measure how fast a session's folder is replayed."""
    if smoke:
        minutes, repeats = 0.5, 3
    rows = measure(minutes=minutes, n_repeats=repeats)
    rows = read_budgets().applied(SUITE, rows, smoke=smoke)
    print_rows(rows)
    for name, value in conditions_now().items():
        click.echo(f"{name}: {value}")
    if json_file is not None:
        json_file.write_text(to_json(rows), encoding="utf-8")
    sys.exit(exit_code(rows))


if __name__ == "__main__":
    main()
