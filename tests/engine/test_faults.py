"""Bad days of the loop: what it does, and above all what it does not do any more."""

import ctypes
import math
import threading

import numpy as np
import pytest
from entered import CLOCK, PULL, WRITE, Entered
from scenario import (
    RISE_ONLY,
    SFREQ_HZ,
    cosine,
    limits_of,
    memory_of,
    program_of,
)

from controller.core.reasons import Fault
from controller.engine.telemetry import drain
from controller.engine.virtual import Tape, regular_tape, run_virtual
from controller.safety.interlock import TIMED, Permit, Refusal

ALL = int(Permit.ALL)


def tape_of(seconds=6.0, **signal):
    return regular_tape(cosine(seconds, **signal), SFREQ_HZ, data_age_s=3e-4)


def cut(tape, n_samples):
    return Tape(
        t_sample=tape.t_sample[:n_samples],
        t_arrival=tape.t_arrival[:n_samples],
        permits=tape.permits[:n_samples],
        raw=tape.raw[:n_samples],
    )


def run(program, tape, **options):
    return run_virtual(program, memory_of(program), tape, **options)


def fired(edges):
    return edges[(edges["rises"] == 1) & (edges["refusal"] == Refusal.NONE)]


def fires_no_more(program, memory):
    """Return whether a faultless stream on the same memory moves nothing."""
    t_start = float(memory.now.t_arrival[0]) + 0.5
    t_start = round(t_start, 1)
    after = Entered(
        program,
        memory,
        regular_tape(
            cosine(3.0, t_start=t_start), SFREQ_HZ, t_start=t_start, data_age_s=3e-4
        ),
    )
    memory.now.t_sample = t_start - 1.0 / SFREQ_HZ
    assert after.run() is Fault.END_OF_TAPE
    decisions = drain(after.telemetry).decisions
    assert (decisions["refusal"] == Refusal.FAULTED).any()
    return len(after.made) == 0


class TestWriteFailure:
    @pytest.mark.parametrize("which", [0, 1, 6, 7])
    def test_latches_and_only_lowers_the_line_afterwards(self, which):
        program = program_of()
        result = run(program, tape_of(), fail_call=which)
        assert result.fault is Fault.WRITE_FAILED
        assert len(result.calls) == which + 2
        assert result.calls[-1, 2] == 0.0
        failed, last = result.batch.edges[-2:]
        assert (failed["refusal"], failed["system_error"]) == (Refusal.OUTPUT_FAILED, 5)
        assert failed["rises"] == (which % 2 == 0)
        assert (last["rises"], last["system_error"]) == (0, 0)
        assert result.memory.now.line_high[0] == 0
        assert result.memory.ledger.fault[0] == Fault.WRITE_FAILED
        assert result.memory.ledger.pulses[0] == which // 2 + 1
        assert result.memory.now.fault_value[0] == 5.0
        assert fires_no_more(program, result.memory)

    @pytest.mark.parametrize("taken", [0, 2])
    def test_another_number_of_bytes_is_a_failure(self, taken):
        program = program_of()
        loop = Entered(program, memory_of(program), tape_of())
        loop.put("write", WRITE(lambda descriptor, data, n, world: taken))
        assert loop.run() is Fault.WRITE_FAILED
        assert drain(loop.telemetry).edges["system_error"][-1] == 5

    def test_a_failure_without_a_number_still_is_one(self):
        program = program_of()
        loop = Entered(program, memory_of(program), tape_of())
        loop.put("write", WRITE(lambda descriptor, data, n, world: -1))
        assert loop.run() is Fault.WRITE_FAILED
        assert drain(loop.telemetry).edges["system_error"][-1] == 5


class TestStream:
    def test_silence_is_a_fault_after_its_limit(self):
        program = program_of()
        loop = Entered(program, memory_of(program), t=50.0)
        loop.put("pull", PULL(self.wait(loop)))
        assert loop.run() is Fault.STREAM_SILENT
        silence_s = float(loop.memory.now.fault_value[0])
        assert 1.0 < silence_s <= 1.1 + 1e-9
        assert loop.memory.ledger.fault[0] == Fault.STREAM_SILENT

    @staticmethod
    def wait(loop):
        def pull(inlet, buffer, n, timeout_s, error, world):
            assert 0.0 < timeout_s <= 0.1
            loop.world.t += timeout_s
            return 0.0

        return pull

    @pytest.mark.parametrize("silence_s", [0.9, 1.3])
    def test_silence_in_the_middle(self, silence_s):
        tape = tape_of()
        late = tape.t_arrival.copy()
        late[3000:] += silence_s
        program = program_of(limits=limits_of(max_data_age_s=0.02))
        tape = Tape(
            t_sample=tape.t_sample,
            t_arrival=late,
            permits=tape.permits,
            raw=tape.raw,
        )
        result = run(program, tape)
        if silence_s < 1.0:
            assert result.fault is Fault.END_OF_TAPE
        else:
            assert result.fault is Fault.STREAM_SILENT
            assert len(result.batch.samples) == 3000
            assert fires_no_more(program, result.memory)
        # Nothing is fired on data that was late, nor in the silence itself.
        t_fired = fired(result.batch.edges)["t_fired"]
        assert (t_fired < late[2999] + 0.02).all()

    @pytest.mark.parametrize("error", [-2, -3, -1, 7])
    def test_a_lost_stream_is_a_fault_at_once(self, error):
        program = program_of()
        memory = memory_of(program)
        before = run_virtual(program, memory, tape_of(2.0))
        loop = Entered(program, memory, t=before.t_end)

        def pull(inlet, buffer, n, timeout_s, word, world):
            ctypes.c_int32.from_address(word).value = error
            return 0.0

        loop.put("pull", PULL(pull))
        assert loop.run() is Fault.STREAM_LOST
        assert memory.ledger.fault[0] == Fault.STREAM_LOST
        assert (loop.made[:, 2] == 0.0).all()
        assert fires_no_more(program, memory)

    @pytest.mark.parametrize(
        ("spoil", "fault"),
        [
            (lambda t: t.__setitem__(3000, t[2999]), Fault.STAMP_REPEATED),
            (lambda t: t.__setitem__(3000, t[2990]), Fault.STAMP_BACKWARD),
            (lambda t: t.__setitem__(3000, math.nan), Fault.STAMP_BACKWARD),
            (
                lambda t: t.__setitem__(slice(3000, None), t[3000:] + 1.5),
                Fault.GAP_TOO_LONG,
            ),
        ],
        ids=["repeated", "backward", "nan", "gap"],
    )
    def test_stamps_that_cannot_be_trusted(self, spoil, fault):
        tape = tape_of()
        stamps = tape.t_sample.copy()
        spoil(stamps)
        tape = Tape(
            t_sample=stamps,
            t_arrival=tape.t_arrival,
            permits=tape.permits,
            raw=tape.raw,
        )
        program = program_of()
        result = run(program, tape)
        assert result.fault is fault
        # The sample that brought the fault is in the records.
        assert len(result.batch.samples) == 3001
        assert math.isnan(result.batch.samples["phase_rad"][-1])
        assert len(fired(result.batch.edges)) > 5
        assert fires_no_more(program, result.memory)

    def test_a_clock_that_runs_backwards(self):
        program = program_of()
        loop = Entered(program, memory_of(program), tape_of())
        readings = iter([5.0, 5.0, 4.9, 4.9, 4.9])
        loop.put("clock", CLOCK(lambda world: next(readings)))
        assert loop.run() is Fault.CLOCK_JUMP

    def test_a_channel_that_stays_flat(self):
        raw = cosine(6.0)
        raw[3000:] = raw[3000]
        program = program_of(limits=limits_of(max_artifact_s=1.0))
        result = run(program, regular_tape(raw, SFREQ_HZ, data_age_s=3e-4))
        assert result.fault is Fault.BAD_SIGNAL
        t_last = fired(result.batch.edges)["t_fired"][-1]
        assert t_last < 1.0 + 3.0 + 0.2 + 0.01
        assert fires_no_more(program, result.memory)


class TestRecorder:
    def test_a_recorder_that_never_looks_is_a_fault_and_nothing_is_overwritten(self):
        program = program_of()
        loop = Entered(program, memory_of(program), tape_of(), n_ring=1024)
        assert loop.run() is Fault.RECORDER_BEHIND
        batch = drain(loop.telemetry)
        assert len(batch.samples) == 1024
        assert np.array_equal(batch.samples["t_sample"], loop.tape.t_sample[:1024])
        assert np.array_equal(batch.raw, loop.tape.raw[:1024])
        assert loop.memory.ledger.fault[0] == Fault.RECORDER_BEHIND
        assert fires_no_more(program, loop.memory)

    def test_a_ring_full_of_edges_is_a_fault_too(self):
        program = program_of(iti_s=0.1)
        loop = Entered(program, memory_of(program), tape_of())
        # As if 4089 edges were waiting: room for seven more.
        loop.telemetry.tails[2] -= len(loop.telemetry.edges) - 7
        assert loop.run() is Fault.RECORDER_BEHIND
        assert loop.made[-1, 2] == 0.0
        n_edges = int(loop.memory.now.n_edges[0])
        assert n_edges - loop.telemetry.tails[2] <= len(loop.telemetry.edges)


class TestPermits:
    def planned_then(self, permits, n_after=1):
        """Change the permits between the plan and the deadline of a late pulse."""
        program = program_of()
        whole = run(program, tape_of())
        decision = whole.batch.decisions[whole.batch.edges["decision"][4]]
        changed = tape_of()
        first = int(decision["n_samples"]) + n_after - 1
        changed.permits[first:] = int(permits)
        return decision, run(program, changed)

    @pytest.mark.parametrize(
        ("missing", "refusal"),
        [
            (Permit.ARMED, Refusal.NOT_ARMED),
            (Permit.SUPERVISED, Refusal.NOT_SUPERVISED),
            (Permit.RECORDING, Refusal.NOT_RECORDING),
            (Permit.CONSOLE, Refusal.CONSOLE_SILENT),
            (Permit.DEVICE, Refusal.DEVICE_NOT_READY),
        ],
    )
    def test_taken_back_between_plan_and_deadline(self, missing, refusal):
        decision, result = self.planned_then(Permit.ALL & ~missing)
        edges = result.batch.edges
        (refused,) = edges[edges["refusal"] != Refusal.NONE]
        assert refused["decision"] == decision["decision"]
        assert Refusal(refused["refusal"]) is refusal
        assert refused["t_due"] == decision["t_write"]
        assert (result.calls[:, 0] < decision["t_write"]).all()
        later = result.batch.decisions[int(decision["decision"]) + 1 :]
        assert set(later["refusal"][later["holds"] == 0]) == {refusal}

    def test_taken_back_and_given_again_goes_on_with_the_same_trial(self):
        program = program_of()
        tape = tape_of()
        tape.permits[2000:4000] &= ~int(Permit.ARMED)
        rises = fired(run(program, tape).batch.edges)
        assert not ((rises["t_fired"] > 3.0) & (rises["t_fired"] < 4.99)).any()
        assert (rises["t_fired"] > 5.0).sum() > 3
        assert np.array_equal(rises["trial"], np.arange(len(rises)))

    def test_a_supervisor_that_falls_silent_stops_the_pulses_not_the_stream(self):
        program = program_of()
        loop = Entered(program, memory_of(program), tape_of(9.0), n_ring=9000)
        loop.words.permit(Permit.RECORDING)
        loop.words.vouch_until(TIMED, math.inf)
        t_beat = 3.0
        loop.words.beat(t_beat)
        # A pull that leaves the words to the supervisor.
        fake = ctypes.cast(int(loop.ports.pull[0]), PULL)
        words = loop.words.words.copy()

        def pull(*arguments):
            t_stamp = fake(*arguments)
            loop.words.words[1:] = words[1:]
            return t_stamp

        loop.put("pull", PULL(pull))
        assert loop.run() is Fault.END_OF_TAPE
        batch = drain(loop.telemetry)
        assert len(batch.samples) == 9000
        t_fired = fired(batch.edges)["t_fired"]
        assert len(t_fired) > 8
        assert t_fired.max() <= t_beat + 2.0
        late = batch.decisions[batch.decisions["t_arrival"] > t_beat + 2.0]
        assert set(late["refusal"][late["holds"] == 0]) == {Refusal.NOT_SUPERVISED}


class TestLateness:
    @pytest.mark.parametrize(
        ("late_s", "leaves"), [(0.0, True), (0.00099, True), (0.00101, False)]
    )
    def test_a_late_wake_up_is_refused_and_recorded_never_fired(self, late_s, leaves):
        program = program_of()
        result = run(program, tape_of(), late_s=np.array([late_s]))
        rises = result.batch.edges[result.batch.edges["rises"] == 1]
        assert len(rises) > 5
        lateness = rises["t_fired"] - rises["t_due"]
        np.testing.assert_allclose(lateness, late_s, atol=1e-12)
        wanted = Refusal.NONE if leaves else Refusal.TOO_LATE
        assert set(rises["refusal"]) == {wanted}
        assert len(result.calls) == (2 * len(rises) if leaves else 0)
        assert result.memory.ledger.pulses[0] == (len(rises) if leaves else 0)

    def test_no_trigger_is_shorter_than_planned(self):
        program = program_of(pulse_s=0.002)
        late_s = np.random.default_rng(0).uniform(0.0, 0.001, 50)
        calls = run(program, tape_of(), late_s=late_s).calls
        width_s = calls[1::2, 0] - calls[::2, 0]
        assert len(width_s) > 10
        assert (width_s >= 0.002 - 1e-12).all()


class TestStop:
    def stopped_at(self, n_samples, program):
        memory = memory_of(program)
        tape = tape_of()
        before = run_virtual(program, memory, cut(tape, n_samples))
        loop = Entered(program, memory, t=before.t_end)
        loop.words.request_stop()
        assert loop.run() is Fault.STOPPED
        return before, loop

    def test_stop_flag_is_seen_before_anything_is_pulled(self):
        _, loop = self.stopped_at(500, program_of())
        assert int(loop.memory.now.n_samples[0]) == 500
        assert loop.memory.ledger.fault[0] == Fault.NONE
        assert len(loop.made) == 0

    def test_a_planned_pulse_is_dropped(self):
        program = program_of()
        planned = run(program, tape_of()).batch
        n_samples = int(planned.decisions[planned.edges["decision"][0]]["n_samples"])
        before, loop = self.stopped_at(n_samples, program)
        assert len(before.calls) == len(loop.made) == 0
        assert loop.memory.now.t_next_edge[0] == math.inf
        assert len(drain(loop.telemetry).edges) == 0

    def test_a_raised_line_comes_down_at_once(self):
        program = program_of()
        rise = run(program, tape_of()).batch.edges[0]
        before, loop = self.stopped_at(int(rise["n_samples"]) + 2, program)
        assert before.calls[:, 2].tolist() == [5.0]
        assert loop.made[:, 2].tolist() == [0.0]
        (fall,) = drain(loop.telemetry).edges
        assert fall["t_fired"] == loop.made[0, 0] == before.t_end
        assert loop.memory.now.line_high[0] == 0
        assert loop.run() is Fault.STOPPED
        assert len(loop.made) == 1

    def test_a_device_that_ends_its_trigger_itself_is_left_alone(self):
        program = program_of(edges=RISE_ONLY)
        rise = run(program, tape_of()).batch.edges[0]
        _, loop = self.stopped_at(int(rise["n_samples"]) + 2, program)
        assert len(loop.made) == 0

    def test_a_running_loop_stops_within_one_pull(self):
        """The flag goes up in another thread, while the loop waits for samples."""
        program = program_of()
        loop = Entered(program, memory_of(program), t=10.0)
        turning = threading.Event()

        def pull(inlet, buffer, n, timeout_s, error, world):
            turning.set()
            return 0.0

        loop.put("pull", PULL(pull))
        answers = []
        thread = threading.Thread(target=lambda: answers.append(loop.run()))
        thread.start()
        try:
            assert turning.wait(5.0)
        finally:
            loop.words.request_stop()
            thread.join(5.0)
        assert answers == [Fault.STOPPED]
        assert loop.words.loop_beats > 0


class TestFaultWithTheLineUp:
    @pytest.mark.parametrize("after", [1, 2, 4])
    def test_the_line_comes_down_and_does_not_go_up_again(self, after):
        program = program_of()
        tape = tape_of()
        rise = run(program, tape).batch.edges[2]
        assert rise["rises"] == 1
        stamps = tape.t_sample.copy()
        stamps[int(rise["n_samples"]) + after] = 0.5
        tape = Tape(
            t_sample=stamps,
            t_arrival=tape.t_arrival,
            permits=tape.permits,
            raw=tape.raw,
        )
        result = run(program, tape)
        assert result.fault is Fault.STAMP_BACKWARD
        assert result.calls[:, 2].tolist() == [5.0, 0.0, 5.0, 0.0]
        assert result.memory.now.line_high[0] == 0
        assert fires_no_more(program, result.memory)
