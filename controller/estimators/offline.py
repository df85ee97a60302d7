"""Run a design over a recording offline: calibration's and the tests' view.

Linear designs run with scipy, another implementation of the kernels' sums; the two
agree to rounding, not bit for bit. Anything else runs on the kernels themselves.
"""

import numpy as np
import scipy.linalg
import scipy.signal

from controller.core.estimate import estimate_all
from controller.core.gate_records import no_gates
from controller.core.memory import new_memory
from controller.core.records import (
    ACTION,
    PATTERN,
    PATTERN_EDGE,
    SETTINGS,
    TRIAL,
    Kernel,
)
from controller.core.structures import Program
from controller.errors import ConfigError
from controller.estimators.base import Design, StateSpace, Tracker
from controller.estimators.kernel_arrays import kernel_arrays, write_settings
from controller.estimators.soundness import require_sound
from controller.estimators.spectrum import require_finite
from controller.kernels import trackers
from controller.kernels.jit import ComplexArray, Float64Array, new_records
from controller.safety.limits import LIMITS


def run_design(design: Design, samples: Float64Array) -> ComplexArray:
    """Return the design's estimate after each sample, from silence before the first.

    Parameters
    ----------
    design : Design
    samples : array, shape (n_virtual, n_samples)
        Microvolts; rows that the design does not read may follow.

    Returns
    -------
    estimate : complex array, shape (n_samples,)
        Analytic signal at `design.brief.horizon_s` after each sample; untrustworthy
        until `design.warm_up_s`.

    Raises
    ------
    ConfigError
        If the design has no arrays for its kernel or reads more channels.
    SignalFault
        If a sample is not a finite number.
    """
    require_finite(samples, "The recording")
    _require_channels(design.n_virtual, samples)
    samples = samples[: design.n_virtual]
    if design.local:
        return _run_compiled(design, samples)
    if design.kernel == Kernel.FIR and design.fir is not None:
        return _run_fir(design.fir, samples)
    if design.kernel == Kernel.STATE_SPACE and design.state_space is not None:
        return _tracked(design.tracker, _run_state_space(design.state_space, samples))
    raise ConfigError(
        f"The design {design.name!r} brings no weights for its kernel "
        f"{design.kernel.name}; its designer must fill in fir, state_space or local."
    )


def _tracked(tracker: Tracker | None, estimate: ComplexArray) -> ComplexArray:
    if tracker is None:
        return estimate
    state = np.empty(trackers.STATE_LENGTH)
    trackers.reset(state)
    re, im = estimate.real.copy(), estimate.imag.copy()
    trackers.track_all(int(tracker.kind), np.array(tracker.settings), state, re, im)
    return re + 1j * im


def _run_compiled(design: Design, samples: Float64Array) -> ComplexArray:
    n_virtual, n_samples = samples.shape
    program = estimator_program(design, n_virtual)
    estimate = np.empty((2, n_samples))
    estimate_all(
        program,
        new_memory(program, n_window=1),
        np.ascontiguousarray(samples),
        estimate[0],
        estimate[1],
    )
    return np.asarray(estimate[0] + 1j * estimate[1])


def estimator_program(design: Design, n_virtual: int) -> Program:
    """Return a program that estimates and can do nothing else.

    Raises
    ------
    ConfigError
        The design's arrays do not fit together.
    """
    require_sound(design, design.brief.sfreq_hz)
    settings = new_records(SETTINGS)
    write_settings(settings, design, design.brief.sfreq_hz)
    return Program(
        settings=settings,
        limits=new_records(LIMITS),
        mixing=np.eye(n_virtual),
        used=np.arange(n_virtual),
        scale=np.ones(n_virtual),
        **kernel_arrays(design, n_virtual),
        trials=new_records(TRIAL),
        patterns=new_records(PATTERN),
        pattern_edges=new_records(PATTERN_EDGE),
        actions=new_records(ACTION),
        action_bytes=np.zeros(1, np.uint8),
        **no_gates(),
    )


def _require_channels(n_virtual: int, samples: Float64Array) -> None:
    if samples.ndim != 2 or not samples.shape[0] >= n_virtual:
        raise ConfigError(
            f"The design reads {n_virtual} virtual channels, but the recording has the "
            f"shape {samples.shape}; give (n_virtual, n_samples)."
        )


def _run_fir(fir: ComplexArray, samples: Float64Array) -> ComplexArray:
    n_samples = samples.shape[1]
    every = scipy.signal.oaconvolve(samples, fir, mode="full", axes=1)
    return np.asarray(every[:, :n_samples].sum(axis=0), dtype=np.complex128)


def _run_state_space(system: StateSpace, samples: Float64Array) -> ComplexArray:
    # A Schur form is triangular: each state is a first-order filter of the input and of
    # the states after it, whatever the system's eigenvalues.
    triangle, basis = scipy.linalg.schur(system.transition, output="complex")
    drive = basis.conj().T @ system.drive @ samples
    states = np.empty_like(drive)
    for k in reversed(range(triangle.shape[0])):
        before = np.zeros(samples.shape[1], dtype=np.complex128)
        before[1:] = triangle[k, k + 1 :] @ states[k + 1 :, :-1]
        states[k] = scipy.signal.lfilter(
            [1.0], [1.0, -triangle[k, k]], drive[k] + before
        )
    readout = system.readout @ basis
    return np.asarray(readout @ states + system.feedthrough @ samples)
