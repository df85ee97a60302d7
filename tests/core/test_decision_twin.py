"""The compiled core and its slow twin give the same decisions and edges."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import Twin
from scenario import TROUBLES, limits_of, memory_of, troubled_tape, vector_program

from controller.core.reasons import Artifact, HoldReason
from controller.core.records import AmplitudeGate
from controller.engine.virtual import run_virtual
from controller.rig.programs.program import Rules
from controller.safety.interlock import Refusal

N_WINDOW = 12


def names(kind, bits):
    return {flag.name for flag in kind if flag and int(bits) & flag}


def assert_same(program, tape):
    memory = memory_of(program, N_WINDOW)
    run = run_virtual(program, memory, tape, slice_samples=97)
    twin = Twin(program, N_WINDOW).run(tape)
    assert run.fault.name == twin.fault
    assert len(run.batch.decisions) == len(twin.decisions)
    for row, wanted in zip(run.batch.decisions, twin.decisions, strict=True):
        assert names(HoldReason, row["holds"]) == wanted["holds"]
        assert Refusal(row["refusal"]).name == wanted["refusal"]
        assert names(Artifact, row["artifacts"]) == wanted["artifacts"]
        assert (row["n_samples"], row["trial"]) == (
            wanted["n_samples"],
            wanted["trial"],
        )
        for name in ("t_due", "amplitude_uv", "threshold_uv"):
            # float32 samples in, some hundred roundings at an instant near 100 s.
            assert row[name] == pytest.approx(wanted[name], abs=1e-9, nan_ok=True)
    assert len(run.batch.edges) == len(twin.edges)
    for row, wanted in zip(run.batch.edges, twin.edges, strict=True):
        assert Refusal(row["refusal"]).name == wanted["refusal"]
        for name in ("decision", "rises", "n_samples", "permits", "trial"):
            assert row[name] == wanted[name], name
        for name in ("t_due", "t_fired"):
            assert row[name] == pytest.approx(wanted[name], abs=1e-9)
    now = memory.now[0]
    assert (now.n_samples, now.n_gaps, now.n_lost) == (
        twin.n_samples,
        twin.n_gaps,
        twin.n_lost,
    )
    return run


def program_with(gate, *, refractory_s=0.0, latency_s=0.0, horizon_s=0.003, **more):
    hard = {"max_artifact_s": 0.1, "max_gap_s": 0.07, "max_silence_s": 0.35}
    rules = Rules(
        amplitude_gate=gate,
        threshold_uv=8.0,
        quantile=0.3,
        artifact_hold_s=0.05,
        artifact_flat_s=0.01,
        artifact_gradient_uv_per_s=200e3,
        rail_uv=390.0,
        refractory_s=refractory_s,
        output_latency_s=latency_s,
    )
    program = vector_program(
        rules=rules,
        warm_up_samples=20,
        horizon_s=horizon_s,
        **{"limits": limits_of(**hard), **more},
    )
    program.settings.amplitude_minimum = 4
    return program


@pytest.mark.slow
@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    troubles=st.sets(st.sampled_from(TROUBLES), max_size=5),
    gate=st.sampled_from(AmplitudeGate),
    refractory_s=st.sampled_from([0.0, 0.03, 0.15]),
    latency_s=st.sampled_from([0.0, 0.002, 0.012]),
    horizon_s=st.sampled_from([0.0, 0.003, 0.07]),
    iti_s=st.sampled_from([0.1, 0.23]),
)
@example(1, set(), AmplitudeGate.OPEN, 0.0, 0.0, 0.003, 0.1)
@example(2, set(TROUBLES), AmplitudeGate.PERCENTILE, 0.03, 0.002, 0.003, 0.1)
def test_core_decides_as_its_twin(
    seed, troubles, gate, refractory_s, latency_s, horizon_s, iti_s
):
    program = program_with(
        gate,
        refractory_s=refractory_s,
        latency_s=latency_s,
        horizon_s=horizon_s,
        iti_s=iti_s,
        n_trials=9,
        target_deg=seed % 360,
    )
    assert_same(program, troubled_tape(seed, 1000, sorted(troubles)))


@pytest.mark.slow
def test_these_tapes_reach_every_outcome():
    """A comparison of two silent loops would prove nothing."""
    holds, refusals, faults, fired = set(), set(), set(), 0
    for seed in range(30):
        program = program_with(
            AmplitudeGate(seed % 3),
            n_trials=2 + 20 * (seed % 2),
            refractory_s=0.15 * (seed % 2),
            limits=limits_of(
                max_artifact_s=0.1,
                max_gap_s=0.07,
                max_silence_s=0.25 + 0.1 * (seed % 2),
                max_pulses=2 if seed % 3 == 0 else 1000,
            ),
        )
        run = assert_same(program, troubled_tape(seed, 1500, TROUBLES[seed % 4 :: 2]))
        faults.add(run.fault.name)
        decisions, edges = run.batch.decisions, run.batch.edges
        for row in decisions:
            holds |= names(HoldReason, row["holds"])
            refusals.add(Refusal(row["refusal"]).name)
        refusals |= {Refusal(value).name for value in edges["refusal"]}
        fired += int(np.sum((edges["rises"] == 1) & (edges["refusal"] == 0)))
    assert fired > 30
    # Pulses of 5 ms are over before the next crossing comes near.
    always = {flag.name for flag in HoldReason if flag < HoldReason.SNR}
    assert always - holds <= {"BUSY"}
    assert refusals >= {"NOT_ARMED", "BUDGET_SPENT", "NONE"}
    assert faults >= {"END_OF_TAPE", "GAP_TOO_LONG", "STREAM_SILENT"}
