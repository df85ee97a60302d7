import numpy as np
import pytest

from controller.estimators.base import Brief
from controller.estimators.fit_grid import fit_grid, outside
from controller.estimators.residual_ridge import (
    basis_filters,
    fit_correction,
    ridge_weights,
)

SFREQ_HZ = 128.0
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)
N_ROWS = 9


@pytest.fixture
def rows(rhythm_in_noise, pink):
    """A rhythm in strong noise, and eight channels that show it more clearly."""
    samples, analytic = rhythm_in_noise(SFREQ_HZ, 10.0, 60.0, noise_uv=30.0)
    others = [0.8 * analytic.real + 10.0 * pink(samples.size, k) for k in range(9, 17)]
    return np.vstack((samples, others))


@pytest.fixture
def grid(rows):
    return fit_grid(BRIEF, rows[0], warm_up_s=1.0, step=2)


@pytest.fixture
def estimate(grid):
    """Weak, and its phase is off."""
    noise = np.random.default_rng(2).standard_normal((grid.truth.size, 2)) @ [1.0, 1j]
    return 0.3 * (grid.truth + 6.0 * noise)


def test_ridge_weights_are_those_of_the_written_out_sum():
    rng = np.random.default_rng(1)
    features = rng.standard_normal((60, 4))
    target = rng.standard_normal(60) + 1j * rng.standard_normal(60)
    # The twin: ridge rows appended to an ordinary least-squares problem.
    load = 0.3 * np.mean([np.sum(column**2) for column in features.T])
    longer = np.vstack((features, np.sqrt(load) * np.eye(4)))
    expected, *_ = np.linalg.lstsq(
        longer.astype(complex), np.concatenate((target, np.zeros(4))), rcond=None
    )
    np.testing.assert_allclose(ridge_weights(features, target, 0.3), expected)


def test_correction_brings_an_estimate_nearer_to_the_truth(grid, rows):
    nothing = np.zeros_like(grid.truth)
    correction = fit_correction(BRIEF, grid, rows, nothing + 1e-9)
    assert correction is not None
    agreement = np.mean(np.cos(np.angle(correction.held_out * grid.truth.conj())))
    assert agreement > 0.6


def test_weights_say_what_a_slow_twin_fits(grid, rows, estimate):
    correction = fit_correction(BRIEF, grid, rows, estimate)
    basis = basis_filters(BRIEF)
    columns = []
    for row in rows:
        answers = [np.convolve(row, taps)[grid.at] for taps in basis]
        size = np.sqrt(np.mean(np.abs(answers) ** 2))
        columns += [answer.real / size for answer in answers]
        columns += [answer.imag / size for answer in answers]
    features = np.array(columns).T
    load = correction.penalty * np.mean(np.sum(features**2, axis=0))
    gram = features.T @ features + load * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, features.T @ (grid.truth - estimate))
    by_filter = sum(
        np.convolve(row, taps)[grid.at]
        for row, taps in zip(rows, correction.weights, strict=True)
    )
    np.testing.assert_allclose(by_filter, features @ weights, atol=1e-6)


def test_what_is_said_of_a_fold_does_not_depend_on_it(grid, rows, estimate):
    before = fit_correction(BRIEF, grid, rows, estimate)
    fold = grid.folds[2]
    changed = grid.truth.copy()
    changed[fold.held_out] *= np.exp(0.1j)
    other = type(grid)(
        step=grid.step,
        first=grid.first,
        last=grid.last,
        truth=changed,
        folds=grid.folds,
    )
    after = fit_correction(BRIEF, other, rows, estimate)
    assert before.penalty == after.penalty
    np.testing.assert_allclose(
        after.held_out[fold.held_out], before.held_out[fold.held_out], rtol=1e-9
    )
    # While the other folds, which did see it, are told something else.
    elsewhere = outside(grid.truth.size, fold.away)
    assert np.abs(after.held_out - before.held_out)[elsewhere].max() > 1e-6


def test_no_correction_where_channels_know_nothing(grid, pink):
    n_samples = round(60.0 * SFREQ_HZ)
    noise = np.vstack([pink(n_samples, k) for k in range(30, 30 + N_ROWS)])
    assert fit_correction(BRIEF, grid, noise, grid.truth * 0.9) is None


def test_flat_channels_get_no_weight(grid, rows, estimate):
    rows[4] = 12.0
    rows[5] = 0.0
    correction = fit_correction(BRIEF, grid, rows, estimate)
    assert not correction.weights[4:6].any()
    assert np.isfinite(correction.weights).all()


def test_channels_that_are_all_flat_give_no_correction(grid, rows):
    assert fit_correction(BRIEF, grid, 0.0 * rows, estimate) is None


def test_a_channel_in_other_units_changes_nothing(grid, rows, estimate):
    before = fit_correction(BRIEF, grid, rows, estimate)
    rows[3] *= 1e4
    after = fit_correction(BRIEF, grid, rows, estimate)
    np.testing.assert_allclose(after.held_out, before.held_out, atol=1e-9)


def test_weights_and_basis_pass_no_constant(grid, rows, estimate):
    correction = fit_correction(BRIEF, grid, rows, estimate)
    assert np.abs(correction.weights.sum(axis=1)).max() < 1e-12
    assert np.abs(basis_filters(BRIEF).sum(axis=1)).max() < 1e-12


@pytest.mark.parametrize(("frequency_hz", "longest_s"), [(20.0, 0.4), (5.0, 0.8)])
def test_the_basis_is_longer_for_slower_rhythms_only(frequency_hz, longest_s):
    brief = Brief(
        sfreq_hz=500.0,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - 2.0, frequency_hz + 2.0),
        horizon_s=0.0,
    )
    assert basis_filters(brief).shape[1] == round(500.0 * longest_s)
