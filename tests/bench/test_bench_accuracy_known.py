import numpy as np
import pytest
import scipy.signal

from bench.accuracy.synthetic import (
    KINDS,
    SFREQ_HZ,
    SNRS_DB,
    SyntheticSpec,
    make_known,
)


def known(kind, snr_db, seed=1, seconds=60.0):
    return make_known(kind, snr_db, np.random.default_rng(seed), seconds)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("snr_db", SNRS_DB)
def test_ratio_is_as_stated(kind, snr_db):
    """Seen by a spectrum that shares nothing with the generator."""
    made = known(kind, snr_db, seconds=120.0)
    noise = made.samples - made.analytic.real
    frequencies_hz, density = scipy.signal.welch(noise, SFREQ_HZ, nperseg=2500)
    inside = np.abs(frequencies_hz - made.frequency_hz) <= 2.0
    noise_power = density[inside].sum() * frequencies_hz[1]
    rhythm_power = np.mean(np.abs(made.analytic[made.present]) ** 2) / 2.0
    # The spectrum's window and the band's ragged edges are worth 0.3 dB.
    assert 10.0 * np.log10(rhythm_power / noise_power) == pytest.approx(snr_db, abs=0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_known_phase_is_that_of_the_signal(kind):
    """Without noise, a Hilbert transform finds it where it does not jump."""
    made = known(kind, 90.0)
    found = scipy.signal.hilbert(made.samples)
    keep = made.present.copy()
    keep[:250] = keep[-250:] = False
    error = np.angle(found[keep] * made.analytic[keep].conj())
    assert abs(np.mean(np.exp(1j * error))) > 0.985
    assert np.median(np.abs(error)) < np.radians(3.0)


@pytest.mark.parametrize("kind", KINDS)
def test_phase_is_zero_at_positive_peaks(kind):
    made = known(kind, 3.0)
    rhythm = made.analytic.real
    peaks, _ = scipy.signal.find_peaks(rhythm, height=0.7 * rhythm.max())
    assert peaks.size > 20
    # Half a sample is 7 degrees at 10 Hz; jumps and flanks have peaks of their own.
    error_rad = np.abs(np.angle(made.analytic[peaks]))
    assert np.percentile(error_rad, 90) < np.radians(12.0)


def test_same_rhythm_at_every_ratio():
    one, other = known("bursts", -3.0), known("bursts", 10.0)
    np.testing.assert_allclose(np.angle(one.analytic), np.angle(other.analytic))
    np.testing.assert_allclose(
        one.samples - one.analytic.real, other.samples - other.analytic.real, atol=1e-9
    )


def test_bursts_come_and_go_and_the_others_stay():
    assert 0.4 < known("bursts", 3.0).present.mean() < 0.75
    assert known("stationary", 3.0).present.all()
    assert known("resets", 3.0).present.all()


def test_resets_jump_and_stationary_does_not():
    def largest_step(kind):
        made = known(kind, 3.0)
        turn = np.exp(-2j * np.pi * made.frequency_hz / SFREQ_HZ)
        loud = np.abs(made.analytic[:-1]) > 0.3 * np.abs(made.analytic).mean()
        step = np.angle(made.analytic[1:] * made.analytic[:-1].conj() * turn)
        return np.abs(step[loud]).max()

    assert largest_step("stationary") < np.radians(10.0)
    assert largest_step("resets") > np.radians(60.0)


def test_case_is_scored_against_the_known_phase_and_repeats():
    spec = SyntheticSpec(
        kind="bursts", snr_db=3.0, seed=2, calibration_s=20.0, test_s=20.0
    )
    one, other = spec.load(), spec.load()
    np.testing.assert_array_equal(one.samples, other.samples)
    assert next(iter(one.references)) == "known"
    scored = np.flatnonzero(one.reference.scored)
    assert scored[0] >= 20.5 * SFREQ_HZ
    assert scored[-1] < 38.5 * SFREQ_HZ
    assert 0.5 < one.truth_r < 1.0


def test_seeds_and_kinds_differ():
    cases = {
        (spec.seed, spec.kind): spec.load().samples[0, 0]
        for spec in (
            SyntheticSpec(kind=kind, snr_db=3.0, seed=seed, calibration_s=12, test_s=12)
            for kind in KINDS
            for seed in (1, 2)
        )
    }
    assert len(set(cases.values())) == len(cases)
