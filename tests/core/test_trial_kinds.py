"""Trials by phase, by the clock, yoked, by power and as if; given when offered."""

import math

import numpy as np
import pytest
from scenario import SFREQ_HZ, cosine, memory_of, program_of
from study import limits_of

from controller.core.offers import OFFER_SHIFT, offer_of
from controller.core.reasons import HoldReason, Outcome
from controller.core.records import (
    PATTERN,
    PATTERN_EDGE,
    TRIAL,
    AmplitudeGate,
    TrialKind,
)
from controller.engine.control import ControlWords
from controller.engine.virtual import regular_tape, run_virtual
from controller.kernels.jit import new_records
from controller.rig.programs.program import Rules
from controller.safety.interlock import Permit, Refusal
from controller.safety.limits import TrainLimits

ITI_S = 0.5
T_START = 1.0


def program_with(rows, *, rules=None, limits=None):
    """Return a program of these trials, each a pulse, or none where it is as if."""
    program = program_of(rules=rules, limits=limits)
    trials = new_records(TRIAL, len(rows))
    trials.iti_s, trials.pattern = ITI_S, 1
    for place, row in enumerate(rows):
        for name, value in row.items():
            trials[name][place] = value
    trials.pattern[trials.as_if == 1] = 0
    patterns = new_records(PATTERN, 2)
    patterns.n_edges = [0, 2]
    program.settings.offered = 1
    return program._replace(trials=trials, patterns=patterns)


def run(program, offers, raw=None, seconds=6.0, permits=Permit.ALL, **options):
    """Run; `offers` says from which second on which row is offered."""
    if raw is None:
        raw = cosine(seconds)
    tape = regular_tape(raw, SFREQ_HZ, t_start=T_START)
    t = tape.t_sample - T_START
    for count, (from_s, row) in enumerate(offers):
        offer = offer_of(row, count + 1)
        tape.permits[t >= from_s] = int(permits) | offer << OFFER_SHIFT
    return run_virtual(program, memory_of(program), tape, **options)


def decided(result, outcome=Outcome.PLANNED):
    rows = result.batch.decisions
    return rows[rows["outcome"] == outcome]


def by_clock(n, **row):
    return [{"kind": TrialKind.CLOCK, **row}] * n


def one_by_one(n, every_s=1.0):
    return [(1.0 + every_s * place, place) for place in range(n)]


def test_nothing_is_given_that_is_not_offered():
    result = run(program_with(by_clock(3)), [(0.0, None)])
    assert not len(result.batch.edges)
    held = result.batch.decisions[-1]["holds"]
    assert HoldReason(int(held)) & HoldReason.NOT_OFFERED


def test_an_offer_is_given_once_and_again_only_when_offered_again():
    program = program_with(by_clock(3))
    offers = [(1.0, 1), (3.0, 1), (4.0, None), (5.0, 2)]
    assert decided(run(program, offers))["trial"].tolist() == [1, 1, 2]


def test_an_offer_of_no_row_is_none():
    result = run(program_with(by_clock(2)), [(1.0, 2), (2.0, 7)])
    assert not len(result.batch.edges)
    with pytest.raises(ValueError, match="cannot be offered"):
        offer_of(-3, 0)


def test_an_offer_waits_until_the_pattern_under_way_is_over():
    program = program_with(by_clock(2))
    program.pattern_edges.offset_s[1] = 0.5
    result = run(program, [(1.0, 0), (1.3, 1)])
    assert decided(result)["trial"].tolist() == [0, 1]
    assert result.batch.edges["rises"].tolist() == [1, 0, 1, 0]


def test_by_the_clock_is_to_the_interval_whatever_the_eeg_does():
    raw = np.zeros((6000, 1), np.float32)
    raw[::7] = np.nan
    raw[1::3] = 1e5
    limits = limits_of(max_artifact_s=60.0, min_interval_s=0.2)
    offers = [(1.0, 0), (1.3, 1), (1.8, 2), (2.3, 3)]
    result = run(program_with(by_clock(4), limits=limits), offers, raw)
    t_due = decided(result)["t_due"]
    assert np.diff(t_due).tolist() == pytest.approx([ITI_S] * 3)
    assert (result.batch.edges["refusal"] == Refusal.NONE).all()


def test_by_phase_waits_for_phase_and_interval():
    result = run(program_with([{}] * 4), one_by_one(4))
    t_due = decided(result)["t_due"]
    assert len(t_due) == 4
    assert np.allclose(np.angle(np.exp(2j * math.pi * 10.0 * t_due)), 0.0, atol=0.05)


def test_what_is_recorded_as_if_moves_no_line_and_asks_no_interlock():
    rows = [{}, {"as_if": 1}, {"as_if": 1, "kind": TrialKind.CLOCK}, {}]
    offers = [(1.0, 0), (1.3, 1), (2.0, 2), (2.6, 3)]
    result = run(program_with(rows), offers)
    as_if = decided(result, Outcome.AS_IF)
    assert as_if["trial"].tolist() == [1, 2]
    assert as_if["refusal"].tolist() == [0, 0]
    # The interval counts from what was as if.
    given = np.sort(np.concatenate([as_if["t_due"], decided(result)["t_due"]]))
    assert np.diff(given).min() >= ITI_S - 1e-9
    assert len(result.batch.edges) == 2 * len(decided(result)) == 4
    nobody = run(program_with(rows[1:3]), one_by_one(2), permits=Permit.NONE)
    assert len(decided(nobody, Outcome.AS_IF)) == 2


def test_yoked_trials_come_at_the_other_session_s_times():
    at_s = [0.0, 0.7, 1.9, 2.35]
    rows = [{"kind": TrialKind.YOKED, "at_s": each} for each in at_s]
    result = run(program_with(rows), [(1.0 + each, k) for k, each in enumerate(at_s)])
    t_due = decided(result)["t_due"]
    assert t_due - t_due[0] == pytest.approx(at_s, abs=1e-9)


def test_a_yoked_stage_taken_up_in_its_middle_keeps_its_distances():
    rows = [{"kind": TrialKind.YOKED, "at_s": each} for each in (5.0, 5.8, 7.0)]
    result = run(program_with(rows), [(1.0, 0), (1.3, 1), (2.2, 2)])
    t_due = decided(result)["t_due"]
    assert t_due - t_due[0] == pytest.approx([0.0, 0.8, 2.0], abs=1e-9)


@pytest.mark.parametrize("kind", [TrialKind.PHASE, TrialKind.ANY_PHASE])
@pytest.mark.parametrize("side", [-1, 1])
def test_power_high_and_low(kind, side):
    t = np.arange(30_000)[:, np.newaxis] / SFREQ_HZ
    raw = cosine(30.0) * (1.0 + 0.6 * np.sin(2 * np.pi * 0.3 * t))
    rules = Rules(amplitude_gate=AmplitudeGate.PERCENTILE, quantile=0.99)
    row = {"kind": kind, "power_side": side, "power_quantile": 0.5}
    program = program_with([row] * 10, rules=rules)
    program.settings.amplitude_minimum = 20
    result = run(program, one_by_one(10, 2.5), raw.astype(np.float32))
    given = decided(result)
    assert len(given) >= 8
    assert (side * (given["amplitude_uv"] - given["threshold_uv"]) >= 0.0).all()


def test_power_of_an_unknown_past_holds():
    row = {"power_side": -1, "power_quantile": 0.99}
    result = run(program_with([row]), [(1.0, 0)], seconds=3.0)
    assert not len(result.batch.edges)


def bursts(n, **row):
    return [
        {"burst": k, "more": int(k < n - 1), "n_before": 2 * k, "n_left": 2 * (n - k)}
        | {"iti_s": ITI_S if k == 0 else 0.15, "pattern": 1}
        | row
        for k in range(n)
    ]


def burst_program(rows):
    train = TrainLimits(
        max_pulses=6, max_train_s=1.0, min_pulse_interval_s=0.015, min_inter_train_s=2.0
    )
    program = program_with(rows, limits=limits_of(train=train, min_interval_s=0.3))
    edges = new_records(PATTERN_EDGE, 4)
    edges.offset_s = [0.0, 0.005, 0.02, 0.025]
    edges.rises, edges.action = [1, 0, 1, 0], [0, 1, 0, 1]
    program.patterns.n_edges = [0, 4]
    return program._replace(pattern_edges=edges)


def test_bursts_locked_one_by_one_are_one_train_and_one_offer():
    result = run(burst_program(bursts(3) + bursts(3)), [(1.0, 0), (4.0, 3)])
    planned = decided(result)
    assert planned["trial"].tolist() == [0, 1, 2, 3, 4, 5]
    assert np.diff(planned["t_due"])[[0, 1, 3, 4]] == pytest.approx(0.2, abs=0.01)
    assert result.memory.ledger.trains[0] == 2
    assert result.memory.ledger.pulses[0] == 12
    angle = 2j * math.pi * 10.0 * planned["t_due"]
    assert np.allclose(np.angle(np.exp(angle)), 0.0, atol=0.05)


def test_an_edge_that_would_be_late_ends_the_train():
    # The fourth rise is the second of the second burst.
    late_s = np.array([0.0] * 6 + [0.02] + [0.0] * 50)
    result = run(burst_program(bursts(3)), [(1.0, 0)], late_s=late_s)
    rises = result.batch.edges[result.batch.edges["rises"] == 1]
    assert rises["refusal"].tolist() == [0, 0, 0, Refusal.TOO_LATE]
    refused = decided(result, Outcome.REFUSED)
    assert set(refused["refusal"].tolist()) == {int(Refusal.TRAIN_BROKEN)}


def test_the_word_of_permits_carries_the_offer():
    words = ControlWords()
    words.vouch_until(Permit.ARMED, 10.0)
    words.offer(offer_of(5, 3))
    assert words.word_at(9.0) & 0xFFFF == Permit.ARMED
    assert words.word_at(11.0) >> OFFER_SHIFT == offer_of(5, 3)
    # Doubles hold it: the recording is made of them.
    largest = int(Permit.ALL) | offer_of(4_000_000, 2**14 - 1) << OFFER_SHIFT
    assert int(float(largest)) == largest
