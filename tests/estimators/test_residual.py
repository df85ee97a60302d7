import numpy as np
import pytest

from controller.errors import ConfigError, RhythmTooWeak, SignalFault
from controller.estimators.align import compare
from controller.estimators.base import Brief
from controller.estimators.offline import run_design
from controller.estimators.residual import WienerResidual
from controller.estimators.wiener import AutoregressiveWiener
from controller.kernels.circular import circular_mean, circular_sd

SFREQ_HZ = 125.0
BRIEF = Brief(sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


@pytest.fixture
def recording(rhythm_in_noise, pink):
    """Make a target and eight others, most of them with the rhythm in less noise."""

    def make(seconds=70.0, *, seed=0, n_others=8):
        target, analytic = rhythm_in_noise(SFREQ_HZ, 10.0, seconds, seed=seed)
        rows = [target]
        for k in range(n_others):
            own = pink(target.size, seed=100 * seed + 10 + k)
            rows.append(0.8**k * analytic.real + 4.0 * own)
        return np.array(rows), analytic

    return make


def spread(design, rows, analytic):
    expected = analytic * np.exp(2j * np.pi * 10.0 * BRIEF.horizon_s)
    error = np.angle(run_design(design, rows) * expected.conj())
    return circular_sd(error[250:])


def test_other_channels_help_where_the_phase_is_known(recording):
    rest, _ = recording()
    later, analytic = recording(seed=5)
    together = WienerResidual().design(BRIEF, rest)
    alone = AutoregressiveWiener().design(BRIEF, rest[:1])
    assert together.fir.shape[0] == 9
    assert together.fir.shape[1] == alone.fir.shape[1]
    assert spread(together, later, analytic) < 0.92 * spread(alone, later[:1], analytic)


def test_bias_is_gone_and_every_row_sums_to_nothing(recording):
    rest, _ = recording()
    design = WienerResidual().design(BRIEF, rest)
    sides = compare(design, rest)
    assert circular_mean(sides.error_rad) == pytest.approx(0.0, abs=1e-9)
    assert np.abs(design.fir.sum(axis=1)).max() < 1e-12


def test_one_row_is_the_wiener_predictor_alone(recording):
    rest, _ = recording(20.0)
    design = WienerResidual().design(BRIEF, rest[:1])
    assert design.name == "wiener-residual"
    assert np.array_equal(
        design.fir, AutoregressiveWiener().design(BRIEF, rest[:1]).fir
    )


@pytest.mark.parametrize(("seconds", "n_rows"), [(40.0, 9), (70.0, 8)])
def test_little_rest_or_few_channels_leave_the_others_at_nothing(
    recording, seconds, n_rows
):
    rest, _ = recording(seconds)
    design = WienerResidual().design(BRIEF, rest[:n_rows])
    alone = AutoregressiveWiener().design(BRIEF, rest[:1])
    assert design.fir.shape[0] == n_rows
    assert not design.fir[1:].any()
    assert design.fir[0] == pytest.approx(alone.fir[0], abs=1e-12)


def test_channels_that_know_nothing_leave_the_predictor_alone(recording, pink):
    rest, _ = recording()
    for k in range(1, 9):
        rest[k] = pink(rest.shape[1], seed=500 + k)
    later, analytic = recording(seed=5)
    for k in range(1, 9):
        later[k] = pink(later.shape[1], seed=600 + k)
    together = WienerResidual().design(BRIEF, rest)
    alone = AutoregressiveWiener().design(BRIEF, rest[:1])
    assert spread(together, later, analytic) < 1.03 * spread(alone, later[:1], analytic)


def test_missing_short_flat_or_broken_rest_is_refused(recording):
    rest, _ = recording(20.0)
    with pytest.raises(ConfigError, match="wiener-residual"):
        WienerResidual().design(BRIEF, None)
    with pytest.raises(ConfigError, match="shape"):
        WienerResidual().design(BRIEF, rest[0])
    with pytest.raises(RhythmTooWeak, match="at least 15 s"):
        WienerResidual().design(BRIEF, rest[:, :1800])
    with pytest.raises(SignalFault, match="flat"):
        WienerResidual().design(BRIEF, np.zeros((1, 2500)))
    rest[4, 1234] = np.inf
    with pytest.raises(SignalFault, match="sample 1234"):
        WienerResidual().design(BRIEF, rest)
