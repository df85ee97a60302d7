import numpy as np
import pytest

from controller.calibration.bad_channels import find_bad_channels
from controller.calibration.positions import position_of
from controller.errors import ConfigError

SFREQ_HZ = 250.0
LABELS = (
    *("Fp1", "Fp2", "F3", "Fz", "F4", "T7", "C3", "Cz", "C4", "T8"),
    *("P3", "Pz", "P4", "O1", "O2"),
)


@pytest.fixture(scope="module")
def clean():
    """Channels that share as much as they are near, with a strong occipital alpha."""
    rng = np.random.default_rng(5)
    n_samples = round(20 * SFREQ_HZ)
    places = np.array([position_of(label) for label in LABELS])
    grid = np.array([(x, y) for x in (-0.6, 0, 0.6) for y in (-0.8, -0.3, 0.3, 0.8)])
    gains = np.exp(-2.0 * ((places[:, None] - grid) ** 2).sum(axis=2) / 0.4**2 / 4)
    walk = np.cumsum(rng.standard_normal((len(grid), n_samples)), axis=1)
    walk -= np.stack([np.convolve(w, np.ones(125) / 125, "same") for w in walk])
    samples = gains @ walk * 4.0 + 0.8 * rng.standard_normal((15, n_samples))
    alpha = 14.0 * np.cos(2 * np.pi * 10.0 * np.arange(n_samples) / SFREQ_HZ)
    samples += np.exp(-np.abs(places[:, 1] + 0.8))[:, None] * alpha
    return samples


def found(samples, labels=LABELS):
    return {
        bad.label: bad.reason for bad in find_bad_channels(samples, labels, SFREQ_HZ)
    }


def test_a_good_recording_has_none(clean):
    assert found(clean) == {}


def test_blinks_drifts_and_offsets_make_no_channel_bad(clean):
    samples = clean + np.linspace(0.0, 4000.0, 15)[:, None]
    samples[:2, 1000:1080] += 250.0
    samples += np.linspace(0.0, 300.0, samples.shape[1])
    assert found(samples) == {}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda x, rng: np.where(np.arange(x.size) == 40, np.nan, x), "1 samples that"),
        (lambda x, rng: np.where(np.arange(x.size) > 90, np.inf, x), "not finite"),
        (lambda x, rng: np.full_like(x, 812.5), "is flat: it moves by 0 uV"),
        (lambda x, rng: 1e-3 * x, "is flat"),
        (lambda x, rng: np.repeat(x[::4], 4)[: x.size], "75% of its samples repeat"),
        (lambda x, rng: 12.0 * x, "is too large"),
        (lambda x, rng: 0.03 * x, "is too small"),
        (lambda x, rng: x + 30.0 * rng.standard_normal(x.size), "is noisy"),
        (
            lambda x, rng: (
                25.0
                * np.convolve(rng.standard_normal(x.size), np.ones(12) / 12, "same")
            ),
            "does not go along with its neighbours",
        ),
    ],
)
def test_one_spoiled_channel_is_found_with_its_reason(clean, spoil, words):
    samples = clean.copy()
    spoiled = LABELS.index("C4")
    samples[spoiled] = spoil(samples[spoiled], np.random.default_rng(1))
    reasons = found(samples)
    assert list(reasons) == ["C4"]
    assert reasons["C4"].startswith("C4 ")
    assert reasons["C4"].endswith(".")
    assert words in reasons["C4"]


def test_several_bad_channels_keep_the_recordings_order(clean):
    samples = clean.copy()
    samples[12] = 0.0
    samples[3, 7] = np.nan
    assert list(found(samples)) == ["Fz", "P4"]


def test_few_channels_are_not_compared(clean):
    # Of two channels nobody can say which one is the odd one.
    two = np.stack([clean[6], 12.0 * clean[8]])
    assert found(two, ("C3", "C4")) == {}
    assert list(found(np.stack([clean[6], 0 * clean[8]]), ("C3", "C4"))) == ["C4"]


def test_channels_without_position_have_no_neighbours(clean):
    labels = tuple(f"E{k}" for k in range(15))
    samples = clean.copy()
    samples[4] = 10.0 * np.random.default_rng(2).standard_normal(samples.shape[1])
    assert "does not go" not in " ".join(found(samples, labels).values())


def test_all_channels_bad(clean):
    assert len(found(np.zeros_like(clean))) == 15


@pytest.mark.parametrize("sfreq_hz", [60.0, 128.0, 5000.0])
def test_any_rate(sfreq_hz):
    rng = np.random.default_rng(3)
    samples = np.cumsum(rng.standard_normal((6, round(3 * sfreq_hz))), axis=1)
    labels = tuple(f"E{k}" for k in range(6))
    assert find_bad_channels(samples, labels, sfreq_hz) == ()


def test_refusals(clean):
    with pytest.raises(ConfigError, match="too short to judge"):
        find_bad_channels(clean[:, :400], LABELS, SFREQ_HZ)
    with pytest.raises(ConfigError, match="but 3 labels"):
        find_bad_channels(clean, LABELS[:3], SFREQ_HZ)
    with pytest.raises(ConfigError, match="more than once"):
        find_bad_channels(clean[:2], ("C3", "C3"), SFREQ_HZ)
