from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.sites import MINIMUM_AVERAGE, SITES, Site, derive
from controller.errors import ChannelError, ConfigError
from controller.sources.recording import Recording

HERE = Path("subject.edf")
TEN = ("Fp1", "F3", "C3", "P3", "T3", "Cz", "Fz", "O1", "O2", "Pz")


def recording(*labels, types=None):
    """Make four samples; channel k is k + 1 microvolts, times the sample's number."""
    ramp = np.arange(1.0, 5.0)[:, np.newaxis] * np.arange(1.0, len(labels) + 1.0)
    return Recording(
        samples=ramp.astype(np.float32),
        sfreq_hz=100.0,
        labels=labels,
        types=types or ("EEG",) * len(labels),
    )


def test_occipital_is_the_mean_of_two_and_the_other_channels_follow():
    derived = derive(SITES["occipital"], recording("O1", "Cz", "O2"), HERE)
    np.testing.assert_array_equal(derived.samples[0], np.arange(1, 5) * 2.0)
    np.testing.assert_array_equal(derived.samples[:, 0], [2.0, 2.0, 3.0])


def test_other_rows_span_everything_once():
    """Each channel can be had back from the rows, and no row from the others."""
    n = len(TEN)
    samples = np.eye(n, dtype=np.float32)
    eye = Recording(samples=samples, sfreq_hz=1.0, labels=TEN, types=("EEG",) * n)
    for name in ("occipital", "c3-hjorth", "fz"):
        rows = derive(SITES[name], eye, HERE).samples
        assert rows.shape == (n, n)
        assert np.linalg.matrix_rank(rows) == n


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("C3", "F3", "P3", "T3", "Cz"), "T3"),
        (("C3", "F3", "P3", "T7", "Cz"), "T7"),
        (("C3", "FC1", "FC5", "CP1", "CP5"), "CP5"),
        (("C3", "F3", "P3", "T3", "T7", "Cz", "FC1", "FC5", "CP1", "CP5"), "T3"),
    ],
)
def test_hjorth_says_which_neighbours_it_took(labels, said):
    derived = derive(SITES["c3-hjorth"], recording(*labels), HERE)
    assert derived.words.startswith("+1 C3 -0.25 F")
    assert said in derived.words


def test_average_reference_sums_to_zero_over_eeg_only():
    types = ("EEG",) * 10 + ("ECG",)
    derived = derive(SITES["fz"], recording(*TEN, "ECG", types=types), HERE)
    fz = 7.0 - np.mean(np.arange(1.0, 11.0))
    assert derived.samples[0, 0] == pytest.approx(fz)
    assert derived.samples.shape[0] == 10
    assert "average of 10 channels" in derived.words


def test_average_over_too_few_is_refused():
    labels = TEN[: MINIMUM_AVERAGE - 1]
    with pytest.raises(ChannelError, match=r"subject\.edf.*at least 8.*there are 7"):
        derive(SITES["fz"], recording(*labels), HERE)


def test_missing_channel_is_named_and_nothing_is_put_in_its_place():
    with pytest.raises(
        ChannelError, match=r"subject\.edf: .*occipital needs O1 O2.*no O2.*O1, Oz, PO8"
    ):
        derive(SITES["occipital"], recording("O1", "Oz", "PO8"), HERE)


def test_a_channel_that_is_no_eeg_does_not_count():
    with pytest.raises(ChannelError, match="there is no O2"):
        derive(SITES["occipital"], recording("O1", "O2", types=("EEG", "MISC")), HERE)


def test_a_broken_other_channel_does_not_touch_the_target():
    broken = recording("O1", "O2", "Cz")
    broken.samples[:, 2] = np.nan
    assert np.isfinite(derive(SITES["occipital"], broken, HERE).samples[0]).all()


def test_weights_are_read_with_any_spelling_of_labels():
    site = Site.of_weights("EEG o1-A2=0.5, O2..=-0.25")
    assert site.choices == ((("O1", 0.5), ("O2", -0.25)),)
    derived = derive(site, recording("O1", "O2"), HERE)
    assert derived.samples[0, 0] == 0.0


@pytest.mark.parametrize(
    "text", ["", "O1", "O1=", "=1", "O1=nan", "O1=inf", "O1=1,O1=2", "O1=0,O2=0"]
)
def test_weights_that_say_nothing_are_refused(text):
    with pytest.raises(ConfigError, match="--weights"):
        Site.of_weights(text)
