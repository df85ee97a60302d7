import numpy as np
import pytest
import scipy.signal

from controller.core.records import Kernel
from controller.errors import ConfigError
from controller.estimators.base import Brief
from controller.estimators.echt import (
    CalibratedEndpointHilbert,
    EndpointCorrectedHilbert,
    LongEndpointCorrectedHilbert,
)
from controller.estimators.offline import run_design


def brief_at(sfreq_hz, *, frequency_hz=10.0, horizon_s=0.01):
    return Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - 2.0, frequency_hz + 2.0),
        horizon_s=horizon_s,
    )


def literal_echt(window, brief):
    """Twin: transform the window, filter causally, transform back, take the end."""
    n = window.size
    numerator, denominator = scipy.signal.butter(
        2, brief.band_hz, "bandpass", fs=brief.sfreq_hz
    )
    spectrum = np.fft.fft(window)
    for k in range(n):
        frequency_hz = np.fft.fftfreq(n, 1.0 / brief.sfreq_hz)[k]
        if frequency_hz > 0.0:
            omega = 2.0 * np.pi * frequency_hz / brief.sfreq_hz
            delay = np.exp(-1j * omega * np.arange(numerator.size))
            spectrum[k] *= 2.0 * (numerator @ delay) / (denominator @ delay)
        else:
            spectrum[k] = 0.0
    endpoint = np.fft.ifft(spectrum)[-1]
    return endpoint * np.exp(2j * np.pi * brief.frequency_hz * brief.horizon_s)


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 250.7])
@pytest.mark.parametrize("frequency_hz", [6.3, 10.0, 11.9])
@pytest.mark.parametrize(
    "designer", [EndpointCorrectedHilbert(), LongEndpointCorrectedHilbert()]
)
def test_weights_are_the_literal_transform(designer, sfreq_hz, frequency_hz):
    brief = brief_at(sfreq_hz, frequency_hz=frequency_hz)
    fir = designer.design(brief).fir
    window = np.random.default_rng(1).standard_normal(fir.shape[1])
    twin = literal_echt(window, brief)
    assert abs(fir[0] @ window[::-1] - twin) < 1e-12


def test_the_offline_runner_gives_the_twin_at_every_sample():
    brief = brief_at(128.0)
    design = EndpointCorrectedHilbert().design(brief)
    samples = np.random.default_rng(2).standard_normal((1, 200))
    estimate = run_design(design, samples)
    for end in (64, 150, 200):
        twin = literal_echt(samples[0, end - 64 : end], brief)
        assert abs(estimate[end - 1] - twin) < 1e-12


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
@pytest.mark.parametrize(
    "designer",
    [
        EndpointCorrectedHilbert(),
        LongEndpointCorrectedHilbert(),
        CalibratedEndpointHilbert(),
    ],
)
def test_weights_sum_to_nothing(designer, sfreq_hz):
    fir = designer.design(brief_at(sfreq_hz)).fir
    assert abs(fir.sum()) < 1e-14
    assert np.abs(fir).sum() > 1.0


@pytest.mark.parametrize(
    ("designer", "window_s"),
    [
        (EndpointCorrectedHilbert(), 0.5),
        (LongEndpointCorrectedHilbert(), 1.0),
        (CalibratedEndpointHilbert(), 0.5),
    ],
)
def test_windows_and_warm_ups(designer, window_s):
    design = designer.design(brief_at(250.0))
    assert design.kernel is Kernel.FIR
    assert design.fir.shape == (1, 250 * window_s)
    assert design.fir.flags.c_contiguous
    assert design.warm_up_s == window_s
    assert designer.design(brief_at(250.7)).fir.shape == (1, round(250.7 * window_s))


@pytest.mark.parametrize("frequency_hz", [8.3, 10.0, 11.9])
@pytest.mark.parametrize("horizon_s", [0.0, 0.02])
def test_calibration_makes_a_cosine_right_off_the_centre_of_the_band(
    frequency_hz, horizon_s
):
    brief = Brief(
        sfreq_hz=250.0,
        frequency_hz=frequency_hz,
        band_hz=(8.0, 12.5),
        horizon_s=horizon_s,
    )
    at_s = np.arange(3000) / 250.0
    cosine = np.cos(2 * np.pi * frequency_hz * at_s)[np.newaxis]
    truth = np.exp(2j * np.pi * frequency_hz * (at_s + horizon_s))
    away = {}
    for designer in (CalibratedEndpointHilbert(), EndpointCorrectedHilbert()):
        ratio = (run_design(designer.design(brief), cosine) / truth)[500:]
        away[designer.name] = abs(ratio.mean() - 1.0)
        # The leak of the negative frequency stays, with or without calibration.
        assert np.ptp(np.angle(ratio)) < 0.5
    assert away["echt-calibrated"] < 0.02
    assert away["echt-calibrated"] < 0.5 * away["echt"]


def test_calibration_is_one_factor():
    brief = brief_at(250.0)
    plain = EndpointCorrectedHilbert().design(brief).fir[0]
    corrected = CalibratedEndpointHilbert().design(brief).fir[0]
    factor = np.vdot(plain, corrected) / np.vdot(plain, plain)
    assert corrected == pytest.approx(factor * plain, abs=1e-15)


def test_horizon_only_turns_the_estimate():
    now = EndpointCorrectedHilbert().design(brief_at(250.0, horizon_s=0.0)).fir
    later = EndpointCorrectedHilbert().design(brief_at(250.0, horizon_s=0.025)).fir
    # A quarter of a cycle at 10 Hz.
    assert later == pytest.approx(1j * now, abs=1e-15)


def test_a_rate_without_a_window_is_refused():
    brief = Brief(sfreq_hz=1.2, frequency_hz=0.3, band_hz=(0.2, 0.4), horizon_s=0.0)
    with pytest.raises(ConfigError, match="too slow"):
        EndpointCorrectedHilbert().design(brief)
