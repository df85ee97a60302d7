"""The memory that a session begins its closed loop with."""

import numpy as np
import pytest
from scenario import program_of

from controller.core.memory import new_memory
from controller.core.records import DECISION, EDGE, SAMPLE
from controller.engine.telemetry import Batch
from controller.engine.virtual import run_virtual
from controller.errors import SignalFault
from controller.kernels.jit import new_records
from controller.rig.records import as_tape
from controller.rig.warm_up import WarmUp

N_WINDOW = 20


def rest_of(n, *, seed=2):
    """Return `n` samples at 1 kHz, the same ones whatever `n` is."""
    rng = np.random.default_rng(seed)
    t = np.arange(10_000) / 1000.0
    raw = 10.0 * np.cos(2 * np.pi * 10.0 * t) + rng.standard_normal(t.size)
    samples = new_records(SAMPLE, n)
    samples.t_sample = 1.0 + t[:n]
    samples.t_arrival = samples.t_sample + rng.uniform(0.001, 0.002, t.size)[:n]
    return Batch(
        samples=samples,
        raw=raw[:n, np.newaxis].astype(np.float32),
        decisions=new_records(DECISION, 0),
        edges=new_records(EDGE, 0),
    )


def test_in_parts_it_is_what_one_run_makes() -> None:
    program = program_of()
    warm_up = WarmUp(program, ("O1",), n_window=N_WINDOW)
    for n in (3000, 3000, 6500, 9000):
        warm_up.take(rest_of(n))
    whole = new_memory(program, n_window=N_WINDOW)
    run_virtual(program, whole, as_tape(rest_of(9000)))
    found = warm_up.finished(whole)
    for one, two in zip(found, whole, strict=True):
        assert one.tobytes() == two.tobytes()
    assert found.now.n_samples[0] == 9000


def test_no_rest_is_no_trouble() -> None:
    program = program_of()
    warm_up = WarmUp(program, ("O1",), n_window=N_WINDOW)
    warm_up.take(rest_of(0))
    before = new_memory(program, n_window=1)
    before.now.n_samples[0] = 7
    assert warm_up.finished(before).now.n_samples[0] == 7


def test_a_rest_that_the_loop_cannot_take_is_named() -> None:
    bad = rest_of(9000)
    bad.samples.t_sample[4000:] -= 1.0
    warm_up = WarmUp(program_of(), ("O1",), n_window=N_WINDOW)
    with pytest.raises(SignalFault):
        warm_up.take(bad)
