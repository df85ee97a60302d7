"""Filters and quality on real recordings, where they lie beside the repository."""

from pathlib import Path

import numpy as np
import pytest

from controller.calibration.bad_channels import find_bad_channels
from controller.calibration.ssd import decompose
from controller.calibration.usable_rest import find_usable_rest
from controller.estimators.rhythm import find_rhythm
from controller.estimators.spectrum import welch_spectrum
from controller.sources.recording import read_recording

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "eegmat"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no real EEG beside the repository"),
]


@pytest.fixture(scope="module")
def recordings():
    """Rest of six people: samples (n_channels, n_samples), labels, rate."""
    pytest.importorskip("mne")
    found = []
    for number in range(6):
        recording = read_recording(FOLDER / f"Subject{number:02d}_1.edf")
        eeg = [k for k, kind in enumerate(recording.types) if kind == "EEG"]
        samples = np.ascontiguousarray(recording.samples[:, eeg].T, dtype=np.float64)
        labels = tuple(recording.labels[k] for k in eeg)
        found.append((samples, labels, recording.sfreq_hz))
    return found


def occipital(samples, labels):
    return samples[[labels.index("O1"), labels.index("O2")]].mean(axis=0)


def test_good_channels_stay_and_spoiled_ones_go(recordings):
    for samples, labels, sfreq_hz in recordings:
        assert find_bad_channels(samples, labels, sfreq_hz) == ()
        spoiled = samples.copy()
        spoiled[labels.index("Pz")] = np.random.default_rng(1).normal(
            0.0, 10.0, samples.shape[1]
        )
        (bad,) = find_bad_channels(spoiled, labels, sfreq_hz)
        assert bad.label == "Pz"


def test_most_of_a_good_rest_is_usable(recordings):
    for samples, labels, sfreq_hz in recordings:
        usable = find_usable_rest(samples, labels, sfreq_hz)
        assert usable.used_s > 0.9 * usable.recorded_s


def test_a_filter_fitted_on_one_half_stands_out_more_in_the_other(recordings):
    gains_db = []
    for samples, labels, sfreq_hz in recordings:
        half = samples.shape[1] // 2
        before, after = samples[:, :half], samples[:, half:]
        rhythm = find_rhythm(occipital(before, labels), sfreq_hz, "alpha")
        spatial = decompose(before, labels, sfreq_hz, rhythm.band_hz).filter()
        ours, theirs = (
            find_rhythm(virtual, sfreq_hz, "alpha").snr_db
            for virtual in (spatial.apply(after), occipital(after, labels))
        )
        gains_db.append(ours - theirs)
    assert np.median(gains_db) > 1.0


def test_specparam_finds_the_same_frequency(recordings):
    specparam = pytest.importorskip("specparam")
    differences_hz = []
    for samples, labels, sfreq_hz in recordings:
        virtual = occipital(samples, labels)
        ours = find_rhythm(virtual, sfreq_hz, "alpha")
        spectrum = welch_spectrum(virtual, sfreq_hz)
        model = specparam.SpectralModel(peak_width_limits=(1.0, 8.0), verbose=False)
        model.fit(spectrum.frequencies_hz, spectrum.power_uv2_per_hz, (2.0, 40.0))
        # One person's peak may take several Gaussians: compare with their sum's summit.
        centre_hz, height, width_hz = np.atleast_2d(model.get_params("peak")).T
        hz = np.arange(7.5, 13.0, 0.01)
        off = (hz[:, None] - centre_hz) / (width_hz / 2.0)
        summit_hz = hz[np.argmax(np.exp(-0.5 * off**2) @ height)]
        differences_hz.append(abs(ours.frequency_hz - summit_hz))
    # Where two summits are equally high, the two methods may choose differently.
    assert np.median(differences_hz) < 0.25
    assert np.count_nonzero(np.array(differences_hz) < 0.5) >= len(recordings) - 1
