"""The individual frequency against an independent fit of peak and background."""

import numpy as np
import pytest

from controller.estimators.rhythm import find_rhythm
from controller.estimators.spectrum import welch_spectrum

specparam = pytest.importorskip("specparam")
SFREQ_HZ = 250.0


def recording(frequency_hz, exponent, seed, width_hz=0.7):
    """Make two minutes of 1/f noise with a rhythm about `width_hz` wide."""
    rng = np.random.default_rng(seed)
    n_samples = round(120 * SFREQ_HZ)
    hz = np.fft.rfftfreq(n_samples, 1 / SFREQ_HZ)
    power = np.zeros(hz.size)
    power[1:] = hz[1:] ** -exponent
    height = 15.0 * frequency_hz**-exponent
    power += height * np.exp(-0.5 * ((hz - frequency_hz) / width_hz) ** 2)
    lines = np.sqrt(power) * (rng.standard_normal((hz.size, 2)) @ [1.0, 1j])
    made = np.fft.irfft(lines, n_samples)
    return 10.0 * made / made.std()


@pytest.mark.parametrize(
    ("frequency_hz", "exponent"), [(8.6, 1.0), (9.7, 1.4), (10.3, 0.8), (11.8, 1.2)]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_specparam_finds_the_same_peak(frequency_hz, exponent, seed):
    rest = recording(frequency_hz, exponent, seed)
    ours = find_rhythm(rest, SFREQ_HZ, "alpha")
    spectrum = welch_spectrum(rest, SFREQ_HZ)
    model = specparam.SpectralModel(
        peak_width_limits=(1.0, 8.0), max_n_peaks=4, min_peak_height=0.2, verbose=False
    )
    model.fit(spectrum.frequencies_hz, spectrum.power_uv2_per_hz, (2.0, 40.0))
    peaks = np.atleast_2d(model.get_params("peak"))
    alpha = peaks[(peaks[:, 0] > 7.5) & (peaks[:, 0] < 13.0)]
    centre_hz, height = alpha[np.argmax(alpha[:, 1]), :2]
    # The scatter of a peak of this width in two minutes; a line is 0.25 Hz wide.
    assert ours.frequency_hz == pytest.approx(centre_hz, abs=0.3)
    assert ours.frequency_hz == pytest.approx(frequency_hz, abs=0.5)
    assert ours.snr_db == pytest.approx(10.0 * height, abs=2.0)
    aperiodic = model.get_params("aperiodic")
    assert ours.background.exponent == pytest.approx(aperiodic[1], abs=0.25)
