import numpy as np
import pytest
import scipy.signal

from controller.core.records import Kernel
from controller.errors import ConfigError
from controller.estimators.base import Brief
from controller.estimators.echt import WINDOW_S, EndpointCorrectedHilbert
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
def test_weights_are_the_literal_transform(sfreq_hz, frequency_hz):
    brief = brief_at(sfreq_hz, frequency_hz=frequency_hz)
    fir = EndpointCorrectedHilbert().design(brief).fir
    window = np.random.default_rng(1).standard_normal(fir.shape[1])
    twin = literal_echt(window, brief)
    assert abs(fir[0] @ window[::-1] - twin) < 1e-12


def test_the_offline_runner_gives_the_twin_at_every_sample():
    brief = brief_at(128.0)
    design = EndpointCorrectedHilbert().design(brief)
    samples = np.random.default_rng(2).standard_normal((1, 200))
    estimate = run_design(design, samples)
    for end in (128, 150, 200):
        twin = literal_echt(samples[0, end - 128 : end], brief)
        assert abs(estimate[end - 1] - twin) < 1e-12


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
def test_weights_sum_to_nothing(sfreq_hz):
    fir = EndpointCorrectedHilbert().design(brief_at(sfreq_hz)).fir
    assert abs(fir.sum()) < 1e-14
    assert np.abs(fir).sum() > 1.0


def test_window_is_one_second_and_so_is_the_warm_up():
    design = EndpointCorrectedHilbert().design(brief_at(250.7))
    assert design.kernel is Kernel.FIR
    assert design.fir.shape == (1, 251)
    assert design.fir.flags.c_contiguous
    assert design.warm_up_s == pytest.approx(WINDOW_S, abs=0.5 / 250.7)


def test_horizon_only_turns_the_estimate():
    now = EndpointCorrectedHilbert().design(brief_at(250.0, horizon_s=0.0)).fir
    later = EndpointCorrectedHilbert().design(brief_at(250.0, horizon_s=0.025)).fir
    # A quarter of a cycle at 10 Hz.
    assert later == pytest.approx(1j * now, abs=1e-15)


def test_a_rate_without_a_window_is_refused():
    brief = Brief(sfreq_hz=1.2, frequency_hz=0.3, band_hz=(0.2, 0.4), horizon_s=0.0)
    with pytest.raises(ConfigError, match="too slow"):
        EndpointCorrectedHilbert().design(brief)
