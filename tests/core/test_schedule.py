import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import (
    FREQUENCY_HZ,
    SFREQ_HZ,
    cosine,
    limits_of,
    memory_of,
    program_of,
    vector_program,
)

from controller.core.reasons import HoldReason, Outcome
from controller.core.schedule import next_crossing
from controller.engine.virtual import regular_tape, run_virtual
from controller.rig.programs.program import Rules, make_trials
from controller.safety.interlock import Permit, Refusal

PERIOD_S = 1.0 / FREQUENCY_HZ


def run_cosine(program, seconds=6.0, **options):
    signal = {
        name: options.pop(name)
        for name in ("frequency_hz", "sfreq_hz", "noise_uv", "amplitude_uv")
        if name in options
    }
    sfreq_hz = signal.get("sfreq_hz", SFREQ_HZ)
    tape = regular_tape(cosine(seconds, **signal), sfreq_hz, data_age_s=2e-4, **options)
    return run_virtual(program, memory_of(program), tape)


def rises_of(run):
    edges = run.batch.edges
    return edges[(edges["rises"] == 1) & (edges["refusal"] == Refusal.NONE)]


@given(
    t_phase=st.floats(0.0, 1e4),
    wait=st.floats(-math.pi, math.pi),
    frequency_hz=st.floats(2.0, 40.0),
    ahead=st.floats(-5.0, 5.0),
)
def test_crossing_is_the_first_one_after(t_phase, wait, frequency_hz, ahead):
    t_after = t_phase + ahead
    period = 1.0 / frequency_hz
    t_due = next_crossing(t_phase, wait, frequency_hz, t_after)
    turns = frequency_hz * (t_due - t_phase) - wait / (2.0 * math.pi)
    # A phase of instants near 1e4 s has rounding of some 1e-11 s.
    assert turns == pytest.approx(round(turns), abs=1e-8)
    assert t_after - 1e-9 < t_due <= t_after + period + 1e-9


@given(t_phase=st.floats(-1e4, 1e4), wait=st.floats(-math.pi, math.pi))
def test_without_a_crossing_before_it_is_the_nearest(t_phase, wait):
    t_due = next_crossing(t_phase, wait, 10.0, -math.inf)
    assert t_due == pytest.approx(t_phase + wait / (20.0 * math.pi), abs=1e-12)
    assert abs(t_due - t_phase) <= 0.05 + 1e-9


def test_crossing_at_the_bound_counts_as_passed():
    assert next_crossing(1.0, 0.0, 10.0, 1.0) == pytest.approx(1.1)
    assert next_crossing(1.0, 0.0, 10.0, math.nextafter(1.0, 0.0)) == 1.0


def test_crossing_of_no_phase_is_none():
    assert math.isnan(next_crossing(1.0, math.nan, 10.0, 0.5))


@pytest.mark.parametrize("design", ["iir", "fir"])
@pytest.mark.parametrize("target_deg", [0, 90, 180, -90, 450])
def test_pulses_land_on_the_target_phase_of_a_cosine(design, target_deg):
    """Phase 0 is the positive peak, 180 the trough, -90 rising, +90 falling."""
    run = run_cosine(program_of(design, target_deg=target_deg, iti_s=0.15))
    t_edge = rises_of(run)["t_fired"]
    assert len(t_edge) >= 15
    error = 2.0 * math.pi * FREQUENCY_HZ * t_edge - math.radians(target_deg)
    degrees = np.degrees(np.angle(np.exp(1j * error)))
    # The recursive design still settles by half a degree in the first pulses.
    assert np.abs(degrees).max() < 1.0


def test_signs_of_the_convention_show_in_the_signal_itself():
    seconds = 5.0
    for target_deg, sign_of_slope in ((-90, 1.0), (90, -1.0)):
        t = rises_of(run_cosine(program_of(target_deg=target_deg), seconds))["t_fired"]
        slope = -np.sin(2.0 * math.pi * FREQUENCY_HZ * t)
        assert (np.sign(slope) == sign_of_slope).all()
    for target_deg, sign in ((0, 1.0), (180, -1.0)):
        t = rises_of(run_cosine(program_of(target_deg=target_deg), seconds))["t_fired"]
        assert (np.cos(2.0 * math.pi * FREQUENCY_HZ * t) * sign > 0.99).all()


def test_output_latency_is_taken_off_the_call():
    rules = Rules(output_latency_s=0.013)
    run = run_cosine(program_of(rules=rules, horizon_s=0.017))
    planned = run.batch.decisions[run.batch.decisions["outcome"] == Outcome.PLANNED]
    np.testing.assert_allclose(planned["t_due"] - planned["t_write"], 0.013, atol=1e-12)
    phase = 2.0 * math.pi * FREQUENCY_HZ * (rises_of(run)["t_fired"] + 0.013)
    assert np.abs(np.degrees(np.angle(np.exp(1j * phase)))).max() < 1.0


@pytest.mark.parametrize("horizon_s", [0.0, 0.004, 0.049, 0.051, 0.08, 0.3])
def test_every_cycle_is_decided_once_whatever_the_horizon(horizon_s):
    run = run_cosine(program_of(horizon_s=horizon_s, iti_s=0.1))
    decisions = run.batch.decisions
    decided = decisions[np.isfinite(decisions["t_due"])]
    assert len(decided) >= 40
    # The settling recursion moves a crossing by half a degree, 0.14 ms.
    np.testing.assert_allclose(np.diff(decided["t_due"]), PERIOD_S, atol=2e-4)
    assert not (decided["holds"] & int(HoldReason.TOO_LATE)).any()
    assert len(rises_of(run)) >= 20


def test_a_crossing_is_decided_within_the_lock_and_not_before():
    run = run_cosine(program_of(rules=Rules(lock_s=0.0105), horizon_s=0.01))
    decisions = run.batch.decisions
    decided = decisions[np.isfinite(decisions["t_due"])]
    remaining = decided["t_write"] - decided["t_arrival"]
    assert (remaining <= 0.0105).all()
    assert (remaining > 0.0105 - 1.1e-3).all()


def test_noise_changes_no_count_of_decisions():
    run = run_cosine(program_of(iti_s=0.1), seconds=10.0, noise_uv=5.0)
    decided = run.batch.decisions[np.isfinite(run.batch.decisions["t_due"])]
    steps = np.diff(decided["t_due"])
    assert (steps > 0.5 * PERIOD_S).all()
    assert abs(len(decided) - np.ptp(decided["t_due"]) / PERIOD_S) < 4


def test_drawn_intervals_are_kept():
    trials = make_trials(40, target_phase_rad=0.0, iti_s=0.5, iti_jitter_s=0.3, seed=4)
    run = run_cosine(program_of(trials=trials), seconds=14.0)
    rises = rises_of(run)
    assert len(rises) >= 20
    apart = np.diff(rises["t_due"])
    drawn = trials.iti_s[1 : len(rises)]
    assert (apart >= drawn - 1e-9).all()
    # The next crossing after the interval is taken, not a later one.
    assert (apart <= drawn + PERIOD_S + 1e-3).all()
    assert np.std(drawn) > 0.1
    assert np.array_equal(rises["trial"], np.arange(len(rises)))


def test_intervals_of_a_seed_are_always_the_same():
    draws = [
        make_trials(9, target_phase_rad=0, iti_s=2, iti_jitter_s=1, seed=seed).iti_s
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert ((draws[0] >= 1.0) & (draws[0] <= 3.0)).all()


def test_after_the_last_trial_every_decision_says_so():
    run = run_cosine(program_of(n_trials=3))
    assert len(rises_of(run)) == 3
    after = run.batch.decisions[run.batch.decisions["trial"] == 3]
    assert len(after) > 20
    assert (after["holds"] & int(HoldReason.TRIALS_DONE)).all()


def test_warming_up_is_recorded_once_a_cycle():
    run = run_cosine(program_of("fir"), seconds=1.0)
    warming = run.batch.decisions[
        run.batch.decisions["holds"] == int(HoldReason.WARMING_UP)
    ]
    # 256 taps are two and a half cycles: at the first sample and twice more.
    assert warming["n_samples"].tolist() == pytest.approx([1, 101, 201], abs=1)
    assert np.isnan(warming["phase_rad"]).all()


def test_a_program_without_a_design_decides_nothing():
    run = run_cosine(program_of(None, edges=None), seconds=0.5)
    assert len(run.batch.samples) == 500
    assert len(run.batch.decisions) == len(run.batch.edges) == len(run.calls) == 0


def test_a_program_without_wire_actions_makes_no_call():
    run = run_cosine(program_of(edges=None), seconds=3.0)
    assert (run.batch.decisions["outcome"] == Outcome.PLANNED).any()
    assert len(run.batch.edges) == len(run.calls) == 0


def test_decisions_are_refused_while_nobody_has_armed():
    run = run_cosine(program_of(), seconds=4.0, permits=Permit.ALL & ~Permit.ARMED)
    decisions = run.batch.decisions
    decided = decisions[decisions["holds"] == 0]
    assert len(decided) > 5
    assert (decided["refusal"] == Refusal.NOT_ARMED).all()
    assert (decided["outcome"] == Outcome.REFUSED).all()
    assert len(run.calls) == 0


def test_a_budget_is_not_passed():
    run = run_cosine(program_of(limits=limits_of(max_pulses=4)), seconds=6.0)
    assert len(rises_of(run)) == 4
    refused = run.batch.decisions[run.batch.decisions["outcome"] == Outcome.REFUSED]
    assert set(refused["refusal"]) == {Refusal.BUDGET_SPENT}


def test_minimum_interval_rules_over_a_shorter_trial_interval():
    program = program_of(iti_s=0.1, limits=limits_of(min_interval_s=0.35))
    rises = rises_of(run_cosine(program))
    assert len(rises) > 5
    assert (np.diff(rises["t_fired"]) >= 0.35).all()


def test_bridged_electrodes_fire_nothing():
    program = program_of(n_channels=2, mixing=np.array([[1.0, -1.0]]))
    raw = np.repeat(cosine(4.0, noise_uv=3.0), 2, axis=1)
    run = run_virtual(
        program, memory_of(program), regular_tape(raw, SFREQ_HZ, data_age_s=2e-4)
    )
    assert len(run.calls) == 0
    decided = run.batch.decisions[np.isfinite(run.batch.decisions["t_due"])]
    assert (decided["holds"] & int(HoldReason.AMPLITUDE)).all()


def test_phase_is_what_the_vector_says():
    """The program of the twin's tests really puts phase and amplitude on the tape."""
    program = vector_program()
    turn = 2.0 * np.pi * 10.0 * np.arange(200) / SFREQ_HZ
    raw = np.stack([7.0 * np.cos(turn), 7.0 * np.sin(turn)], axis=1)
    raw[0] = 0.0
    run = run_virtual(
        program, memory_of(program), regular_tape(raw.astype(np.float32), SFREQ_HZ)
    )
    np.testing.assert_allclose(run.batch.samples["amplitude_uv"][1:], 7.0, rtol=1e-6)
    wrapped = np.angle(np.exp(1j * turn[1:]))
    away = np.angle(np.exp(1j * (run.batch.samples["phase_rad"][1:] - wrapped)))
    assert np.abs(away).max() < 1e-6
