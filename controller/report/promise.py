"""Promised against achieved, and whether the difference is more than chance."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from controller.kernels.circular import circular_mean, circular_sd
from controller.kernels.jit import Float64Array
from controller.report.landing_statistics import Measured
from controller.report.statistics import Interval, mean_direction_interval
from controller.report.words import FEW_PULSES, MINUS, signed
from controller.session.jsonable import JsonValue
from controller.session.summary import NEAR_DEG, phase_errors_rad

OWN_REST = "the rest of this session"

_NORMAL_95 = 1.959964
_BOOTSTRAP_SAMPLES = 2000
_BOOTSTRAP_SEED = 21
_BOOTSTRAP_CELLS = 2_000_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure, promised and achieved, with the range that chance allows each.

    Parameters
    ----------
    name : str
        A key: `sd_deg`, `bias_deg` or `within_45`.
    promised, achieved : float
    promised_range, achieved_range : tuple of float
        95 % intervals.
    """

    name: str
    promised: float
    promised_range: tuple[float, float]
    achieved: float
    achieved_range: tuple[float, float]

    @property
    def allowed(self) -> tuple[float, float]:
        """Smallest and largest difference that is more than chance on neither side.

        The interval of a difference from the intervals of its two sides: Zou and Donner
        (2008), Statistics in Medicine 27, 1693-1702.
        """
        difference = self.achieved - self.promised
        below = math.hypot(
            self.achieved - self.achieved_range[0],
            self.promised_range[1] - self.promised,
        )
        above = math.hypot(
            self.achieved_range[1] - self.achieved,
            self.promised - self.promised_range[0],
        )
        return difference - below, difference + above

    @property
    def outcome(self) -> str:
        """`kept`, or by which side it differs: `higher`, `lower` than promised."""
        low, high = self.allowed
        if low > 0.0:
            return "higher"
        return "lower" if high < 0.0 else "kept"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """Promised against achieved.

    Parameters
    ----------
    source : str
        Name of the profile, or that it was the session's own rest.
    n : int
        Pulses that were scored.
    rows : tuple of Row
        None with fewer pulses than can be judged.
    per_minute : tuple of float or None
        Triggers promised and pulses fired, where triggers were promised.
    """

    source: str
    n: int
    rows: tuple[Row, ...]
    per_minute: tuple[float, float] | None

    @property
    def outcome(self) -> str:
        """`kept`, `better`, `worse`, or `open` if there are too few pulses."""
        if not self.rows:
            return "open"
        by_name = {row.name: row.outcome for row in self.rows}
        worse = (
            by_name["sd_deg"] == "higher"
            or by_name["within_45"] == "lower"
            or by_name["bias_deg"] != "kept"
        )
        if worse:
            return "worse"
        better = by_name["sd_deg"] == "lower" or by_name["within_45"] == "higher"
        return "better" if better else "kept"

    @property
    def sentence(self) -> str:
        """What a person should take away."""
        of = f"what {self.source} promised"
        if not self.rows:
            return f"Too few pulses to judge {of}: {self.n} were scored."
        if self.outcome == "kept":
            return f"As accurate as {of}, within what {self.n} pulses can tell."
        if self.outcome == "better":
            return (
                f"More accurate than {of}, by more than chance among {self.n} pulses."
            )
        failed = ", ".join(
            _WORDS[row.name] for row in self.rows if row.outcome != "kept"
        )
        return (
            f"Less accurate than {of}, by more than chance among {self.n} pulses: "
            f"{failed}. Look at how awake the participant was, and at the electrodes."
        )

    def as_dict(self) -> dict[str, JsonValue]:
        """Return it for the summary."""
        figures: dict[str, JsonValue] = {
            row.name: {
                "promised": row.promised,
                "promised_range": list(row.promised_range),
                "achieved": row.achieved,
                "achieved_range": list(row.achieved_range),
                "outcome": row.outcome,
            }
            for row in self.rows
        }
        return {
            "source": self.source,
            "n": self.n,
            "outcome": self.outcome,
            "sentence": self.sentence,
            "per_minute": None if self.per_minute is None else list(self.per_minute),
            **figures,
        }

    def cells(self) -> list[list[str]]:
        """Return the table: name, promised, achieved, verdict."""
        table = [
            [
                _WORDS[row.name],
                _shown(row.name, row.promised, row.promised_range),
                _shown(row.name, row.achieved, row.achieved_range),
                _VERDICTS[row.outcome],
            ]
            for row in self.rows
        ]
        if self.per_minute is not None and self.rows:
            promised, fired = self.per_minute
            table.append(["pulses per minute", f"{promised:.1f}", f"{fired:.1f}", ""])
        return table


_WORDS = {
    "sd_deg": "circular SD",
    "bias_deg": "mean error",
    "within_45": f"within {NEAR_DEG:g}°",
}
_VERDICTS = {
    "kept": "✓ within chance",
    "higher": "△ higher than chance allows",
    "lower": "△ lower than chance allows",
}


def reckoning(
    summary: Mapping[str, Any], pulses: Any, believed: Measured | None = None
) -> Reckoning | None:
    """Set what was promised beside the pulses; None if nothing was promised.

    Parameters
    ----------
    summary : mapping
        Of the session.
    pulses : array of PULSE
        Those that were fired.
    believed : Measured, optional
        What to hold the promise against instead of the pulses' own phases.
    """
    rhythm = summary["rhythm"]
    keys = ("expected_sd_deg", "expected_bias_deg", "expected_within_45", "expected_n")
    sd_deg, bias_deg, within, n_promised = (rhythm.get(key) for key in keys)
    if sd_deg is None or bias_deg is None or within is None or n_promised is None:
        return None
    errors = np.asarray(phase_errors_rad(pulses), np.float64)
    per_minute, duration_s = rhythm.get("expected_per_minute"), summary["duration_s"]
    rows: tuple[Row, ...] = ()
    scored = errors.size
    if believed is not None and believed.source != "whole":
        scored = believed.n
        if scored >= FEW_PULSES:
            rows = _rows_of(
                float(sd_deg), float(bias_deg), float(within), n_promised, believed
            )
    elif scored >= FEW_PULSES:
        rows = _rows(float(sd_deg), float(bias_deg), float(within), n_promised, errors)
    return Reckoning(
        source=str(rhythm.get("profile") or OWN_REST),
        n=scored,
        rows=rows,
        per_minute=(float(per_minute), 60.0 * len(pulses) / float(duration_s))
        if per_minute is not None and duration_s
        else None,
    )


def _rows(
    sd_deg: float, bias_deg: float, within: float, n: int, errors: Float64Array
) -> tuple[Row, ...]:
    near = float(np.mean(np.abs(errors) <= np.radians(NEAR_DEG)))
    around = mean_direction_interval(errors) or Interval(low=-math.pi, high=math.pi)
    return _beside(
        _promised(sd_deg, bias_deg, within, n),
        (math.degrees(circular_sd(errors)), sd_interval_deg(errors)),
        (math.degrees(circular_mean(errors)), around),
        (near, errors.size),
    )


def _rows_of(
    sd_deg: float, bias_deg: float, within: float, n: int, believed: Measured
) -> tuple[Row, ...]:
    achieved_deg = math.degrees(believed.sd_rad)
    spread = math.exp(_NORMAL_95 / math.sqrt(2.0 * believed.n))
    return _beside(
        _promised(sd_deg, bias_deg, within, n),
        (achieved_deg, (achieved_deg / spread, achieved_deg * spread)),
        (
            math.degrees(believed.mean_rad),
            believed.interval or Interval(low=-math.pi, high=math.pi),
        ),
        (believed.within_45 or 0.0, believed.n),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Promised:
    sd_deg: float
    sd_range: tuple[float, float]
    bias_deg: float
    bias_range: tuple[float, float]
    within: float
    within_range: tuple[float, float]


def _promised(sd_deg: float, bias_deg: float, within: float, n: int) -> _Promised:
    spread = math.exp(_NORMAL_95 / math.sqrt(2.0 * n))
    reach = _NORMAL_95 * sd_deg / math.sqrt(n)
    return _Promised(
        sd_deg=sd_deg,
        sd_range=(sd_deg / spread, sd_deg * spread),
        bias_deg=bias_deg,
        bias_range=(bias_deg - reach, bias_deg + reach),
        within=within,
        within_range=wilson_interval(within, n),
    )


def _beside(
    promised: _Promised,
    sd: tuple[float, tuple[float, float]],
    mean: tuple[float, Interval],
    within: tuple[float, int],
) -> tuple[Row, ...]:
    around = mean[1]
    return (
        Row(
            name="sd_deg",
            promised=promised.sd_deg,
            promised_range=promised.sd_range,
            achieved=sd[0],
            achieved_range=sd[1],
        ),
        Row(
            name="bias_deg",
            promised=promised.bias_deg,
            promised_range=promised.bias_range,
            achieved=mean[0],
            achieved_range=(math.degrees(around.low), math.degrees(around.high)),
        ),
        Row(
            name="within_45",
            promised=promised.within,
            promised_range=promised.within_range,
            achieved=within[0],
            achieved_range=wilson_interval(*within),
        ),
    )


def sd_interval_deg(errors: Float64Array) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the circular SD, the same at every call.

    Its logarithm is reflected around what was measured (the basic bootstrap), since
    resampled spreads are too small.

    References
    ----------
    Davison and Hinkley (1997), Bootstrap Methods and their Application, section 5.2.
    """
    measured = circular_sd(errors)
    units = np.exp(1j * errors)
    rng = np.random.default_rng(_BOOTSTRAP_SEED)
    lengths = np.empty(_BOOTSTRAP_SAMPLES)
    at_once = max(1, _BOOTSTRAP_CELLS // units.size)
    for start in range(0, _BOOTSTRAP_SAMPLES, at_once):
        stop = min(start + at_once, _BOOTSTRAP_SAMPLES)
        drawn = rng.integers(0, units.size, (stop - start, units.size))
        lengths[start:stop] = np.abs(units[drawn].mean(axis=1))
    spreads = np.sqrt(-2.0 * np.log(np.clip(lengths, 1e-12, 1.0 - 1e-12)))
    low, high = np.quantile(spreads, [0.025, 0.975])
    return (
        math.degrees(measured * measured / float(high)),
        math.degrees(measured * measured / float(low)),
    )


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of `n`.

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212.
    """
    square = _NORMAL_95**2
    middle = (share + square / (2.0 * n)) / (1.0 + square / n)
    half = math.sqrt(share * (1.0 - share) / n + square / (4.0 * n * n))
    half *= _NORMAL_95 / (1.0 + square / n)
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def _shown(name: str, value: float, interval: tuple[float, float]) -> str:
    show: Callable[[float], str] = {
        "sd_deg": lambda v: f"{v:.1f}°",
        "bias_deg": lambda v: f"{signed(v)}°",
        "within_45": lambda v: f"{v:.0%}",
    }[name]
    low, high = interval
    return f"{show(value)} ({show(low)} to {show(high)})".replace("-", MINUS)
