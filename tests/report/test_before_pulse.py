"""The pre-pulse phase, on a simulated participant whose undisturbed signal is known."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.signal

from controller.config import SyntheticSource
from controller.estimators.base import Brief
from controller.estimators.wiener import PersonalWiener
from controller.kernels.circular import circular_mean, circular_sd, wrap_phase
from controller.report.achieved import Virtual, achieved_phase
from controller.report.artifact import has_artifact
from controller.report.before_pulse import (
    MINIMUM_FREE_S,
    BeforePulse,
    _matched,
    before_pulse,
    longest_free,
)
from controller.sources.synthetic.signal import SyntheticParticipant

SFREQ_HZ = 250.0
BAND_HZ = (8.0, 12.0)
REST_S = 60
AHEAD_S = 0.020


@dataclasses.dataclass(frozen=True)
class Scene:
    clean: Virtual
    dirty: Virtual
    pulses: np.ndarray
    true_phase: np.ndarray
    found: BeforePulse


@pytest.fixture(scope="module")
def scene():
    """A loop, 20 ms behind, fires at peaks; pulses leave an artifact and a response."""
    config = SyntheticSource.model_validate(
        {
            "kind": "synthetic",
            "seed": 2,
            "sfreq_hz": SFREQ_HZ,
            "channels": ["Oz"],
            "alpha_uv": 10,
            "noise_uv": 4.0,
            "line_uv": 0.0,
            "blinks_per_minute": 0.0,
        }
    )
    block = SyntheticParticipant(config).read(round(SFREQ_HZ * 330))
    samples = block.samples[:, 0].astype(np.float64)
    t = 50.0 + np.arange(len(samples)) / SFREQ_HZ
    pulses = fired_at_peaks(samples, t)
    dirty = samples.copy()
    for pulse in pulses:
        since = t - pulse
        after = (since >= 0) & (since < 0.3)
        dirty[after] += 800 * np.exp(-since[after] / 0.004)
        ringing = np.sin(2 * math.pi * 9 * since[after])
        dirty[after] += 20 * ringing * np.exp(-since[after] / 0.1)
    turned = np.unwrap(block.truth.alpha_phase_rad)
    disturbed = Virtual(stamps=t, microvolts=dirty, sfreq_hz=SFREQ_HZ)
    return Scene(
        clean=Virtual(stamps=t, microvolts=samples, sfreq_hz=SFREQ_HZ),
        dirty=disturbed,
        found=before_pulse(disturbed, BAND_HZ, pulses, pulses),
        pulses=pulses,
        true_phase=wrap_phase(np.interp(pulses, t, turned)),
    )


def fired_at_peaks(samples, t):
    brief = Brief(
        sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=BAND_HZ, horizon_s=AHEAD_S
    )
    n_rest = round(REST_S * SFREQ_HZ)
    weights = PersonalWiener().design(brief, samples[np.newaxis, :n_rest]).fir[0]
    ahead = scipy.signal.oaconvolve(samples, weights)[: len(samples)]
    phase, strong = np.angle(ahead), np.abs(ahead) > np.median(np.abs(ahead[:n_rest]))
    pulses = []
    for k in range(n_rest, len(samples) - 500):
        crosses = phase[k - 1] < 0 <= phase[k] < phase[k - 1] + 1
        if crosses and strong[k] and (not pulses or t[k] - pulses[-1] > 2.0):
            part = -phase[k - 1] / (phase[k] - phase[k - 1])
            pulses.append(t[k - 1] + part / SFREQ_HZ + AHEAD_S)
    return np.array(pulses)


def statistics_deg(phases):
    known = phases[np.isfinite(phases)]
    return math.degrees(circular_mean(known)), math.degrees(circular_sd(known))


def test_it_tells_what_the_undisturbed_signal_tells(scene):
    found = scene.found
    assert np.isfinite(found.phase_rad).all()
    mean_deg, sd_deg = np.degrees(found.corrected(found.phase_rad))
    undisturbed = achieved_phase(scene.clean, BAND_HZ, scene.pulses)
    true_mean_deg, true_sd_deg = statistics_deg(undisturbed)
    # The mean of 120 phases with an SD of 15 degrees is known to 1.4 degrees.
    assert mean_deg == pytest.approx(true_mean_deg, abs=3.0)
    assert sd_deg == pytest.approx(true_sd_deg, abs=4.0)
    # And the participant's own phase, which no filter sees as it is.
    assert mean_deg == pytest.approx(statistics_deg(scene.true_phase)[0], abs=5.0)


def test_without_correction_it_would_flatter(scene):
    _, sd_deg = statistics_deg(scene.found.phase_rad)
    undisturbed = achieved_phase(scene.clean, BAND_HZ, scene.pulses)
    assert sd_deg < 0.5 * statistics_deg(undisturbed)[1]


def test_the_whole_recording_is_led_astray_by_the_artifact(scene):
    mean_deg, sd_deg = statistics_deg(
        achieved_phase(scene.dirty, BAND_HZ, scene.pulses)
    )
    assert abs(mean_deg) > 10
    assert sd_deg < 9


def test_nothing_after_the_pulse_is_looked_at(scene):
    changed = scene.dirty.microvolts.copy()
    for pulse in scene.pulses:
        since = scene.dirty.stamps - pulse
        changed[(since >= -0.002) & (since < 0.09)] = 1e4
    again = before_pulse(
        dataclasses.replace(scene.dirty, microvolts=changed),
        BAND_HZ,
        scene.pulses,
        scene.pulses,
    )
    np.testing.assert_array_equal(again.phase_rad, scene.found.phase_rad)


def test_a_pulse_too_soon_after_another_is_not_told(scene):
    pulses = np.sort(np.concatenate([scene.pulses, scene.pulses[3:4] + 0.3]))
    found = before_pulse(scene.dirty, BAND_HZ, pulses, pulses)
    assert np.flatnonzero(~np.isfinite(found.phase_rad)).tolist() == [4]


def test_artifact_is_seen_where_there_is_one(scene):
    assert has_artifact(scene.dirty, scene.pulses)
    assert not has_artifact(scene.clean, scene.pulses)
    assert not has_artifact(scene.dirty, scene.pulses[:2])


def test_without_a_long_stretch_there_is_no_phase(scene):
    every_ten = np.arange(55.0, 380.0, 10.0)
    assert longest_free(scene.clean, every_ten) is None
    assert before_pulse(scene.clean, BAND_HZ, scene.pulses, every_ten) is None


def test_flat_signal_has_no_phase():
    t = np.arange(round(60 * SFREQ_HZ)) / SFREQ_HZ
    flat = Virtual(stamps=t, microvolts=np.zeros(len(t)), sfreq_hz=SFREQ_HZ)
    assert before_pulse(flat, BAND_HZ, np.array([59.0]), np.array([59.0])) is None


def test_longest_stretch_ends_before_a_pulse_and_begins_after_another():
    t = 10.0 + np.arange(round(200 * SFREQ_HZ)) / SFREQ_HZ
    virtual = Virtual(stamps=t, microvolts=np.zeros(len(t)), sfreq_hz=SFREQ_HZ)
    free = longest_free(virtual, np.array([np.nan, 120.0, 30.0, 200.0]))
    assert t[free][0] == pytest.approx(30.1, abs=0.005)
    assert t[free][-1] == pytest.approx(120.0, abs=0.005)
    assert t[free][-1] < 120.0
    gap = np.where(t > 60, t + 1.0, t)
    apart = dataclasses.replace(virtual, stamps=gap)
    assert gap[longest_free(apart, np.array([]))][0] > 60
    short = slice(0, round((MINIMUM_FREE_S - 0.1) * SFREQ_HZ))
    cut = dataclasses.replace(virtual, stamps=t[short], microvolts=t[short])
    assert longest_free(cut, np.array([])) is None


def test_matching_picks_the_nearest_amplitudes():
    rng = np.random.default_rng(3)
    mock, wanted = rng.gamma(3, 2, 200), rng.gamma(4, 2, 7)
    picked = _matched(mock, wanted)
    for row, amplitude in zip(picked, wanted, strict=True):
        nearest = np.sort(np.abs(mock - amplitude))[:5]
        # A window of neighbours in order is as near as any, up to its own width.
        assert np.abs(mock[row] - amplitude).max() <= 2 * nearest.max() + 1e-12
