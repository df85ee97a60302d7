"""The loop with every optional gate on: replayed, cut up, and at no cost."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.runtime import _nrt_python, rtsys
from scenario import (
    SFREQ_HZ,
    TROUBLES,
    memory_of,
    program_of,
    same_rows,
    troubled_tape,
    vector_program,
)

from controller.core.memory import copy_memory
from controller.core.reasons import Fault, HoldReason
from controller.engine import virtual
from controller.engine.control import ControlWords
from controller.engine.fallback import PythonLoop
from controller.engine.telemetry import drain, new_telemetry
from controller.engine.virtual import Tape, run_virtual
from controller.rig.programs.gate_rules import (
    CouplingRule,
    GateRules,
    SecondBandRule,
    VetoRule,
)
from controller.rig.programs.program import Rules
from controller.safety.interlock import TIMED, Permit

NOT_AN_INPUT = ("t_decided",)
ARMED = int(Permit.ALL)
BY_MARKER = int(Permit.MARKER)

# Each is open for a part of the time.
GATES = GateRules(
    min_snr_db=1.0,
    min_peak_ratio=0.5,
    spectrum_s=0.5,
    max_frequency_sd_hz=2.0,
    max_frequency_offset_hz=2.0,
    vetoes=(
        VetoRule(channel=1, amplitude_uv=40.0, hold_s=0.05),
        VetoRule(channel=0, rms_uv=40.0, hold_s=0.05),
    ),
    coupling=CouplingRule(
        weights=(0.0, 1.0), coherence=(0.1, 1.0), phase_lag=(0.0, 5.0), smoothing_s=0.1
    ),
    second_band=SecondBandRule(
        frequency_hz=6.0, bandwidth_hz=6.0, phase=(-2.5, 5.0), min_amplitude_uv=0.5
    ),
    marker=True,
)


def gated_program(design="vector", **more):
    gates = GATES
    if design == "both":
        gates = dataclasses.replace(GATES, min_probability=0.3)
    rules = Rules(gates=gates, refractory_s=more.pop("refractory_s", 0.0))
    if design == "vector":
        return vector_program(rules=rules, warm_up_samples=20, **more)
    return program_of(
        design, n_channels=2, mixing=np.eye(2), rules=rules, iti_s=0.1, **more
    )


def tape_of(seed, n_samples, troubles=()):
    """Return a rotating vector with troubles, and markers that come and go."""
    tape = troubled_tape(seed, n_samples, troubles)
    block = np.arange(len(tape.permits)) // 150
    by_marker = np.random.default_rng(seed).random(block[-1] + 1) < 0.8
    tape.permits[by_marker[block]] |= BY_MARKER
    return tape


def recorded(run, raw):
    samples = run.batch.samples
    return Tape(
        t_sample=samples["t_sample"].copy(),
        t_arrival=samples["t_arrival"].copy(),
        permits=samples["permits"].copy(),
        raw=raw[: len(samples)].copy(),
        edges=run.batch.edges,
    )


def assert_same_run(left, right):
    for rows in ("samples", "decisions", "edges"):
        assert not same_rows(
            getattr(left.batch, rows), getattr(right.batch, rows), without=NOT_AN_INPUT
        ), rows
    assert left.calls.tobytes() == right.calls.tobytes()


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    troubles=st.sets(st.sampled_from(TROUBLES), max_size=4),
    refractory_s=st.sampled_from([0.0, 0.05]),
)
def test_replay_gives_every_decision_again_bit_by_bit(seed, troubles, refractory_s):
    program = gated_program(refractory_s=refractory_s)
    tape = tape_of(seed, 1500, sorted(troubles))
    late_s = np.random.default_rng(seed).exponential(4e-4, 11)
    run = run_virtual(program, memory_of(program), tape, late_s=late_s)
    again = run_virtual(program, memory_of(program), recorded(run, tape.raw))
    assert_same_run(run, again)


@pytest.mark.parametrize("design", ["vector", "iir", "fir", "both"])
def test_slices_of_any_length_give_the_same(design):
    program = gated_program(design)
    tape = tape_of(3, 8000, ("gap",))
    runs = [
        run_virtual(program, memory_of(program), tape, slice_samples=n)
        for n in (8192, 1000, 17)
    ]
    assert len(runs[0].calls) > 4
    for other in runs[1:]:
        assert_same_run(runs[0], other)
        for left, right in zip(runs[0].memory, other.memory, strict=True):
            assert left.tobytes() == right.tobytes()


@settings(max_examples=10)
@given(split=st.integers(1, 1999))
def test_a_copied_memory_goes_on_the_same(split):
    program = gated_program()
    tape = tape_of(5, 2000)
    whole = run_virtual(program, memory_of(program), tape)
    memory = memory_of(program)
    parts = [
        Tape(
            t_sample=tape.t_sample[part].copy(),
            t_arrival=tape.t_arrival[part].copy(),
            permits=tape.permits[part].copy(),
            raw=tape.raw[part].copy(),
        )
        for part in (slice(0, split), slice(split, None))
    ]
    first = run_virtual(program, memory, parts[0])
    memory = copy_memory(memory)
    second = run_virtual(program, memory, parts[1], t_start=first.t_end)
    joined = np.concatenate([first.batch.decisions, second.batch.decisions])
    assert not same_rows(whole.batch.decisions, joined, without=NOT_AN_INPUT)
    for left, right in zip(whole.memory, memory, strict=True):
        assert left.tobytes() == right.tobytes()


def test_the_future_changes_nothing_before_it():
    program = gated_program("iir")
    tape = tape_of(6, 2500)
    changed = tape.raw.copy()
    changed[1800:] += np.float32(25.0)
    other = Tape(
        t_sample=tape.t_sample,
        t_arrival=tape.t_arrival,
        permits=tape.permits,
        raw=changed,
    )
    left, right = (
        run_virtual(program, memory_of(program), each).batch.decisions
        for each in (tape, other)
    )
    before = [rows[rows["n_samples"] <= 1800] for rows in (left, right)]
    assert len(before[0]) > 10
    assert not same_rows(*before, without=NOT_AN_INPUT)
    assert same_rows(left, right)


def test_these_tapes_open_and_close_every_gate():
    """A comparison of loops whose gates never move would prove nothing."""
    closed, open_, fired = set(), set(), 0
    program = gated_program()
    asked = HoldReason(int(program.gates.asked[0]))
    for seed in range(25):
        tape = tape_of(seed, 2500, TROUBLES[seed % 3 :: 3])
        run = run_virtual(program, memory_of(program), tape)
        for holds in run.batch.decisions["holds"].tolist():
            closed |= set(HoldReason(holds))
            open_ |= set(asked & ~HoldReason(holds))
        fired += len(run.calls)
    assert closed >= set(asked)
    assert open_ >= set(asked)
    assert fired > 10


def test_marker_bit_is_recorded_and_means_nothing_to_the_interlock():
    program = vector_program(rules=Rules(gates=GateRules(marker=True)), iti_s=0.1)
    tape = troubled_tape(1, 2000, ())
    tape.permits[:] = ARMED
    tape.permits[500:1000] |= BY_MARKER
    tape.permits[1500:] = BY_MARKER
    batch = run_virtual(program, memory_of(program), tape).batch
    assert np.array_equal(batch.samples["permits"], tape.permits)
    at = batch.decisions["n_samples"] - 1
    held = batch.decisions["holds"] & int(HoldReason.MARKER) != 0
    assert np.array_equal(held, tape.permits[at] & BY_MARKER == 0)
    rises = batch.edges[(batch.edges["rises"] == 1) & (batch.edges["refusal"] == 0)]
    assert len(rises) >= 3
    assert np.all((rises["n_samples"] > 500) & (rises["n_samples"] <= 1000))


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    troubles=st.sets(st.sampled_from(TROUBLES), max_size=3),
    lock_s=st.sampled_from([0.0025, 0.02]),
)
def test_nothing_leaves_behind_a_gate_that_closed_after_the_plan(
    seed, troubles, lock_s
):
    gates = GateRules(min_probability=0.95, marker=True)
    rules = Rules(gates=gates, lock_s=lock_s, artifact_hold_s=0.05)
    program = program_of(
        "both", n_channels=2, mixing=np.eye(2), rules=rules, iti_s=0.1, n_trials=20
    )
    tape = tape_of(seed, 3000, sorted(troubles))
    batch = run_virtual(program, memory_of(program), tape).batch
    rises = batch.edges[(batch.edges["rises"] == 1) & (batch.edges["refusal"] == 0)]
    newest = batch.samples[rises["n_samples"] - 1]
    assert (newest["p_within"] >= 0.95).all()
    assert np.isfinite(newest["phase_rad"]).all()
    assert (rises["permits"] & BY_MARKER != 0).all()


def test_vetoing_channel_stands_in_the_record():
    rules = GateRules(vetoes=(VetoRule(channel=2, amplitude_uv=50.0, hold_s=0.1),))
    program = program_of(
        n_channels=3, mixing=np.array([[0.5, 0.5, 0.0]]), rules=Rules(gates=rules)
    )
    seconds = np.arange(3000) / SFREQ_HZ
    raw = np.zeros((3000, 3), np.float32)
    raw[:, :2] = 10.0 * np.cos(2 * np.pi * 10.0 * seconds)[:, np.newaxis]
    raw[2000:2200, 2] = 120.0
    tape = virtual.regular_tape(raw, SFREQ_HZ, data_age_s=2e-4)
    decisions = run_virtual(program, memory_of(program), tape).batch.decisions
    vetoed = decisions["veto_channel"] == 2
    assert vetoed.sum() >= 2
    assert np.array_equal(vetoed, decisions["holds"] & int(HoldReason.VETO) != 0)
    assert set(decisions["veto_channel"][~vetoed]) == {-1}
    seen = decisions["n_samples"][vetoed]
    assert seen.min() > 2000
    assert seen.max() <= 2300


@pytest.fixture
def counted():
    """Count what compiled code allocates."""
    _nrt_python.memsys_enable_stats()
    yield rtsys.get_allocation_stats
    _nrt_python.memsys_disable_stats()


@pytest.mark.parametrize("design", ["vector", "iir", "fir", "both"])
def test_gates_allocate_nothing(design, monkeypatch, counted):
    program = gated_program(design)
    spent = []
    original = virtual.run_loop

    def measured(*arguments):
        before = counted()
        answer = original(*arguments)
        spent.append([b - a for a, b in zip(before, counted(), strict=True)])
        return answer

    monkeypatch.setattr(virtual, "run_loop", measured)
    run = run_virtual(program, memory_of(program), tape_of(2, 3100), slice_samples=1500)
    assert len(run.batch.decisions) > 10
    # Slices of 1500, 1500 and 100 samples: only the entry itself costs something.
    assert spent[0] == spent[1] == spent[2]
    alloc, free, blocks, blocks_free = spent[0]
    assert (alloc, blocks) == (free, blocks_free)


class TapeWorld:
    """A tape for the Python loop, nothing to fire into."""

    def __init__(self, tape, words):
        self.tape, self.words, self.at, self.t = tape, words, 0, 0.0

    def pull(self, raw, timeout_s):
        if self.at == len(self.tape.t_sample):
            self.words.request_stop()
            return 0.0
        raw[:] = self.tape.raw[self.at]
        self.t = float(self.tape.t_arrival[self.at])
        permits = Permit(int(self.tape.permits[self.at]))
        self.words.vouch_until(permits & TIMED, math.inf)
        self.words.words[1] = int(permits)
        self.at += 1
        return float(self.tape.t_sample[self.at - 1])

    def clock(self):
        return self.t

    def carry_out(self, program, action):
        raise AssertionError("nothing may be fired")


@pytest.mark.parametrize("design", ["vector", "both"])
def test_python_loop_decides_as_the_compiled_one(design):
    """Disarmed, so that no wake-up comes between the samples."""
    program = gated_program(design)
    tape = tape_of(8, 2000, ("gap",))
    tape.permits[:] &= ~int(Permit.ARMED)
    compiled = run_virtual(program, memory_of(program), tape).batch
    words = ControlWords()
    words.beat(math.inf)
    telemetry = new_telemetry(2, n_samples=4096)
    loop = PythonLoop(
        TapeWorld(tape, words), words, program, memory_of(program), telemetry
    )
    assert loop.run() is Fault.STOPPED
    batch = drain(telemetry)
    assert len(batch.decisions) > 10
    for rows in ("samples", "decisions"):
        assert not same_rows(
            getattr(compiled, rows), getattr(batch, rows), without=NOT_AN_INPUT
        ), rows
