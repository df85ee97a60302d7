import numpy as np
import pytest
from bad_days import config_of, config_text
from hypothesis import given
from hypothesis import strategies as st

from controller.config import parse_config
from controller.errors import ConfigError, RhythmTooWeak
from controller.rig.calibrate.design import (
    Calibration,
    calibrate,
    check_rest,
)
from controller.rig.calibrate.rest import Rest, longest_whole, virtual_channel

SFREQ_HZ = 100.0


def stamps(n: int, *gaps: int) -> np.ndarray:
    """Return stamps with half a second missing before each of some samples."""
    t = np.arange(n) / SFREQ_HZ
    for gap in gaps:
        t[gap:] += 0.5
    return t


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_channel_without_weight_may_hold_anything(bad: float) -> None:
    raw = np.array([[1.0, bad, 3.0], [2.0, bad, 5.0]], np.float32)
    found = virtual_channel(raw, np.array([0.5, 0.0, 2.0]))
    assert found.tolist() == [6.5, 11.0]
    assert found.dtype == np.float64
    raw[0, 2] = bad
    assert not np.isfinite(virtual_channel(raw, np.array([0.5, 0.0, 2.0]))[0])


def test_whole_rest_stays_whole() -> None:
    values = np.arange(50.0)
    np.testing.assert_array_equal(
        values[longest_whole(stamps(50), values, SFREQ_HZ)], values
    )


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ((10,), (10, 50)),
        ((40,), (0, 40)),
        ((10, 29), (29, 50)),
        ((15, 36), (15, 36)),
        ((1,), (1, 50)),
        ((49,), (0, 49)),
    ],
)
def test_longest_stretch_between_gaps(
    gaps: tuple[int, ...], expected: tuple[int, int]
) -> None:
    values = np.arange(50.0)
    found = values[longest_whole(stamps(50, *gaps), values, SFREQ_HZ)]
    np.testing.assert_array_equal(found, values[slice(*expected)])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([0], (1, 50)),
        ([49], (0, 49)),
        ([10], (11, 50)),
        ([30, 31, 32], (0, 30)),
        ([5, 45], (6, 45)),
    ],
)
def test_longest_stretch_between_values_that_are_no_numbers(
    bad: float, places: list[int], expected: tuple[int, int]
) -> None:
    values = np.arange(50.0)
    values[places] = bad
    found = values[longest_whole(stamps(50), values, SFREQ_HZ)]
    np.testing.assert_array_equal(found, np.arange(50.0)[slice(*expected)])


@given(st.data())
def test_what_is_found_has_neither_gap_nor_bad_value(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 40))
    gaps = data.draw(st.lists(st.integers(1, 39), max_size=4, unique=True))
    bad = data.draw(st.lists(st.integers(0, 39), max_size=4, unique=True))
    values = np.arange(float(n))
    values[[place for place in bad if place < n]] = np.nan
    t = stamps(n, *(gap for gap in gaps if gap < n))
    found = values[longest_whole(t, values, SFREQ_HZ)]
    assert np.all(np.isfinite(found))
    at = found.astype(int)
    assert np.all(np.diff(t[at]) < 0.02)
    assert np.all(np.diff(at) == 1)
    assert len(found) > 0 or not np.isfinite(values).any()


def test_nothing_is_a_whole_nothing() -> None:
    nothing = np.zeros(0)
    assert longest_whole(nothing, nothing, SFREQ_HZ) == slice(0, 0)


def test_rest_of_bad_values_only_is_empty() -> None:
    found = longest_whole(stamps(9), np.full(9, np.nan), SFREQ_HZ)
    assert found == slice(0, 0)


@pytest.mark.parametrize("rest_s", [0, 14.9])
def test_designer_from_rest_needs_enough_of_it(rest_s: float) -> None:
    wanted = {"kind": "wiener"}
    config = config_of(estimator=wanted, run={"rest_s": rest_s})
    said = rf"wiener is designed from rest, but run\.rest_s is {rest_s:g}; .* 15\."
    with pytest.raises(ConfigError, match=said):
        check_rest(config)
    config = config_of(estimator=wanted, run={"rest_s": 15})
    assert check_rest(config).name == "wiener"


def test_unknown_frequency_needs_rest() -> None:
    text = config_text().replace("frequency_hz = 10.2\n", "")
    config = parse_config(text, where="x")
    with pytest.raises(ConfigError, match=r"give rhythm\.frequency_hz, or a run\.rest"):
        check_rest(config)


def test_unknown_estimator_is_named() -> None:
    with pytest.raises(ConfigError, match="irr"):
        check_rest(config_of(estimator={"kind": "irr"}))


@pytest.mark.parametrize("kind", ["iir", "echt"])
def test_given_frequency_needs_no_rest(kind: str) -> None:
    config = config_of(estimator={"kind": kind}, run={"rest_s": 0})
    assert check_rest(config).name == kind


@pytest.mark.parametrize("kind", ["iir", "echt", "wiener"])
def test_rest_suits_every_designer(kind: str) -> None:
    config = config_of(estimator={"kind": kind}, run={"rest_s": 30})
    assert check_rest(config).name == kind


def one_row(uv: np.ndarray) -> Rest:
    return Rest(uv=uv[np.newaxis], mixing=np.ones((1, 1)))


def calibrated(rest: np.ndarray, **tables: dict[str, object]) -> Calibration:
    config = config_of(**tables)
    return calibrate(
        config, check_rest(config), one_row(rest), sfreq_hz=SFREQ_HZ, horizon_s=0.01
    )


def alpha(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * SFREQ_HZ)) / SFREQ_HZ
    noise = np.random.default_rng(3).normal(0.0, 2.0, len(t))
    return 10.0 * np.cos(2.0 * np.pi * 10.2 * t) + noise


@pytest.mark.parametrize("seconds", [0.0, 2.5, 9.9])
def test_given_frequency_and_little_rest_promise_nothing(seconds: float) -> None:
    found = calibrated(alpha(seconds))
    assert found.design.brief.frequency_hz == 10.2
    assert found.design.brief.horizon_s == 0.01
    assert found.snr_db is None
    assert found.expected_sd_deg is None
    assert found.sentence() == "Rhythm at 10.20 Hz."


def test_given_frequency_and_enough_rest_promise_an_accuracy() -> None:
    found = calibrated(alpha(20.0))
    assert found.snr_db is None
    assert found.expected_sd_deg is not None
    assert 0.0 < found.expected_sd_deg < 20.0
    assert "expect a circular SD of" in found.sentence()


def test_frequency_is_found_in_the_rest() -> None:
    found = calibrate_without_frequency(alpha(20.0))
    assert found.design.brief.frequency_hz == pytest.approx(10.2, abs=0.1)
    assert found.snr_db is not None
    assert found.snr_db > 10.0
    assert " dB over the background, expect a circular SD of " in found.sentence()


def calibrate_without_frequency(rest: np.ndarray) -> Calibration:
    config = config_of(run={"rest_s": 20})
    rhythm = config.rhythm.model_copy(update={"frequency_hz": None})
    config = config.model_copy(update={"rhythm": rhythm})
    return calibrate(
        config, check_rest(config), one_row(rest), sfreq_hz=SFREQ_HZ, horizon_s=0.01
    )


def test_rest_without_the_rhythm_is_refused() -> None:
    noise = np.random.default_rng(4).normal(0.0, 5.0, 2000)
    with pytest.raises(RhythmTooWeak):
        calibrate_without_frequency(noise)


@pytest.mark.parametrize("seconds", [0.0, 3.0])
def test_too_little_rest_to_find_the_frequency_is_refused(seconds: float) -> None:
    with pytest.raises(RhythmTooWeak, match=rf"^Only {seconds:.1f} s of the rest came"):
        calibrate_without_frequency(alpha(seconds))


def test_design_from_too_little_rest_is_refused() -> None:
    tables = {"estimator": {"kind": "wiener"}, "run": {"rest_s": 30}}
    with pytest.raises(RhythmTooWeak, match=r"^Only 3\.0 s .* 10 s in one piece"):
        calibrated(alpha(3.0), **tables)


def test_frequency_above_half_the_rate_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be followed at 100 Hz"):
        calibrated(alpha(1.0), rhythm={"frequency_hz": 60, "search_hz": [40, 70]})


def test_frequency_outside_its_band_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"40, but the alpha band is 7\.5 to 13 Hz"):
        calibrated(alpha(1.0), rhythm={"frequency_hz": 40})
