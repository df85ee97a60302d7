import numpy as np
import pytest

from bench.latency import median_ratio, medians, planned, pooled
from bench.measured import Block, Fired, LineError, match_arrivals
from bench.reference import ReferenceEstimator
from bench.scenes import AT_ONCE, N_CODES, SCHEDULED, code_of, latency_program
from bench.signals import RHYTHM_HZ, rhythm
from controller.core.memory import new_memory
from controller.core.reasons import Fault
from controller.engine.virtual import regular_tape, run_virtual
from controller.kernels.circular import wrap_phase


def fired(latency_s, n=4):
    t_sample = np.arange(n) * 0.01
    return Fired(
        t_sample=t_sample,
        push_delay_s=np.full(n, 1e-4),
        t_due=t_sample + 2e-4,
        t_fired=t_sample + 2.5e-4,
        t_after=t_sample + 2.6e-4,
        t_observed=t_sample + 1e-4 + latency_s,
    )


def block(latency_s):
    return Block(
        fired=fired(latency_s),
        push_to_decision_us=np.empty(0),
        refused_late=0,
        n_samples=1000,
        n_lost=0,
        cpu_s=0.02,
        wall_s=1.0,
        merged=0,
        privileges="",
    )


def test_durations_are_between_the_instants_they_name():
    one = fired(3e-4)
    assert one.push_to_arrival_us == pytest.approx(np.full(4, 300.0))
    assert one.fire_to_arrival_us == pytest.approx(np.full(4, 150.0))
    assert one.deadline_error_us == pytest.approx(np.full(4, 50.0))
    assert block(3e-4).cpu_share == pytest.approx(0.02)


def test_warm_up_is_left_out_of_every_column():
    kept = fired(3e-4).since(0.01)
    assert kept.t_sample.tolist() == [0.01, 0.02, 0.03]
    assert len(kept.t_observed) == 3


def test_ratio_is_the_median_of_the_turns():
    ours = medians([block(1e-4), block(1e-4), block(9e-4)])
    theirs = medians([block(2e-4), block(4e-4), block(1e-4)])
    assert median_ratio(ours, theirs) == pytest.approx(0.5)


def test_percentiles_pool_the_turns():
    summary = pooled([block(1e-4), block(3e-4)], "push_to_arrival_us")
    assert summary.n == 8
    assert summary.p50 == pytest.approx(200.0)


def test_arrivals_pair_with_triggers_across_the_turn_of_the_codes():
    trials = np.arange(N_CODES - 1, N_CODES + 2)
    arrivals = np.array([[5.0, 250.0, 1.0], [6.0, 1.0, 1.0], [7.0, 2.0, 1.0]])
    assert match_arrivals(trials, arrivals).tolist() == [5.0, 6.0, 7.0]


@pytest.mark.parametrize("codes", [[1.0], [1.0, 3.0], [2.0, 1.0], [1.0, 2.0, 2.0]])
def test_lost_or_doubled_bytes_are_an_error(codes):
    arrivals = np.array([[0.0, code, 1.0] for code in codes])
    with pytest.raises(LineError, match="2 triggers left"):
        match_arrivals(np.arange(2), arrivals)


def test_plan_of_a_short_run_is_short():
    assert planned(seconds=None, smoke=True).turns == 1
    assert planned(seconds=4.0, smoke=False).seconds == 4.0


@pytest.fixture(scope="module")
def tape():
    return regular_tape(rhythm(3000, 8, 1000.0, RHYTHM_HZ), 1000.0, data_age_s=2e-4)


def run(tape, timing):
    program = latency_program(
        sfreq_hz=1000.0, n_channels=8, descriptor=3, timing=timing, n_trials=2000
    )
    result = run_virtual(program, new_memory(program, n_window=1), tape)
    assert result.fault is Fault.END_OF_TAPE
    return result


def test_scheduled_program_fires_at_the_peak_of_every_cycle(tape):
    edges = run(tape, SCHEDULED).batch.edges
    # 512 of the 3000 samples fill the filter.
    assert len(edges) == pytest.approx(2.488 * RHYTHM_HZ, abs=3)
    phase = wrap_phase(2.0 * np.pi * RHYTHM_HZ * edges["t_due"])
    assert np.abs(phase).max() < 0.5


def test_at_once_program_fires_as_soon_as_it_has_decided(tape):
    result = run(tape, AT_ONCE)
    edges, decisions = result.batch.edges, result.batch.decisions
    assert len(edges) == pytest.approx(2.488 * RHYTHM_HZ, abs=3)
    assert np.all(edges["refusal"] == 0)
    arrival = decisions[edges["decision"]]["t_arrival"]
    assert np.all(edges["t_due"] <= arrival)
    assert np.max(edges["t_fired"] - arrival) < 2e-6


def test_codes_follow_each_other(tape):
    calls = run(tape, AT_ONCE).calls
    assert calls[:, 2].tolist() == [code_of(k) for k in range(len(calls))]


def test_reference_estimates_what_the_compiled_loop_does(tape):
    batch = run(tape, AT_ONCE).batch
    reference = ReferenceEstimator(1000.0, 8)
    phases = [reference.phase(sample) for sample in tape.raw.tolist()]
    ours = batch.samples["phase_rad"]
    valid = np.isfinite(ours)
    assert valid.sum() > 2400
    difference = wrap_phase(ours[valid] - np.array(phases)[valid])
    # The loop subtracts the first sample, the filter's weights sum to zero: what is
    # left is rounding.
    assert np.abs(difference).max() < 1e-6
