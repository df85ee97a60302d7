"""Kalman filters that tell the rhythm from other oscillators and from noise."""

import math

import numpy as np

from controller.core.records import Kernel
from controller.errors import ConfigError, RhythmTooWeak
from controller.estimators.align import aligned
from controller.estimators.base import Brief, Design, StateSpace
from controller.estimators.iir import state_response
from controller.estimators.oscillator_fit import fit_oscillators
from controller.estimators.oscillator_model import (
    KalmanFilter,
    OscillatorModel,
    answer_to_impulse,
    steady_filter,
)
from controller.estimators.spectrum import require_finite
from controller.kernels.jit import ComplexArray, Float64Array

MINIMUM_REST_S = 15.0

_SETTLED = 0.01
"""What samples from before the warm-up may still do to the estimate, over its gain."""

_SLOWEST_LEFT = 0.3
"""What may be left of the slowest mode then, even where it is hardly read out."""


class KalmanOscillators:
    """Three oscillators and autoregressive noise, told apart by a Kalman filter.

    The target turns at the rhythm's frequency; one other oscillator lies below the
    band, one above. Their frequencies, widths and variances are fitted on rest, once,
    and the filter is the steady one. The estimate is the target's phasor as expected at
    the horizon: turned on and faded. An offset of the electrode is a state of its own,
    so the gain at 0 Hz is zero without a filter that would turn the phase. The constant
    bias that is left against the offline truth on the rest is taken out, and the median
    amplitude made the truth's.

    References
    ----------
    Matsuda and Komaki (2017), Time series decomposition into oscillation components and
    phase estimation, Neural Computation 29:332. Wodeyar, Schatza, Widge, Eden and
    Kramer (2021), A state space modeling approach to real-time phase estimation, eLife
    10:e68803.
    """

    name = "kalman"
    needs_rest = True
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return the filter for a brief and the rest of this person.

        Parameters
        ----------
        brief : Brief
        rest : array, shape (1, n_samples)
            At least 15 s in microvolts, without gaps.

        Raises
        ------
        ConfigError
            If there is no rest recording, or not of one virtual channel.
        RhythmTooWeak
            If the rest recording is too short.
        SignalFault
            If it is flat or holds a sample that is not a number.
        """
        return _kalman_design(self.name, brief, rest, n_others=2)


class KalmanOscillator:
    """One oscillator and autoregressive noise, told apart by a Kalman filter.

    Everything as in `KalmanOscillators`, without other rhythms.

    References
    ----------
    As for `KalmanOscillators`.
    """

    name = "kalman1"
    needs_rest = True
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return the filter for a brief and the rest of this person.

        Parameters
        ----------
        brief : Brief
        rest : array, shape (1, n_samples)
            At least 15 s in microvolts, without gaps.

        Raises
        ------
        ConfigError
            If there is no rest recording, or not of one virtual channel.
        RhythmTooWeak
            If the rest recording is too short.
        SignalFault
            If it is flat or holds a sample that is not a number.
        """
        return _kalman_design(self.name, brief, rest, n_others=0)


def oscillator_design(name: str, brief: Brief, model: OscillatorModel) -> Design:
    """Return the steady filter for a known model, its bias not yet taken out.

    Parameters
    ----------
    name : str
    brief : Brief
    model : OscillatorModel
    """
    steady = steady_filter(model, brief.sfreq_hz)
    ahead = model.target.step(brief.horizon_s)
    readout = np.zeros(steady.gain.size, dtype=np.complex128)
    readout[:2] = ahead, 1j * ahead
    return Design(
        name=name,
        brief=brief,
        kernel=Kernel.STATE_SPACE,
        state_space=StateSpace(
            transition=steady.transition,
            drive=steady.gain[:, np.newaxis],
            readout=readout,
            feedthrough=np.zeros(1, dtype=np.complex128),
        ),
        warm_up_s=_warm_up_s(brief, steady, readout),
    )


def _kalman_design(
    name: str, brief: Brief, rest: Float64Array | None, *, n_others: int
) -> Design:
    samples = _require_rest(name, brief, rest)
    model = fit_oscillators(brief, samples, n_others=n_others)
    design = oscillator_design(name, brief, model)
    return aligned(design, samples[np.newaxis])


def _warm_up_s(brief: Brief, steady: KalmanFilter, readout: ComplexArray) -> float:
    """Return when earlier samples, all together, no longer matter."""
    slowest = float(np.abs(np.linalg.eigvals(steady.transition)).max())
    at_least = math.ceil(math.log(_SLOWEST_LEFT) / math.log(slowest))
    n_samples = math.ceil(math.log(1e-3 * _SETTLED) / math.log(slowest))
    sizes = np.abs(answer_to_impulse(steady, readout, n_samples))
    to_come = np.cumsum(sizes[::-1])[::-1]
    omega = 2.0 * math.pi * brief.frequency_hz / brief.sfreq_hz
    forward = state_response(steady.transition, steady.gain, omega)
    limit = _SETTLED * abs(complex(readout @ forward))
    n_warm = max(at_least, int(np.count_nonzero(to_come > limit)) + 1)
    return n_warm / brief.sfreq_hz


def _require_rest(name: str, brief: Brief, rest: Float64Array | None) -> Float64Array:
    if rest is None:
        raise ConfigError(
            f"The estimator {name} is designed from a rest recording and got none; "
            "give run.rest_s, or choose echt or iir."
        )
    if rest.ndim != 2 or rest.shape[0] != 1:
        raise ConfigError(
            f"The estimator {name} reads one virtual channel, but the rest recording "
            f"has the shape {rest.shape}; give (1, n_samples)."
        )
    if not rest.shape[1] / brief.sfreq_hz >= MINIMUM_REST_S:
        raise RhythmTooWeak(
            f"The rest recording lasts {rest.shape[1] / brief.sfreq_hz:.1f} s, but the "
            f"estimator {name} needs at least {MINIMUM_REST_S:g} s; give a longer "
            "run.rest_s, or choose echt or iir."
        )
    require_finite(rest, "The rest recording")
    return np.ascontiguousarray(rest[0])
