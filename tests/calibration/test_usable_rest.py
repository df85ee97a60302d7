import math

import numpy as np
import pytest

from controller.calibration.usable_rest import (
    ArtifactLimits,
    find_usable_rest,
    require_usable,
)
from controller.errors import ConfigError, SignalFault

SFREQ_HZ = 250.0
LABELS = ("O1", "O2")
NO_MARGIN = ArtifactLimits(margin_s=0.0, shortest_s=0.004)


@pytest.fixture
def rest():
    rng = np.random.default_rng(8)
    at = np.arange(round(40 * SFREQ_HZ)) / SFREQ_HZ
    alpha = 20.0 * np.cos(2 * np.pi * 10.0 * at)
    return alpha + 5.0 * rng.standard_normal((2, at.size))


def test_clean_rest_is_used_whole(rest):
    usable = find_usable_rest(rest, LABELS, SFREQ_HZ)
    assert usable.stretches == ((0, 10000),)
    assert usable.used_s == usable.recorded_s == 40.0
    assert usable.longest == (0, 10000)
    assert usable.lost_s == {}
    assert usable.worst == ""
    require_usable(usable, 40.0)


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda x: np.full_like(x, np.nan), "not finite"),
        (lambda x: x + 400.0, "amplitudes over 150 uV"),
        (lambda x: np.full_like(x, 3.0), "stands still"),
    ],
)
def test_an_artifact_costs_itself_and_a_margin(rest, spoil, cause):
    rest[1, 5000:5100] = spoil(rest[1, 5000:5100])
    usable = find_usable_rest(rest, LABELS, SFREQ_HZ)
    (first, second) = usable.stretches
    assert first == (0, pytest.approx(4875, abs=2))
    assert second == (pytest.approx(5225, abs=2), 10000)
    assert list(usable.lost_s) == ["O2"]
    assert usable.lost_s["O2"] == pytest.approx(1.4, abs=0.02)
    assert cause in usable.cause["O2"]
    assert usable.used_s + usable.lost_s["O2"] == pytest.approx(40.0)


def test_a_jump_spoils_both_of_its_samples():
    rest = np.zeros((1, 2000)) + np.arange(2000) % 2
    rest[0, 1000:] += 20.0 * 4.0  # 20 uV/ms at 250 Hz
    limits = ArtifactLimits(gradient_uv_per_ms=19.0, margin_s=0.0, shortest_s=0.004)
    usable = find_usable_rest(rest, ("O1",), SFREQ_HZ, limits)
    assert usable.stretches == ((0, 999), (1001, 2000))
    wider = ArtifactLimits(gradient_uv_per_ms=20.5, margin_s=0.0, shortest_s=0.004)
    assert find_usable_rest(rest, ("O1",), SFREQ_HZ, wider).stretches == ((0, 2000),)


def test_offset_and_slow_drift_are_no_artifact(rest):
    drift = 40000.0 + np.linspace(0.0, 2000.0, rest.shape[1])
    usable = find_usable_rest(rest + drift, LABELS, SFREQ_HZ)
    assert usable.used_s > 38.0


def test_short_stretches_between_artifacts_are_not_used(rest):
    for second in (10, 13, 30):
        rest[0, second * 250] = np.nan
    usable = find_usable_rest(rest, LABELS, SFREQ_HZ)
    spans = [((stop - start) / SFREQ_HZ) for start, stop in usable.stretches]
    assert spans == pytest.approx([9.5, 16.0, 9.5], abs=0.01)
    assert usable.longest == usable.stretches[1]


def test_joined_takes_every_usable_sample_once(rest):
    rest[0, 4000] = np.nan
    usable = find_usable_rest(rest, LABELS, SFREQ_HZ)
    joined = usable.joined(rest)
    assert joined.shape == (2, round(usable.used_s * SFREQ_HZ))
    assert np.isfinite(joined).all()
    nothing = find_usable_rest(np.full((2, 2000), np.nan), LABELS, SFREQ_HZ)
    assert nothing.joined(rest[:, :2000]).shape == (2, 0)


def test_artifacts_at_the_ends(rest):
    rest[0, 0] = rest[0, -1] = np.nan
    usable = find_usable_rest(rest, LABELS, SFREQ_HZ, NO_MARGIN)
    assert usable.stretches == ((1, 9999),)


def test_all_artifact_is_refused_with_share_and_worst_channel(rest):
    rest[1, 1500:] = np.nan
    rest[0, 3000:3100] = np.nan
    usable = find_usable_rest(rest, LABELS, SFREQ_HZ)
    assert usable.worst == "O2"
    with pytest.raises(
        SignalFault,
        match=r"^Only 5\.5 of 40\.0 s of rest \(14%\) are free .* needs 10 s; O2 alone "
        r"spoils 86%, mostly by samples that are not finite numbers: ",
    ):
        require_usable(usable, 10.0)
    require_usable(usable, 5.5)


def test_too_short_is_refused_without_blame(rest):
    usable = find_usable_rest(rest[:, :2000], LABELS, SFREQ_HZ)
    with pytest.raises(SignalFault, match=r"needs 10 s; record more rest\.$"):
        require_usable(usable, 10.0)
    with pytest.raises(SignalFault):
        require_usable(usable, math.nan)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_limits_that_say_nothing_are_refused(value):
    with pytest.raises(ConfigError, match=r"artifact\.amplitude_uv"):
        ArtifactLimits(amplitude_uv=value)


def test_shapes_that_do_not_fit_are_refused(rest):
    with pytest.raises(ConfigError, match="but 1 labels"):
        find_usable_rest(rest, ("O1",), SFREQ_HZ)
    with pytest.raises(ConfigError, match="shape"):
        find_usable_rest(rest[:, :0], LABELS, SFREQ_HZ)


@pytest.mark.parametrize("n_samples", [1, 2, 7, 60])
def test_the_shortest_recordings_do_not_break_it(n_samples):
    rest = np.arange(2.0 * n_samples).reshape(2, n_samples)
    assert find_usable_rest(rest, LABELS, SFREQ_HZ).stretches == ()
