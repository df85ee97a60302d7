"""How long the ready protocols take in virtual time, records and all.

`python -m bench.protocols` runs each of `configs/protocols` from its file, from the
first stage to the last, and tells what forty minutes of it would take. With `--live`
shortened copies run live instead, see `bench.protocols_live`.
"""

import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import click

from bench.outcome import exit_code, print_rows, to_json
from bench.protocols_live import run_live, shortened
from bench.rows import Bound, Row
from controller.cli.shipped import shipped_config
from controller.config import load_config
from controller.protocol.dose import planned_dose
from controller.protocol.protocol_file import load_protocol
from controller.rig.study.prepared import Study
from controller.rig.study.virtual_study import run_study_virtually

_SESSION_S = 40.0 * 60.0
_WITHIN_S = 10.0
_FILE = click.Path(dir_okay=False, path_type=Path)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One protocol, run.

    Parameters
    ----------
    name : str
    took_s : float
        Computing time of this process; another's share of the machine is left out.
    lasts_s : float
        Virtual time.
    n_pulses, n_planned : int
    """

    name: str
    took_s: float
    lasts_s: float
    n_pulses: int
    n_planned: int

    @property
    def for_session_s(self) -> float:
        """What forty minutes of it take."""
        return self.took_s * _SESSION_S / self.lasts_s


def run_protocol(path: Path) -> Ran:
    """Run a protocol in virtual time.

    Parameters
    ----------
    path : Path
    """
    rig = shipped_config("mu-protocols-simulated.toml")
    protocol = load_protocol(path)
    arm = None if protocol.blinding is None else protocol.blinding.arms[0]
    study = Study.of(
        protocol,
        path.read_text(encoding="utf-8"),
        seed=1,
        arm=arm,
        rmt_pct_mso=50.0,
        beside=path.parent,
    )
    with tempfile.TemporaryDirectory(prefix="phasegate-bench-") as root:
        t_start = time.process_time()
        result = run_study_virtually(
            load_config(rig), rig.read_text(encoding="utf-8"), study, out=Path(root)
        )
        took_s = time.process_time() - t_start
    return Ran(
        name=path.stem,
        took_s=took_s,
        lasts_s=result.lasts_s,
        n_pulses=result.dose.pulses,
        n_planned=planned_dose(protocol, study.trials).per_session,
    )


def row_of(ran: Ran) -> Row:
    """Return a protocol's figure.

    Raises
    ------
    RuntimeError
        If it gave another number of pulses than it plans.
    """
    if ran.n_pulses != ran.n_planned:
        raise RuntimeError(
            f"{ran.name} gave {ran.n_pulses} pulses instead of {ran.n_planned}"
        )
    return Row(
        name=f"protocol.{ran.name}",
        value=ran.for_session_s,
        unit="s",
        target=Bound("<=", _WITHIN_S),
        budget=Bound("<=", _WITHIN_S),
        detail=f"for 40 minutes; {ran.lasts_s / 60.0:.1f} min with {ran.n_pulses} "
        f"pulses took {ran.took_s:.2f} s of computing",
    )


def _live_row(path: Path) -> Row:
    click.echo(f"{path.stem} ...", err=True)
    with tempfile.TemporaryDirectory(prefix="phasegate-bench-") as root:
        return run_live(
            path.stem, shortened(path.read_text(encoding="utf-8")), Path(root)
        )


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Some protocols only.")
@click.option("--live", is_flag=True, help="Shortened, against simulated devices.")
@click.option("--json", "json_file", type=_FILE, help="Write the rows as JSON.")
def main(only: tuple[str, ...], json_file: Path | None, *, live: bool) -> None:
    """Run every ready protocol in virtual time, or shortened and live."""
    folder = shipped_config("mu-protocols-simulated.toml").parent / "protocols"
    paths = [p for p in sorted(folder.glob("*.toml")) if not only or p.stem in only]
    if live:
        rows = [_live_row(path) for path in paths]
    else:
        # What is loaded and compiled once is nobody's share.
        run_protocol(folder / "ctbs.toml")
        rows = [row_of(run_protocol(path)) for path in paths]
    print_rows(rows)
    if json_file is not None:
        json_file.write_text(to_json(rows), encoding="utf-8")
    sys.exit(exit_code(rows))


if __name__ == "__main__":
    main()
