import numpy as np
import pytest

from controller.core.records import Kernel, TrackerKind
from controller.estimators.align import aligned
from controller.estimators.base import Brief
from controller.estimators.conformance import check_designer
from controller.estimators.iir import CausalQuadrature
from controller.estimators.offline import run_design
from controller.estimators.trackers import PhaseLockedLoop, ZeroCrossing
from controller.kernels import trackers
from controller.kernels.circular import circular_mean, resultant_length

DESIGNERS = [PhaseLockedLoop(), ZeroCrossing()]
NAMES = [designer.name for designer in DESIGNERS]
each = pytest.mark.parametrize("designer", DESIGNERS, ids=NAMES)


def brief_at(sfreq_hz, *, frequency_hz=10.0, half_width_hz=2.0, horizon_s=0.01):
    return Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - half_width_hz, frequency_hz + half_width_hz),
        horizon_s=horizon_s,
    )


@each
def test_trackers_conform_at_every_rate(designer):
    assert check_designer(designer) == ()


@each
def test_trackers_conform_for_theta(designer):
    found = check_designer(
        designer, frequency_hz=5.6, half_width_hz=1.5, horizon_s=0.004
    )
    assert found == ()


@each
@pytest.mark.parametrize("sfreq_hz", [128.0, 1000.0])
def test_the_recursion_is_the_quadrature_at_its_newest_sample(designer, sfreq_hz):
    design = designer.design(brief_at(sfreq_hz, horizon_s=0.03))
    base = CausalQuadrature().design(brief_at(sfreq_hz, horizon_s=0.0))
    np.testing.assert_array_equal(design.state_space.readout, base.state_space.readout)
    assert design.kernel is Kernel.STATE_SPACE
    assert design.brief.horizon_s == 0.03
    assert design.warm_up_s > base.warm_up_s + 0.3
    assert design.tracker.settings[trackers.HORIZON_S] == 0.03
    assert not designer.needs_rest
    assert not designer.reads_others


def test_kinds_are_told_apart():
    kinds = [designer.design(brief_at(250.0)).tracker.kind for designer in DESIGNERS]
    assert kinds == [TrackerKind.PLL, TrackerKind.ZERO_CROSSING]


@each
def test_the_offline_runner_is_base_and_tracker_one_after_the_other(designer, pink):
    design = designer.design(brief_at(250.0))
    samples = 10.0 * pink(1000)[np.newaxis]
    base = CausalQuadrature().design(brief_at(250.0, horizon_s=0.0))
    state = np.zeros(trackers.STATE_LENGTH)
    trackers.reset(state)
    rules = np.array(design.tracker.settings)
    twin = [
        complex(*trackers.track(int(design.tracker.kind), rules, state, z.real, z.imag))
        for z in run_design(base, samples)
    ]
    assert run_design(design, samples) == pytest.approx(np.array(twin), abs=1e-12)


@each
def test_a_rhythm_beside_the_individual_frequency_is_carried_far_ahead(designer):
    # At 10.8 Hz a turn at 10 Hz would be 29 degrees late 100 ms ahead.
    design = designer.design(brief_at(500.0, horizon_s=0.1))
    at = np.arange(2000) / 500.0
    estimate = run_design(design, np.cos(2 * np.pi * 10.8 * at)[np.newaxis])
    now = run_design(
        designer.design(brief_at(500.0, horizon_s=0.0)),
        np.cos(2 * np.pi * 10.8 * at)[np.newaxis],
    )
    turned = np.angle(estimate[-50:] / now[-50:])
    wanted = np.angle(np.exp(2j * np.pi * 1.08))
    assert np.degrees(turned) == pytest.approx(np.degrees(wanted), abs=1.0)


@each
@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 1000.0])
def test_a_noisy_rhythm_is_followed_alike_at_every_rate(
    designer, sfreq_hz, rhythm_in_noise
):
    samples, analytic = rhythm_in_noise(sfreq_hz, 10.0, 60.0)
    design = aligned(designer.design(brief_at(sfreq_hz)), samples[np.newaxis])
    estimate = run_design(design, samples[np.newaxis])
    ahead = np.exp(2j * np.pi * 10.0 * 0.01)
    error = np.angle(estimate / (analytic * ahead))[round(2 * sfreq_hz) :]
    assert resultant_length(error) > 0.7
    assert abs(np.degrees(circular_mean(error))) < 6.0
