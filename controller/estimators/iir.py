"""A causal band-pass and its quadrature, as one small linear recursion."""

import math

import numpy as np
import scipy.signal

from controller.core.records import Kernel
from controller.estimators.base import Brief, Design, StateSpace
from controller.kernels.jit import ComplexArray, Float64Array

_BLOCKER_SHARE = 0.2
"""Corner of the DC blocker, as a share of the individual frequency.

2 Hz at 10 Hz. Against 1 Hz it takes a degree off the circular SD at occipital sites,
because the quadrature output by itself is a low-pass; higher corners gain little more
and start to bend the band.
"""

_SETTLED = 0.01  # share of a step that is left at the end of the warm-up


class CausalQuadrature:
    """Butterworth band-pass of order 1 behind a DC blocker, read out as a phasor.

    Three states: the blocker's, and two that turn with the poles of the band-pass. The
    complex readout of those two is solved so that a cosine at the individual frequency
    comes out as its own analytic signal, at the horizon, without error: the gain is 2
    there and 0 at the negative frequency.
    """

    name = "iir"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return the recursion for a brief; a rest recording is not looked at."""
        transition, drive, slowest = _recursion(brief)
        omega = 2.0 * math.pi * brief.frequency_hz / brief.sfreq_hz
        forward = state_response(transition, drive, omega)
        turn = 2.0 * math.pi * brief.frequency_hz * brief.horizon_s
        readout = np.zeros(3, dtype=np.complex128)
        # The states are real, so the negative frequency sees the conjugate response.
        readout[1:] = np.linalg.solve(
            np.stack((forward[1:], forward[1:].conj())),
            np.array([2.0 * np.exp(1j * turn), 0.0]),
        )
        return Design(
            name=self.name,
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


def state_response(
    transition: Float64Array, drive: Float64Array, omega: float
) -> ComplexArray:
    """Return the states' answer to exp(i omega n), just after sample 0 is taken in.

    Parameters
    ----------
    transition : array, shape (n_states, n_states)
    drive : array, shape (n_states,)
    omega : float
        Radians per sample.
    """
    step_back = np.exp(-1j * omega)
    system = np.eye(drive.size) - transition * step_back
    return np.asarray(np.linalg.solve(system, drive.astype(np.complex128)))


def _recursion(brief: Brief) -> tuple[Float64Array, Float64Array, float]:
    """Return transition (3, 3), drive (3,) and the radius of the slowest pole."""
    _, poles, _ = scipy.signal.butter(
        1, brief.band_hz, "bandpass", fs=brief.sfreq_hz, output="zpk"
    )
    pole = complex(poles[np.argmax(np.imag(poles))])
    keep = math.exp(
        -2.0 * math.pi * _BLOCKER_SHARE * brief.frequency_hz / brief.sfreq_hz
    )
    # State 0 follows the slow part s of the input u; the band-pass is driven by
    # u - s = keep * (u - s before), which is exactly 0 for a constant input.
    transition = np.array(
        [
            [keep, 0.0, 0.0],
            [-keep, pole.real, -pole.imag],
            [0.0, pole.imag, pole.real],
        ]
    )
    drive = np.array([1.0 - keep, keep, 0.0])
    return transition, drive, max(abs(pole), keep)
