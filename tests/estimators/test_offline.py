import dataclasses

import numpy as np
import pytest

from controller.core.records import Kernel
from controller.errors import ConfigError, SignalFault
from controller.estimators.base import Brief, Design, StateSpace
from controller.estimators.offline import run_design

BRIEF = Brief(sfreq_hz=250.0, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.0)


def fir_design(fir):
    return Design(name="fir", brief=BRIEF, kernel=Kernel.FIR, fir=fir, warm_up_s=0.1)


def state_space_design(system):
    return Design(
        name="recursion",
        brief=BRIEF,
        kernel=Kernel.STATE_SPACE,
        state_space=system,
        warm_up_s=0.1,
    )


def complex_normal(rng, *shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def slow_fir(fir, samples):
    """Twin: the weighted sum, sample by sample, newest first."""
    n_virtual, n_taps = fir.shape
    estimate = np.zeros(samples.shape[1], dtype=np.complex128)
    for n in range(samples.shape[1]):
        for channel in range(n_virtual):
            for k in range(min(n_taps, n + 1)):
                estimate[n] += fir[channel, k] * samples[channel, n - k]
    return estimate


def slow_state_space(system, samples):
    """Twin: x' = A x + B u, z = C x' + D u, sample by sample."""
    states = np.zeros(system.readout.size)
    estimate = np.empty(samples.shape[1], dtype=np.complex128)
    for n in range(samples.shape[1]):
        states = system.transition @ states + system.drive @ samples[:, n]
        estimate[n] = system.readout @ states + system.feedthrough @ samples[:, n]
    return estimate


@pytest.mark.parametrize(
    ("n_virtual", "n_taps", "n"), [(1, 7, 40), (3, 5, 40), (2, 9, 4)]
)
def test_fir_is_the_weighted_sum(n_virtual, n_taps, n):
    rng = np.random.default_rng(1)
    fir = complex_normal(rng, n_virtual, n_taps)
    samples = rng.standard_normal((n_virtual, n))
    twin = slow_fir(fir, samples)
    assert run_design(fir_design(fir), samples) == pytest.approx(twin, abs=1e-12)


@pytest.mark.parametrize(
    "transition",
    [
        np.array([[0.9]]),
        np.array([[0.9, 0.2], [-0.2, 0.9]]),
        np.array([[0.9, 1.0], [0.0, 0.9]]),  # no basis of eigenvectors
        np.array([[0.5, 0.1, 0.2], [0.0, 0.9, 0.3], [-0.2, -0.3, 0.8]]),
    ],
)
def test_state_space_is_the_recursion(transition):
    rng = np.random.default_rng(2)
    n_states = transition.shape[0]
    system = StateSpace(
        transition=transition,
        drive=rng.standard_normal((n_states, 2)),
        readout=complex_normal(rng, n_states),
        feedthrough=complex_normal(rng, 2),
    )
    samples = rng.standard_normal((2, 300))
    twin = slow_state_space(system, samples)
    own = run_design(state_space_design(system), samples)
    assert own == pytest.approx(twin, abs=1e-11 * np.abs(twin).max())


def test_later_samples_change_no_earlier_estimate():
    rng = np.random.default_rng(3)
    design = fir_design(complex_normal(rng, 1, 50))
    samples = rng.standard_normal((1, 400))
    changed = samples.copy()
    changed[:, 200:] += 100.0
    before, after = run_design(design, samples), run_design(design, changed)
    # The sums are done by Fourier transform, so rounding does cross.
    assert np.abs(before - after)[:200].max() < 1e-10
    assert np.abs(before - after)[200] > 1.0


def test_samples_that_are_not_finite_are_refused():
    samples = np.zeros((1, 100))
    samples[0, 50] = np.nan
    with pytest.raises(SignalFault, match="sample 50"):
        run_design(fir_design(np.ones((1, 3), dtype=np.complex128)), samples)


@pytest.mark.parametrize("shape", [(0, 100), (100,)])
def test_another_number_of_channels_is_refused(shape):
    with pytest.raises(ConfigError, match="virtual channels"):
        run_design(fir_design(np.ones((1, 3), dtype=np.complex128)), np.zeros(shape))


@pytest.mark.parametrize("kernel", list(Kernel))
def test_a_design_without_weights_is_refused(kernel):
    design = Design(name="empty", brief=BRIEF, kernel=kernel, warm_up_s=1.0)
    with pytest.raises(ConfigError, match="brings no weights"):
        run_design(design, np.zeros((1, 10)))


def test_weights_of_the_other_kernel_do_not_count():
    design = fir_design(np.ones((1, 3), dtype=np.complex128))
    other = dataclasses.replace(design, kernel=Kernel.STATE_SPACE)
    with pytest.raises(ConfigError, match="STATE_SPACE"):
        run_design(other, np.zeros((1, 10)))
