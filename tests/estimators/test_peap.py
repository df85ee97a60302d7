import dataclasses

import numpy as np
import pytest
import scipy.signal

from controller.core.records import Kernel
from controller.estimators.align import aligned, compare
from controller.estimators.base import Brief
from controller.estimators.echt import EndpointCorrectedHilbert
from controller.estimators.offline import run_design
from controller.estimators.peap import LongPeap, Peap
from controller.kernels.circular import circular_mean, circular_sd

SFREQ_HZ = 250.0
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


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


def padded_hilbert(samples, at, n_window, order):
    """Twin: as published, padding, band-pass both ways, and the whole transform.

    Also on the published side: both sides are padded. The horizon is 10 ms, at
    250 Hz between two samples, so both are turned to it.
    """
    window = samples[at - n_window + 1 : at + 1]
    window = window - window.mean()
    model = slow_burg(window, order)
    series = list(window)
    for _ in range(600):
        series.append(model @ series[: -order - 1 : -1])
    series = series[::-1]
    for _ in range(600):
        series.append(model @ series[: -order - 1 : -1])
    padded = np.array(series[::-1])
    taps = scipy.signal.firwin(251, BRIEF.band_hz, pass_zero=False, fs=SFREQ_HZ)
    both = np.convolve(taps, taps)
    analytic = scipy.signal.hilbert(np.convolve(padded, both, mode="same"))
    newest = 600 + n_window - 1
    turn = 2.0 * np.pi * 10.0 / SFREQ_HZ
    return np.mean(
        [analytic[newest + k] * np.exp(1j * turn * (2.5 - k)) for k in (2, 3)]
    )


@pytest.mark.parametrize(
    ("designer", "n_window", "order"), [(Peap(), 500, 20), (LongPeap(), 1000, 40)]
)
def test_one_row_is_the_published_chain(rhythm_in_noise, designer, n_window, order):
    samples, _ = rhythm_in_noise(SFREQ_HZ, 10.0, 6.0)
    estimate = run_design(designer.design(BRIEF), samples[np.newaxis])
    for at in (1100, 1207, 1499):
        wanted = padded_hilbert(samples, at, n_window, order)
        # Halfway between two samples of a rhythm that waxes and wanes.
        assert abs(estimate[at] - wanted) < 0.02 * abs(wanted) + 0.02


@pytest.mark.parametrize("designer", [Peap(), LongPeap()])
@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
def test_a_cosine_comes_out_as_itself_at_the_horizon(designer, sfreq_hz):
    brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz)
    design = designer.design(brief)
    at = np.arange(round((design.warm_up_s + 0.5) * sfreq_hz)) / sfreq_hz
    estimate = run_design(design, 10.0 * np.cos(20.0 * np.pi * at)[np.newaxis])
    answer = estimate * np.exp(-20j * np.pi * (at + 0.01))
    late = answer[round(design.warm_up_s * sfreq_hz) :]
    assert np.abs(late - 10.0).max() < 0.5


@pytest.mark.parametrize("sfreq_hz", [250.0, 1000.0])
def test_it_beats_echt_without_any_rest(rhythm_in_noise, sfreq_hz):
    samples, analytic = rhythm_in_noise(sfreq_hz, 10.0, 20.0, seed=9)
    brief = dataclasses.replace(BRIEF, sfreq_hz=sfreq_hz)
    expected = analytic * np.exp(2j * np.pi * 10.0 * brief.horizon_s)
    spread = {}
    for designer in (Peap(), EndpointCorrectedHilbert()):
        estimate = run_design(designer.design(brief), samples[np.newaxis])
        error = np.angle(estimate * expected.conj())[round(2.0 * sfreq_hz) :]
        spread[designer.name] = circular_sd(error)
    assert spread["peap"] < 0.95 * spread["echt"]


def test_rest_takes_the_bias_out(rhythm_in_noise):
    samples, _ = rhythm_in_noise(SFREQ_HZ, 10.0, 20.0)
    design = aligned(Peap().design(BRIEF), samples[np.newaxis])
    error = compare(design, samples[np.newaxis]).error_rad
    assert circular_mean(error) == pytest.approx(0.0, abs=1e-9)


def test_rest_changes_nothing_in_the_design(rhythm_in_noise):
    samples, _ = rhythm_in_noise(SFREQ_HZ, 10.0, 20.0)
    with_rest = Peap().design(BRIEF, samples[np.newaxis]).local[0]
    assert np.array_equal(with_rest.row, Peap().design(BRIEF).local[0].row)


@pytest.mark.parametrize(
    ("designer", "frequency_hz", "n_fit", "n_least", "order"),
    [
        (Peap(), 10.0, 500, 250, 20),
        (Peap(), 12.0, 500, 250, 20),
        (LongPeap(), 10.0, 1000, 500, 40),
        (Peap(), 5.0, 1000, 500, 20),
    ],
)
def test_windows_are_those_of_the_rhythm(designer, frequency_hz, n_fit, n_least, order):
    brief = dataclasses.replace(
        BRIEF,
        sfreq_hz=1000.0,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - 1.5, frequency_hz + 1.5),
    )
    design = designer.design(brief)
    part = design.local[0]
    assert design.kernel == Kernel.LOCAL
    assert (part.n_fit, part.n_least, part.order) == (n_fit, n_least, order)
    assert part.n_data <= part.n_least
    assert part.row.size == part.n_data + part.n_ahead
    n_taps = design.decimation.taps.size
    assert design.warm_up_s == pytest.approx((n_taps + 4 * (n_least - 1)) / 1000.0)
