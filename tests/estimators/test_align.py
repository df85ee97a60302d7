import dataclasses

import numpy as np
import pytest

from controller.errors import RhythmTooWeak
from controller.estimators.align import aligned, compare
from controller.estimators.base import Brief
from controller.estimators.echt import EndpointCorrectedHilbert
from controller.estimators.iir import CausalQuadrature
from controller.kernels.circular import circular_mean, circular_sd

BRIEF = Brief(sfreq_hz=250.0, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


@pytest.fixture
def rest(rhythm_in_noise):
    samples, _ = rhythm_in_noise(250.0, 10.0, 20.0)
    return samples[np.newaxis]


@pytest.mark.parametrize("designer", [EndpointCorrectedHilbert(), CausalQuadrature()])
def test_alignment_takes_out_bias_and_amplitude_and_leaves_the_spread(designer, rest):
    design = designer.design(BRIEF, None)
    before, after = compare(design, rest), compare(aligned(design, rest), rest)
    assert abs(circular_mean(before.error_rad)) > 1e-3
    assert circular_mean(after.error_rad) == pytest.approx(0.0, abs=1e-9)
    assert np.median(np.abs(after.estimate)) == pytest.approx(
        np.median(np.abs(after.truth))
    )
    assert circular_sd(after.error_rad) == pytest.approx(circular_sd(before.error_rad))


def test_alignment_is_the_same_whatever_turn_the_design_had(rest):
    design = EndpointCorrectedHilbert().design(BRIEF)
    turned = dataclasses.replace(design, fir=3.0j * design.fir)
    assert aligned(turned, rest).fir == pytest.approx(aligned(design, rest).fir)


def test_comparison_starts_after_warm_up_and_filter_edge(rest):
    design = EndpointCorrectedHilbert().design(BRIEF)
    sides = compare(dataclasses.replace(design, warm_up_s=2.0), rest)
    assert sides.first == 500
    # 1 s of filter edge and 10 ms of horizon, rounded up to samples.
    assert sides.estimate.size == sides.truth.size == 5000 - 500 - 253
    assert np.isfinite(sides.truth).all()


def test_too_little_to_compare_is_refused(rest):
    design = EndpointCorrectedHilbert().design(BRIEF)
    compare(design, rest[:, :753])
    with pytest.raises(RhythmTooWeak, match="too short to compare"):
        compare(design, rest[:, :752])


def test_a_flat_rest_is_refused():
    design = EndpointCorrectedHilbert().design(BRIEF)
    with pytest.raises(RhythmTooWeak, match="no amplitude"):
        aligned(design, np.zeros((1, 5000)))
