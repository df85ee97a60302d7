"""Fit a model of noisy oscillators to the spectrum of a rest recording."""

import dataclasses
import math

import numpy as np
import scipy.optimize

from controller.errors import SignalFault
from controller.estimators.base import Brief
from controller.estimators.oscillator_model import Oscillator, OscillatorModel, density
from controller.estimators.spectrum import SEGMENT_S, welch_spectrum
from controller.kernels.jit import Float64Array

_Range = tuple[float, float]

_RANGE_HZ = (1.0, 40.0)
"""Lines that are fitted. Below: drift; above: muscle, line noise, filters."""

_LAGS_HZ = 256.0
"""Covariances are summed at this rate, whatever the stream's: 40 Hz is far below it."""

_HALF_WIDTH_HZ = {"target": (0.2, 2.0), "other": (0.3, 12.0), "noise": (0.5, 40.0)}
"""Bounds of the lines' half-widths. The filter remembers narrow lines for seconds."""

_ASIDE = 0.25
"""How far the target's frequency may lie from the individual one, per half band."""

_LEAST_SHARE = 0.1
"""Of the power in the band, what the target holds at least.

Where there is no rhythm at all, the skirts of the others may explain the whole band,
and nothing would be left to be estimated. Whether the rhythm is strong enough to be
used is not decided here.
"""

_WHITE_FLOOR_DB = -30.0
"""Least white noise, relative to the rhythm's own peak density, as for the Wiener
predictor: a recording that is empty above a low-pass must not make the filter trust
those frequencies.
"""

_DRIFT_SHARE = 0.1
"""Where the offset's random walk has the density of all else, per rhythm's frequency.

1 Hz at 10 Hz: slower than that, everything counts as offset.
"""

_LOG_VARIANCE = (-16.0, 12.0)  # bounds, in units of the mean line times one hertz

_INSIDE = 1e-3  # a start lies so far within its bounds
_TOLERANCE = 1e-10
_MOST_STEPS = 100

_DIGITS = 9  # of the spectrum: the unit of the recording must not change the fit


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
    """The lines to be fitted, in units of their mean, and how a covariance maps there.

    `spread` holds the transform of a covariance at `lags_s` to the expected Welch
    spectrum, the window's smear included; shape (n_lines, n_lags).
    """

    frequencies_hz: Float64Array
    spacing_hz: float
    power: Float64Array
    unit_uv2_per_hz: float
    lags_s: Float64Array
    spread: Float64Array


def fit_oscillators(
    brief: Brief, samples: Float64Array, *, n_others: int
) -> OscillatorModel:
    """Return the most likely model of the target, other rhythms and noise.

    The likelihood is Whittle's, of the Welch spectrum and with the smear of its window
    in the expectation. The target lies near the individual frequency; others lie
    outside the band, the first below and the second above, then alternately.

    Parameters
    ----------
    brief : Brief
    samples : array, shape (n_samples,)
        Rest recording in microvolts, at least one Welch segment.
    n_others : int
        Oscillators beside the target.

    Raises
    ------
    SignalFault
        If the recording is flat.

    References
    ----------
    Whittle (1953), Estimation and information in stationary time series, Arkiv för
    Matematik 2:423. Sykulski, Olhede, Guillaumin, Lilly and Early (2019), The debiased
    Whittle likelihood, Biometrika 106:251.
    """
    task = _task(brief, samples)
    bounds = _bounds(brief, task, n_others)
    starts = _starts(brief, task, n_others)
    rough = [_fit(task, start, bounds, tolerance=1e-3) for start in starts]
    best = min(rough, key=lambda values: np.sum(_deviance(values, task) ** 2))
    values = _fit(task, best, bounds, tolerance=_TOLERANCE)
    return _model(brief, task, values, n_others)


def _fit(
    task: _Task, start: Float64Array, bounds: list[_Range], *, tolerance: float
) -> Float64Array:
    lowest, highest = np.array(bounds).T
    found = scipy.optimize.least_squares(
        _deviance,
        np.clip(start, lowest + _INSIDE, highest - _INSIDE),
        _deviance_slopes,
        bounds=(lowest, highest),
        args=(task,),
        ftol=tolerance,
        xtol=tolerance,
        gtol=tolerance,
        max_nfev=_MOST_STEPS,
    )
    return np.asarray(found.x, dtype=np.float64)


def _deviance(values: Float64Array, task: _Task) -> Float64Array:
    """Return residuals whose squares add up to twice Whittle's log likelihood lost."""
    excess = task.power / _expected_spectrum(values, task) - 1.0
    return np.asarray(np.sign(excess) * np.sqrt(2.0 * (excess - np.log1p(excess))))


def _deviance_slopes(values: Float64Array, task: _Task) -> Float64Array:
    power = _expected_spectrum(values, task)
    residual = _deviance(values, task)
    excess = task.power / power - 1.0
    # Both vanish together where the line is met, with a ratio of 1.
    near = np.abs(excess) < 1e-4
    per_power = np.where(near, 1.0, excess / np.where(near, 1.0, residual)) / power
    return np.asarray(-per_power[:, np.newaxis] * _spectrum_slopes(values, task))


def _expected_spectrum(values: Float64Array, task: _Task) -> Float64Array:
    """Return the lines that a model leads one to expect, shape (n_lines,).

    Values are (log variance, log decay, angular frequency) of every oscillator, (log
    variance, log decay) of the noise, log density of the white noise.
    """
    covariance = np.zeros(task.lags_s.size)
    for log_variance, log_decay, turn in _each(values):
        fading = np.exp(log_variance - math.exp(log_decay) * task.lags_s)
        covariance += fading * np.cos(turn * task.lags_s)
    return np.asarray(task.spread @ covariance + math.exp(values[-1]))


def _spectrum_slopes(values: Float64Array, task: _Task) -> Float64Array:
    """Return the derivatives of the lines by each value, shape (n_lines, n_values)."""
    lags_s = task.lags_s
    slopes = []
    for log_variance, log_decay, turn in _each(values):
        decay = math.exp(log_decay)
        fading = np.exp(log_variance - decay * lags_s)
        seen = fading * np.cos(turn * lags_s)
        slopes += [seen, -decay * lags_s * seen]
        slopes.append(-lags_s * fading * np.sin(turn * lags_s))
    del slopes[-1]  # the noise has no frequency
    mapped = task.spread @ np.column_stack(slopes)
    white = np.full((mapped.shape[0], 1), math.exp(values[-1]))
    return np.hstack((mapped, white))


def _each(values: Float64Array) -> Float64Array:
    """Return a row for every oscillator, and one for the noise at frequency 0."""
    return np.append(values[:-1], 0.0).reshape(-1, 3)


def _task(brief: Brief, samples: Float64Array) -> _Task:
    spectrum = welch_spectrum(samples, brief.sfreq_hz)
    low_hz, high_hz = _RANGE_HZ
    top_hz = max(min(high_hz, 0.4 * brief.sfreq_hz), brief.band_hz[1])
    inside = (spectrum.frequencies_hz >= min(low_hz, brief.band_hz[0] / 2.0)) & (
        spectrum.frequencies_hz <= top_hz
    )
    power = spectrum.power_uv2_per_hz[inside]
    unit = float(power.mean())
    if not (unit > 0.0 and (power > 0.0).all()):
        raise SignalFault(
            "The rest recording is flat; check that the channels of the montage are "
            "connected."
        )
    n_lags = round(SEGMENT_S * _LAGS_HZ)
    lags_s = np.arange(n_lags) / _LAGS_HZ
    window = np.sin(np.pi * lags_s / SEGMENT_S) ** 2
    overlap = np.correlate(window, window, "full")[n_lags - 1 :]
    both_sides = np.where(lags_s > 0.0, 2.0, 1.0)
    angles = 2.0 * np.pi * spectrum.frequencies_hz[inside][:, np.newaxis] * lags_s
    spread = 2.0 / _LAGS_HZ * both_sides * overlap / overlap[0] * np.cos(angles)
    return _Task(
        frequencies_hz=spectrum.frequencies_hz[inside],
        spacing_hz=float(spectrum.frequencies_hz[1]),
        power=np.round(power / unit, _DIGITS) + 10.0**-_DIGITS,
        unit_uv2_per_hz=unit,
        lags_s=lags_s,
        spread=spread,
    )


def _bounds(brief: Brief, task: _Task, n_others: int) -> list[_Range]:
    """Return the least and the most of every value, in the order of the values."""
    in_band = _in_band(brief, task)
    least_target = math.log(_LEAST_SHARE * float(in_band.sum()) * task.spacing_hz)
    bounds = []
    for k, (low_hz, high_hz) in enumerate(_ranges_hz(brief, n_others)):
        widths_hz = _HALF_WIDTH_HZ["target" if k == 0 else "other"]
        least = least_target if k == 0 else _LOG_VARIANCE[0]
        bounds += [(least, _LOG_VARIANCE[1]), _log_decays(widths_hz)]
        bounds.append((2.0 * math.pi * low_hz, 2.0 * math.pi * high_hz))
    bounds += [_LOG_VARIANCE, _log_decays(_HALF_WIDTH_HZ["noise"])]
    floor = math.log(float(in_band.max())) + _WHITE_FLOOR_DB * math.log(10.0) / 10.0
    return [*bounds, (floor, floor + 30.0)]


def _ranges_hz(brief: Brief, n_others: int) -> list[_Range]:
    """Return where the frequencies of the target and of the others may lie."""
    low_hz, high_hz = brief.band_hz
    centre_hz = brief.frequency_hz
    inner = (
        centre_hz - _ASIDE * (centre_hz - low_hz),
        centre_hz + _ASIDE * (high_hz - centre_hz),
    )
    below = (0.1 * low_hz, low_hz)
    above = (high_hz, max(_RANGE_HZ[1], 2.0 * high_hz))
    return [inner, *((below, above)[k % 2] for k in range(n_others))]


def _log_decays(widths_hz: _Range) -> _Range:
    low_hz, high_hz = widths_hz
    return math.log(2.0 * math.pi * low_hz), math.log(2.0 * math.pi * high_hz)


def _in_band(brief: Brief, task: _Task) -> Float64Array:
    """Return the lines in the brief's band."""
    low_hz, high_hz = brief.band_hz
    inside = (task.frequencies_hz >= low_hz) & (task.frequencies_hz <= high_hz)
    return task.power[inside]


def _starts(brief: Brief, task: _Task, n_others: int) -> list[Float64Array]:
    """Return where to begin: the other rhythms may be here or there."""
    low_hz, high_hz = brief.band_hz
    places_hz = [
        (0.4 * low_hz, 2.0 * brief.frequency_hz),
        (0.4 * low_hz, 1.2 * high_hz),
        (0.8 * low_hz, 20.0 + high_hz / 3.0),
    ]
    total = float(task.power.sum()) * task.spacing_hz
    starts = []
    for places in places_hz[: 3 if n_others else 1]:
        values = [math.log(0.5 * total), math.log(2.0 * math.pi * 0.5)]
        values.append(2.0 * math.pi * brief.frequency_hz)
        for k in range(n_others):
            values += [math.log(0.1 * total), math.log(2.0 * math.pi * 2.0)]
            values.append(2.0 * math.pi * places[k % 2])
        values += [math.log(0.3 * total), math.log(2.0 * math.pi * 2.0)]
        values.append(math.log(float(task.power[-10:].mean())))
        starts.append(np.array(values))
    return starts


def _model(
    brief: Brief, task: _Task, values: Float64Array, n_others: int
) -> OscillatorModel:
    """Put the values into words, back in microvolts, and add the offset's walk."""
    unit = task.unit_uv2_per_hz
    oscillators = [
        Oscillator(
            variance_uv2=unit * math.exp(values[3 * k]),
            decay_per_s=math.exp(values[3 * k + 1]),
            frequency_hz=float(values[3 * k + 2]) / (2.0 * math.pi),
        )
        for k in range(n_others + 1)
    ]
    noise = Oscillator(
        variance_uv2=unit * math.exp(values[-3]),
        decay_per_s=math.exp(values[-2]),
        frequency_hz=0.0,
    )
    corner_rad_s = 2.0 * math.pi * _DRIFT_SHARE * brief.frequency_hz
    at_corner = sum(density(one, corner_rad_s) for one in (*oscillators, noise))
    return OscillatorModel(
        target=oscillators[0],
        others=tuple(oscillators[1:]),
        noise=noise,
        white_uv2_per_hz=unit * math.exp(values[-1]),
        # A walk that gains q in a second has the one-sided density 2 q / omega^2.
        drift_uv2_per_s=0.5 * corner_rad_s**2 * at_corner,
    )
