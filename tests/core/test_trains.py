"""Patterns of more than one pulse through the core: one decision, many timed edges."""

import math

import numpy as np
import pytest
from scenario import SFREQ_HZ, cosine, memory_of, program_of
from study import limits_of

from controller.core.reasons import Fault
from controller.core.records import PATTERN_EDGE
from controller.engine.virtual import regular_tape, run_virtual
from controller.errors import ConfigError
from controller.kernels.jit import new_records
from controller.rig.programs.program import Rules, require_allowed
from controller.safety.interlock import Permit, Refusal
from controller.safety.limits import TrainLimits

WIDTH_S = 0.004
GAP_S = 0.02


def train_limits(**changed):
    usual = {
        "max_pulses": 3,
        "max_train_s": 0.1,
        "min_pulse_interval_s": 0.018,
        "min_inter_train_s": 2.0,
    }
    return TrainLimits(**(usual | changed))


def train_program(n_pulses=3, gap_s=GAP_S, check=False, **options):
    options.setdefault("limits", limits_of(train=train_limits()))
    options.setdefault("iti_s", 2.2)
    program = program_of(pulse_s=WIDTH_S, **options)
    edges = new_records(PATTERN_EDGE, 2 * n_pulses)
    edges.rises[::2] = 1
    edges.action[1::2] = 1
    edges.offset_s[::2] = gap_s * np.arange(n_pulses)
    edges.offset_s[1::2] = gap_s * np.arange(n_pulses) + WIDTH_S
    program.patterns.n_edges = len(edges)
    if check:
        require_allowed(options["limits"], program.patterns, edges)
    return program._replace(pattern_edges=edges)


def run(program, seconds=8.0, change=lambda tape: None, **options):
    tape = regular_tape(cosine(seconds), SFREQ_HZ)
    change(tape)
    return run_virtual(program, memory_of(program), tape, **options)


def rises_of(result):
    edges = result.batch.edges
    return edges[edges["rises"] == 1]


def test_one_decision_makes_a_train_of_timed_pulses():
    result = run(train_program(check=True))
    rises = rises_of(result)
    trains = [rises[rises["decision"] == d] for d in np.unique(rises["decision"])]
    assert len(trains) >= 3
    for train in trains:
        assert train["edge"].tolist() == [0, 2, 4]
        assert np.allclose(np.diff(train["t_fired"]), GAP_S, atol=1e-6)
        assert (train["refusal"] == Refusal.NONE).all()
    onsets = np.array([train["t_fired"][0] for train in trains])
    # Every train begins at a peak, and at the interval of trials, onset to onset.
    assert np.allclose(np.angle(np.exp(2j * math.pi * 10.0 * onsets)), 0.0, atol=0.05)
    assert (np.diff(onsets) >= 2.2 - 1e-9).all()


def test_a_train_is_one_trial_and_its_pulses_are_counted_one_by_one():
    result = run(train_program())
    ledger, now = result.memory.ledger[0], result.memory.now[0]
    assert ledger.pulses == 3 * now.trial == 3 * ledger.trains > 0
    assert len(result.calls) == 2 * ledger.pulses


def test_every_pulse_of_a_train_blinds_the_estimator_anew():
    program = train_program(rules=Rules(refractory_s=0.3), iti_s=30.0)
    result = run(program)
    last = rises_of(result)["t_due"][-1]
    now = result.memory.now[0]
    assert now.t_blind_until == pytest.approx(last + 0.3)
    assert now.t_blind_from == pytest.approx(last - 2 * GAP_S)


def test_without_its_limits_no_train_begins():
    result = run(train_program(limits=limits_of()))
    assert len(result.calls) == 0
    assert set(result.batch.decisions["refusal"]) <= {
        Refusal.NONE,
        Refusal.TRAIN_TOO_LONG,
    }
    assert Refusal.TRAIN_TOO_LONG in result.batch.decisions["refusal"]


def test_a_pulse_that_comes_too_close_ends_its_train():
    result = run(train_program(gap_s=0.0175))
    rises = rises_of(result)
    first = rises[rises["decision"] == rises["decision"][0]]
    assert first["refusal"].tolist() == [0, Refusal.TRAIN_INTERVAL_TOO_SHORT]
    assert result.memory.now.line_high[0] == 0


def test_a_train_that_would_pass_the_budget_does_not_begin():
    limits = limits_of(max_pulses=5, train=train_limits())
    result = run(train_program(limits=limits))
    assert result.memory.ledger.pulses[0] == 3
    assert Refusal.BUDGET_SPENT in result.batch.decisions["refusal"]


def test_a_late_pulse_inside_ends_its_train_with_the_line_low():
    result = run(train_program(iti_s=30.0), late_s=[0.0, 0.0, 0.002])
    assert rises_of(result)["refusal"].tolist() == [0, Refusal.TOO_LATE]
    assert len(result.calls) == 2
    assert result.memory.now.line_high[0] == 0


def test_a_disarmed_train_ends_with_the_line_low():
    whole = rises_of(run(train_program()))
    t_second = float(whole["t_fired"][1])

    def disarm(tape):
        tape.permits[tape.t_arrival > t_second - 0.005] &= ~int(Permit.ARMED)

    result = run(train_program(), change=disarm)
    rises = rises_of(result)
    assert rises["refusal"].tolist() == [0, Refusal.NOT_ARMED]
    assert result.memory.now.line_high[0] == 0
    assert result.fault is Fault.END_OF_TAPE


def test_an_artifact_of_its_own_pulses_does_not_end_a_train():
    whole = rises_of(run(train_program()))
    t_first = float(whole["t_fired"][0])

    def strike(tape):
        struck = (tape.t_sample > t_first) & (tape.t_sample < t_first + 0.05)
        tape.raw[struck] += 4000.0

    rises = rises_of(run(train_program(), change=strike))
    assert rises["refusal"][:3].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"n_pulses": 4}, "4 pulses, more than the 3"),
        ({"gap_s": 0.0185}, "0.0185 s apart, closer than .* 0.019 s"),
        ({"gap_s": 0.0499}, "lasts 0.0998 s, .*max_train_s = 0.1 s"),
        ({"limits": limits_of()}, r"limits\.train is missing"),
        (
            {"limits": limits_of(max_per_minute=2, train=train_limits())},
            "3 pulses within a minute, more than limits.max_per_minute = 2",
        ),
        (
            {"limits": limits_of(max_pulses=2, train=train_limits())},
            "3 pulses, more than the 2",
        ),
    ],
)
def test_a_pattern_that_would_be_cut_off_is_refused_before_anybody_arms(changed, words):
    with pytest.raises(ConfigError, match=words):
        train_program(check=True, **changed)


def test_patterns_at_the_limits_may_be_fired():
    train_program(check=True, gap_s=0.0191)
    train_program(check=True, gap_s=0.0494)
    train_program(check=True, n_pulses=1, limits=limits_of())
