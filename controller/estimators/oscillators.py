"""Driven linear oscillators: their motion under the signal is the estimate."""

import math

import numpy as np
import scipy.linalg

from controller.core.records import Kernel
from controller.estimators.base import Brief, Design, StateSpace
from controller.estimators.iir import state_response
from controller.kernels.jit import Float64Array

_RESONANT_DAMPING = 0.3
"""Damping per angular eigenfrequency, as published; 3 Hz of bandwidth at 10 Hz."""

_NON_RESONANT_RATIO = 5.0
"""Eigenfrequency over the rhythm's, as published."""

_NON_RESONANT_DAMPING = math.sqrt(2.0)
"""Damping per angular eigenfrequency: the least without any resonance.

The published phase oscillator is damped far less, but five times an alpha rhythm is the
frequency of the mains.
"""

_BLOCKER_SHARE = 0.1
"""Corner of the DC blocker, as a share of the individual frequency.

It stands for the running mean that the published algorithms take off.
"""

_SETTLED = 0.01  # share of a step that is left at the end of the warm-up


class ResonantOscillator:
    """An oscillator tuned to the rhythm, driven by the signal behind a DC blocker.

    In resonance its velocity moves with the signal and its position a quarter of a
    cycle behind. The equation of motion is solved exactly for an input that stays the
    same over each interval; the complex readout of position and velocity is solved so
    that a cosine at the individual frequency comes out as its own analytic signal, at
    the horizon, without error. The published frequency adaptation is left out: the
    individual frequency is known.

    References
    ----------
    Rosenblum, Pikovsky, Kühn and Busch (2021), Real-time estimation of phase and
    amplitude with application to neural data, Scientific Reports 11:18037,
    doi:10.1038/s41598-021-97560-5.
    """

    name = "resonant"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the recursion for a brief; a rest recording is not looked at."""
        return _oscillator_design(
            self.name, brief, ratio=1.0, damping=_RESONANT_DAMPING
        )


class NonResonantOscillator:
    """An oscillator far faster than the rhythm: it follows the signal at once.

    Below its eigenfrequency the position moves with the signal and the velocity a
    quarter of a cycle ahead. It hardly filters, so noise outside the band reaches the
    phase; in return it follows every change within a few milliseconds. Solved and read
    out like `ResonantOscillator`.

    References
    ----------
    Rosenblum, Pikovsky, Kühn and Busch (2021), Real-time estimation of phase and
    amplitude with application to neural data, Scientific Reports 11:18037,
    doi:10.1038/s41598-021-97560-5.
    """

    name = "non-resonant"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the recursion for a brief; a rest recording is not looked at."""
        return _oscillator_design(
            self.name, brief, ratio=_NON_RESONANT_RATIO, damping=_NON_RESONANT_DAMPING
        )


def _oscillator_design(
    name: str, brief: Brief, *, ratio: float, damping: float
) -> Design:
    turn_rad_s = 2.0 * math.pi * brief.frequency_hz
    transition, drive = _recursion(brief, ratio * turn_rad_s, damping)
    forward = state_response(transition, drive, turn_rad_s / brief.sfreq_hz)
    readout = np.zeros(3, dtype=np.complex128)
    # The states are real, so the negative frequency sees the conjugate response.
    readout[1:] = np.linalg.solve(
        np.stack((forward[1:], forward[1:].conj())),
        np.array([2.0 * np.exp(1j * turn_rad_s * brief.horizon_s), 0.0]),
    )
    slowest = float(np.abs(np.linalg.eigvals(transition)).max())
    return Design(
        name=name,
        brief=brief,
        kernel=Kernel.STATE_SPACE,
        state_space=StateSpace(
            transition=transition,
            drive=drive[:, np.newaxis],
            readout=readout,
            feedthrough=np.zeros(1, dtype=np.complex128),
        ),
        warm_up_s=math.log(_SETTLED) / math.log(slowest) / brief.sfreq_hz,
    )


def _recursion(
    brief: Brief, eigen_rad_s: float, damping: float
) -> tuple[Float64Array, Float64Array]:
    """Return transition (3, 3) and drive (3,): blocker, position, velocity.

    The position is counted in units of a constant input's deflection, the velocity in
    those per angular eigenfrequency, so that the numbers have one size.
    """
    # Input last: the exponential of the whole is the exact step under a held input.
    motion = eigen_rad_s * np.array(
        [[0.0, 1.0, 0.0], [-1.0, -damping, 1.0], [0.0, 0.0, 0.0]]
    )
    step = scipy.linalg.expm(motion / brief.sfreq_hz)
    swing, push = step[:2, :2], step[:2, 2]
    keep = math.exp(
        -2.0 * math.pi * _BLOCKER_SHARE * brief.frequency_hz / brief.sfreq_hz
    )
    # State 0 follows the slow part s of the input u; the oscillator is driven by
    # u - s = keep * (u - s before), which is exactly 0 for a constant input.
    transition = np.zeros((3, 3))
    transition[0, 0] = keep
    transition[1:, 0] = -keep * push
    transition[1:, 1:] = swing
    return transition, np.concatenate(([1.0 - keep], keep * push))
