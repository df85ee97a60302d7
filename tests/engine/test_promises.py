"""What no stream, however bad, and no wake-up, however late, can make the loop do."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario import (
    RISE_AND_FALL,
    RISE_ONLY,
    TROUBLES,
    limits_of,
    memory_of,
    troubled_tape,
    vector_program,
)

from controller.core.reasons import Fault
from controller.core.records import AmplitudeGate
from controller.engine.virtual import run_virtual
from controller.rig.programs.program import Rules
from controller.safety.interlock import Permit, Refusal

ALL = int(Permit.ALL)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    troubles=st.sets(st.sampled_from(TROUBLES), max_size=6),
    lateness_s=st.sampled_from([0.0, 2e-4, 1e-3, 3e-3]),
    min_interval_s=st.sampled_from([0.1, 0.13, 0.4]),
    max_pulses=st.sampled_from([1, 3, 1000]),
    pulse_s=st.sampled_from([1e-4, 2e-3, 0.03, 0.16]),
    has_fall=st.booleans(),
    fail_call=st.sampled_from([-1, -1, 0, 3, 4]),
    horizon_s=st.sampled_from([0.0, 0.003, 0.08]),
    lock_s=st.sampled_from([0.0, 0.0025, 0.02, 0.2]),
)
def test_nothing_leaves_that_must_not(
    seed,
    troubles,
    lateness_s,
    min_interval_s,
    max_pulses,
    pulse_s,
    has_fall,
    fail_call,
    horizon_s,
    lock_s,
):
    limits = limits_of(
        min_interval_s=min_interval_s,
        max_pulses=max_pulses,
        max_gap_s=0.07,
        max_silence_s=0.35,
        max_artifact_s=0.1,
    )
    program = vector_program(
        rules=Rules(lock_s=lock_s, amplitude_gate=AmplitudeGate.OPEN),
        limits=limits,
        horizon_s=horizon_s,
        iti_s=0.1,
        pulse_s=pulse_s,
        warm_up_samples=5,
        edges=RISE_AND_FALL if has_fall else RISE_ONLY,
    )
    tape = troubled_tape(seed, 900, sorted(troubles))
    late_s = np.random.default_rng(seed).exponential(lateness_s, 17)
    memory = memory_of(program)
    run = run_virtual(program, memory, tape, late_s=late_s, fail_call=fail_call)
    batch = run.batch
    edges = batch.edges
    made = edges[
        (edges["refusal"] == Refusal.NONE) | (edges["refusal"] == Refusal.OUTPUT_FAILED)
    ]
    rises = made[made["rises"] == 1]

    # Every call is in the records, and nothing is recorded that was not called.
    assert len(run.calls) == len(made)
    assert np.array_equal(run.calls[:, 0], made["t_fired"])
    assert np.array_equal(run.calls[:, 2] == 5.0, made["rises"] == 1)

    assert (np.diff(rises["t_fired"]) >= min_interval_s).all()
    lateness = rises["t_fired"] - rises["t_due"]
    assert (lateness >= 0.0).all()
    assert (lateness <= limits.max_lateness_s).all()
    assert (rises["permits"] & ALL == ALL).all()
    assert len(rises) <= max_pulses
    assert len(set(rises["decision"])) == len(rises)
    assert memory.ledger.pulses[0] == memory.now.trial[0] == len(rises)

    # Every rise was planned by the decision that it names, for that very instant.
    for rise in rises:
        decision = batch.decisions[rise["decision"]]
        assert decision["t_write"] == rise["t_due"]
        assert (decision["holds"], decision["refusal"]) == (0, 0)
        newest = tape.t_sample[rise["n_samples"] - 1]
        assert rise["t_fired"] - newest <= limits.max_data_age_s

    # Rise and fall take turns, and no trigger is cut short but by an end of the run.
    if has_fall:
        assert np.array_equal(made["rises"] == 1, np.arange(len(made)) % 2 == 0)
        for rise, fall in itertools.pairwise(made[:-1]):
            if rise["rises"] == 1:
                assert fall["t_fired"] - rise["t_fired"] >= pulse_s - 1e-9

    # After a fault: at most the edge that lowers the line, and never anything more.
    if run.fault is not Fault.END_OF_TAPE:
        assert memory.ledger.fault[0] == run.fault
        assert memory.now.t_next_edge[0] == np.inf
        if run.fault is not Fault.WRITE_FAILED and has_fall:
            assert memory.now.line_high[0] == 0
        t_start = float(np.nanmax(tape.t_sample)) + 10.0
        clean = troubled_tape(seed, 600, [])
        clean.t_sample[:] += t_start - clean.t_sample[0]
        clean.t_arrival[:] = clean.t_sample + 2e-4
        memory.now.t_sample = clean.t_sample[0] - 1e-3
        after = run_virtual(program, memory, clean)
        assert len(after.calls) == 0
