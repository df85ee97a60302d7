import numpy as np
import pytest
import scipy.signal

from controller.calibration.band_covariance import band_covariances
from controller.calibration.ssd import decompose
from controller.errors import ChannelError, ConfigError, RhythmTooWeak, SignalFault

SFREQ_HZ = 250.0
BAND_HZ = (8.0, 12.0)
LABELS = ("Fz", "C3", "Cz", "C4", "Pz", "O1", "Oz", "O2")
OCCIPITAL = np.array([0.1, 0.2, 0.2, 0.3, 0.6, 0.8, 0.9, 1.0])
CENTRAL = np.array([0.3, -1.0, 0.2, 0.1, -0.4, 0.0, 0.1, 0.0])


def narrow(rng, n_samples, band_hz=(9.5, 10.5)):
    sos = scipy.signal.butter(2, band_hz, "bandpass", output="sos", fs=SFREQ_HZ)
    made = scipy.signal.sosfiltfilt(sos, rng.standard_normal(n_samples))
    return made / made.std()


@pytest.fixture(scope="module")
def rest():
    """Two rhythms of known mixing in noise that the channels share."""
    rng = np.random.default_rng(7)
    n_samples = round(60 * SFREQ_HZ)
    strong, weak = narrow(rng, n_samples), narrow(rng, n_samples)
    shared = rng.standard_normal((8, 4)) @ np.cumsum(
        rng.standard_normal((4, n_samples)), axis=1
    )
    shared /= shared.std(axis=1, keepdims=True)
    own = rng.standard_normal((8, n_samples))
    samples = 3.0 * np.outer(OCCIPITAL, strong) + 1.5 * np.outer(CENTRAL, weak)
    return samples + 20.0 * shared + 0.5 * own, strong, weak


def alike(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_known_sources_and_their_mixing_are_found(rest):
    samples, strong, weak = rest
    found = decompose(samples, LABELS, SFREQ_HZ, BAND_HZ)
    assert np.all(np.diff(found.snr_db) <= 0.0)
    assert alike(found.patterns[0], OCCIPITAL) ** 2 > 0.98
    assert alike(found.patterns[1], CENTRAL) ** 2 > 0.95
    sos = scipy.signal.butter(2, BAND_HZ, "bandpass", output="sos", fs=SFREQ_HZ)
    for component, source in enumerate((strong, weak)):
        out = scipy.signal.sosfiltfilt(sos, found.filter(component).apply(samples))
        assert abs(alike(out, source)) > 0.97


def test_it_beats_the_best_channel(rest):
    samples, _, _ = rest
    spatial = decompose(samples, LABELS, SFREQ_HZ, BAND_HZ).filter()
    in_band, flanks = band_covariances(
        samples, SFREQ_HZ, ((BAND_HZ,), ((5.0, 7.0), (13.0, 15.0)))
    )
    weights = spatial.weights
    ours = (weights @ in_band @ weights) / (weights @ flanks @ weights)
    best_channel = np.max(np.diag(in_band) / np.diag(flanks))
    assert ours > 2.0 * best_channel


def test_the_virtual_channel_reads_in_microvolts_of_the_strongest(rest):
    samples, _, _ = rest
    spatial = decompose(samples, LABELS, SFREQ_HZ, BAND_HZ).filter()
    assert np.max(spatial.pattern) == pytest.approx(1.0)
    assert spatial.weights @ OCCIPITAL * 3.0 == pytest.approx(3.0, rel=0.1)
    assert spatial.weights @ spatial.pattern == pytest.approx(1.0)


def test_the_sign_is_that_of_the_strongest_channel_or_of_the_anchor(rest):
    samples, _, _ = rest
    # Whatever sign the solver gives, and whatever polarity the recording has.
    for polarity in (1.0, -1.0):
        found = decompose(polarity * samples, LABELS, SFREQ_HZ, BAND_HZ)
        spatial = found.filter(1)
        assert spatial.pattern[np.argmax(np.abs(spatial.pattern))] == pytest.approx(1.0)
        anchored = found.filter(1, anchor="C3")
        assert anchored.pattern[LABELS.index("C3")] > 0.0
        elsewhere = found.filter(1, anchor="Fz")
        assert elsewhere.pattern[LABELS.index("Fz")] > 0.0
        assert elsewhere.weights == pytest.approx(-anchored.weights)


def test_a_component_is_chosen_by_where_it_is_strongest(rest):
    found = decompose(rest[0], LABELS, SFREQ_HZ, BAND_HZ)
    assert found.component_near("Oz") == 0
    assert found.component_near("C3") == 1
    with pytest.raises(RhythmTooWeak, match="strongest at or beside Fz"):
        found.component_near("Fz")
    with pytest.raises(ChannelError, match="does not have"):
        found.component_near("T7")


def test_average_referenced_channels_are_no_trouble(rest):
    samples = rest[0] - rest[0].mean(axis=0)
    found = decompose(samples, LABELS, SFREQ_HZ, BAND_HZ)
    assert len(found.weights) == 7
    expected = OCCIPITAL - OCCIPITAL.mean()
    assert alike(found.patterns[0], expected) ** 2 > 0.9
    assert np.abs(found.weights).max() < 10.0


def test_only_the_given_stretches_count(rest):
    samples = rest[0].copy()
    samples[:, 5000:6000] = np.nan
    clean = ((0, 5000), (6000, samples.shape[1]))
    found = decompose(samples, LABELS, SFREQ_HZ, BAND_HZ, stretches=clean)
    assert alike(found.patterns[0], OCCIPITAL) ** 2 > 0.98
    with pytest.raises(SignalFault, match="not finite"):
        decompose(samples, LABELS, SFREQ_HZ, BAND_HZ)


def test_covariance_in_a_band_is_the_power_of_a_tone_in_it():
    at = np.arange(5000) / SFREQ_HZ
    samples = np.stack(
        [6.0 * np.cos(2 * np.pi * 10 * at), 2.0 * np.cos(2 * np.pi * 10 * at + np.pi)]
    )
    inside, outside = band_covariances(samples, SFREQ_HZ, ((BAND_HZ,), ((20.0, 30.0),)))
    assert inside == pytest.approx(np.array([[18.0, -6.0], [-6.0, 2.0]]), rel=1e-6)
    assert np.abs(outside).max() < 1e-9


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"labels": ("C3",), "rest": 0}, ConfigError, "at least 2 channels, not 1"),
        ({"shrinkage": 0.0}, ConfigError, "must be above 0"),
        ({"shrinkage": float("nan")}, ConfigError, "must be above 0"),
        ({"band_hz": (2.0, 4.0)}, ConfigError, "choose another band"),
        ({"band_hz": (110.0, 123.0)}, ConfigError, "choose another band"),
        ({"labels": LABELS[:7]}, ConfigError, r"8, 15000\), but 7 labels"),
        ({"stretches": ((0, 900),)}, SignalFault, "no stretch of 4 s"),
        ({"flat": True}, SignalFault, "are flat"),
    ],
)
def test_refusals(rest, call, error, words):
    samples = np.zeros((8, 5000)) if call.pop("flat", False) else rest[0]
    if call.pop("rest", 1) == 0:
        samples = samples[:1]
    given = {"labels": LABELS, "band_hz": BAND_HZ} | call
    labels, band_hz = given.pop("labels"), given.pop("band_hz")
    with pytest.raises(error, match=words):
        decompose(samples, labels, SFREQ_HZ, band_hz, **given)


@pytest.mark.parametrize("component", [-1, 8])
def test_a_component_that_is_not_there_is_refused(rest, component):
    with pytest.raises(ConfigError, match="from 0 to 7"):
        decompose(rest[0], LABELS, SFREQ_HZ, BAND_HZ).filter(component)
