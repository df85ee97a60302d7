import numpy as np
import pytest

from controller.errors import ConfigError, RhythmTooWeak, SignalFault
from controller.estimators.rhythm import (
    MINIMUM_REST_S,
    MINIMUM_SNR_DB,
    SEARCH_HZ,
    band_around,
    find_rhythm,
    given_rhythm,
)

SFREQ_HZ = 250.0


@pytest.mark.parametrize("frequency_hz", [8.1, 9.87, 10.0, 10.13, 12.4])
def test_frequency_is_found_between_the_lines(pink, frequency_hz):
    at = np.arange(30 * 250) / SFREQ_HZ
    rest = 5.0 * np.cos(2 * np.pi * frequency_hz * at) + 3.0 * pink(at.size)
    rhythm = find_rhythm(rest, SFREQ_HZ, "alpha")
    # A fifth of the spacing of the lines, 0.25 Hz.
    assert rhythm.frequency_hz == pytest.approx(frequency_hz, abs=0.05)
    assert rhythm.band_hz == (rhythm.frequency_hz - 2.0, rhythm.frequency_hz + 2.0)
    assert rhythm.band_name == "alpha"


@pytest.mark.parametrize("sfreq_hz", [128.0, 512.0, 1000.0, 5000.0])
def test_rate_changes_nothing(sfreq_hz):
    at = np.arange(round(12 * sfreq_hz)) / sfreq_hz
    rest = np.cos(2 * np.pi * 9.6 * at) + 1e-3 * np.cumsum(
        np.random.default_rng(1).standard_normal(at.size)
    )
    assert find_rhythm(rest, sfreq_hz, "alpha").frequency_hz == pytest.approx(
        9.6, abs=0.05
    )


def test_theta_is_found_beside_a_larger_alpha(rhythm_in_noise):
    alpha, _ = rhythm_in_noise(SFREQ_HZ, 10.2, 60.0, amplitude_uv=20.0)
    theta, _ = rhythm_in_noise(
        SFREQ_HZ, 5.6, 60.0, amplitude_uv=8.0, noise_uv=0.0, seed=5
    )
    rhythm = find_rhythm(alpha + theta, SFREQ_HZ, "theta")
    assert rhythm.frequency_hz == pytest.approx(5.6, abs=0.4)
    assert rhythm.band_hz[1] - rhythm.band_hz[0] == pytest.approx(3.0)


def test_slope_of_a_peak_outside_the_range_is_not_a_peak(pink):
    at = np.arange(60 * 250) / SFREQ_HZ
    rest = 10.0 * np.cos(2 * np.pi * 13.6 * at) + 0.5 * pink(at.size)
    with pytest.raises(RhythmTooWeak):
        find_rhythm(rest, SFREQ_HZ, "alpha")


def test_search_range_picks_the_peak(pink):
    at = np.arange(30 * 250) / SFREQ_HZ
    rest = 5.0 * np.cos(2 * np.pi * 9.0 * at) + 8.0 * np.cos(2 * np.pi * 12.0 * at)
    rest += pink(at.size)
    assert find_rhythm(rest, SFREQ_HZ, "alpha").frequency_hz > 11.0
    chosen = find_rhythm(rest, SFREQ_HZ, "alpha", search_hz=(8.0, 10.0))
    assert chosen.frequency_hz == pytest.approx(9.0, abs=0.05)


def test_height_follows_the_amplitude(pink):
    at = np.arange(60 * 250) / SFREQ_HZ
    tone = np.cos(2 * np.pi * 10.0 * at)
    noise = pink(at.size)
    one = find_rhythm(2.0 * tone + noise, SFREQ_HZ, "alpha").snr_db
    ten = find_rhythm(20.0 * tone + noise, SFREQ_HZ, "alpha").snr_db
    assert ten - one == pytest.approx(20.0, abs=0.5)


@pytest.mark.parametrize(
    ("band_name", "frequency_hz", "half_hz"),
    [("mu", 11.3, 2.0), ("beta", 21.4, 3.0), ("spindle", 13.4, 2.0)],
)
def test_other_bands_are_found_like_alpha(pink, band_name, frequency_hz, half_hz):
    at = np.arange(30 * 250) / SFREQ_HZ
    rest = 3.0 * np.cos(2 * np.pi * frequency_hz * at) + 3.0 * pink(at.size)
    rhythm = find_rhythm(rest, SFREQ_HZ, band_name)
    assert rhythm.frequency_hz == pytest.approx(frequency_hz, abs=0.05)
    assert rhythm.band_hz == pytest.approx(
        (frequency_hz - half_hz, frequency_hz + half_hz), abs=0.05
    )


def test_slow_rhythm_must_be_given(pink):
    with pytest.raises(ConfigError, match=r"give rhythm\.frequency_hz"):
        find_rhythm(pink(60 * 250), SFREQ_HZ, "slow")


@pytest.mark.parametrize("frequency_hz", [9.4, 10.0, 10.6])
def test_given_rhythm_has_its_height_at_its_own_frequency(pink, frequency_hz):
    at = np.arange(60 * 250) / SFREQ_HZ
    rest = 5.0 * np.cos(2 * np.pi * 10.0 * at) + 3.0 * pink(at.size)
    found = find_rhythm(rest, SFREQ_HZ, "alpha")
    rhythm = given_rhythm(rest, SFREQ_HZ, "alpha", frequency_hz)
    assert rhythm.frequency_hz == frequency_hz
    assert rhythm.band_hz == (frequency_hz - 2.0, frequency_hz + 2.0)
    if frequency_hz == 10.0:
        assert rhythm.snr_db == pytest.approx(found.snr_db, abs=0.5)
    else:
        assert rhythm.snr_db < found.snr_db - 3.0


def test_given_rhythm_may_be_weak_and_slow(pink):
    rest = pink(60 * 250)
    rhythm = given_rhythm(rest, SFREQ_HZ, "slow", 0.8)
    assert rhythm.band_hz == pytest.approx((0.4, 1.2))
    assert abs(rhythm.snr_db) < MINIMUM_SNR_DB
    at = np.arange(rest.size) / SFREQ_HZ
    wave = 10.0 * np.cos(2 * np.pi * 0.8 * at)
    assert given_rhythm(rest + wave, SFREQ_HZ, "slow", 0.8).snr_db > 10.0


def test_given_rhythm_is_refused_like_a_found_one(pink):
    rest = pink(30 * 250)
    with pytest.raises(RhythmTooWeak, match="record more rest"):
        given_rhythm(rest[: 9 * 250], SFREQ_HZ, "alpha", 10.0)
    with pytest.raises(ConfigError, match="higher frequency"):
        given_rhythm(rest, SFREQ_HZ, "slow", 0.3)
    with pytest.raises(ConfigError, match="half the rate"):
        given_rhythm(rest, SFREQ_HZ, "beta", 123.0)
    with pytest.raises(ConfigError):
        given_rhythm(rest, SFREQ_HZ, "beta", np.nan)
    rest[7] = np.nan
    with pytest.raises(SignalFault, match="sample 7"):
        given_rhythm(rest, SFREQ_HZ, "alpha", 10.0)


@pytest.mark.parametrize("band_name", sorted(set(SEARCH_HZ) - {"slow"}))
def test_noise_without_a_rhythm_is_refused(pink, band_name):
    for seed in range(10):
        with pytest.raises(RhythmTooWeak) as refused:
            find_rhythm(pink(30 * 250, seed), SFREQ_HZ, band_name)
        assert f"{MINIMUM_SNR_DB:.1f} dB" in str(refused.value) or "no " in str(
            refused.value
        )


def test_weak_rhythm_is_refused_with_both_figures(pink):
    at = np.arange(60 * 250) / SFREQ_HZ
    rest = 0.16 * np.cos(2 * np.pi * 10.0 * at) + pink(at.size, 4)
    with pytest.raises(
        RhythmTooWeak, match=r"stands -?\d\.\d dB .* at least 5\.0 dB; check"
    ):
        find_rhythm(rest, SFREQ_HZ, "alpha")


def test_rest_of_the_minimum_passes_and_one_sample_less_does_not(pink):
    n_least = round(MINIMUM_REST_S * SFREQ_HZ)
    at = np.arange(n_least) / SFREQ_HZ
    rest = 5.0 * np.cos(2 * np.pi * 10.0 * at) + pink(at.size)
    find_rhythm(rest, SFREQ_HZ, "alpha")
    with pytest.raises(RhythmTooWeak, match="record more rest"):
        find_rhythm(rest[:-1], SFREQ_HZ, "alpha")


def test_nan_is_refused(pink):
    rest = pink(30 * 250)
    rest[99] = np.nan
    with pytest.raises(SignalFault, match="sample 99"):
        find_rhythm(rest, SFREQ_HZ, "alpha")


def test_flat_channel_is_refused():
    with pytest.raises(SignalFault, match="flat"):
        find_rhythm(np.full(30 * 250, 3.0), SFREQ_HZ, "alpha")


@pytest.mark.parametrize(
    "search_hz", [(10.0, 9.0), (9.0, 9.0), (1.0, 12.0), (9.0, 124.0), (np.nan, 12.0)]
)
def test_impossible_search_ranges_are_refused(pink, search_hz):
    with pytest.raises(ConfigError, match="cannot be searched"):
        find_rhythm(pink(30 * 250), SFREQ_HZ, "alpha", search_hz=search_hz)


def test_unknown_band_is_refused_with_the_known_ones(pink):
    with pytest.raises(ConfigError, match="alpha, beta, mu"):
        find_rhythm(pink(30 * 250), SFREQ_HZ, "gamma")


def test_band_around_a_known_frequency():
    assert band_around(10.0, "alpha") == (8.0, 12.0)
    assert band_around(6.0, "theta") == (4.5, 7.5)
    with pytest.raises(ConfigError, match="higher frequency"):
        band_around(1.5, "theta")
    with pytest.raises(ConfigError):
        band_around(np.nan, "alpha")
