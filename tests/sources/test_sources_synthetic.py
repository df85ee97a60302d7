import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.config import SyntheticSource
from controller.errors import ConfigError
from controller.sources.synthetic.scalp import background_mixing, electrode_positions
from controller.sources.synthetic.signal import SyntheticParticipant

QUIET = {"noise_uv": 0.0, "line_uv": 0.0, "blinks_per_minute": 0.0}


def settings_of(**changes: object) -> SyntheticSource:
    return SyntheticSource.model_validate({"kind": "synthetic", **changes})


def participant(**changes: object) -> SyntheticParticipant:
    return SyntheticParticipant(settings_of(**changes))


def test_same_seed_same_participant() -> None:
    first, second = participant(seed=4).read(1500), participant(seed=4).read(1500)
    assert np.array_equal(first.samples, second.samples)
    assert np.array_equal(first.truth.alpha_phase_rad, second.truth.alpha_phase_rad)


def test_other_seed_other_participant() -> None:
    assert not np.array_equal(
        participant(seed=4).read(500).samples, participant(seed=5).read(500).samples
    )


@given(cuts=st.lists(st.integers(0, 900), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None)
def test_no_split_into_blocks_changes_a_sample(cuts: list[int]) -> None:
    whole = participant(sfreq_hz=250.0, blinks_per_minute=60.0).read(sum(cuts))
    split = participant(sfreq_hz=250.0, blinks_per_minute=60.0)
    parts = [split.read(n) for n in cuts]
    assert np.array_equal(np.concatenate([p.samples for p in parts]), whole.samples)
    for name in ("alpha_phase_rad", "theta_phase_rad", "alpha_amplitude_uv"):
        joined = np.concatenate([getattr(p.truth, name) for p in parts])
        assert np.array_equal(joined, getattr(whole.truth, name))


def test_shapes_and_types() -> None:
    block = participant().read(10)
    assert block.samples.shape == (10, 8)
    assert block.samples.dtype == np.float32
    assert block.samples.flags.c_contiguous
    assert block.truth.theta_amplitude_uv.shape == (10,)


def test_phase_zero_is_the_positive_peak() -> None:
    """Noise-free, the rhythm is amplitude times the cosine of the true phase."""
    source = participant(**QUIET, theta_uv=0.0)
    block = source.read(20_000)
    truth = block.truth
    oz = block.samples[:, 6] / source.alpha_gain[6]
    expected = truth.alpha_amplitude_uv * np.cos(truth.alpha_phase_rad)
    np.testing.assert_allclose(oz, expected, atol=1e-4)
    peaks, _ = scipy.signal.find_peaks(oz, height=1.0, distance=60)
    assert len(peaks) > 150
    # Diffusion moves a peak by a few milliseconds, hence not exactly zero.
    assert abs(np.angle(np.mean(np.exp(1j * truth.alpha_phase_rad[peaks])))) < 0.02
    assert np.max(np.abs(truth.alpha_phase_rad[peaks])) < 0.5


def test_theta_phase_at_fz() -> None:
    source = participant(**QUIET, alpha_uv=0.0)
    block = source.read(3000)
    fz = block.samples[:, 0] / source.theta_gain[0]
    expected = block.truth.theta_amplitude_uv * np.cos(block.truth.theta_phase_rad)
    np.testing.assert_allclose(fz, expected, atol=1e-4)


THIRD = {"rhythm_hz": 21.0, "rhythm_uv": 6.0, "rhythm_at": "C3"}


def test_third_rhythm_is_the_cosine_of_its_phase_where_it_is_put() -> None:
    source = participant(**QUIET, **THIRD, alpha_uv=0.0, theta_uv=0.0)
    block = source.read(3000)
    truth = block.truth
    assert source.rhythm_gain[1] == pytest.approx(1.0)
    assert np.argmax(source.rhythm_gain) == 1
    assert source.rhythm_gain[3] < 0.1
    expected = truth.rhythm_amplitude_uv * np.cos(truth.rhythm_phase_rad)
    np.testing.assert_allclose(block.samples[:, 1], expected, atol=1e-4)


@pytest.mark.parametrize("sfreq_hz", [250.0, 1000.0])
def test_third_rhythm_only_adds_to_what_is_there(sfreq_hz: float) -> None:
    """No draw of another part moves, so old seeds keep their participants."""
    without = participant(sfreq_hz=sfreq_hz, seed=5).read(2500)
    source = participant(sfreq_hz=sfreq_hz, seed=5, **THIRD)
    block = source.read(2500)
    assert np.array_equal(without.truth.alpha_phase_rad, block.truth.alpha_phase_rad)
    rhythm = block.truth.rhythm_amplitude_uv * np.cos(block.truth.rhythm_phase_rad)
    np.testing.assert_allclose(
        block.samples - without.samples,
        np.outer(rhythm, source.rhythm_gain),
        atol=1e-4,
    )


def test_participant_without_a_third_rhythm_has_no_phase_of_it() -> None:
    source = participant()
    truth = source.read(1500).truth
    assert np.isnan(truth.rhythm_phase_rad).all()
    assert not truth.rhythm_amplitude_uv.any()
    assert not source.rhythm_gain.any()


@given(cuts=st.lists(st.integers(0, 900), min_size=1, max_size=8))
@settings(max_examples=10, deadline=None)
def test_no_split_changes_the_third_rhythm(cuts: list[int]) -> None:
    whole = participant(sfreq_hz=250.0, **THIRD).read(sum(cuts))
    split = participant(sfreq_hz=250.0, **THIRD)
    parts = [split.read(n) for n in cuts]
    assert np.array_equal(np.concatenate([p.samples for p in parts]), whole.samples)
    for name in ("rhythm_phase_rad", "rhythm_amplitude_uv"):
        joined = np.concatenate([getattr(p.truth, name) for p in parts])
        assert np.array_equal(joined, getattr(whole.truth, name))


@pytest.mark.parametrize("rhythm_hz", [0.8, 5.8, 21.0])
def test_third_rhythm_varies_alike_from_cycle_to_cycle(rhythm_hz: float) -> None:
    """Its peak is as wide, and its bursts as long, in cycles as those of alpha."""
    cycle = 40
    quick = {"alpha_hz": 0.5, "theta_hz": 0.5, "line_hz": 0.0, "channels": ("Fz",)}
    source = participant(
        sfreq_hz=cycle * rhythm_hz,
        rhythm_hz=rhythm_hz,
        rhythm_uv=40.0,
        rhythm_at="Fz",
        **quick,
    )
    truth = source.read(2000 * cycle).truth
    phase = np.unwrap(truth.rhythm_phase_rad)
    n_cycles = (phase[-1] - phase[0]) / (2 * np.pi)
    assert n_cycles == pytest.approx(2000, rel=0.01)
    # Diffusion by 1 rad^2 in ten cycles, and a little frequency wander.
    turned = phase[cycle:] - phase[:-cycle]
    assert 0.28 < np.std(turned) < 0.38
    amplitude = truth.rhythm_amplitude_uv
    assert np.mean(amplitude) == pytest.approx(40.0, rel=0.1)
    lag = 3 * cycle
    alike = np.corrcoef(amplitude[lag:], amplitude[:-lag])[0, 1]
    assert 0.5 < alike < 0.9


@pytest.mark.parametrize("missing", sorted(THIRD))
def test_third_rhythm_is_given_whole_or_not_at_all(missing: str) -> None:
    given_keys = {key: value for key, value in THIRD.items() if key != missing}
    with pytest.raises(ValueError, match="rhythm_hz, rhythm_uv and rhythm_at together"):
        settings_of(**given_keys)


def test_third_rhythm_at_an_unknown_electrode_is_refused_by_its_key() -> None:
    with pytest.raises(ConfigError, match=r"^source\.rhythm_at: .* 'C33'"):
        participant(**{**THIRD, "rhythm_at": "C33"})


def test_third_rhythm_may_lie_between_the_channels() -> None:
    source = participant(**{**THIRD, "rhythm_at": "C1"})
    assert 0.5 < source.rhythm_gain[1] < 1.0


def test_rate_too_low_for_the_third_rhythm_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"signal of 70 Hz"):
        participant(sfreq_hz=128.0, **{**THIRD, "rhythm_hz": 70.0})


def test_phase_is_wrapped_and_runs_at_the_rhythms_frequency() -> None:
    truth = participant(alpha_hz=9.7).read(60_000).truth
    phase = truth.alpha_phase_rad
    assert np.all((phase > -np.pi) & (phase <= np.pi))
    cycles = np.unwrap(phase)
    mean_hz = (cycles[-1] - cycles[0]) / (2 * np.pi * 59.999)
    assert mean_hz == pytest.approx(9.7, abs=0.25)


def test_bursts_have_the_announced_mean_and_variation() -> None:
    amplitude = participant(sfreq_hz=250.0, alpha_uv=8.0).read(250 * 600)
    values = amplitude.truth.alpha_amplitude_uv
    assert np.mean(values) == pytest.approx(8.0, rel=0.1)
    assert np.std(values) / np.mean(values) == pytest.approx(0.4, abs=0.06)
    assert values.min() > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_alpha_peak_stands_clear_of_the_background(seed: int) -> None:
    samples = participant(seed=seed).read(120_000).samples
    occipital = 0.5 * (samples[:, 5] + samples[:, 7])
    f, density = scipy.signal.welch(occipital, 1000.0, nperseg=2000)
    level_db = 10 * np.log10(density)
    flanks = ((f >= 2) & (f <= 4)) | ((f >= 15) & (f <= 40))
    slope, level = np.polyfit(np.log10(f[flanks]), level_db[flanks], 1)
    assert slope == pytest.approx(-10.0, abs=1.5)
    alpha = (f >= 7) & (f <= 14)
    above_db = level_db[alpha] - (slope * np.log10(f[alpha]) + level)
    assert f[alpha][np.argmax(density[alpha])] == pytest.approx(10.2, abs=0.75)
    assert 10.0 < above_db.max() < 16.0


def test_background_has_its_power_in_every_octave() -> None:
    source = participant(
        alpha_uv=0.0, theta_uv=0.0, line_uv=0.0, blinks_per_minute=0.0, noise_uv=5.0
    )
    f, density = scipy.signal.welch(
        source.read(120_000).samples, 1000.0, nperseg=4000, axis=0
    )
    for low_hz in (1.0, 4.0, 8.0, 16.0, 64.0):
        octave = (f >= low_hz) & (f < 2 * low_hz)
        rms_uv = np.sqrt(np.mean(np.sum(density[octave], axis=0)) * f[1])
        assert rms_uv == pytest.approx(5.0, rel=0.15)


def test_line_noise_is_exact() -> None:
    block = participant(
        alpha_uv=0.0, theta_uv=0.0, noise_uv=0.0, blinks_per_minute=0.0, line_uv=3.0
    ).read(2500)
    expected = 3.0 * np.cos(2 * np.pi * 50.0 * np.arange(2500) / 1000.0)
    np.testing.assert_allclose(block.samples[:, 2], expected, atol=1e-4)


def test_blinks_are_frontal_and_as_frequent_as_asked() -> None:
    source = participant(
        sfreq_hz=250.0,
        channels=("Fp1", "Fz", "Oz"),
        alpha_uv=0.0,
        theta_uv=0.0,
        noise_uv=0.0,
        line_uv=0.0,
        blinks_per_minute=12.0,
    )
    samples = source.read(250 * 600).samples
    assert samples[:, 0].max() > 100.0
    assert samples[:, 1].max() < 0.5 * samples[:, 0].max()
    assert samples[:, 2].max() < 0.01
    peaks, _ = scipy.signal.find_peaks(samples[:, 0], height=100.0)
    assert 80 <= len(peaks) <= 160


def test_alpha_is_occipital_and_theta_frontal() -> None:
    source = participant()
    assert np.argmax(source.alpha_gain) == 6
    assert source.alpha_gain[5] == pytest.approx(source.alpha_gain[7])
    assert source.alpha_gain[5] > 0.9
    assert np.argmax(source.theta_gain) == 0
    assert source.alpha_gain[0] < 0.05


def test_background_is_shared_by_neighbours() -> None:
    positions = electrode_positions(("O1", "Oz", "Fz"))
    mixing = background_mixing(positions)
    covariance = mixing.T @ mixing
    np.testing.assert_allclose(np.diag(covariance), 1.0)
    assert covariance[0, 1] > 0.6
    assert covariance[0, 2] < 0.2


def test_old_and_new_names_are_one_place() -> None:
    assert np.array_equal(
        electrode_positions(("T3", "T6")), electrode_positions(("T7", "P8"))
    )


def test_left_is_left_and_front_is_front() -> None:
    x, y = electrode_positions(("C3", "C4", "Fp1", "O2", "Cz", "C5")).T
    assert x[0] == -x[1] < 0
    assert abs(x[5]) > abs(x[0])
    assert y[2] > 0 > y[3]
    assert x[4] == y[4] == 0


@pytest.mark.parametrize("label", ["Foo", "Q1", "", "O11", "EEG O1"])
def test_unknown_electrode_is_refused(label: str) -> None:
    with pytest.raises(ConfigError, match="no electrode"):
        participant(channels=("Cz", label))


def test_rate_too_low_for_the_line_is_refused() -> None:
    with pytest.raises(ConfigError, match="sfreq_hz"):
        participant(sfreq_hz=100.0)
