import dataclasses
import math

import numpy as np
import pytest

from controller.estimators.base import Brief
from controller.estimators.blend import local_forecasts
from controller.estimators.offline import run_design
from controller.kernels import autoregressive

BRIEF = Brief(sfreq_hz=128.0, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


def one_part(stride):
    local = local_forecasts("test", BRIEF)
    part = dataclasses.replace(local.local[1], stride=stride, weight=1.0)
    return dataclasses.replace(local, local=(part,))


@pytest.mark.parametrize("order", [1, 2, 7])
@pytest.mark.parametrize("n_ahead", [1, 3, 20])
def test_folded_weights_give_the_sum_over_the_forecast(order, n_ahead):
    rng = np.random.default_rng(order)
    coefficients = rng.standard_normal(order) / (2.0 * order)
    ahead = rng.standard_normal(n_ahead)
    series = np.concatenate((rng.standard_normal(order), np.zeros(n_ahead)))
    weights = np.zeros(order)
    autoregressive.fold(ahead, coefficients, np.ones(order + n_ahead), weights)
    autoregressive.forecast(series, order, n_ahead, coefficients)
    assert weights @ series[:order] == pytest.approx(ahead @ series[order:])


def test_a_model_fitted_now_estimates_as_one_that_is_not_kept(pink):
    samples = pink(6 * 128)[np.newaxis]
    often, seldom = run_design(one_part(1), samples), run_design(one_part(9), samples)
    at = one_part(9).local[0].n_least - 1 + 9 * np.arange(50)
    np.testing.assert_allclose(seldom[at], often[at], rtol=1e-9)


def test_between_fits_the_estimate_is_of_the_newest_samples(pink):
    samples = pink(6 * 128)[np.newaxis]
    design = one_part(9)
    at = design.local[0].n_least - 1 + 9 * 20 + 5  # five samples after a fit
    before = run_design(design, samples)
    samples[0, at] += 1.0
    moved = run_design(design, samples)[at] - before[at]
    # The newest sample's own weight, from the row and the kept model.
    assert abs(moved) > 0.05 * np.abs(design.local[0].row).max()


def test_a_kept_model_passes_no_cosine_differently(pink):
    at = np.arange(6 * 128) / 128.0
    cosine = 10.0 * np.cos(2.0 * np.pi * 10.0 * at)[np.newaxis]
    cosine += 0.01 * pink(cosine.size)
    often, seldom = run_design(one_part(1), cosine), run_design(one_part(9), cosine)
    warm = np.isfinite(often) & np.isfinite(seldom)
    turned = np.angle(seldom[warm] * often[warm].conj())
    assert np.abs(turned).max() < math.radians(1.0)


def test_silence_gives_no_estimate_until_there_is_a_model_again(pink):
    samples = pink(12 * 128)[np.newaxis]
    samples[0, 4 * 128 : 8 * 128] = samples[0, 0]  # where the loop counts from
    estimate = run_design(one_part(9), samples)
    assert np.isnan(estimate[7 * 128 : 8 * 128]).all()
    assert np.isfinite(estimate[8 * 128 + 9 :]).all()
