"""Calibration on a simulated participant: what it promises, and what it refuses."""

import numpy as np
import pytest
from rests import (
    CHANNELS,
    SFREQ_HZ,
    block_of,
    calibrated,
    calibration_config,
    changed,
    recording_of,
)

from controller.errors import (
    ChannelError,
    ConfigError,
    FileError,
    RhythmTooWeak,
    SignalFault,
)
from controller.rig.calibrate.calibration import calibrate_rest, check_calibration
from controller.rig.calibrate.clean_rest import clean_rest, usable_part
from controller.sources.montage import mixing_matrix


def calibrate(recording, **tables):
    return calibrate_rest(calibration_config(**tables), recording, lambda *_: None)


def test_rhythm_is_found_and_the_own_gate_recommended() -> None:
    result = calibrated().result
    assert abs(result.rhythm.frequency_hz - 10.2) < 0.3
    assert result.level.percentile == 60.0
    assert result.rest_used_s == pytest.approx(60.0, abs=0.1)
    assert [level.percentile for level in result.levels] == sorted(
        {0.0, 25.0, 50.0, 60.0, 70.0, 80.0, 90.0}
    )


def test_tighter_gates_aim_better_and_fire_less() -> None:
    levels = calibrated().result.levels
    rates = [level.triggers_per_minute for level in levels]
    thresholds = [level.threshold_uv for level in levels]
    assert rates[0] > rates[-1] > 0.0
    assert thresholds == sorted(thresholds)
    assert levels[3].circ_sd_rad < levels[0].circ_sd_rad


def test_samples_of_the_page_are_those_of_the_levels() -> None:
    result = calibrated().result
    assert result.errors_all_rad.size == result.levels[0].n_triggers
    assert result.errors_gated_rad.size == result.level.n_triggers


def test_progress_goes_up_to_the_end() -> None:
    told: list[tuple[float, str]] = []
    calibrate_rest(
        calibration_config(),
        recording_of(block_of(40.0).samples),
        lambda done, words: told.append((done, words)),
    )
    shares = [done for done, _ in told]
    assert shares == sorted(shares)
    assert 0.9 < shares[-1] <= 1.0
    assert told[-1][1] == "Rehearsing the loop"


def test_absolute_gate_has_its_own_level() -> None:
    made = calibrate(
        recording_of(block_of(60.0).samples),
        gate={"amplitude": "absolute", "threshold_uv": 12.0, "percentile": 60},
    )
    assert made.result.level.threshold_uv == 12.0
    assert 0.0 < made.result.level.percentile < 100.0
    assert made.result.level.circ_sd_rad < made.result.levels[0].circ_sd_rad


def test_gate_above_every_amplitude_is_refused() -> None:
    with pytest.raises(RhythmTooWeak, match="never let a trigger through"):
        calibrate(
            recording_of(block_of(40.0).samples),
            gate={"amplitude": "absolute", "threshold_uv": 500.0, "percentile": 60},
        )


def test_probability_gate_is_rehearsed_too() -> None:
    recording = recording_of(block_of(60.0).samples)
    sure = calibrate(
        recording,
        gate={"min_probability": 0.95, "amplitude": "open", "percentile": 60},
    ).result.level
    assert sure.circ_sd_rad < calibrated().result.levels[0].circ_sd_rad
    assert sure.triggers_per_minute < calibrated().result.levels[0].triggers_per_minute


def test_too_short_a_rest_is_refused() -> None:
    with pytest.raises(RhythmTooWeak, match=r"lasts 20\.0 s, but calibration needs 30"):
        calibrate(recording_of(block_of(20.0).samples))


def test_too_short_a_wish_is_refused_before_anybody_rests() -> None:
    with pytest.raises(ConfigError, match=r"at least 30 s of clean rest, not 20"):
        check_calibration(calibration_config(), 20.0)
    check_calibration(calibration_config(), 30.0)
    check_calibration(calibration_config(), None)


def test_noise_is_refused() -> None:
    flat = block_of(60.0, 8, 0.0).samples
    with pytest.raises(RhythmTooWeak, match="alpha peak"):
        calibrate(recording_of(flat))


def test_weak_rhythm_of_a_given_frequency_is_told() -> None:
    made = calibrate(
        recording_of(block_of(60.0, 8, 0.0).samples),
        rhythm={"band": "alpha", "frequency_hz": 9.0},
    )
    assert "the frequency that was given" in made.result.warnings[0]


@pytest.mark.parametrize("montage", [{"weights": {"O1": 1.0}}, {"hjorth": "O1"}])
def test_bad_channel_in_the_montage_is_refused(montage: dict[str, object]) -> None:
    raw = block_of(40.0).samples.copy()
    raw[:, CHANNELS.index("O1")] = 0.0
    with pytest.raises(ChannelError, match="The montage reads O1, which cannot be us"):
        calibrate(recording_of(raw), montage=montage)


def test_bad_channel_outside_the_montage_is_left_out() -> None:
    raw = block_of(40.0).samples.copy()
    raw[:, CHANNELS.index("C4")] = 0.0
    made = calibrate(recording_of(raw))
    assert [bad.label for bad in made.result.bad_channels] == ["C4"]


def test_all_artifact_is_refused() -> None:
    raw = block_of(40.0).samples.copy()
    raw[::250] += 400.0
    with pytest.raises(SignalFault, match=r"are free of artifacts, but calibration"):
        calibrate(recording_of(raw))


def gappy(every: int) -> np.ndarray:
    """Return stamps of a stream that loses some samples ever so often."""
    t = 1.0 + np.arange(round(40.0 * SFREQ_HZ)) / SFREQ_HZ
    return t + 4.0 / SFREQ_HZ * (np.arange(t.size) // every)


def test_stream_that_keeps_losing_samples_is_refused() -> None:
    recording = recording_of(block_of(40.0).samples, t_sample=gappy(500))
    with pytest.raises(SignalFault, match=r"lost samples 19 times during the rest"):
        calibrate(recording)


def test_single_gap_is_told() -> None:
    recording = recording_of(block_of(40.0).samples, t_sample=gappy(5000))
    made = calibrate(recording)
    assert made.result.warnings == ("simulated lost samples once during the rest.",)


def test_stretches_are_joined_at_their_seams() -> None:
    config = calibration_config()
    raw = block_of(60.0).samples.copy()
    raw[5000, CHANNELS.index("O1")] += 1000.0
    recording = recording_of(raw, t_sample=None)
    mixing = mixing_matrix(config.montage, recording.stream)
    usable = usable_part(config, recording, mixing)
    rest = clean_rest(config, recording, mixing, usable)
    (start, stop), (again, end) = usable.stretches
    assert rest.seams == (stop - start,)
    assert start <= 0 < stop < 5000 < again < end
    np.testing.assert_array_equal(
        rest.raw, np.concatenate([raw[start:stop], raw[again:end]])
    )
    expected = rest.raw.astype(np.float64) @ mixing[0]
    np.testing.assert_allclose(rest.uv[0], expected, atol=1e-9)


def test_ssd_follows_the_rhythm() -> None:
    made = calibrate(recording_of(block_of(60.0).samples), montage={"ssd": "Oz"}).result
    assert made.spatial_filter.kind == "ssd"
    assert abs(made.rhythm.frequency_hz - 10.2) < 0.3
    plain = calibrated().result
    assert made.rhythm.snr_db > plain.rhythm.snr_db - 1.0


def test_ssd_keeps_a_given_frequency() -> None:
    made = calibrate(
        recording_of(block_of(60.0).samples),
        montage={"ssd": "Oz"},
        rhythm={"band": "alpha", "frequency_hz": 10.0},
    ).result
    assert made.rhythm.frequency_hz == 10.0


@pytest.mark.parametrize(
    ("section", "keys", "kind", "said"),
    [
        ("estimator", {"kind": "irr"}, ConfigError, "irr"),
        ("run", {"participant": "a b"}, ConfigError, "is called 'a b'"),
        ("rhythm", {"band": "slow"}, ConfigError, "give rhythm.frequency_hz"),
        ("montage", {"weights": None, "hjorth": "X9"}, ConfigError, "X9"),
        ("montage", {"weights": None, "file": "no.csv"}, FileError, "no.csv"),
    ],
)
def test_what_no_rest_can_mend_is_refused_first(section, keys, kind, said) -> None:
    if "file" in keys:
        from pathlib import Path

        keys = keys | {"file": Path(str(keys["file"]))}
    with pytest.raises(kind, match=said):
        check_calibration(changed(calibration_config(), section, **keys))
