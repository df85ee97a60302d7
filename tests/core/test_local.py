"""The compiled local parts beside slow, obvious twins over a whole recording."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.signal
from scenario import cosine, memory_of, program_of

from controller.core.records import Kernel, LocalMethod
from controller.engine.virtual import Tape, regular_tape, run_virtual
from controller.estimators.base import Brief, Decimation, Design, LocalPart
from controller.estimators.etp import EducatedTemporalPrediction
from controller.estimators.offline import run_design
from controller.estimators.peap import Peap
from controller.estimators.phastimate import Phastimate

SFREQ_HZ = 1000.0
FACTOR = 4
TRIANGLE = np.convolve(np.ones(FACTOR), np.ones(FACTOR)) / FACTOR**2
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)
BAND = scipy.signal.firwin(25, (8.0, 12.0), pass_zero=False, fs=SFREQ_HZ / FACTOR)
ROW = np.random.default_rng(3).normal(size=(2, 400)) * 0.05

FORECAST = LocalPart(
    method=LocalMethod.FORECAST,
    n_fit=300,
    n_least=120,
    order=12,
    n_data=100,
    n_ahead=40,
    row=ROW[0, :140] + 1j * ROW[1, :140],
    weight=0.8 - 0.3j,
)
BOTH_SIDES = dataclasses.replace(
    FORECAST,
    n_fit=120,
    n_data=120,
    n_back=50,
    row=ROW[0, :210] + 1j * ROW[1, :210],
)
FILTERED = LocalPart(
    method=LocalMethod.FILTERED_FORECAST,
    n_fit=180,
    n_least=150,
    order=8,
    n_data=10,
    n_ahead=30,
    row=ROW[0, :40] + 1j * ROW[1, :40],
    taps=np.convolve(BAND, BAND),
    n_trim=12,
    period=25.0,
)
PEAKS = LocalPart(
    method=LocalMethod.PEAK_TIMING,
    n_fit=125,
    n_least=125,
    order=1,
    n_data=0,
    n_ahead=0,
    row=np.zeros(0, complex),
    taps=np.convolve(BAND, BAND),
    n_trim=10,
    period=24.6,
    ahead=3.3,
    weight=1.1j,
)
PARTS = {
    "forecast": FORECAST,
    "both sides": BOTH_SIDES,
    "filtered": FILTERED,
    "peaks": PEAKS,
}
EVERY_PART = pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())


def design_of(*parts, **changes):
    return Design(
        name="local",
        brief=BRIEF,
        kernel=Kernel.LOCAL,
        decimation=Decimation(factor=FACTOR, taps=TRIANGLE),
        local=parts,
        warm_up_s=0.61,
        **changes,
    )


def recording(seconds=3.0, seed=0, offset_uv=0.0):
    rng = np.random.default_rng(seed)
    at = np.arange(round(seconds * SFREQ_HZ)) / SFREQ_HZ
    rhythm = 10.0 * np.cos(2.0 * np.pi * 10.0 * at + 0.2)
    return rhythm + rng.normal(size=at.size).cumsum() * 0.3 + offset_uv


def slow_burg(samples, order):
    ahead, behind, newest_first = samples[1:], samples[:-1], np.zeros(0)
    for _ in range(order):
        reflection = 2.0 * (ahead @ behind) / (ahead @ ahead + behind @ behind)
        newest_first = np.append(
            newest_first - reflection * newest_first[::-1], reflection
        )
        ahead, behind = (
            (ahead - reflection * behind)[1:],
            (behind - reflection * ahead)[:-1],
        )
    return newest_first


def slow_yule_walker(samples, order):
    n = samples.size
    lags = np.array([samples[: n - k] @ samples[k:] for k in range(order + 1)])
    return scipy.linalg.solve_toeplitz(lags[:order], lags[1:])


def go_on(samples, newest_first, n_more):
    series = list(samples)
    for _ in range(n_more):
        series.append(newest_first @ series[: -newest_first.size - 1 : -1])
    return np.array(series)


def slow_forecast(part, window):
    model = slow_burg(window, part.order)
    series = go_on(window, model, part.n_ahead)[-part.n_data - part.n_ahead :]
    if part.n_back:
        series = go_on(series[::-1], model, part.n_back)[::-1]
    return part.row @ series


def band_passed(part, window):
    every = scipy.signal.filtfilt(BAND, 1.0, window)
    return every[part.n_trim : -part.n_trim]


def amplitude(part, kept):
    return math.sqrt(2.0 * np.mean(kept[-round(part.period) :] ** 2))


def slow_filtered(part, window):
    kept = band_passed(part, window)
    series = go_on(kept, slow_yule_walker(kept, part.order), part.n_ahead)
    answer = part.row @ series[-part.row.size :]
    return amplitude(part, kept) * answer / abs(answer)


def slow_peaks(part, window):
    kept = band_passed(part, window)
    at = scipy.signal.find_peaks(kept, height=0.0)[0][-1]
    square, slope, _ = np.polyfit([-1.0, 0.0, 1.0], kept[at - 1 : at + 2], 2)
    since = kept.size - 1 - at + slope / (2.0 * square) + part.n_trim + part.ahead
    return amplitude(part, kept) * np.exp(2j * np.pi * since / part.period)


SLOW = {
    LocalMethod.FORECAST: slow_forecast,
    LocalMethod.FILTERED_FORECAST: slow_filtered,
    LocalMethod.PEAK_TIMING: slow_peaks,
}


def keeps_its_model(part):
    return part.method == LocalMethod.FORECAST and part.n_back == 0


def slow_run(part, samples):
    """Twin: an estimate after each sample since a reset, in the obvious way."""
    samples = samples - samples[0]
    smooth = np.convolve(samples, TRIANGLE)[: samples.size]
    turn = np.exp(2j * np.pi * BRIEF.frequency_hz / SFREQ_HZ)
    decimated, estimates, answer = [], [], complex(math.nan, math.nan)
    for n in range(samples.size):
        answer *= turn
        if n >= TRIANGLE.size - 1 and (n - TRIANGLE.size + 1) % FACTOR == 0:
            decimated.append(smooth[n])
            beyond = len(decimated) - part.n_least
            if beyond >= 0 and beyond % part.stride == 0:
                window = np.array(decimated[-part.n_fit :])
                window -= window.mean()
                fitted = np.array(decimated[-part.n_fit :])
                answer = SLOW[part.method](part, window) * part.weight
            elif beyond >= 0 and keeps_its_model(part):
                model = slow_burg(fitted - fitted.mean(), part.order)
                newest = np.array(decimated) - fitted.mean()
                series = go_on(newest, model, part.n_ahead)
                answer = part.row @ series[-part.row.size :] * part.weight
        estimates.append(answer)
    return np.array(estimates)


@EVERY_PART
@pytest.mark.parametrize("stride", [1, 3])
def test_it_is_the_slow_twin_from_the_first_sample_on(part, stride):
    part = dataclasses.replace(part, stride=stride)
    samples = recording()
    fast, slow = (
        run_design(design_of(part), samples[np.newaxis]),
        slow_run(part, samples),
    )
    first = TRIANGLE.size + (part.n_least - 1) * FACTOR - 1
    assert np.isnan(fast[:first]).all()
    assert np.isfinite(fast[first:]).all()
    np.testing.assert_allclose(fast, slow, atol=1e-7)


@EVERY_PART
def test_an_offset_changes_nothing(part):
    plain = run_design(design_of(part), recording()[np.newaxis])
    lifted = run_design(design_of(part), recording(offset_uv=4e4)[np.newaxis])
    np.testing.assert_allclose(plain, lifted, atol=1e-6)


@EVERY_PART
def test_the_future_changes_no_bit_of_the_past(part):
    samples = recording()
    changed = samples.copy()
    changed[2000:] += 100.0 * np.random.default_rng(1).normal(size=1000)
    one = run_design(design_of(part), samples[np.newaxis])[:2000]
    two = run_design(design_of(part), changed[np.newaxis])[:2000]
    assert np.array_equal(one, two, equal_nan=True)


@pytest.mark.parametrize(
    "part",
    [part for part in PARTS.values() if not keeps_its_model(part)],
    ids=[name for name, part in PARTS.items() if not keeps_its_model(part)],
)
def test_between_fits_the_estimate_turns_at_the_rhythms_frequency(part):
    samples = recording()
    often = run_design(design_of(part), samples[np.newaxis])
    seldom = run_design(
        design_of(dataclasses.replace(part, stride=5)), samples[np.newaxis]
    )
    first = TRIANGLE.size + (part.n_least - 1) * FACTOR - 1
    turn = np.exp(2j * np.pi * BRIEF.frequency_hz / SFREQ_HZ)
    fits = np.arange(first, samples.size, 5 * FACTOR)
    np.testing.assert_array_equal(seldom[fits], often[fits])
    step = seldom[first + 1 :] / seldom[first:-1]
    inside = (np.arange(first + 1, samples.size) - first) % (5 * FACTOR) != 0
    np.testing.assert_allclose(step[inside], turn, rtol=1e-12)


@EVERY_PART
def test_a_flat_window_has_no_phase_and_signal_brings_it_back(part):
    samples = recording(6.0)
    samples[1500:4000] = samples[1500]
    estimate = run_design(design_of(part), samples[np.newaxis])
    n_window = max(part.n_fit, part.n_data) * FACTOR + TRIANGLE.size
    flat = estimate[1500 + n_window + FACTOR : 4000]
    assert flat.size > 500
    # The mean of equal samples is theirs but for rounding.
    assert (np.isnan(flat) | (np.abs(flat) < 1e-9)).all()
    assert np.isfinite(estimate[4000 + n_window :]).all()


def test_nothing_but_zeros_is_no_signal():
    for part in PARTS.values():
        estimate = run_design(design_of(part), np.full((1, 2000), 7.5))
        assert np.isnan(estimate).all()


def test_parts_add_up():
    samples = recording()[np.newaxis]
    one = run_design(design_of(FORECAST), samples)
    two = run_design(design_of(PEAKS), samples)
    both = run_design(design_of(FORECAST, PEAKS), samples)
    np.testing.assert_array_equal(both, one + two)


def same_phase(phase_rad, wanted):
    # Two libraries' arc tangents differ in the last bit.
    away = np.exp(1j * phase_rad) - wanted / np.abs(wanted)
    assert np.abs(away).max() < 1e-14


@EVERY_PART
def test_after_a_gap_decimation_and_window_start_anew(part):
    """At any place of the gap: the phase of the decimation begins with it."""
    raw = np.float32(recording(4.0))[:, np.newaxis]
    whole = regular_tape(raw, SFREQ_HZ)
    design = design_of(part)
    for first in (1900, 1901, 1903):
        kept = np.ones(raw.shape[0], bool)
        kept[first : first + 5] = False
        tape = Tape(
            t_sample=whole.t_sample[kept],
            t_arrival=whole.t_arrival[kept],
            permits=whole.permits[kept],
            raw=raw[kept],
        )
        program = program_of(design)
        rows = run_virtual(program, memory_of(program), tape).batch.samples[first:]
        after = raw[first + 5 :, 0].astype(np.float64)
        wanted = run_design(design, after[np.newaxis])
        valid = np.isfinite(rows["phase_rad"])
        n_warm = math.ceil(design.warm_up_s * SFREQ_HZ)
        assert np.flatnonzero(valid)[0] >= n_warm - 1
        assert valid[1300:].all()
        same_phase(rows["phase_rad"][valid], wanted[valid])


@pytest.mark.parametrize(
    "designer", [Peap(), Phastimate(), EducatedTemporalPrediction()]
)
def test_live_is_offline(designer):
    raw = cosine(3.0, noise_uv=6.0)
    design = designer.design(dataclasses.replace(BRIEF, horizon_s=0.004))
    program = program_of(design)
    tape = regular_tape(raw, SFREQ_HZ, data_age_s=2e-4)
    samples = run_virtual(program, memory_of(program), tape).batch.samples
    wanted = run_design(design, raw.T.astype(np.float64))
    valid = np.isfinite(samples["phase_rad"])
    n_warm = math.ceil(design.warm_up_s * SFREQ_HZ)
    assert np.flatnonzero(valid)[0] == n_warm - 1
    assert valid[n_warm - 1 :].all()
    same_phase(samples["phase_rad"][valid], wanted[valid])
    np.testing.assert_allclose(
        samples["amplitude_uv"][valid], np.abs(wanted)[valid], rtol=1e-14
    )
