import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import limits_of, memory_of, program_of

from controller.core.condition import condition, inspect, take_stamp
from controller.core.reasons import Artifact, Fault
from controller.rig.programs.program import Rules

INTERVAL_S = 1e-3
RULES = Rules(
    artifact_amplitude_uv=100.0,
    artifact_gradient_uv_per_s=20e3,  # 20 uV per sample
    artifact_flat_s=0.004,
    rail_uv=500.0,
)
PATIENT = program_of(limits=limits_of(max_gap_s=5.0))


@pytest.fixture
def stage():
    """Return a program of three channels, the last one unused, and its memory."""
    program = program_of(
        n_channels=3,
        mixing=np.array([[0.5, 0.5, 0.0]]),
        rules=RULES,
        limits=limits_of(max_gap_s=0.5, max_artifact_s=0.2),
    )
    return program, memory_of(program)


def stamped(stage, *stamps, arrivals=None):
    """Take stamps in turn; return the last answer."""
    program, memory = stage
    arrivals = arrivals or [100.0] * len(stamps)
    answers = [
        take_stamp(program, memory, float(t), float(arrival))
        for t, arrival in zip(stamps, arrivals, strict=True)
    ]
    return Fault(answers[-1])


def inspected(stage, *values, channel=0):
    program, memory = stage
    answer = 0
    for value in values:
        memory.raw[channel] = value
        answer = inspect(program, memory, channel)
    return Artifact(answer)


class TestStamps:
    def test_regular_stamps_pass(self, stage):
        stamps = 5.0 + INTERVAL_S * np.arange(2000)
        for t in stamps:
            assert stamped(stage, t) is Fault.NONE
        now = stage[1].now[0]
        assert (now.n_samples, now.n_gaps, now.n_lost) == (2000, 0, 0)
        assert now.t_sample == stamps[-1]

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_a_first_stamp_must_be_an_instant(self, stage, bad):
        assert stamped(stage, bad) is Fault.STAMP_BACKWARD

    @pytest.mark.parametrize(
        ("bad", "fault"),
        [
            (math.nan, Fault.STAMP_BACKWARD),
            (-math.inf, Fault.STAMP_BACKWARD),
            (math.inf, Fault.GAP_TOO_LONG),
        ],
    )
    def test_later_stamps_must_be_instants(self, stage, bad, fault):
        assert stamped(stage, 5.0, bad) is fault
        assert stage[1].now.n_lost[0] == 0

    @pytest.mark.parametrize(
        ("intervals", "fault"),
        [
            (-1.0, Fault.STAMP_BACKWARD),
            (-0.11, Fault.STAMP_BACKWARD),
            (-0.09, Fault.STAMP_REPEATED),
            (0.0, Fault.STAMP_REPEATED),
            (0.09, Fault.STAMP_REPEATED),
            (0.11, Fault.NONE),
            (1.49, Fault.NONE),
            (1.51, Fault.NONE),
        ],
    )
    def test_steps_that_are_no_steps(self, stage, intervals, fault):
        assert stamped(stage, 0.125, 0.125 + intervals * INTERVAL_S) is fault

    @pytest.mark.parametrize(
        ("intervals", "gaps", "lost"),
        [
            (1.49, 0, 0),
            (1.51, 1, 1),
            (2.0, 1, 1),
            (2.6, 1, 2),
            (3.0, 1, 2),
            (100, 1, 99),
        ],
    )
    def test_lost_samples_are_counted(self, stage, intervals, gaps, lost):
        assert stamped(stage, 0.125, 0.125 + intervals * INTERVAL_S) is Fault.NONE
        now = stage[1].now[0]
        assert (now.n_gaps, now.n_lost) == (gaps, lost)

    def test_the_longest_gap_is_allowed_and_a_longer_one_is_not(self, stage):
        assert stamped(stage, 1.0, 1.5) is Fault.NONE
        assert stamped(stage, math.nextafter(2.0, 3.0)) is Fault.GAP_TOO_LONG

    def test_a_gap_empties_the_estimator(self, stage):
        memory = stage[1]
        stamped(stage, 1.0)
        memory.now.n_warm, memory.now.valid = 500, 1
        memory.states[:] = 3.0
        memory.flat_run[:] = 7
        stamped(stage, 1.002)
        assert (memory.now.n_warm[0], memory.now.valid[0]) == (0, 0)
        assert not memory.states.any()
        assert not memory.flat_run.any()
        assert np.isnan(memory.previous_uv).all()
        assert np.isnan(memory.origin).all()

    def test_a_clock_that_runs_backwards_is_a_fault(self, stage):
        arrivals = [100.0, math.nextafter(100.0, 0.0)]
        assert stamped(stage, 1.0, 1.001, arrivals=arrivals) is Fault.CLOCK_JUMP
        assert stamped(stage, 1.002, arrivals=[math.nan]) is Fault.CLOCK_JUMP

    def test_samples_may_arrive_together(self, stage):
        assert stamped(stage, 1.0, 1.001, 1.002) is Fault.NONE

    @given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=30))
    def test_gaps_and_losses_add_up(self, intervals):
        stage = PATIENT, memory_of(PATIENT)
        t = gaps = lost = 0.0
        stamped(stage, 1.0)
        for step in intervals:
            before = 1.0 + t * INTERVAL_S
            answer = stamped(stage, 1.0 + (t + step) * INTERVAL_S)
            real = (1.0 + (t + step) * INTERVAL_S - before) / INTERVAL_S
            t += step
            if real <= 0.1:
                assert answer is Fault.STAMP_REPEATED
                return
            assert answer is Fault.NONE
            gaps += real > 1.5
            lost += max(1, round(real) - 1) if real > 1.5 else 0
        assert (stage[1].now.n_gaps[0], stage[1].now.n_lost[0]) == (gaps, lost)


class TestArtifacts:
    def test_a_quiet_channel_has_none(self, stage):
        assert inspected(stage, 3.0, 4.0, 5.0, 4.0) == Artifact.NONE

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_what_is_no_number_is_nothing_else(self, stage, bad):
        assert inspected(stage, 1.0, bad) == Artifact.NON_FINITE

    def test_gradient_at_its_limit(self, stage):
        assert inspected(stage, 0.0, 20.0) == Artifact.NONE
        assert inspected(stage, 0.0) == Artifact.NONE
        assert inspected(stage, -20.25) == Artifact.GRADIENT

    def test_no_gradient_across_what_is_no_number(self, stage):
        assert inspected(stage, 0.0, math.nan, 90.0) == Artifact.NONE

    def test_amplitude_counts_from_the_baseline_not_from_zero(self, stage):
        stage[0].settings.artifact_gradient_uv = math.inf
        # An electrode's offset, below the rail.
        assert inspected(stage, 400.0, 499.0) == Artifact.NONE
        assert inspected(stage, 298.0) == Artifact.AMPLITUDE

    def test_amplitude_at_its_limit(self, stage):
        program, memory = stage
        program.settings.artifact_gradient_uv = math.inf
        for value, found in (
            (100.0, Artifact.NONE),
            (100.01, Artifact.AMPLITUDE),
            (-100.0, Artifact.NONE),
            (-100.01, Artifact.AMPLITUDE),
        ):
            memory.baseline_uv[0] = 0.0
            assert inspected(stage, value) == found

    def test_baseline_follows_a_step_within_seconds(self, stage):
        program, memory = stage
        program.settings.artifact_gradient_uv = math.inf
        memory.baseline_uv[0] = 0.0
        values = 200.0 + 0.01 * (np.arange(3000) % 2)
        found = []
        for value in values:
            memory.raw[0] = value
            found.append(inspect(program, memory, 0))
        # 200 exp(-t) falls below 100 after 0.69 s.
        assert abs(found.index(0) - 693) < 5
        assert not any(found[800:])

    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_rail_itself_is_saturated(self, stage, sign):
        program, memory = stage
        program.settings.artifact_gradient_uv = math.inf
        for value, found in ((499.9, Artifact.NONE), (500.0, Artifact.SATURATED)):
            memory.baseline_uv[0] = sign * value
            assert inspected(stage, sign * value) == found

    def test_an_unknown_rail_is_never_met(self, stage):
        stage[0].settings.artifact_rail_uv = math.inf
        assert inspected(stage, 3e30) == Artifact.NONE

    def test_flat_after_as_many_equal_steps_as_allowed(self, stage):
        found = [inspected(stage, 7.0) for _ in range(6)]
        # 4 ms are four steps from sample to sample.
        assert found == [Artifact.NONE] * 4 + [Artifact.FLAT] * 2
        assert inspected(stage, 7.5) == Artifact.NONE
        assert inspected(stage, 7.5) == Artifact.NONE

    def test_limits_hold_in_microvolts_whatever_the_unit(self):
        program = program_of(n_channels=1, scale_uv=np.array([1e6]), rules=RULES)
        memory = memory_of(program)
        for volts, found in ((0.0, Artifact.NONE), (21e-6, Artifact.GRADIENT)):
            memory.raw[0] = volts
            assert inspect(program, memory, 0) == found

    @pytest.mark.parametrize(
        "rule",
        ["artifact_amplitude_uv", "artifact_gradient_uv", "artifact_rail_uv"],
    )
    def test_a_rule_that_is_no_number_flags_everything(self, stage, rule):
        stage[0].settings[rule] = math.nan
        assert inspected(stage, 1.0, 2.0) != Artifact.NONE


class TestCondition:
    def conditioned(self, stage, raw, t_sample):
        program, memory = stage
        memory.raw[:] = raw
        memory.now.t_sample = t_sample
        return Fault(condition(program, memory))

    def test_channels_are_mixed(self, stage):
        assert self.conditioned(stage, (2.0, 4.0, 100.0), 1.0) is Fault.NONE
        assert stage[1].held[0] == 3.0
        assert stage[1].now.t_clean[0] == 1.0

    def test_what_is_no_number_holds_the_value_before(self, stage):
        self.conditioned(stage, (2.0, 4.0, 0.0), 1.0)
        assert self.conditioned(stage, (math.nan, 9.0, 0.0), 1.001) is Fault.NONE
        now = stage[1].now[0]
        assert stage[1].held[0] == 3.0
        assert (now.artifacts, now.artifact_channel) == (Artifact.NON_FINITE, 0)
        assert (now.t_artifact, now.t_clean) == (1.001, 1.0)

    def test_other_artifacts_hold_nothing(self, stage):
        self.conditioned(stage, (2.0, 4.0, 0.0), 1.0)
        self.conditioned(stage, (52.0, 4.0, 0.0), 1.001)
        assert stage[1].held[0] == 28.0
        assert stage[1].now.artifacts[0] == Artifact.GRADIENT

    def test_a_channel_outside_the_montage_is_not_looked_at(self, stage):
        for bad in (math.nan, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6):
            self.conditioned(stage, (bad and 2.0, 4.0, bad), 1.0)
            assert not stage[1].now.artifacts[0] & ~int(Artifact.FLAT)
        assert stage[1].held[0] == 3.0

    def test_the_broken_channel_is_named(self, stage):
        self.conditioned(stage, (0.0, 0.0, 0.0), 1.0)
        self.conditioned(stage, (30.0, math.nan, 0.0), 1.001)
        now = stage[1].now[0]
        assert now.artifacts == Artifact.GRADIENT | Artifact.NON_FINITE
        assert now.artifact_channel == 1

    def test_the_longest_artifact_is_allowed_and_a_longer_one_is_a_fault(self, stage):
        self.conditioned(stage, (1.0, 1.0, 0.0), 1.0)
        nan = (math.nan, 1.0, 0.0)
        assert self.conditioned(stage, nan, 1.001) is Fault.NONE
        assert self.conditioned(stage, nan, 1.2) is Fault.NONE
        assert self.conditioned(stage, nan, 1.2001) is Fault.BAD_SIGNAL
        now = stage[1].now[0]
        assert now.fault_channel == 0
        assert now.fault_value == pytest.approx(0.2001)

    def test_one_clean_sample_begins_the_count_again(self, stage):
        nan = (math.nan, 1.0, 0.0)
        for t, raw in ((1.0, (1, 2, 0)), (1.15, nan), (1.19, (3, 4, 0)), (1.38, nan)):
            assert self.conditioned(stage, raw, t) is Fault.NONE

    def test_a_stream_that_begins_bad_becomes_a_fault_too(self, stage):
        nan = (math.nan,) * 3
        assert self.conditioned(stage, nan, 1.0) is Fault.NONE
        assert self.conditioned(stage, nan, 1.21) is Fault.BAD_SIGNAL
