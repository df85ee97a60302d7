"""What every designer must keep, to be run by the author of a plug-in on the plug-in.

Use it in a test: `assert check_designer(MyDesigner()) == ()`.
"""

import math

import numpy as np

from controller.core.records import Kernel
from controller.estimators.base import Brief, Design, Designer, StateSpace
from controller.estimators.local_conformance import check_local
from controller.estimators.offline import run_design
from controller.kernels.jit import ComplexArray, Float64Array

RATES_HZ = (128.0, 250.0, 500.0, 1000.0, 5000.0)

_REST_S = 20.0
_ROWS = 9  # a target and eight other channels,
_ROWS_REST_S = 70.0  # long enough for those who fit weights to all of them
_TOLERANCE_RAD = math.radians(20.0)
_AMPLITUDE_UV = 10.0
_SETTLED = 0.02  # of the amplitude, between the end of the warm-up and later
_ROUNDING = 1e-9


def check_designer(
    designer: Designer,
    *,
    frequency_hz: float = 10.0,
    half_width_hz: float = 2.0,
    horizon_s: float = 0.01,
    rates_hz: tuple[float, ...] = RATES_HZ,
) -> tuple[str, ...]:
    """Return one sentence for each promise that the designer breaks.

    A designer that reads other channels is tried with the target alone as well.

    Parameters
    ----------
    designer : Designer
    frequency_hz, half_width_hz : float
        The rhythm that is simulated.
    horizon_s : float
    rates_hz : tuple of float
    """
    broken: list[str] = []
    for sfreq_hz in rates_hz:
        brief = Brief(
            sfreq_hz=sfreq_hz,
            frequency_hz=frequency_hz,
            band_hz=(frequency_hz - half_width_hz, frequency_hz + half_width_hz),
            horizon_s=horizon_s,
        )
        found = _check_rows(designer, brief, 1)
        broken += [f"At {sfreq_hz:g} Hz {sentence}" for sentence in found]
        if designer.reads_others:
            found = _check_rows(designer, brief, _ROWS)
            broken += [
                f"At {sfreq_hz:g} Hz with {_ROWS} channels {sentence}"
                for sentence in found
            ]
    return tuple(broken)


def simulated_rest(brief: Brief, n_virtual: int = 1) -> Float64Array:
    """Return a waxing and waning rhythm in 1/f noise, shape (n_virtual, n_samples).

    One row lasts 20 s, several last 70 s. The rhythm is the same in each, weaker from
    row to row; the noise is each row's own.

    Parameters
    ----------
    brief : Brief
    n_virtual : int
    """
    rng = np.random.default_rng(20)
    seconds = _REST_S if n_virtual == 1 else _ROWS_REST_S
    n_samples = round(seconds * brief.sfreq_hz)
    frequencies_hz = np.fft.rfftfreq(n_samples, 1.0 / brief.sfreq_hz)
    away_hz = frequencies_hz - brief.frequency_hz
    peak = 2.0 * np.exp(-0.5 * (away_hz / 0.5) ** 2)
    background = np.zeros(frequencies_hz.size)
    background[1:] = 1.0 / frequencies_hz[1:]
    shared = np.sqrt(peak) * _lines(rng, seconds, frequencies_hz.size)
    rest = np.empty((n_virtual, n_samples))
    for row, share in enumerate(_shares(n_virtual)):
        own = np.sqrt(background) * _lines(rng, seconds, frequencies_hz.size)
        spectrum = share * shared + own
        rest[row] = np.fft.irfft(spectrum * 10.0 * n_samples / seconds, n_samples)
    return rest


def _lines(rng: np.random.Generator, seconds: float, n_lines: int) -> ComplexArray:
    # Drawn line by line, so that every rate sees the same recording below its half.
    every = rng.standard_normal((round(seconds * 2500.0) + 1, 2)) @ np.array([1.0, 1j])
    return np.asarray(every[:n_lines])


def _shares(n_virtual: int) -> Float64Array:
    """Return how strong the rhythm is in each row, 1 in the first."""
    return np.asarray(0.9 ** np.arange(n_virtual))


def _check_rows(designer: Designer, brief: Brief, n_virtual: int) -> list[str]:
    rest = simulated_rest(brief, n_virtual) if designer.needs_rest else None
    design = designer.design(brief, rest)
    found = _check_shape(design, brief, n_virtual)
    if found:
        return found
    return [
        *_check_cosine(design, n_virtual),
        *_check_constant(design, n_virtual),
        *_check_scale(designer, design, rest),
    ]


def _check_shape(design: Design, brief: Brief, n_virtual: int) -> list[str]:
    if design.brief != brief:
        return ["the design answers another brief than it was given."]
    if not 0.0 < design.warm_up_s < math.inf:
        return [f"the warm-up is {design.warm_up_s:g} s; say how long it really is."]
    if design.kernel == Kernel.NONE:
        return ["the design names no kernel."]
    found: list[str] = []
    if design.kernel & Kernel.FIR:
        found += _check_fir(design.fir, n_virtual)
    if design.kernel & Kernel.STATE_SPACE:
        found += _check_state_space(design.state_space, n_virtual)
    if design.kernel & Kernel.LOCAL:
        found += check_local(design)
    return found


def _check_fir(fir: ComplexArray | None, n_virtual: int) -> list[str]:
    # A design may find nothing in the other channels.
    if fir is None or fir.ndim != 2 or fir.shape[0] not in (1, n_virtual):
        return [f"fir does not have the shape ({n_virtual}, n_taps)."]
    return [] if np.isfinite(fir).all() else ["fir holds NaN or infinities."]


def _check_state_space(system: StateSpace | None, n_virtual: int) -> list[str]:
    if system is None:
        return ["the design names a kernel that it brings no arrays for."]
    n_states = system.readout.size
    shapes = (system.transition.shape, system.drive.shape, system.feedthrough.shape)
    if shapes != ((n_states, n_states), (n_states, n_virtual), (n_virtual,)):
        return [f"the state space's arrays do not fit each other: {shapes}."]
    arrays = (system.transition, system.drive, system.readout, system.feedthrough)
    if not all(np.isfinite(array).all() for array in arrays):
        return ["the state space holds NaN or infinities."]
    radius = float(np.abs(np.linalg.eigvals(system.transition)).max())
    return [] if radius < 1.0 else [f"the recursion is unstable: radius {radius:g}."]


def _check_cosine(design: Design, n_virtual: int) -> list[str]:
    """Feed a cosine: phase 0 at its peak, and no different after the warm-up."""
    brief = design.brief
    warm = math.ceil(design.warm_up_s * brief.sfreq_hz)
    cycle = math.ceil(brief.sfreq_hz / brief.frequency_hz)
    at = np.arange(2 * warm + 3 * cycle) / brief.sfreq_hz
    turn = 2.0 * np.pi * brief.frequency_hz
    cosine = _AMPLITUDE_UV * np.outer(_shares(n_virtual), np.cos(turn * at))
    expected = _AMPLITUDE_UV * np.exp(1j * turn * (at + brief.horizon_s))
    answer: ComplexArray = run_design(design, cosine) / expected
    found = []
    mean = complex(answer[-cycle:].mean())
    if not abs(np.angle(mean)) <= _TOLERANCE_RAD:
        found.append(
            f"a cosine's phase is off by {math.degrees(float(np.angle(mean))):.1f} deg "
            "(0 is the positive peak, at the horizon)."
        )
    if not 0.5 <= abs(mean) <= 2.0:
        found.append(
            f"a cosine of 10 uV comes out as {10.0 * abs(mean):.2g} uV; the estimate "
            "must be in microvolts."
        )
    early = complex(answer[warm : warm + cycle].mean())
    if not abs(early - mean) <= _SETTLED * abs(mean):
        found.append(
            f"the answer to a cosine still changes by {abs(early / mean - 1.0):.1%} "
            f"after the warm-up of {design.warm_up_s:.3g} s; state a longer one."
        )
    return found


def _check_constant(design: Design, n_virtual: int) -> list[str]:
    brief = design.brief
    warm = math.ceil(design.warm_up_s * brief.sfreq_hz)
    found = []
    for row in range(n_virtual):
        constant = np.zeros((n_virtual, 20 * warm))
        constant[row] = 1.0
        left = float(abs(run_design(design, constant)[-1]))
        # A local part has no estimate where there is no signal at all.
        silent = bool(design.local) and math.isnan(left)
        if not (left <= _ROUNDING or silent):
            found.append(
                f"a constant of 1 uV leaves {left:.2g} uV; the gain at 0 Hz must be 0."
            )
    return found


def _check_scale(
    designer: Designer, design: Design, rest: Float64Array | None
) -> list[str]:
    """Design from the same rest in other units: the estimate must not change."""
    if rest is None:
        return []
    brief = design.brief
    other = designer.design(brief, 1000.0 * rest)
    probe = rest[:, : round(2.0 * design.warm_up_s * brief.sfreq_hz)]
    one, two = run_design(design, probe), run_design(other, probe)
    known = np.isfinite(one)
    same = bool(known.any()) and np.array_equal(known, np.isfinite(two))
    if same and np.abs(one - two)[known].max() <= 1e-6 * np.abs(one[known]).max():
        return []
    return ["a rest recording 1000 times as large gives other weights."]
