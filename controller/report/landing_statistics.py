"""One source's figures of where pulses landed."""

import dataclasses
import math

import numpy as np

from controller.kernels.circular import circular_mean, resultant_length, wrap_phase
from controller.kernels.jit import Float64Array
from controller.report.before_pulse import BeforePulse
from controller.report.statistics import (
    Interval,
    mean_direction_interval,
    rayleigh_p_of,
    v_test_p_of,
)
from controller.report.words import FEW_PULSES
from controller.session.jsonable import JsonValue, jsonable
from controller.session.summary import NEAR_DEG

_NORMAL_95 = 1.959964
_TURNS = range(-4, 5)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One source's figures of one cell; errors from the target where there is one.

    Parameters
    ----------
    source : {"whole", "before", "shadows"}
    n : int
        At least one.
    mean_rad, sd_rad : float
        `sd_rad` is infinite where directions cancel out.
    interval : Interval or None
        95 % of the mean; None for too few.
    within_45 : float or None
        Share of the errors within 45 degrees; None without a target.
    rayleigh_p, v_p : float or None
        None for too few, and without a target.
    """

    source: str
    n: int
    mean_rad: float
    sd_rad: float
    interval: Interval | None
    within_45: float | None
    rayleigh_p: float | None
    v_p: float | None


def measure(
    source: str,
    phases: Float64Array,
    targets: Float64Array,
    method: BeforePulse | None,
) -> Measured:
    """Return the figures of one source.

    Parameters
    ----------
    source : str
    phases, targets : array, shape (n,)
        At least one; targets that are not all known count as none.
    method : BeforePulse or None
        By which to correct, if it is phases from before pulses.
    """
    aimed = bool(np.isfinite(targets).all())
    errors = wrap_phase(phases - targets) if aimed else wrap_phase(phases)
    n = len(errors)
    interval: Interval | None
    if method is None:
        mean, length = circular_mean(errors), resultant_length(errors)
        sd = math.sqrt(-2.0 * math.log(length)) if length > 0.0 else math.inf
        interval = mean_direction_interval(errors)
    else:
        mean, sd = method.corrected(errors)
        length = math.exp(-(sd**2) / 2.0)
        half = _NORMAL_95 * sd / math.sqrt(n)
        interval = Interval(low=mean - half, high=mean + half)
    near = math.radians(NEAR_DEG)
    within = float(np.mean(np.abs(errors) <= near))
    if method is not None:
        within = share_within(mean, sd, near)
    enough = n >= FEW_PULSES
    return Measured(
        source=source,
        n=n,
        mean_rad=mean,
        sd_rad=sd,
        interval=interval,
        within_45=within if aimed else None,
        rayleigh_p=rayleigh_p_of(n, length) if enough else None,
        v_p=v_test_p_of(n, length, mean) if enough and aimed else None,
    )


def believed_as_dict(measured: Measured) -> dict[str, JsonValue]:
    """Return the figures for the summary, degrees."""
    return {
        "source": measured.source,
        "n": measured.n,
        "mean": jsonable(math.degrees(measured.mean_rad)),
        "sd": jsonable(math.degrees(measured.sd_rad)),
        "within_45": measured.within_45,
    }


def share_within(mean_rad: float, sd_rad: float, reach_rad: float) -> float:
    """Return which share of a wrapped normal distribution lies within `reach_rad` of 0.

    References
    ----------
    Mardia and Jupp (2000), Directional Statistics, section 3.5.7.
    """
    if not math.isfinite(sd_rad):
        return reach_rad / math.pi
    if sd_rad == 0.0:
        return float(abs(mean_rad) <= reach_rad)
    share = 0.0
    for turn in _TURNS:
        middle = mean_rad + 2.0 * math.pi * turn
        share += _below((reach_rad - middle) / sd_rad)
        share -= _below((-reach_rad - middle) / sd_rad)
    return min(1.0, share)


def _below(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
