import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.errors import RhythmTooWeak
from controller.estimators.base import Brief
from controller.estimators.fit_grid import FitGrid, fit_grid, fit_step, outside

BRIEF = Brief(sfreq_hz=128.0, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


@settings(max_examples=30, deadline=None)
@given(
    step=st.integers(1, 12),
    n_taps=st.integers(1, 40),
    first=st.integers(0, 8),
    more=st.integers(1, 8),
    seed=st.integers(0, 100),
)
def test_filters_are_read_as_a_convolution_at_the_instants(
    step, n_taps, first, more, seed
):
    rng = np.random.default_rng(seed)
    grid = FitGrid(
        step=step, first=first, last=first + more, truth=np.zeros(more), folds=()
    )
    samples = rng.standard_normal((first + more) * step + 3)
    filters = rng.standard_normal((2, n_taps)) + 1j * rng.standard_normal((2, n_taps))
    every = np.stack([np.convolve(samples, taps) for taps in filters])
    read = grid.read(samples, filters)
    np.testing.assert_allclose(read, every[:, grid.at], atol=1e-12)


def test_truth_at_the_instants_is_the_offline_truth_later(rhythm_in_noise):
    samples, _ = rhythm_in_noise(128.0, 10.0, 20.0)
    grid = fit_grid(BRIEF, samples, warm_up_s=1.5, step=2)
    # Ten milliseconds are no whole number of samples: the truth turns by a tenth.
    now = dataclasses.replace(BRIEF, horizon_s=0.0)
    same = fit_grid(now, samples, warm_up_s=1.5, step=2)
    shared = same.truth[: grid.truth.size]
    turned = np.angle(np.vdot(shared, grid.truth))
    assert grid.at[0] >= 1.5 * 128.0
    assert grid.at[-1] <= 19.0 * 128.0
    assert turned == pytest.approx(2.0 * np.pi * 0.1, abs=0.02)


def test_folds_cover_every_instant_once_and_keep_a_guard(pink):
    grid = fit_grid(BRIEF, pink(128 * 60), warm_up_s=1.0, step=2)
    held = np.concatenate([np.arange(grid.truth.size)[f.held_out] for f in grid.folds])
    np.testing.assert_array_equal(held, np.arange(grid.truth.size))
    for fold in grid.folds:
        seen = np.flatnonzero(outside(grid.truth.size, fold.away))
        inside = np.arange(grid.truth.size)[fold.held_out]
        apart = np.abs(seen[:, np.newaxis] - inside).min()
        assert apart * grid.step >= 128


def test_a_recording_without_a_second_between_the_edges_is_refused(pink):
    with pytest.raises(RhythmTooWeak, match="too short"):
        fit_grid(BRIEF, pink(128 * 3), warm_up_s=1.0, step=2)


@pytest.mark.parametrize(("sfreq_hz", "step"), [(50.0, 1), (250.0, 4), (5000.0, 80)])
def test_instants_are_sixteen_milliseconds_apart(sfreq_hz, step):
    assert fit_step(sfreq_hz) == step
