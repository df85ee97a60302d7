"""The virtual clock, the fakes, and what the loop must do on them."""

import math
from typing import ClassVar

import numpy as np
import pytest
from entered import Entered
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.runtime import _nrt_python, rtsys
from scenario import (
    SFREQ_HZ,
    TROUBLES,
    cosine,
    memory_of,
    program_of,
    same_rows,
    troubled_tape,
    vector_program,
)

from controller.core import step
from controller.core.memory import copy_memory
from controller.core.reasons import Fault
from controller.engine import loop, virtual
from controller.engine.telemetry import drain
from controller.engine.virtual import Tape, regular_tape, run_virtual
from controller.rig.programs.program import Rules
from controller.safety.interlock import Permit, Refusal

DESIGNS = pytest.mark.parametrize("design", ["iir", "fir"])
NOT_AN_INPUT = ("t_decided",)


def jittered_tape(seconds=5.0, seed=0, block=1, **signal):
    """Return a noisy cosine whose samples arrive in blocks, at seeded delays."""
    raw = cosine(seconds, noise_uv=2.0, seed=seed, **signal)
    rng = np.random.default_rng(seed)
    n_samples = len(raw)
    t_sample = 1.0 + np.arange(n_samples) / SFREQ_HZ
    last_of_block = np.minimum(
        (np.arange(n_samples) // block + 1) * block - 1, n_samples - 1
    )
    delay = 2e-4 + rng.exponential(4e-4, n_samples)
    return Tape(
        t_sample=t_sample,
        t_arrival=np.maximum.accumulate((t_sample + delay)[last_of_block]),
        permits=np.full(n_samples, int(Permit.ALL), np.int64),
        raw=raw,
    )


def part_of(tape, first, last):
    return Tape(
        t_sample=tape.t_sample[first:last].copy(),
        t_arrival=tape.t_arrival[first:last].copy(),
        permits=tape.permits[first:last].copy(),
        raw=tape.raw[first:last].copy(),
    )


def recorded(run, raw):
    """Return what a run received and did, as a tape."""
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


class TestReplay:
    """What a loop received, given to it again, gives the same, bit for bit."""

    @DESIGNS
    @pytest.mark.parametrize("seed", range(4))
    def test_arrivals_and_wake_ups_of_any_lateness(self, design, seed):
        rng = np.random.default_rng(seed)
        rules = Rules(lock_s=0.0031)
        program = program_of(design, rules=rules, iti_s=0.15)
        tape = jittered_tape(seed=seed)
        memory = memory_of(program)
        # Some beyond the limit of 1 ms.
        run = run_virtual(program, memory, tape, late_s=rng.exponential(6e-4, 37))
        refusals = set(run.batch.edges["refusal"].tolist())
        assert refusals == {Refusal.NONE, Refusal.TOO_LATE}
        again = run_virtual(program, memory_of(program), recorded(run, tape.raw))
        assert_same_run(run, again)
        assert again.fault is run.fault is Fault.END_OF_TAPE

    def test_wake_ups_between_two_samples_of_a_slow_stream(self):
        """Rise and fall of one pulse fall into one interval of 50 ms."""
        program = vector_program(
            rules=Rules(lock_s=0.06), iti_s=0.3, horizon_s=0.02, pulse_s=0.004
        )
        program.settings.interval_s = 0.05
        n_samples = 200
        turn = 2.0 * np.pi * 10.0 * np.arange(n_samples) * 0.05 + 0.7
        raw = 10.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        raw[0] = 0.0
        tape = regular_tape(raw.astype(np.float32), 20.0, data_age_s=1e-3)
        run = run_virtual(program, memory_of(program), tape, late_s=np.array([3e-4]))
        edges = run.batch.edges
        assert (edges["n_samples"][::2] == edges["n_samples"][1::2]).any()
        again = run_virtual(program, memory_of(program), recorded(run, tape.raw))
        assert_same_run(run, again)

    @settings(max_examples=40)
    @given(
        seed=st.integers(0, 2**32 - 1),
        troubles=st.sets(st.sampled_from(TROUBLES), max_size=5),
    )
    def test_troubled_sessions(self, seed, troubles):
        rng = np.random.default_rng(seed)
        program = vector_program(rules=Rules(refractory_s=0.02), warm_up_samples=20)
        tape = troubled_tape(seed, 700, sorted(troubles))
        memory = memory_of(program)
        late_s = rng.exponential(4e-4, 11)
        run = run_virtual(program, memory, tape, late_s=late_s)
        again = run_virtual(program, memory_of(program), recorded(run, tape.raw))
        assert_same_run(run, again)
        if run.fault is not Fault.STREAM_SILENT:
            assert again.fault is run.fault

    def test_a_session_that_was_stopped_in_the_middle_of_a_pulse(self):
        program = program_of(iti_s=0.2)
        tape = jittered_tape()
        whole = run_virtual(program, memory_of(program), tape)
        n_stop = int(whole.batch.edges["n_samples"][4]) + 2
        assert whole.batch.edges["rises"][4] == 1
        memory = memory_of(program)
        first = run_virtual(program, memory, part_of(tape, 0, n_stop))
        loop_again = Entered(program, memory, t=first.t_end)
        loop_again.words.request_stop()
        assert loop_again.run() is Fault.STOPPED
        edges = np.concatenate([first.batch.edges, drain(loop_again.telemetry).edges])
        fall = edges[-1]
        assert fall["rises"] == 0
        # Brought forward, and the record says when it really left.
        assert fall["t_fired"] == first.t_end < fall["t_due"]
        assert fall["t_fired"] <= fall["t_after"]
        told = recorded(first, tape.raw)
        again = run_virtual(
            program,
            memory_of(program),
            Tape(
                t_sample=told.t_sample,
                t_arrival=told.t_arrival,
                permits=told.permits,
                raw=told.raw,
                edges=edges,
            ),
        )
        assert not same_rows(edges, again.batch.edges)

    def test_a_call_that_failed(self):
        program = program_of(iti_s=0.2)
        tape = jittered_tape()
        run = run_virtual(program, memory_of(program), tape, fail_call=6)
        again = run_virtual(program, memory_of(program), recorded(run, tape.raw))
        assert run.fault is again.fault is Fault.WRITE_FAILED
        assert_same_run(run, again)

    def test_another_program_on_recorded_wake_ups_comes_to_an_end(self):
        tape = jittered_tape()
        program = program_of(iti_s=0.2)
        run = run_virtual(program, memory_of(program), tape)
        other = program_of(iti_s=0.35, target_deg=90.0)
        again = run_virtual(other, memory_of(other), recorded(run, tape.raw))
        assert again.fault is Fault.END_OF_TAPE
        assert len(again.batch.decisions) > 0


class TestSlices:
    """How often the loop is left and entered again changes nothing."""

    @DESIGNS
    @pytest.mark.parametrize("block", [1, 10])
    def test_slices_of_any_length(self, design, block):
        rules = Rules(lock_s=0.0025 + 0.015 * (block > 1))
        program = program_of(design, rules=rules, horizon_s=0.012, iti_s=0.15)
        tape = jittered_tape(block=block)
        late_s = np.array([0.0, 2e-4, 5e-5])
        runs = [
            run_virtual(
                program, memory_of(program), tape, slice_samples=n, late_s=late_s
            )
            for n in (8192, 1000, 17)
        ]
        assert len(runs[0].calls) > 20
        for other in runs[1:]:
            assert_same_run(runs[0], other)
            for left, right in zip(runs[0].memory, other.memory, strict=True):
                assert left.tobytes() == right.tobytes()

    @settings(max_examples=15)
    @given(split=st.integers(1, 2499), block=st.sampled_from([1, 7]))
    def test_two_runs_on_one_memory(self, split, block):
        rules = Rules(lock_s=0.012)
        program = program_of(rules=rules, horizon_s=0.008, iti_s=0.1)
        tape = jittered_tape(2.5, block=block)
        whole = run_virtual(program, memory_of(program), tape)
        memory = memory_of(program)
        first = run_virtual(program, memory, part_of(tape, 0, split))
        second = run_virtual(
            program, memory, part_of(tape, split, 2500), t_start=first.t_end
        )
        for rows in ("samples", "decisions", "edges"):
            parts = [getattr(run.batch, rows) for run in (first, second)]
            joined = np.concatenate(parts)
            assert not same_rows(
                getattr(whole.batch, rows), joined, without=NOT_AN_INPUT
            ), rows
        assert whole.memory.states.tobytes() == memory.states.tobytes()
        assert whole.memory.now.tobytes() == memory.now.tobytes()

    def test_a_copied_memory_goes_on_the_same(self):
        program = program_of("fir")
        tape = jittered_tape(3.0)
        memory = memory_of(program)
        run = run_virtual(program, memory, part_of(tape, 0, 1500))
        twin = copy_memory(memory)
        rest = part_of(tape, 1500, 3000)
        left = run_virtual(program, memory, rest, t_start=run.t_end)
        right = run_virtual(program, twin, rest, t_start=run.t_end)
        assert_same_run(left, right)


class TestCausality:
    @DESIGNS
    @settings(max_examples=8)
    @given(n=st.integers(700, 2400), seed=st.integers(0, 99))
    def test_the_future_changes_nothing_before_it(self, design, n, seed):
        program = program_of(design, iti_s=0.1)
        tape = jittered_tape(2.5)
        noise = np.random.default_rng(seed).normal(0.0, 60.0, tape.raw.shape)
        changed = tape.raw.copy()
        changed[n:] += noise[n:].astype(np.float32)
        other = Tape(
            t_sample=tape.t_sample,
            t_arrival=tape.t_arrival,
            permits=tape.permits,
            raw=changed,
        )
        runs = [
            run_virtual(program, memory_of(program), each).batch
            for each in (tape, other)
        ]
        for rows in ("samples", "decisions", "edges"):
            left, right = (getattr(batch, rows) for batch in runs)
            if rows == "samples":
                left, right = left[:n], right[:n]
            else:
                left = left[left["n_samples"] <= n]
                right = right[right["n_samples"] <= n]
            assert not same_rows(left, right, without=NOT_AN_INPUT), rows


@pytest.fixture
def counted():
    """Count what compiled code allocates."""
    _nrt_python.memsys_enable_stats()
    yield rtsys.get_allocation_stats
    _nrt_python.memsys_disable_stats()


class TestSteadyState:
    @DESIGNS
    def test_the_loop_allocates_nothing_and_compiles_nothing(
        self, design, monkeypatch, counted
    ):
        program = program_of(design, iti_s=0.1)
        spent = []
        original = virtual.run_loop

        def measured(*arguments):
            before = counted()
            answer = original(*arguments)
            after = counted()
            spent.append([b - a for a, b in zip(before, after, strict=True)])
            return answer

        monkeypatch.setattr(virtual, "run_loop", measured)
        tape = jittered_tape(6.0)
        compiled = dispatchers()
        before = {name: len(one.signatures) for name, one in compiled.items()}
        run = run_virtual(
            program,
            memory_of(program),
            tape,
            slice_samples=2990,
            late_s=np.array([1e-4]),
        )
        assert len(run.calls) > 20
        # Slices of 2990, 2990 and 20 samples: only the entry itself costs something.
        assert len(spent) == 3
        assert spent[0] == spent[1] == spent[2]
        alloc, free, blocks, blocks_free = spent[0]
        assert (alloc, blocks) == (free, blocks_free)
        assert before == {name: len(one.signatures) for name, one in compiled.items()}
        assert set(before.values()) == {1}

    def test_run_again_gives_the_same(self):
        program = program_of("fir")
        tape = jittered_tape(3.0)
        runs = [run_virtual(program, memory_of(program), tape) for _ in range(3)]
        assert_same_run(runs[0], runs[1])
        assert_same_run(runs[0], runs[2])


def dispatchers():
    return {
        name: one
        for module in (loop, step)
        for name, one in vars(module).items()
        if hasattr(one, "signatures")
    }


class TestClock:
    def test_every_trigger_leaves_exactly_on_time(self):
        program = program_of(iti_s=0.1)
        edges = run_virtual(program, memory_of(program), jittered_tape()).batch.edges
        assert len(edges) > 20
        assert np.array_equal(edges["t_fired"], edges["t_due"])
        assert np.array_equal(edges["t_after"], edges["t_due"])

    def test_late_wake_ups_come_in_turn(self):
        program = program_of(iti_s=0.1)
        late_s = np.array([1e-4, 0.0, 3e-4])
        run = run_virtual(program, memory_of(program), jittered_tape(), late_s=late_s)
        edges = run.batch.edges
        wanted = np.resize(late_s, len(edges))
        np.testing.assert_allclose(
            edges["t_fired"] - edges["t_due"], wanted, atol=1e-14
        )

    def test_calls_are_logged_with_instant_descriptor_and_byte(self):
        program = program_of(iti_s=0.3)
        run = run_virtual(program, memory_of(program), jittered_tape())
        assert np.array_equal(run.calls[:, 0], run.batch.edges["t_fired"])
        assert set(run.calls[:, 1]) == {3.0}
        assert run.calls[:, 2].tolist() == [5.0, 0.0] * (len(run.calls) // 2)

    @pytest.mark.parametrize("t_start", [1.0, 1e5, 1.7e9])
    def test_any_epoch_will_do(self, t_start):
        program = program_of(iti_s=0.1)
        tape = regular_tape(
            cosine(3.0, t_start=0.0), SFREQ_HZ, t_start=t_start, data_age_s=2e-4
        )
        run = run_virtual(program, memory_of(program), tape)
        assert run.fault is Fault.END_OF_TAPE
        assert len(run.calls) > 10

    def test_an_empty_tape_is_no_fault(self):
        program = program_of()
        run = run_virtual(
            program, memory_of(program), regular_tape(cosine(0.0), SFREQ_HZ)
        )
        assert run.fault is Fault.END_OF_TAPE
        assert len(run.batch.samples) == len(run.batch.edges) == len(run.calls) == 0

    def test_no_sample_of_a_tape_is_lost(self):
        program = program_of(None, edges=None)
        for n_slice in (1, 7, 100):
            run = run_virtual(
                program,
                memory_of(program),
                regular_tape(cosine(0.05), SFREQ_HZ),
                slice_samples=n_slice,
            )
            assert len(run.batch.samples) == 50


class TestTape:
    GOOD: ClassVar = {
        "t_sample": np.array([1.0, 1.1]),
        "t_arrival": np.array([1.0, 1.1]),
        "permits": np.array([7, 7]),
        "raw": np.zeros((2, 1), np.float32),
    }

    @pytest.mark.parametrize(
        ("name", "wrong", "words"),
        [
            ("t_sample", np.array([1, 2]), "t_sample.*float64"),
            ("t_arrival", np.array([1.0, 1.0, 2.0, 2.0])[::2], "t_arrival.*contig"),
            ("permits", np.array([7, 7], np.int32), "permits.*int64"),
            ("raw", np.zeros((2, 1)), "raw.*float32"),
            ("t_arrival", np.array([1.0]), "t_arrival.* 1 rows.* 2"),
            ("t_sample", np.array([0.0, 0.1]), r"t_sample.*0\.0"),
        ],
    )
    def test_arrays_that_the_fakes_would_misread_are_refused(self, name, wrong, words):
        with pytest.raises(ValueError, match=words):
            Tape(**{**self.GOOD, name: wrong})

    def test_regular_tape_is_on_the_beat(self):
        tape = regular_tape(np.zeros((3, 2)), 4.0, t_start=2.0, data_age_s=0.125)
        assert tape.t_sample.tolist() == [2.0, 2.25, 2.5]
        assert tape.t_arrival.tolist() == [2.125, 2.375, 2.625]
        assert tape.permits.tolist() == [int(Permit.ALL)] * 3
        assert tape.raw.dtype == np.float32
        assert math.isfinite(tape.raw.sum())
