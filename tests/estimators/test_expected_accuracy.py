import dataclasses

import numpy as np
import pytest

from controller.errors import RhythmTooWeak
from controller.estimators.accuracy import expected_accuracy, fitted_accuracy
from controller.estimators.align import compare
from controller.estimators.base import Brief
from controller.estimators.echt import EndpointCorrectedHilbert
from controller.estimators.wiener import PersonalWiener
from controller.kernels.circular import circular_sd

BRIEF = Brief(sfreq_hz=250.0, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


@pytest.fixture
def rest(rhythm_in_noise):
    samples, _ = rhythm_in_noise(250.0, 10.0, 45.0)
    return samples[np.newaxis]


class Remembering:
    """A designer that notes what it was shown."""

    name = "remembering"
    needs_rest = True

    def __init__(self):
        self.shown = []

    def design(self, brief, rest):
        self.shown.append(rest.copy())
        return EndpointCorrectedHilbert().design(brief)


def test_no_third_is_scored_by_a_design_that_saw_it(rest):
    designer = Remembering()
    expected = expected_accuracy(designer, BRIEF, rest, percentile=60.0)
    thirds = np.array_split(rest[0], 3)
    assert len(designer.shown) == 3
    for left_out, shown in enumerate(designer.shown):
        others = [third for k, third in enumerate(thirds) if k != left_out]
        assert np.array_equal(shown[0], np.concatenate(others))
    assert expected.held_out


def test_the_same_design_scores_the_same_held_out_and_fitted(rest):
    design = EndpointCorrectedHilbert().design(BRIEF)
    expected = expected_accuracy(Remembering(), BRIEF, rest, percentile=60.0)
    fitted = fitted_accuracy(design, rest, percentile=60.0)
    assert expected.every == fitted.every
    assert not fitted.held_out


def test_a_generic_design_is_aligned_on_the_other_thirds(rest):
    class Turned(EndpointCorrectedHilbert):
        def design(self, brief, rest=None):
            design = super().design(brief)
            return dataclasses.replace(design, fir=1j * design.fir)

    one = expected_accuracy(EndpointCorrectedHilbert(), BRIEF, rest, percentile=60.0)
    two = expected_accuracy(Turned(), BRIEF, rest, percentile=60.0)
    assert two.every.bias_rad == pytest.approx(one.every.bias_rad, abs=1e-9)
    assert two.every.circular_sd_rad == pytest.approx(one.every.circular_sd_rad)


def test_scores_are_those_of_the_comparison(rest):
    design = PersonalWiener().design(BRIEF, rest)
    fitted = fitted_accuracy(design, rest, percentile=75.0)
    sides = compare(design, rest)
    assert fitted.every.n == sides.truth.size
    assert fitted.every.circular_sd_rad == pytest.approx(circular_sd(sides.error_rad))
    assert fitted.gated.n == pytest.approx(0.25 * fitted.every.n, abs=1)
    assert np.percentile(np.abs(sides.estimate), 75.0) == fitted.threshold_uv


def test_gate_and_honesty_order_the_scores(rest):
    expected = expected_accuracy(PersonalWiener(), BRIEF, rest, percentile=60.0)
    assert expected.gated.circular_sd_rad < 0.8 * expected.every.circular_sd_rad
    assert expected.gated.n == pytest.approx(0.4 * expected.every.n, rel=0.2)
    assert abs(expected.every.bias_rad) < 0.1
    assert 0.0 < expected.every.resultant_length < 1.0


def test_promise_holds_on_a_later_recording(rhythm_in_noise, rest):
    promised = expected_accuracy(PersonalWiener(), BRIEF, rest, percentile=60.0)
    later, _ = rhythm_in_noise(250.0, 10.0, 120.0, seed=20)
    design = PersonalWiener().design(BRIEF, rest)
    error = compare(design, later[np.newaxis]).error_rad
    assert circular_sd(error) == pytest.approx(
        promised.every.circular_sd_rad, abs=np.radians(5.0)
    )


def test_rest_must_leave_enough_for_the_designer(rest):
    with pytest.raises(RhythmTooWeak, match="at least 15 s"):
        expected_accuracy(PersonalWiener(), BRIEF, rest[:, :5000], percentile=60.0)


def test_a_gate_that_never_opens_is_refused(rest):
    class Silent(EndpointCorrectedHilbert):
        needs_rest = True

        def design(self, brief, rest=None):
            design = super().design(brief)
            return dataclasses.replace(design, fir=np.nan * design.fir)

    with pytest.raises(RhythmTooWeak, match="never reaches"):
        expected_accuracy(Silent(), BRIEF, rest, percentile=60.0)
