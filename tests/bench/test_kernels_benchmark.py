import numpy as np
import pytest

from bench import peers
from bench.kernels import fir_call, recursive_call, replay, replay_rows
from bench.scenes import alpha_brief, fir_design, hjorth, recursive_design
from bench.timing import seconds_each

N_SAMPLES = 1024


@pytest.mark.parametrize("make", [recursive_call, fir_call])
def test_kernel_over_many_samples(benchmark, make):
    assert np.isfinite(benchmark(make(N_SAMPLES)))


@pytest.mark.parametrize("design", [recursive_design, fir_design])
def test_replay_of_64_channels(benchmark, design):
    speed, different = benchmark.pedantic(
        replay, args=(design(alpha_brief(1000.0)), hjorth(64), 2000, 3), rounds=1
    )
    assert speed > 1.0
    assert different == 0


@pytest.mark.parametrize("make", [peers.numpy_complex_dot, peers.scipy_window])
def test_peer_that_gives_a_phasor(benchmark, make):
    assert np.isfinite(abs(benchmark(make())))


def test_peer_that_gives_a_sample(benchmark):
    filtered, _ = benchmark(peers.scipy_one_sample())
    assert np.isfinite(filtered).all()


def test_replay_rows_are_complete():
    rows = {row.name: row for row in replay_rows(n_samples=1500, n_repeats=3)}
    assert rows["replay.differing_repeats"].holds is True
    assert all(row.value > 0 for name, row in rows.items() if "64ch" in name)


def test_fastest_round_counts_and_the_first_does_not():
    calls = []
    taken_s = seconds_each(lambda: calls.append(1), n_calls=3, n_rounds=2)
    assert len(calls) == 9
    assert 0.0 <= taken_s < 1.0
