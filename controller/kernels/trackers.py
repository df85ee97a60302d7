"""Trackers: they follow the phase of a band-passed signal from sample to sample.

Settings and state are plain vectors of the caller, `SETTINGS_LENGTH` and `STATE_LENGTH`
long; the constants name their places.
"""

import math

from numba import types

from controller.kernels.circular import wrap
from controller.kernels.jit import Float64Array, compiled, f8, f8_vector, i8

INTERVAL_S = 0
FREQUENCY_HZ = 1  # of the rhythm, where a tracker starts
LOWEST_HZ = 2  # a tracked frequency stays between these two
HIGHEST_HZ = 3
HORIZON_S = 4
PHASE_GAIN = 5  # pull of one sample on the loop's phase
FREQUENCY_GAIN = 6  # hertz per radian; or the weight of a new period
SETTINGS_LENGTH = 7

STARTED = 0
PHASE_RAD = 1
TRACKED_HZ = 2
PREVIOUS_RE = 3
SINCE_CROSSING_S = 4  # NaN before the first crossing
STATE_LENGTH = 5

PLL = 1
ZERO_CROSSING = 2

_FROM_TRACKER = types.UniTuple(f8, 2)


@compiled(types.void(f8_vector))
def reset(state: Float64Array) -> None:
    """Forget everything: the next sample starts anew.

    Parameters
    ----------
    state : array, shape (STATE_LENGTH,)
        Written.
    """
    for k in range(state.shape[0]):
        state[k] = 0.0
    state[SINCE_CROSSING_S] = math.nan


@compiled(types.void(f8_vector, f8_vector, f8))
def _start(settings: Float64Array, state: Float64Array, phase_rad: float) -> None:
    state[STARTED] = 1.0
    state[PHASE_RAD] = phase_rad
    state[TRACKED_HZ] = settings[FREQUENCY_HZ]


@compiled(_FROM_TRACKER(f8_vector, f8_vector, f8))
def _ahead(
    settings: Float64Array, state: Float64Array, amplitude: float
) -> tuple[float, float]:
    turn = 2.0 * math.pi * state[TRACKED_HZ] * settings[HORIZON_S]
    phase = state[PHASE_RAD] + turn
    return amplitude * math.cos(phase), amplitude * math.sin(phase)


@compiled(_FROM_TRACKER(f8_vector, f8_vector, f8, f8))
def pll_step(
    settings: Float64Array, state: Float64Array, re: float, im: float
) -> tuple[float, float]:
    """Run a phase-locked loop of second order one sample on.

    An oscillator turns at the tracked frequency; its distance from the phase of the
    input, whatever the input's amplitude, pulls at its phase and its frequency.

    Parameters
    ----------
    settings : array, shape (SETTINGS_LENGTH,)
    state : array, shape (STATE_LENGTH,)
        Changed; see `reset`.
    re, im : float
        Analytic signal of the band at the newest sample.

    Returns
    -------
    re, im : float
        The loop's phase at the horizon with the amplitude of the input; NaN, and the
        state as it was, where the input is not a finite number.

    References
    ----------
    Gardner (2005), Phaselock Techniques, 3rd edition, chapters 2 and 4.
    """
    amplitude = math.hypot(re, im)
    if not amplitude < math.inf:
        return math.nan, math.nan
    seen_rad = math.atan2(im, re)
    if state[STARTED] == 0.0:
        _start(settings, state, seen_rad)
        return _ahead(settings, state, amplitude)
    turn = 2.0 * math.pi * state[TRACKED_HZ] * settings[INTERVAL_S]
    expected_rad = wrap(state[PHASE_RAD] + turn)
    # Silence has no phase to be pulled to.
    error_rad = wrap(seen_rad - expected_rad) if amplitude > 0.0 else 0.0
    tracked_hz = state[TRACKED_HZ] + settings[FREQUENCY_GAIN] * error_rad
    state[TRACKED_HZ] = min(max(tracked_hz, settings[LOWEST_HZ]), settings[HIGHEST_HZ])
    state[PHASE_RAD] = wrap(expected_rad + settings[PHASE_GAIN] * error_rad)
    return _ahead(settings, state, amplitude)


@compiled(types.void(f8_vector, f8_vector, f8))
def _take_crossing(settings: Float64Array, state: Float64Array, re: float) -> None:
    previous = state[PREVIOUS_RE]
    # A straight line between the two samples meets zero so long before the newest.
    ago_s = settings[INTERVAL_S] * re / (re - previous)
    period_s = 2.0 * (state[SINCE_CROSSING_S] - ago_s)
    # Noise makes crossings that no rhythm of this band makes; NaN is the first one.
    if settings[HIGHEST_HZ] * period_s >= 1.0 and settings[LOWEST_HZ] * period_s <= 1.0:
        running_s = 1.0 / state[TRACKED_HZ]
        running_s += settings[FREQUENCY_GAIN] * (period_s - running_s)
        state[TRACKED_HZ] = 1.0 / running_s
    at_crossing = -0.5 * math.pi if previous < 0.0 else 0.5 * math.pi
    state[PHASE_RAD] = wrap(at_crossing + 2.0 * math.pi * state[TRACKED_HZ] * ago_s)
    state[SINCE_CROSSING_S] = ago_s


@compiled(_FROM_TRACKER(f8_vector, f8_vector, f8, f8))
def zero_crossing_step(
    settings: Float64Array, state: Float64Array, re: float, im: float
) -> tuple[float, float]:
    """Count the phase on from the last zero crossing of the band-passed signal.

    A rising crossing is -pi/2, a falling one pi/2. Twice the time from one crossing to
    the next is a period; periods outside the band are left out of the running mean.

    Parameters
    ----------
    settings : array, shape (SETTINGS_LENGTH,)
    state : array, shape (STATE_LENGTH,)
        Changed; see `reset`.
    re, im : float
        Analytic signal of the band at the newest sample; crossings are those of `re`.

    Returns
    -------
    re, im : float
        The phase at the horizon with the amplitude of the input; NaN, and the state as
        it was, where the input is not a finite number.
    """
    amplitude = math.hypot(re, im)
    if not amplitude < math.inf:
        return math.nan, math.nan
    if state[STARTED] == 0.0:
        _start(settings, state, math.atan2(im, re))
    else:
        state[SINCE_CROSSING_S] += settings[INTERVAL_S]
        if (state[PREVIOUS_RE] < 0.0) != (re < 0.0):
            _take_crossing(settings, state, re)
        else:
            turn = 2.0 * math.pi * state[TRACKED_HZ] * settings[INTERVAL_S]
            state[PHASE_RAD] = wrap(state[PHASE_RAD] + turn)
    state[PREVIOUS_RE] = re
    return _ahead(settings, state, amplitude)


@compiled(_FROM_TRACKER(i8, f8_vector, f8_vector, f8, f8))
def track(
    kind: int, settings: Float64Array, state: Float64Array, re: float, im: float
) -> tuple[float, float]:
    """Run the tracker of a kind one sample on; without one, the input comes back.

    Parameters
    ----------
    kind : int
        `PLL`, `ZERO_CROSSING`, or 0.
    settings : array, shape (SETTINGS_LENGTH,)
    state : array, shape (STATE_LENGTH,)
        Changed; see `reset`.
    re, im : float
        Analytic signal of the band at the newest sample.
    """
    if kind == PLL:
        return pll_step(settings, state, re, im)
    if kind == ZERO_CROSSING:
        return zero_crossing_step(settings, state, re, im)
    return re, im


@compiled(types.void(i8, f8_vector, f8_vector, f8_vector, f8_vector))
def track_all(
    kind: int,
    settings: Float64Array,
    state: Float64Array,
    re: Float64Array,
    im: Float64Array,
) -> None:
    """Replace a recording by what the tracker says after each of its samples.

    Parameters
    ----------
    kind : int
    settings : array, shape (SETTINGS_LENGTH,)
    state : array, shape (STATE_LENGTH,)
        Changed; see `reset`.
    re, im : array, shape (n_samples,)
        Changed.
    """
    for k in range(re.shape[0]):
        re[k], im[k] = track(kind, settings, state, re[k], im[k])
