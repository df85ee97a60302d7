"""What pulses and trigger codes do to the simulated participant, in virtual time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.config_source import SyntheticSource
from controller.errors import ConfigError, FileError
from controller.sources.synthetic.layout import (
    channel_labels,
    channel_types,
    channel_units,
)
from controller.sources.synthetic.pulse_response import mep_shape
from controller.sources.synthetic.pulse_script import ScriptedPulse, read_pulse_script
from controller.sources.synthetic.responding import RespondingParticipant
from controller.sources.synthetic.signal import SyntheticParticipant

FURTHER = {"emg_channel": "EMG_FDI", "trigger_channel": "TRIG"}
SILENT = {
    "alpha_uv": 0.0,
    "theta_uv": 0.0,
    "noise_uv": 0.0,
    "line_uv": 0.0,
    "blinks_per_minute": 0.0,
}
MU = {"rhythm_hz": 11.0, "rhythm_uv": 10.0, "rhythm_at": "C3"}
C3, EMG, TRIG = 1, 8, 9


def settings_of(**changes: object) -> SyntheticSource:
    return SyntheticSource.model_validate({"kind": "synthetic", **changes})


def pulse(t: float, intensity: float | None = 60.0, **more: object) -> ScriptedPulse:
    return ScriptedPulse.model_validate(
        {"t": t, "intensity_pct_mso": intensity, **more}
    )


def added(pulses: list[ScriptedPulse], n: int = 1000, **changes: object) -> np.ndarray:
    """Return what pulses add to the samples."""
    config = settings_of(**FURTHER, **changes)
    plain = SyntheticParticipant(config).read(n).samples
    return RespondingParticipant(config, pulses).read(n).samples - plain


def test_no_pulse_no_change() -> None:
    config = settings_of(**FURTHER, phase_reset=1.0, mep_phase_gain=1.0)
    plain = SyntheticParticipant(config).read(2500).samples
    assert np.array_equal(RespondingParticipant(config).read(2500).samples, plain)


@pytest.mark.parametrize("further", [{}, FURTHER, {"trigger_channel": "TRIG"}])
def test_further_channels_move_no_eeg_sample(further: dict[str, object]) -> None:
    plain = SyntheticParticipant(settings_of(seed=3)).read(2500).samples
    more = SyntheticParticipant(settings_of(seed=3, **further)).read(2500).samples
    assert more.shape == (2500, 8 + len(further))
    assert np.array_equal(more[:, :8], plain)


def test_channels_are_announced_by_their_types() -> None:
    config = settings_of(**FURTHER)
    assert channel_labels(config)[7:] == ("O2", "EMG_FDI", "TRIG")
    assert channel_types(config)[7:] == ("EEG", "EMG", "TRIG")
    assert channel_units(config)[7:] == ("microvolts", "microvolts", "none")


@pytest.mark.parametrize(
    "labels", [{"emg_channel": "C3"}, {"emg_channel": "X", "trigger_channel": "X"}]
)
def test_label_of_another_channel_is_refused(labels: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is the label of another channel"):
        settings_of(**labels)


def test_muscle_at_rest_is_a_few_microvolts() -> None:
    samples = SyntheticParticipant(settings_of(**FURTHER, line_uv=0.0)).read(5000)
    assert 2.0 < np.std(samples.samples[:, EMG]) < 4.0
    assert not samples.samples[:, TRIG].any()


@pytest.mark.parametrize("t", [0.3, 0.3001, 0.3009])
def test_code_shows_from_the_sample_at_or_after_the_trigger(t: float) -> None:
    trig = added([pulse(t, None, code=7)])[:, TRIG]
    first = math.ceil(t * 1000 - 1e-9)
    expected = np.zeros(1000)
    expected[first : math.ceil((t + 0.005) * 1000 - 1e-9)] = 7
    assert np.array_equal(trig, expected)


@pytest.mark.parametrize("width_s", [0.0, 1e-4])
def test_code_shorter_than_a_sample_is_held_for_one(width_s: float) -> None:
    trig = added([pulse(0.3004, None, code=7, width_s=width_s)])[:, TRIG]
    assert np.flatnonzero(trig).tolist() == [301]
    assert trig[301] == 7


def test_trigger_without_a_pulse_leaves_the_signals_alone() -> None:
    change = added([pulse(0.3, None)])
    assert change[:, TRIG].any()
    assert not change[:, :TRIG].any()


def test_pulse_changes_nothing_before_it_and_all_channels_after() -> None:
    change = added([pulse(0.3005)], phase_reset=1.0)
    assert not change[:301].any()
    assert np.all(change[301] != 0)


def test_artifact_is_largest_under_the_coil_and_decays() -> None:
    quiet = {"evoked_uv": 0.0, "pulse_artifact_uv": 1000.0}
    change = added([pulse(0.3, 50.0)], pulse_artifact_decay_ms=4.0, **quiet)
    at_pulse = change[300, :8]
    assert np.argmax(at_pulse) == C3
    assert at_pulse[C3] == pytest.approx(500.0, rel=1e-4)
    assert at_pulse.min() > 40.0
    assert change[304, C3] == pytest.approx(500.0 / math.e, rel=1e-3)


def test_evoked_response_has_its_deflections_near_the_coil() -> None:
    change = added([pulse(0.3, 45.0)], evoked_uv=10.0, pulse_artifact_uv=0.0)
    near = change[300:, C3] - change[300:, 3]  # C3 - C4: what both share is wide
    assert near[30] > 2.0 > -2.0 > near[45]
    assert near[60] > 2.0
    cz = change[300:, 2]
    assert cz[100] == pytest.approx(-10.0, abs=1.0)
    assert cz[180] == pytest.approx(9.0, abs=0.5)


def test_motor_response_comes_after_its_latency_only() -> None:
    change = added([pulse(0.3, 80.0)], pulse_artifact_uv=0.0)[:, EMG]
    moved = np.flatnonzero(np.abs(change) > 1e-3)
    assert (moved[0], moved[-1]) == (323, 333)


def test_motor_shape_is_one_from_peak_to_peak() -> None:
    shape = mep_shape(np.linspace(0.0, 0.1, 100_001))
    assert shape.max() - shape.min() == pytest.approx(1.0, abs=1e-6)


def responses_at(intensity: float, n: int = 400, **changes: object) -> np.ndarray:
    """Return the motor responses' sizes to `n` pulses, and the phases at them."""
    config = settings_of(sfreq_hz=250.0, **FURTHER, **changes)
    person = RespondingParticipant(
        config, [pulse(0.05 + 0.3 * k, intensity) for k in range(n)]
    )
    person.read(round(250 * 0.3 * (n + 1)))
    return np.array([evoked.mep_uv for evoked in person.responses.evoked])


@pytest.mark.parametrize("threshold", [38.0, 62.0])
def test_half_of_the_pulses_at_threshold_reach_the_criterion(threshold: float) -> None:
    sizes = responses_at(threshold, motor_threshold_pct_mso=threshold)
    assert np.mean(sizes >= 50.0) == pytest.approx(0.5, abs=0.07)
    below = responses_at(0.9 * threshold, motor_threshold_pct_mso=threshold)
    above = responses_at(1.1 * threshold, motor_threshold_pct_mso=threshold)
    assert np.mean(below >= 50.0) < 0.1
    assert np.mean(above >= 50.0) > 0.9


def test_responses_grow_to_their_plateau_and_vary_log_normally() -> None:
    sizes = responses_at(100.0, motor_threshold_pct_mso=30.0, mep_uv=1000.0)
    assert np.median(sizes) == pytest.approx(1000.0, rel=0.1)
    assert np.std(np.log(sizes)) == pytest.approx(0.6, rel=0.1)


def test_no_intensity_no_response() -> None:
    assert not responses_at(0.0, n=5).any()


@pytest.mark.parametrize("gain", [-0.8, 0.8])
def test_motor_response_depends_on_the_true_phase(gain: float) -> None:
    config = settings_of(**FURTHER, **MU, mep_phase_gain=gain)
    plain = RespondingParticipant(config)
    phase = plain.read(60_000).truth.rhythm_phase_rad
    rows = range(100, 59_900, 250)
    same = RespondingParticipant(config, [pulse(row / 1000) for row in rows])
    same.read(60_000)
    flat = RespondingParticipant(
        settings_of(**FURTHER, **MU), [pulse(row / 1000) for row in rows]
    )
    flat.read(60_000)
    ratio = [
        with_gain.mep_uv / without.mep_uv
        for with_gain, without in zip(
            same.responses.evoked, flat.responses.evoked, strict=True
        )
    ]
    expected = 1 + gain * np.cos(phase[list(rows)])
    np.testing.assert_allclose(ratio, expected, rtol=1e-6)


def test_phase_between_samples_is_the_one_at_the_pulse() -> None:
    config = settings_of(sfreq_hz=250.0, **FURTHER, **MU, mep_phase_gain=1.0)
    sizes = []
    for t in (1.0, 1.002, 1.004):
        person = RespondingParticipant(config, [pulse(t)])
        phase = person.read(500).truth.rhythm_phase_rad
        sizes.append(person.responses.evoked[0].mep_uv)
    before, after = sizes[0], sizes[2]
    assert min(before, after) < sizes[1] < max(before, after) or math.isclose(
        math.cos(phase[250]), math.cos(phase[251]), abs_tol=0.05
    )


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_pulse_moves_the_rhythm_towards_its_peak(share: float) -> None:
    quiet = {**SILENT, **MU, "pulse_artifact_uv": 0.0, "evoked_uv": 0.0}
    config = settings_of(**quiet, phase_reset=share)
    before = SyntheticParticipant(config).read(3000).truth.rhythm_phase_rad
    person = RespondingParticipant(config, [pulse(1.0), pulse(2.0)])
    block = person.read(3000)
    truth = block.truth
    assert np.array_equal(truth.rhythm_phase_rad[:1000], before[:1000])
    moved = (1 - share) * before[1000]
    assert truth.rhythm_phase_rad[1000] == pytest.approx(moved, abs=1e-9)
    shown = truth.rhythm_amplitude_uv * np.cos(truth.rhythm_phase_rad)
    np.testing.assert_allclose(block.samples[:, C3], shown, atol=1e-3)


def test_alpha_counts_where_there_is_no_third_rhythm() -> None:
    config = settings_of(**FURTHER, phase_reset=1.0)
    block = RespondingParticipant(config, [pulse(1.0)]).read(1500)
    assert block.truth.alpha_phase_rad[1000] == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(block.truth.rhythm_phase_rad).all()


def test_amplifier_is_held_at_its_rail() -> None:
    config = settings_of(**FURTHER, rail_uv=500.0, saturation_ms=8.0)
    samples = RespondingParticipant(config, [pulse(0.3)]).read(1000).samples
    assert np.all(samples[300:308, :TRIG] == 500.0)
    assert not np.any(samples[:300] == 500.0)
    assert np.all(samples[308:, :TRIG] < 500.0)
    assert samples[300:308, TRIG].tolist() == [1.0] * 5 + [0.0] * 3


def test_artifact_beyond_the_rail_is_clipped() -> None:
    config = settings_of(rail_uv=500.0, pulse_artifact_uv=90_000.0)
    samples = RespondingParticipant(config, [pulse(0.3, 100.0)]).read(400).samples
    assert samples[300, C3] == samples.max() == 500.0


PULSES = [pulse(t) for t in (0.1, 0.9994, 1.0, 1.0004, 1.15)]


@given(cuts=st.lists(st.integers(0, 300), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_no_split_into_blocks_changes_a_pulse(cuts: list[int]) -> None:
    config = settings_of(**FURTHER, **MU, phase_reset=0.5, mep_phase_gain=-0.5)
    whole = RespondingParticipant(config, PULSES).read(sum(cuts))
    person = RespondingParticipant(config, PULSES)
    parts = [person.read(n) for n in cuts]
    assert np.array_equal(np.concatenate([p.samples for p in parts]), whole.samples)
    phase = np.concatenate([p.truth.rhythm_phase_rad for p in parts])
    assert np.array_equal(phase, whole.truth.rhythm_phase_rad)


def test_pulse_told_on_the_way_is_as_one_told_before() -> None:
    config = settings_of(**FURTHER)
    person = RespondingParticipant(config)
    parts = [person.read(900)]
    for each in PULSES[1:]:
        each.play(person.responses)
    parts.append(person.read(600))
    whole = RespondingParticipant(config, PULSES[1:]).read(1500).samples
    assert np.array_equal(np.concatenate([p.samples for p in parts]), whole)


def test_other_seed_other_responses() -> None:
    first, second = responses_at(60.0, 5, seed=1), responses_at(60.0, 5, seed=2)
    assert np.array_equal(first, responses_at(60.0, 5, seed=1))
    assert not np.any(first == second)


def test_coil_over_no_electrode_is_refused_by_its_key() -> None:
    with pytest.raises(ConfigError, match=r"^source\.coil_at: .* 'M1'"):
        RespondingParticipant(settings_of(coil_at="M1"))


def test_script_is_read_line_by_line(tmp_path) -> None:
    path = tmp_path / "pulses.jsonl"
    path.write_text('{"t": 1.5, "intensity_pct_mso": 60}\n\n{"t": 2, "code": 3}\n')
    assert read_pulse_script(path) == [
        pulse(1.5, 60.0),
        pulse(2.0, None, code=3),
    ]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"t": -1}', '{"t": NaN}', '{"t": 1, "intensity_pct_mso": 101}'],
)
def test_line_that_is_no_pulse_is_named(line: str, tmp_path) -> None:
    path = tmp_path / "pulses.jsonl"
    path.write_text('{"t": 1.5}\n' + line)
    with pytest.raises(FileError, match=r"Line 2 of the pulse script .* is no pulse"):
        read_pulse_script(path)


def test_absent_script_is_a_sentence(tmp_path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_pulse_script(tmp_path / "gone.jsonl")
