"""Kernels, replay and warm start: targets 5, 6 and 8.

`python -m bench.kernels` measures without any stream or port. Every time is the minimum
over several rounds (see `bench.timing`), for ours and for the peers alike.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from bench import peers
from bench.budgets import read_budgets
from bench.compiled_kernels import mix_and_filter, mix_and_recurse
from bench.local_kernels import local_rows
from bench.outcome import exit_code, print_rows, to_json
from bench.rows import Bound, Row
from bench.scenes import (
    N_TAPS,
    alpha_brief,
    alpha_program,
    average_reference,
    fir_design,
    hjorth,
    recursive_design,
)
from bench.signals import rhythm
from bench.timing import seconds_each
from controller.core.memory import new_memory
from controller.core.reasons import Fault
from controller.engine.virtual import VirtualRun, regular_tape, run_virtual
from controller.estimators.base import Design
from controller.kernels.jit import Float64Array
from controller.rig.programs.program import amplitude_window

SUITE = "kernels"

_SFREQ_HZ = 1000.0
_N_CHANNELS = 64
_START_TIMEOUT_S = 120.0


def measure(*, smoke: bool = False) -> list[Row]:
    """Return the rows of this suite; short runs give the same rows."""
    return [
        *kernel_rows(n_rounds=3 if smoke else 15),
        *local_rows(n_rounds=3 if smoke else 15),
        *replay_rows(n_samples=40_000, n_repeats=5 if smoke else 25),
        *start_rows(n_starts=2 if smoke else 5),
    ]


def recursive_call(n_samples: int) -> Callable[[], float]:
    """Return a call that mixes 64 channels and recurses over so many samples."""
    design = recursive_design(alpha_brief(_SFREQ_HZ))
    program, _ = alpha_program(design, average_reference(_N_CHANNELS), n_samples)
    tape = rhythm(n_samples, _N_CHANNELS, _SFREQ_HZ, 10.0)
    raw = np.zeros(_N_CHANNELS, np.float32)
    working = np.zeros(1 + 2 * program.transition.shape[0])
    return lambda: mix_and_recurse(
        tape,
        raw,
        program.mixing,
        program.used,
        program.transition,
        program.drive,
        program.readout,
        program.feedthrough,
        working,
    )


def fir_call(n_samples: int) -> Callable[[], float]:
    """Return a call that mixes 64 channels and filters over so many samples."""
    design = fir_design(alpha_brief(_SFREQ_HZ))
    program, _ = alpha_program(design, average_reference(_N_CHANNELS), n_samples)
    tape = rhythm(n_samples, _N_CHANNELS, _SFREQ_HZ, 10.0)
    raw = np.zeros(_N_CHANNELS, np.float32)
    window = np.zeros((1, 2 * N_TAPS))
    held = np.zeros(1)
    return lambda: mix_and_filter(
        tape,
        raw,
        program.mixing,
        program.used,
        program.fir_re,
        program.fir_im,
        window,
        held,
        0,
    )


def kernel_rows(*, n_rounds: int) -> list[Row]:
    """Return target 6 and what peers take, 64 channels all in use."""
    n_samples = 4096
    recursive_us = _us(recursive_call(n_samples), 1, n_rounds) / n_samples
    fir_us = _us(fir_call(n_samples), 1, n_rounds) / n_samples
    rows = [
        Row(
            name="kernel.recursive_64ch",
            value=recursive_us,
            unit="us/sample",
            target=Bound("<=", 0.3),
            detail="mix of 64 channels and 3-state recursion, minimum of "
            f"{n_rounds} rounds of {n_samples} samples",
        ),
        Row(
            name="kernel.fir512_64ch",
            value=fir_us,
            unit="us/sample",
            target=Bound("<=", 3.0),
            detail="mix of 64 channels, ring and 512-tap complex FIR, likewise",
        ),
    ]
    for name, ours_us, peer, what in (
        (
            "kernel.recursive_over_scipy",
            recursive_us,
            peers.scipy_one_sample(),
            "scipy sosfilt, 4 biquads, one sample of 1 channel",
        ),
        (
            "kernel.fir512_over_numpy",
            fir_us,
            peers.numpy_complex_dot(),
            "numpy complex dot of 512, the window already in a row",
        ),
        (
            "kernel.fir512_over_hilbert",
            fir_us,
            peers.scipy_window(),
            "scipy sosfiltfilt and hilbert of 512 samples",
        ),
        (
            "kernel.fir512_over_meegkit",
            fir_us,
            peers.meegkit_echt(),
            "meegkit ECHT.transform of 512 samples",
        ),
    ):
        if peer is None:
            continue
        peer_us = _us(peer, 200, n_rounds)
        rows.append(
            Row(
                name=name,
                value=ours_us / peer_us,
                unit="ratio",
                detail=f"{what}: {peer_us:.3g} us",
            )
        )
    return rows


def replay_rows(*, n_samples: int, n_repeats: int) -> list[Row]:
    """Return target 5: how much faster than real time a recording is replayed."""
    rows: list[Row] = []
    different = 0
    for name, design, mixing, target in (
        ("replay.recursive_64ch", recursive_design, hjorth, 4000.0),
        ("replay.recursive_64ch_average", recursive_design, average_reference, None),
        ("replay.fir512_64ch", fir_design, hjorth, 400.0),
    ):
        weights = mixing(_N_CHANNELS)
        speed, repeats_differ = replay(
            design(alpha_brief(_SFREQ_HZ)), weights, n_samples, n_repeats
        )
        different += repeats_differ
        rows.append(
            Row(
                name=name,
                value=speed,
                unit="x real time",
                target=None if target is None else Bound(">=", target),
                detail=f"run_virtual, {n_samples} samples of 64 channels at 1 kHz, "
                f"{np.count_nonzero(weights)} of them in the montage, "
                f"fastest of {n_repeats}",
            )
        )
    rows.append(
        Row(
            name="replay.differing_repeats",
            value=float(different),
            unit="runs",
            target=Bound("<=", 0.0),
            detail="repeats whose samples, decisions, edges or calls differ in a bit",
        )
    )
    return rows


def replay(
    design: Design, mixing: Float64Array, n_samples: int, n_repeats: int
) -> tuple[float, int]:
    """Replay a tape some times.

    Returns
    -------
    speed : float
        Of the fastest, in multiples of real time.
    different : int
        How many differed from the first.
    """
    program, rules = alpha_program(design, mixing, n_samples)
    tape = regular_tape(
        rhythm(n_samples, mixing.shape[1], _SFREQ_HZ, 10.0),
        _SFREQ_HZ,
        data_age_s=2e-4,
    )
    fastest_s = float("inf")
    first: tuple[bytes, ...] = ()
    different = 0
    for _ in range(n_repeats):
        memory = new_memory(program, n_window=amplitude_window(rules))
        t_start = time.perf_counter()
        run = run_virtual(program, memory, tape)
        fastest_s = min(fastest_s, time.perf_counter() - t_start)
        if run.fault is not Fault.END_OF_TAPE:
            raise RuntimeError(f"The replay ended with {run.fault.name}.")
        outcome = _bits(run)
        first = first or outcome
        different += outcome != first
    return n_samples / _SFREQ_HZ / fastest_s, different


def start_rows(*, n_starts: int) -> list[Row]:
    """Return target 8, from fresh processes; the first one only fills the cache."""
    starts = [_start_once() for _ in range(n_starts + 1)][1:]
    fastest = {key: min(start[key] for start in starts) for key in starts[0]}
    return [
        Row(
            name="start.first_run",
            value=fastest["first_run_s"],
            unit="s",
            target=Bound("<=", 0.1),
            detail="imports done to first return of the loop, fastest of "
            f"{n_starts} fresh processes with a warm cache",
        ),
        Row(
            name="start.imports",
            value=fastest["ours_s"],
            unit="s",
            detail="import of this project, machine code loaded from the cache; "
            f"its libraries before that: {fastest['libraries_s']:.2f} s",
        ),
    ]


def _start_once() -> dict[str, float]:
    answer = subprocess.run(
        [sys.executable, "-m", "bench.warm_start"],
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_START_TIMEOUT_S,
        check=True,
    )
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures


def _us(call: Callable[[], object], n_calls: int, n_rounds: int) -> float:
    return 1e6 * seconds_each(call, n_calls=n_calls, n_rounds=n_rounds)


def _bits(run: VirtualRun) -> tuple[bytes, ...]:
    batch = run.batch
    return (
        batch.samples.tobytes(),
        batch.decisions.tobytes(),
        batch.edges.tobytes(),
        run.calls.tobytes(),
    )


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Rows.")
@click.option("--smoke", is_flag=True, help="Short, with looser budgets.")
def main(json_file: Path | None, *, smoke: bool) -> None:
    """Measure kernels, replay and warm start."""
    rows = read_budgets().applied(SUITE, measure(smoke=smoke), smoke=smoke)
    print_rows(rows)
    if json_file is not None:
        json_file.write_text(to_json(rows), encoding="utf-8")
    sys.exit(exit_code(rows))


if __name__ == "__main__":
    main()
