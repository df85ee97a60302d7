import math

import numpy as np
import pytest

from controller.core.records import Kernel
from controller.errors import ConfigError, RhythmTooWeak, SignalFault
from controller.estimators.align import compare
from controller.estimators.base import Brief
from controller.estimators.blend import Blend, local_forecasts
from controller.estimators.conformance import check_designer, simulated_rest
from controller.estimators.offline import run_design
from controller.estimators.peap import Peap
from controller.estimators.wiener import PersonalWiener
from controller.kernels.circular import circular_mean, resultant_length

SFREQ_HZ = 128.0
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


@pytest.fixture(scope="module")
def rest():
    return simulated_rest(BRIEF, 9)


@pytest.fixture(scope="module")
def design(rest):
    return Blend().design(BRIEF, rest)


@pytest.mark.slow
def test_blend_conforms_at_every_rate():
    assert check_designer(Blend()) == ()


@pytest.mark.slow
def test_blend_conforms_for_theta():
    found = check_designer(
        Blend(),
        frequency_hz=5.6,
        half_width_hz=1.5,
        horizon_s=0.004,
        rates_hz=(128.0, 1000.0),
    )
    assert found == ()


def test_design_is_a_filter_over_all_rows_and_four_local_parts(design):
    assert design.kernel == Kernel.FIR | Kernel.LOCAL
    assert design.fir.shape[0] == 9
    assert np.abs(design.fir[1:]).max() > 0.0
    assert len(design.local) == 4
    assert np.abs(design.fir.sum(axis=1)).max() < 1e-12


def test_the_same_rest_gives_the_same_design(design, rest):
    again = Blend().design(BRIEF, rest)
    np.testing.assert_array_equal(again.fir, design.fir)
    assert [part.weight for part in again.local] == [
        part.weight for part in design.local
    ]


@pytest.mark.parametrize(("n_rows", "seconds"), [(1, 70), (8, 70), (9, 59)])
def test_too_little_rest_or_too_few_rows_leave_the_target_alone(rest, n_rows, seconds):
    shorter = rest[:n_rows, : round(seconds * SFREQ_HZ)]
    assert Blend().design(BRIEF, shorter).fir.shape[0] == 1


def test_other_rows_do_not_change_a_design_that_does_not_read_them(rest):
    shorter = rest[:, : round(30.0 * SFREQ_HZ)]
    alone = Blend().design(BRIEF, shorter[:1])
    np.testing.assert_array_equal(Blend().design(BRIEF, shorter).fir, alone.fir)


def test_blend_follows_a_new_stretch_better_than_its_members(rhythm_in_noise):
    samples, _ = rhythm_in_noise(SFREQ_HZ, 10.0, 160.0, noise_uv=10.0, seed=4)
    rest, later = np.split(samples[np.newaxis], [round(60.0 * SFREQ_HZ)], axis=1)
    agreement = {
        designer.name: resultant_length(
            compare(designer.design(BRIEF, rest), later).error_rad
        )
        for designer in (Blend(), Peap(), PersonalWiener())
    }
    assert agreement["blend"] > agreement["peap"]
    # Nothing changes here, so the fixed optimum has nothing to lose.
    assert agreement["blend"] > agreement["wiener"] - 0.01


def test_other_rows_help(rest):
    half = rest.shape[1] * 62 // 70
    beside = {
        n: compare(Blend().design(BRIEF, rest[:n, :half]), rest[:n, half:])
        for n in (1, 9)
    }
    agreement = {n: resultant_length(found.error_rad) for n, found in beside.items()}
    assert agreement[9] > agreement[1]


def test_no_bias_is_left_behind_the_median_gate(design, rest):
    beside = compare(design, rest)
    size = np.abs(beside.estimate)
    bias_rad = circular_mean(beside.error_rad[size >= np.median(size)])
    assert abs(math.degrees(bias_rad)) < 3.0


def test_the_future_changes_no_earlier_estimate(design, rest):
    changed = rest[:, : round(12.0 * SFREQ_HZ)].copy()
    before = run_design(design, changed)
    at = round(8.0 * SFREQ_HZ)
    noise = np.random.default_rng(5).standard_normal(changed[:, at:].shape)
    changed[:, at:] += 1000.0 * noise
    after = run_design(design, changed)
    np.testing.assert_array_equal(after[:at], before[:at])
    assert not np.array_equal(after[at:], before[at:])


def test_there_is_an_estimate_from_the_end_of_the_warm_up_on(design, rest):
    estimate = run_design(design, rest[:, : round(6.0 * SFREQ_HZ)])
    warm = math.ceil(design.warm_up_s * SFREQ_HZ)
    assert np.isfinite(estimate[warm - 1 :]).all()
    assert design.warm_up_s < 1.2


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
@pytest.mark.parametrize("frequency_hz", [5.0, 10.0, 20.0])
def test_members_speak_after_a_second_and_never_fit_together(sfreq_hz, frequency_hz):
    brief = Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - 2.0, frequency_hz + 2.0),
        horizon_s=0.01,
    )
    local = local_forecasts("blend", brief)
    phases = {part.n_least % part.stride for part in local.local}
    assert len(phases) == 4
    assert local.warm_up_s < 1.1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda rest: None, ConfigError),
        (lambda rest: rest[0], ConfigError),
        (lambda rest: rest[:, : round(14.9 * SFREQ_HZ)], RhythmTooWeak),
        (lambda rest: 0.0 * rest, SignalFault),
        (lambda rest: rest * np.where(rest == rest[0, 99], np.nan, 1.0), SignalFault),
    ],
    ids=["none", "one dimension", "short", "flat", "not a number"],
)
def test_a_rest_that_cannot_carry_a_design_is_refused(rest, change, error):
    with pytest.raises(error):
        Blend().design(BRIEF, change(rest))


def test_fifteen_seconds_are_enough(rest):
    design = Blend().design(BRIEF, rest[:1, : round(15.0 * SFREQ_HZ)])
    assert np.isfinite(design.fir).all()
