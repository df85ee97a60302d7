"""What a session is promised: accuracy behind its gate, from a profile or its rest."""

import dataclasses
import math

import numpy as np

from controller.calibration.profile import Profile, circ_sd_deg
from controller.calibration.result import GateLevel
from controller.config_gate import Gate
from controller.estimators.accuracy import HeldOut

_SAME_PERCENTILE = 1e-6
_QUARTER_RAD = math.radians(45.0)

# Neighbouring samples of a rhythm say the same; a second apart they hardly do.
_INDEPENDENT_PER_S = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Phase errors to expect behind the session's gate.

    Parameters
    ----------
    sd_deg, bias_deg : float
        Circular.
    within_45 : float
        Share of pulses within 45 degrees, 0 to 1.
    per_minute : float or None
        Triggers; None where they were not counted.
    n : int
        Independent triggers that the figures rest on, about.
    """

    sd_deg: float
    bias_deg: float
    within_45: float
    per_minute: float | None
    n: int


def promise_of_profile(profile: Profile, gate: Gate) -> Promise | None:
    """Return what a profile promises behind the session's gate.

    Between two levels of the profile it is interpolated. None beyond the tightest, or
    where there is no preferred phase.

    Parameters
    ----------
    profile : Profile
    gate : Gate
    """
    at, places = _place(profile, gate)
    order = np.argsort(places)
    if not places.min() - _SAME_PERCENTILE <= at <= places.max() + _SAME_PERCENTILE:
        return None
    levels = [profile.levels[int(k)] for k in order]
    sd_deg = [circ_sd_deg(level) for level in levels]
    known = np.array([math.nan if sd is None else sd for sd in sd_deg])

    def between(values: list[float]) -> float:
        return float(np.interp(at, places[order], values))

    sd = between(known.tolist())
    if not math.isfinite(sd):
        return None
    per_minute = between([level.triggers_per_minute for level in levels])
    return Promise(
        sd_deg=sd,
        bias_deg=between([math.degrees(level.bias_rad) for level in levels]),
        within_45=between([level.within_45 for level in levels]),
        per_minute=per_minute,
        n=max(1, round(per_minute * profile.rest_used_s / 60.0)),
    )


def promise_of_rest(
    held: HeldOut, percentile: float, sfreq_hz: float, sd_rad: float, bias_rad: float
) -> Promise:
    """Return what held-out estimates of the session's own rest promise.

    Parameters
    ----------
    held : HeldOut
    percentile : float
        Of the session's gate.
    sfreq_hz : float
    sd_rad, bias_rad : float
        Behind that gate.
    """
    passes = np.zeros(held.estimate.size, np.bool_)
    for fold, others_uv in zip(held.folds, held.others_uv, strict=True):
        threshold_uv = np.percentile(others_uv, percentile)
        passes[fold] = np.abs(held.estimate[fold]) >= threshold_uv
    error_rad = held.error_rad[passes]
    return Promise(
        sd_deg=math.degrees(sd_rad),
        bias_deg=math.degrees(bias_rad),
        within_45=float(np.mean(np.abs(error_rad) <= _QUARTER_RAD)),
        per_minute=None,
        n=max(1, round(error_rad.size / sfreq_hz * _INDEPENDENT_PER_S)),
    )


def _place(
    profile: Profile, gate: Gate
) -> tuple[float, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Return where the session's gate lies among the profile's levels."""

    def all_of(value: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        levels: tuple[GateLevel, ...] = profile.levels
        return np.array([float(getattr(level, value)) for level in levels])

    if gate.amplitude == "absolute" and gate.threshold_uv is not None:
        return gate.threshold_uv, all_of("threshold_uv")
    percentile = gate.closed_below
    return percentile, all_of("percentile")
