"""How large a motor response was: peak to peak after a pulse, of a muscle at rest.

A response is looked for where a hand muscle's comes, after the pulse's artifact has
gone. A muscle that was tense before the pulse answers to less, so such a pulse says
nothing of the resting threshold; nor does one with samples missing.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from controller.errors import ConfigError

Float64Array = npt.NDArray[np.float64]

_EARLIEST_S, _LATEST_S = 0.015, 0.050
_SHORTEST_S = 0.005
# Just before the pulse: what the artifact's rise or a late stamp could reach.
_GUARD_S = 0.005
_LEAST_SAMPLES = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRules:
    """Where a response is looked for, and what counts as one.

    Parameters
    ----------
    from_s, to_s : float
        Window after the pulse, within 15 to 50 ms.
    criterion_uv : float
        Peak to peak, from which on the muscle has responded: by custom 50 uV.
    before_s : float
        How long before the pulse the muscle has to have been at rest.
    relaxed_uv : float
        Largest peak to peak of a muscle at rest within `before_s`. Ours; a tense muscle
        makes hundreds.
    rail_uv : float
        The amplifier's largest output; infinite where unknown.

    Raises
    ------
    ConfigError
    """

    from_s: float = 0.020
    to_s: float = 0.040
    criterion_uv: float = 50.0
    before_s: float = 0.100
    relaxed_uv: float = 50.0
    rail_uv: float = math.inf

    def __post_init__(self) -> None:
        inside = _EARLIEST_S <= self.from_s <= self.to_s - _SHORTEST_S
        if not (inside and self.to_s <= _LATEST_S):
            raise ConfigError(
                f"The response's window is {self.from_s * 1e3:g} to "
                f"{self.to_s * 1e3:g} ms after the pulse, but must lie within 15 to "
                "50 ms and be 5 ms long at least."
            )
        for name in ("criterion_uv", "relaxed_uv", "before_s", "rail_uv"):
            value = getattr(self, name)
            if not value > 0.0:
                raise ConfigError(f"The response's {name} is {value:g}, not above 0.")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a muscle did around a pulse.

    Parameters
    ----------
    mep_uv : float
        Peak to peak within the window; NaN if it cannot be said.
    before_uv : float
        Peak to peak before the pulse; NaN if it cannot be said.
    why_not : str or None
        Why this pulse does not count, in a clause; None if it does.
    """

    mep_uv: float
    before_uv: float
    why_not: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it says something of the threshold at rest."""
        return self.why_not is None


def measure_response(
    t_s: Float64Array, emg_uv: Float64Array, t_pulse: float, rules: ResponseRules
) -> Response:
    """Return what a muscle did around a pulse.

    Parameters
    ----------
    t_s : array, shape (n,)
        Instants of the samples, ascending.
    emg_uv : array, shape (n,)
    t_pulse : float
        On the same clock.
    rules : ResponseRules
    """
    since_s = t_s - t_pulse
    before = _within(since_s, emg_uv, -_GUARD_S - rules.before_s, -_GUARD_S)
    after = _within(since_s, emg_uv, rules.from_s, rules.to_s)
    before_uv, mep_uv = _peak_to_peak(before, rules), _peak_to_peak(after, rules)
    why_not = None
    if not before_uv <= rules.relaxed_uv:
        why_not = (
            "the EMG before the pulse is missing or saturated"
            if math.isnan(before_uv)
            else f"the muscle was not at rest ({before_uv:.0f} uV before the pulse, "
            f"{rules.relaxed_uv:g} allowed)"
        )
    elif math.isnan(mep_uv):
        why_not = "the EMG after the pulse is missing or saturated"
    return Response(mep_uv=mep_uv, before_uv=before_uv, why_not=why_not)


def _within(
    since_s: Float64Array, emg_uv: Float64Array, from_s: float, to_s: float
) -> Float64Array | None:
    """Return the samples of a window, None where some are missing."""
    first = int(np.searchsorted(since_s, from_s, side="left"))
    last = int(np.searchsorted(since_s, to_s, side="right"))
    # With the neighbours outside, the window has no hole if no step is long.
    if not (first > 0 and last < len(since_s) and last - first >= _LEAST_SAMPLES):
        return None
    steps_s = np.diff(since_s[first - 1 : last + 1])
    if not (np.all(steps_s > 0.0) and np.max(steps_s) <= 2.5 * np.median(steps_s)):
        return None
    return emg_uv[first:last]


def _peak_to_peak(emg_uv: Float64Array | None, rules: ResponseRules) -> float:
    if emg_uv is None or not np.all(np.abs(emg_uv) < rules.rail_uv):
        return math.nan
    return float(np.max(emg_uv) - np.min(emg_uv))
