import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.records import TrackerKind
from controller.kernels import trackers
from controller.kernels.trackers import (
    LOWEST_HZ,
    PHASE_RAD,
    TRACKED_HZ,
    pll_step,
    reset,
    track,
    track_all,
    zero_crossing_step,
)

PI = math.pi
STEPS = {TrackerKind.PLL: pll_step, TrackerKind.ZERO_CROSSING: zero_crossing_step}
KINDS = list(STEPS)


def settings_at(sfreq_hz=250.0, horizon_s=0.01, phase_gain=0.05, frequency_gain=0.02):
    return np.array(
        [1 / sfreq_hz, 10.0, 8.0, 12.0, horizon_s, phase_gain, frequency_gain]
    )


def fresh():
    state = np.full(trackers.STATE_LENGTH, 7.0)
    reset(state)
    return state


def run(kind, rules, signal):
    state = fresh()
    return np.array(
        [complex(*track(int(kind), rules, state, z.real, z.imag)) for z in signal]
    )


def plain_loop(rules, signal):
    """Twin: a phase-locked loop with complex numbers and no wrapping by hand."""
    interval_s, frequency_hz, low_hz, high_hz, horizon_s, pull, pull_hz = rules
    answers = []
    pointer, tracked_hz = None, frequency_hz
    for z in signal:
        if pointer is None:
            pointer = np.exp(1j * np.angle(z))
        else:
            pointer *= np.exp(2j * PI * tracked_hz * interval_s)
            error = np.angle(z * pointer.conjugate()) if z != 0 else 0.0
            tracked_hz = float(np.clip(tracked_hz + pull_hz * error, low_hz, high_hz))
            pointer *= np.exp(1j * pull * error)
        answers.append(abs(z) * pointer * np.exp(2j * PI * tracked_hz * horizon_s))
    return np.array(answers)


def plain_crossings(rules, signal):
    """Twin: write all crossings down first, then look back from every sample."""
    interval_s, frequency_hz, low_hz, high_hz, horizon_s, _, weight = rules
    x = signal.real
    crossings = []  # (instant, phase, sample that shows it)
    for n in range(1, x.size):
        if (x[n - 1] < 0) != (x[n] < 0):
            share = x[n - 1] / (x[n - 1] - x[n])
            phase = -PI / 2 if x[n] >= 0 else PI / 2
            crossings.append(((n - 1 + share) * interval_s, phase, n))
    answers = []
    for n, z in enumerate(signal):
        period, instant, phase = 1 / frequency_hz, 0.0, np.angle(signal[0])
        previous = None
        for crossing in crossings:
            if crossing[2] > n:
                break
            if previous is not None:
                half = crossing[0] - previous
                if 1 / high_hz <= 2 * half <= 1 / low_hz:
                    period = (1 - weight) * period + weight * 2 * half
            previous = crossing[0]
            instant, phase = crossing[0], crossing[1]
        since = n * interval_s - instant + horizon_s
        answers.append(abs(z) * np.exp(1j * (phase + 2 * PI * since / period)))
    return np.array(answers)


TWINS = {TrackerKind.PLL: plain_loop, TrackerKind.ZERO_CROSSING: plain_crossings}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(
    frequency_hz=st.floats(6.0, 14.0),
    start=st.floats(-3.0, 3.0),
    noise=st.floats(0.0, 1.0),
    seed=st.integers(0, 10**6),
)
def test_every_tracker_is_its_plain_twin(kind, frequency_hz, start, noise, seed):
    rng = np.random.default_rng(seed)
    at = np.arange(150) / 250.0
    signal = 5.0 * np.exp(1j * (start + 2 * PI * frequency_hz * at))
    signal += noise * (rng.standard_normal((150, 2)) @ np.array([1.0, 1j]))
    rules = settings_at()
    answer = run(kind, rules, signal)
    # Phases add up over 150 samples; crossings are differences of instants.
    np.testing.assert_allclose(answer, TWINS[kind](rules, signal), atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 1000.0, 5000.0])
def test_a_turning_phasor_is_found_again_at_the_horizon(kind, sfreq_hz):
    at = np.arange(round(4.0 * sfreq_hz)) / sfreq_hz
    signal = 5.0 * np.exp(2j * PI * 11.0 * at)
    # One hertz off where it starts: natural frequency 1.5 Hz, damping 0.7.
    if kind is TrackerKind.PLL:
        rules = settings_at(sfreq_hz, 0.05, 13.3 / sfreq_hz, 14.1 / sfreq_hz)
    else:
        rules = settings_at(sfreq_hz, 0.05, 1.0, 0.25)
    answer = run(kind, rules, signal)
    expected = signal * np.exp(2j * PI * 11.0 * 0.05)
    late = at > 3.0
    off = np.abs(answer - expected)[late].max() / 5.0
    # A straight line through two samples of a sine is off by up to a few millirad.
    assert off < (1e-3 if kind is TrackerKind.PLL else 0.05)


def test_crossings_between_samples_are_interpolated():
    rules = settings_at(horizon_s=0.0)
    state = fresh()
    zero_crossing_step(rules, state, -3.0, -1.0)
    zero_crossing_step(rules, state, 1.0, -1.0)
    # A quarter of the interval ago it was -pi/2.
    assert state[PHASE_RAD] == pytest.approx(-PI / 2 + 2 * PI * 10.0 * 0.25 / 250.0)
    zero_crossing_step(rules, state, -1.0, 1.0)
    assert state[PHASE_RAD] == pytest.approx(PI / 2 + 2 * PI * 10.0 * 0.5 / 250.0)
    # Half a cycle of 3 ms is nothing of this band.
    assert state[TRACKED_HZ] == 10.0


def test_the_loops_frequency_stays_in_the_band():
    rules = settings_at(frequency_gain=5.0)
    at = np.arange(500) / 250.0
    state = fresh()
    for z in np.exp(2j * PI * 30.0 * at):
        pll_step(rules, state, z.real, z.imag)
        assert rules[LOWEST_HZ] <= state[TRACKED_HZ] <= 12.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_sample_gives_nan_and_is_not_remembered(kind, bad):
    rules, state = settings_at(), fresh()
    STEPS[kind](rules, state, 1.0, 0.5)
    before = state.copy()
    for pair in ((bad, 0.0), (0.0, bad), (bad, bad)):
        assert np.isnan(STEPS[kind](rules, state, *pair)).all()
        np.testing.assert_array_equal(state, before)


@pytest.mark.parametrize("kind", KINDS)
def test_silence_has_no_amplitude_and_keeps_turning(kind):
    rules, state = settings_at(), fresh()
    STEPS[kind](rules, state, 1.0, 0.0)
    for _ in range(10):
        assert STEPS[kind](rules, state, 0.0, 0.0) == (0.0, 0.0)
    assert state[PHASE_RAD] == pytest.approx(2 * PI * 10.0 * 10 / 250.0)


@pytest.mark.parametrize("kind", KINDS)
def test_amplitude_is_that_of_the_input(kind):
    rng = np.random.default_rng(1)
    signal = rng.standard_normal((300, 2)) @ np.array([1.0, 1j])
    answer = run(kind, settings_at(), signal)
    assert np.abs(answer) == pytest.approx(np.abs(signal))


@pytest.mark.parametrize("kind", KINDS)
def test_reset_forgets_everything(kind):
    rng = np.random.default_rng(2)
    signal = rng.standard_normal((100, 2)) @ np.array([1.0, 1j])
    rules, state = settings_at(), fresh()
    answers = []
    for _ in range(2):
        reset(state)
        answers.append([track(int(kind), rules, state, z.real, z.imag) for z in signal])
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_recording_is_its_samples_one_by_one(kind):
    rng = np.random.default_rng(3)
    signal = rng.standard_normal((100, 2)) @ np.array([1.0, 1j])
    rules, state = settings_at(), fresh()
    re, im = signal.real.copy(), signal.imag.copy()
    track_all(int(kind), rules, state, re, im)
    np.testing.assert_array_equal(re + 1j * im, run(kind, rules, signal))


@pytest.mark.parametrize("kind", KINDS)
def test_later_samples_change_nothing_before(kind):
    rng = np.random.default_rng(4)
    signal = rng.standard_normal((100, 2)) @ np.array([1.0, 1j])
    other = signal.copy()
    other[60:] += 100.0
    one, two = run(kind, settings_at(), signal), run(kind, settings_at(), other)
    np.testing.assert_array_equal(one[:60], two[:60])
    assert (one[60:] != two[60:]).all()


def test_without_a_tracker_the_input_comes_back():
    state = fresh()
    before = state.copy()
    assert track(0, settings_at(), state, 3.0, -4.0) == (3.0, -4.0)
    np.testing.assert_array_equal(state, before)


def test_kinds_and_lengths_are_those_of_the_records():
    assert int(TrackerKind.PLL) == trackers.PLL
    assert int(TrackerKind.ZERO_CROSSING) == trackers.ZERO_CROSSING
    assert settings_at().size == trackers.SETTINGS_LENGTH


def test_another_layout_is_refused():
    with pytest.raises(TypeError):
        track(1, settings_at().astype(np.float32), fresh(), 1.0, 0.0)
    with pytest.raises(TypeError):
        track(1, settings_at(), np.zeros(10)[::2], 1.0, 0.0)
    assert len(track.signatures) == 1
