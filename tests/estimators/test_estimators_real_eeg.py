"""Accuracy on real recordings, where they lie beside the repository."""

from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from controller.estimators.align import aligned, compare
from controller.estimators.base import Brief
from controller.estimators.registry import find_designer
from controller.estimators.rhythm import find_rhythm
from controller.kernels.circular import circular_mean, circular_sd

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "eegmat"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no real EEG beside the repository"),
]


@pytest.fixture(scope="module")
def recordings():
    """Occipital rest of twelve people at 500 Hz, microvolts."""
    mne = pytest.importorskip("mne")
    found = []
    for path in sorted(FOLDER.glob("Subject*_1.edf")):
        raw = mne.io.read_raw_edf(path, verbose="error")
        occipital = [name for name in raw.ch_names if name[-2:] in {"O1", "O2"}]
        found.append(1e6 * raw.get_data(picks=occipital).mean(axis=0))
    return found


def score(name, samples, sfreq_hz):
    """Design on the first half, score on the second: SD and bias in degrees."""
    half = samples[: samples.size // 2]
    rhythm = find_rhythm(half, sfreq_hz, "alpha")
    brief = Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=rhythm.frequency_hz,
        band_hz=rhythm.band_hz,
        horizon_s=0.01,
    )
    design = find_designer(name).design(brief, half[np.newaxis])
    sides = compare(aligned(design, half[np.newaxis]), samples[np.newaxis])
    first = half.size + round(0.5 * sfreq_hz) - sides.first
    last = -round(0.5 * sfreq_hz)  # one second more was left out already
    error = sides.error_rad[first:last]
    return np.degrees([circular_sd(error), abs(circular_mean(error))])


@pytest.mark.parametrize("sfreq_hz", [250.0, 500.0])
def test_personal_predictor_beats_echt_in_every_participant(recordings, sfreq_hz):
    scores = {name: [] for name in ("wiener", "iir", "echt")}
    for recording in recordings:
        samples = scipy.signal.resample_poly(recording, 1, round(500.0 / sfreq_hz))
        for name, rows in scores.items():
            rows.append(score(name, samples, sfreq_hz))
    spread = {name: np.array(rows)[:, 0] for name, rows in scores.items()}
    bias = {name: np.array(rows)[:, 1] for name, rows in scores.items()}
    assert (spread["wiener"] < spread["echt"]).all()
    assert np.median(spread["wiener"]) < 0.87 * np.median(spread["echt"])
    assert np.median(spread["iir"]) < np.median(spread["echt"])
    assert np.median(spread["wiener"]) < 49.0
    assert all(np.median(rows) < 3.0 for rows in bias.values())
