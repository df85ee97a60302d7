import math

import numpy as np
import pytest
from scenario import limits_of, memory_of, program_of

from controller.core.gate import closed_gates, follow_amplitude
from controller.core.reasons import HoldReason
from controller.core.records import AmplitudeGate
from controller.rig.programs.program import Rules

T = 64.0
OPEN_NOW = {
    "t_sample": T,
    "t_arrival": T + 0.0625,
    "t_artifact": T - 1.0,
    "amplitude_uv": 8.0,
    "threshold_uv": 8.0,
    "t_trial_edge": T - 10.0,
    "t_next_edge": math.inf,
    "trial": 0,
    "valid": 1,
}
ITI_S = 2.0
# Binary fractions: at a limit there is no rounding that could hide a wrong comparison.
HOLD_S, AGE_S = 0.5, 0.125


def stage_of(**now):
    program = program_of(
        rules=Rules(artifact_hold_s=HOLD_S),
        limits=limits_of(max_data_age_s=AGE_S),
        n_trials=2,
    )
    memory = memory_of(program)
    for name, value in {**OPEN_NOW, **now}.items():
        memory.now[name] = value
    return program, memory


def closed(t_due=T + 0.25, t_write=T + 0.125, iti_s=ITI_S, **now):
    program, memory = stage_of(**now)
    program.trials.iti_s = iti_s
    return HoldReason(closed_gates(program, memory, t_due, t_write))


def above(value):
    return math.nextafter(value, math.inf)


def below(value):
    return math.nextafter(value, -math.inf)


def test_every_gate_can_be_open():
    assert closed() == HoldReason.NONE


@pytest.mark.parametrize(
    ("reason", "inside", "outside"),
    [
        (
            HoldReason.ARTIFACT,
            {"t_artifact": below(T - HOLD_S)},
            {"t_artifact": T - HOLD_S},
        ),
        (
            HoldReason.STALE_DATA,
            {"t_arrival": T + AGE_S, "t_write": T + 0.25},
            {"t_arrival": above(T + AGE_S), "t_write": T + 0.25},
        ),
        (
            HoldReason.STAMP_IN_FUTURE,
            {"t_arrival": T - 0.004999},
            {"t_arrival": T - 0.005001},
        ),
        (
            HoldReason.AMPLITUDE,
            {"amplitude_uv": 8.0},
            {"amplitude_uv": below(8.0)},
        ),
        (
            HoldReason.AMPLITUDE,
            {"amplitude_uv": 5e-324, "threshold_uv": 0.0},
            {"amplitude_uv": 0.0, "threshold_uv": 0.0},
        ),
        (
            HoldReason.INTERVAL,
            {"t_due": T + 0.25, "t_trial_edge": T + 0.25 - ITI_S},
            {"t_due": T + 0.25, "t_trial_edge": above(T + 0.25 - ITI_S)},
        ),
        (
            HoldReason.TOO_LATE,
            {"t_write": T + 0.0625},
            {"t_write": below(T + 0.0625)},
        ),
        (HoldReason.BUSY, {"t_next_edge": math.inf}, {"t_next_edge": T + 99.0}),
        (HoldReason.TRIALS_DONE, {"trial": 1}, {"trial": 2}),
    ],
    ids=lambda value: value.name if isinstance(value, HoldReason) else "",
)
def test_each_gate_at_its_boundary(reason, inside, outside):
    assert closed(**inside) == HoldReason.NONE
    assert closed(**outside) == reason


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("t_artifact", HoldReason.ARTIFACT),
        (
            "t_sample",
            HoldReason.ARTIFACT | HoldReason.STALE_DATA | HoldReason.STAMP_IN_FUTURE,
        ),
        (
            "t_arrival",
            HoldReason.STALE_DATA | HoldReason.STAMP_IN_FUTURE | HoldReason.TOO_LATE,
        ),
        ("amplitude_uv", HoldReason.AMPLITUDE),
        ("threshold_uv", HoldReason.AMPLITUDE),
        ("t_trial_edge", HoldReason.INTERVAL),
        ("t_next_edge", HoldReason.BUSY),
        ("t_due", HoldReason.INTERVAL),
        ("t_write", HoldReason.TOO_LATE),
        ("iti_s", HoldReason.INTERVAL),
    ],
)
def test_what_is_no_number_closes_its_gates(name, reasons):
    assert closed(**{name: math.nan}) == reasons


def test_all_closed_gates_are_named_together():
    holds = closed(amplitude_uv=1.0, trial=2, t_next_edge=T, t_write=0.0)
    assert holds == (
        HoldReason.AMPLITUDE
        | HoldReason.TRIALS_DONE
        | HoldReason.BUSY
        | HoldReason.TOO_LATE
    )


class TestThreshold:
    def gate(self, kind, n_window=6, stride=1, minimum=3, quantile=0.5):
        program = program_of(
            rules=Rules(amplitude_gate=kind, threshold_uv=4.5, quantile=quantile)
        )
        program.settings.amplitude_stride = stride
        program.settings.amplitude_minimum = minimum
        memory = memory_of(program, n_window)
        memory.now.valid = 1
        return program, memory

    def follow(self, stage, amplitudes):
        program, memory = stage
        thresholds = []
        for amplitude in amplitudes:
            memory.now.amplitude_uv = amplitude
            follow_amplitude(program, memory)
            thresholds.append(float(memory.now.threshold_uv[0]))
        return thresholds

    def test_open_gate_asks_for_nothing(self):
        assert self.follow(self.gate(AmplitudeGate.OPEN), [1.0, 9.0]) == [0.0, 0.0]

    def test_absolute_threshold_stands_from_the_first_sample(self):
        assert self.follow(self.gate(AmplitudeGate.ABSOLUTE), [1.0]) == [4.5]

    def test_running_threshold_waits_for_its_minimum_of_entries(self):
        got = self.follow(self.gate(AmplitudeGate.PERCENTILE), [1.0, 2.0, 6.0])
        assert np.isnan(got[:2]).all()
        assert got[2] == 2.0

    def test_running_threshold_is_numpys_quantile_of_the_last_entries(self):
        amplitudes = np.random.default_rng(2).gamma(2.0, 3.0, 60)
        stage = self.gate(AmplitudeGate.PERCENTILE, n_window=7, quantile=0.3)
        got = self.follow(stage, amplitudes)
        for k in range(3, 60):
            window = amplitudes[max(0, k - 6) : k + 1]
            assert got[k] == pytest.approx(np.quantile(window, 0.3), abs=1e-12)

    def test_one_sample_in_a_stride_enters(self):
        stage = self.gate(AmplitudeGate.PERCENTILE, stride=3, minimum=1)
        got = self.follow(stage, [1.0, 2.0, 3.0, 100.0, 100.0, 5.0])
        assert np.isnan(got[:2]).all()
        assert got[2:] == [3.0, 3.0, 3.0, 4.0]

    @pytest.mark.parametrize(
        ("name", "value"),
        [("valid", 0), ("artifacts", 1), ("amplitude_uv", math.nan)],
    )
    def test_unusable_samples_do_not_enter(self, name, value):
        program, memory = self.gate(AmplitudeGate.PERCENTILE, minimum=1)
        self.follow((program, memory), [2.0])
        memory.now.amplitude_uv = 50.0
        memory.now[name] = value
        follow_amplitude(program, memory)
        assert memory.now.threshold_uv[0] == 2.0
        assert memory.now.amplitude_n[0] == 1
