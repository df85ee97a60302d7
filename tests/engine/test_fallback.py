"""The Python loop gives what the compiled loop gives."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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

from controller.core.reasons import Fault
from controller.engine.control import ControlWords, Word
from controller.engine.fallback import NOTICE, PullError, PythonLoop
from controller.engine.telemetry import drain, new_telemetry
from controller.engine.virtual import regular_tape, run_virtual
from controller.rig.programs.program import Rules
from controller.safety.interlock import TIMED, Permit, Refusal

TURN_S = 1e-6


class FakeWorld:
    """The virtual clock once more, in Python."""

    def __init__(self, tape, memory, words, *, spin_s, late_s=(0.0,), fail_call=-1):
        self.tape, self.now, self.words = tape, memory.now[0], words
        self.spin_s, self.late_s, self.fail_call = spin_s, late_s, fail_call
        self.t = float(tape.t_arrival[0])
        self.at = self.n_wakes = 0
        self.calls = []

    def pull(self, raw, timeout_s):
        if self.at == len(self.tape.t_sample):
            raise PullError(Fault.END_OF_TAPE)
        t_timeout = self.t + timeout_s + TURN_S
        t_arrival = float(self.tape.t_arrival[self.at])
        if t_arrival > t_timeout:
            self.t = t_timeout
            return 0.0
        self.t = max(self.t, t_arrival)
        permits = Permit(int(self.tape.permits[self.at]))
        self.words.vouch_until(permits & TIMED, math.inf)
        self.words.words[Word.PERMITS] = int(permits)
        self.words.beat(math.inf if permits & Permit.SUPERVISED else -math.inf)
        raw[:] = self.tape.raw[self.at]
        self.at += 1
        return float(self.tape.t_sample[self.at - 1])

    def clock(self):
        t = self.t
        if 0.0 < float(self.now.t_next_edge) - t <= self.spin_s:
            late_s = self.late_s[self.n_wakes % len(self.late_s)]
            self.t = float(self.now.t_next_edge) + late_s
            self.n_wakes += 1
        return t

    def carry_out(self, program, action):
        first = int(program.actions[action].first_byte)
        self.calls.append((self.t, 3.0, float(program.action_bytes[first])))
        return 5 if len(self.calls) - 1 == self.fail_call else 0


def run_both(program, tape, *, late_s=(0.0,), fail_call=-1):
    compiled = run_virtual(
        program,
        memory_of(program),
        tape,
        late_s=np.array(late_s),
        fail_call=fail_call,
    )
    memory, words = memory_of(program), ControlWords()
    telemetry = new_telemetry(program.mixing.shape[1], n_samples=len(tape.t_sample))
    world = FakeWorld(
        tape,
        memory,
        words,
        spin_s=float(program.settings[0].spin_s),
        late_s=late_s,
        fail_call=fail_call,
    )
    fault = PythonLoop(world, words, program, memory, telemetry).run()
    batch = drain(telemetry)
    assert fault is compiled.fault
    for rows in ("samples", "decisions", "edges"):
        differing = same_rows(
            getattr(compiled.batch, rows), getattr(batch, rows), without=("t_decided",)
        )
        assert not differing, (rows, differing)
    assert np.array_equal(compiled.calls, np.array(world.calls).reshape(-1, 3))
    assert compiled.memory.ledger.tobytes() == memory.ledger.tobytes()
    return compiled, words


@pytest.mark.parametrize("design", ["iir", "fir", "both"])
def test_same_decisions_and_edges(design):
    program = program_of(design, iti_s=0.2)
    tape = regular_tape(cosine(2.5, noise_uv=2.0), SFREQ_HZ, data_age_s=3e-4)
    run, words = run_both(program, tape, late_s=(0.0, 3e-4, 2e-3, 1e-4))
    assert set(run.batch.edges["refusal"]) == {Refusal.NONE, Refusal.TOO_LATE}
    assert words.loop_beats > 2500


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    troubles=st.sets(st.sampled_from(TROUBLES), max_size=5),
    fail_call=st.sampled_from([-1, -1, 2, 3]),
)
def test_same_on_bad_days(seed, troubles, fail_call):
    program = vector_program(
        rules=Rules(refractory_s=0.02), warm_up_samples=20, pulse_s=0.02
    )
    tape = troubled_tape(seed, 500, sorted(troubles))
    late_s = tuple(np.random.default_rng(seed).exponential(3e-4, 7))
    run_both(program, tape, late_s=late_s, fail_call=fail_call)


def test_silence_is_the_same_fault():
    program = program_of()
    tape = regular_tape(cosine(2.0), SFREQ_HZ, data_age_s=3e-4)
    tape.t_arrival[1500:] += 1.4
    run, _ = run_both(program, tape)
    assert run.fault is Fault.STREAM_SILENT


def test_a_lost_stream_latches_and_lowers_the_line():
    program = program_of()
    tape = regular_tape(cosine(2.0), SFREQ_HZ, data_age_s=3e-4)
    rise = run_virtual(program, memory_of(program), tape).batch.edges[0]
    memory, words = memory_of(program), ControlWords()
    world = FakeWorld(tape, memory, words, spin_s=2e-4)
    pull = world.pull

    def losing(raw, timeout_s):
        if world.at == int(rise["n_samples"]) + 2:
            raise PullError(Fault.STREAM_LOST)
        return pull(raw, timeout_s)

    world.pull = losing
    telemetry = new_telemetry(1, n_samples=4096)
    fault = PythonLoop(world, words, program, memory, telemetry).run()
    assert fault is Fault.STREAM_LOST
    assert memory.ledger.fault[0] == Fault.STREAM_LOST
    assert [call[2] for call in world.calls] == [5.0, 0.0]
    edges = drain(telemetry).edges
    assert edges["t_fired"][1] == world.t < edges["t_due"][1]


def test_stop_flag_is_seen_before_anything_is_pulled():
    program = program_of()
    memory, words = memory_of(program), ControlWords()
    tape = regular_tape(cosine(1.0), SFREQ_HZ)
    world = FakeWorld(tape, memory, words, spin_s=2e-4)
    words.request_stop()
    loop = PythonLoop(world, words, program, memory, new_telemetry(1, n_samples=16))
    assert loop.run() is Fault.STOPPED
    assert world.at == 0
    assert memory.ledger.fault[0] == Fault.NONE


def test_the_notice_says_what_to_expect():
    assert "Python loop" in NOTICE
    assert "refused" in NOTICE
