"""Two sessions side by side: triggers, achieved phase, refusals, dose, settings."""

import dataclasses
import math
import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np

from controller.errors import FileError
from controller.kernels.circular import circular_mean
from controller.report.statistics import mean_direction_interval
from controller.report.words import count, phase_words, signed
from controller.session.folder import SUMMARY
from controller.session.load import Session
from controller.session.pulses import fired
from controller.session.summary import phase_errors_rad

NOTHING = "none"
_MINUTE_S = 60.0
_MOST_HOLDS = 6


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One session's figures; NaN where there is none.

    Parameters
    ----------
    folder, title : str
    loop_s : float
        Duration of the closed loop.
    fired, planned, decisions : int
    per_minute : float
        Triggers fired per minute of closed loop.
    most_in_minute : int
        Triggers in the busiest sixty seconds.
    shortest_interval_s, first_to_last_s : float
    target_deg : tuple of float
        Of the pulses that were fired.
    n_scored : int
    mean_error_deg, sd_deg, within_45 : float
    interval_deg : tuple of float or None
        95 % of the mean error.
    frequency_hz : float
        Of the rhythm.
    refused, held : dict of str to int
        By reason.
    live : bool
        False for a session on a virtual clock, of which nothing was fired.
    """

    folder: str
    title: str
    loop_s: float
    fired: int
    planned: int
    decisions: int
    per_minute: float
    most_in_minute: int
    shortest_interval_s: float
    first_to_last_s: float
    target_deg: tuple[float, ...]
    n_scored: int
    mean_error_deg: float
    interval_deg: tuple[float, float] | None
    sd_deg: float
    within_45: float
    frequency_hz: float
    refused: dict[str, int]
    held: dict[str, int]
    live: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table, as shown.

    Parameters
    ----------
    name, a, b : str
    change : str
        From A to B; empty where a difference says nothing.
    """

    name: str
    a: str
    b: str
    change: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sessions side by side.

    Parameters
    ----------
    a, b : Figures
    settings : tuple of Row
        Keys of the configuration that differ.
    same_samples : bool
        Both were decided on the same samples.
    sentence : str
        What a person should take away.
    """

    a: Figures
    b: Figures
    settings: tuple[Row, ...]
    same_samples: bool
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison for machines; null where there is no figure."""
        return {
            "sentence": self.sentence,
            "same_samples": self.same_samples,
            "a": _as_dict(self.a),
            "b": _as_dict(self.b),
            "settings": [
                {"key": row.name, "a": row.a, "b": row.b} for row in self.settings
            ],
        }


def compare_sessions(a: Session, b: Session) -> Comparison:
    """Compare two finished sessions.

    Raises
    ------
    FileError
        If one of them was not finished.
    """
    left, right = figures_of(a), figures_of(b)
    same = np.array_equal(a.raw, b.raw) and np.array_equal(
        a.samples["t_sample"], b.samples["t_sample"]
    )
    return Comparison(
        a=left,
        b=right,
        settings=differing_settings(a.config_text, b.config_text),
        same_samples=bool(same),
        sentence=_sentence(left, right),
    )


def figures_of(session: Session) -> Figures:
    """Return the figures of a finished session.

    Raises
    ------
    FileError
        If it was not finished.
    """
    summary = session.summary
    if summary is None:
        raise FileError(
            f"{session.path} has no {SUMMARY}: the session was not finished, so there "
            "is nothing to compare yet."
        )
    left = fired(session.pulses)
    t = np.sort(left["t_fired"])
    errors = phase_errors_rad(left)
    error = summary["phase_error_deg"]
    interval = mean_direction_interval(errors) if len(errors) else None
    loop_s = float(summary["duration_s"] or math.nan)
    return Figures(
        folder=str(session.path),
        title=summary["title"] or session.path.name,
        loop_s=loop_s,
        fired=len(left),
        planned=summary["pulses"]["planned"],
        decisions=summary["decisions"]["count"],
        per_minute=_MINUTE_S * len(left) / loop_s if loop_s > 0.0 else math.nan,
        most_in_minute=most_within(t, _MINUTE_S),
        shortest_interval_s=float(np.diff(t).min()) if len(t) > 1 else math.nan,
        first_to_last_s=float(t[-1] - t[0]) if len(t) else math.nan,
        target_deg=tuple(
            sorted({round(math.degrees(x), 2) for x in left["target_phase_rad"]})
        ),
        n_scored=len(errors),
        mean_error_deg=_degrees(circular_mean(errors)) if len(errors) else math.nan,
        interval_deg=None
        if interval is None
        else (math.degrees(interval.low), math.degrees(interval.high)),
        sd_deg=_or_nan(error["sd"]),
        within_45=_or_nan(error["within_45"]),
        frequency_hz=_or_nan(summary["rhythm"].get("frequency_hz")),
        refused=dict(summary["pulses"]["refused"]),
        held=dict(summary["decisions"]["held"]),
        live=session.is_live,
    )


def most_within(t: Any, window_s: float) -> int:
    """Return how many instants, in order, fall at most into one window."""
    if len(t) == 0:
        return 0
    first = np.searchsorted(t, t - window_s, side="right")
    return int((np.arange(1, len(t) + 1) - first).max())


def rows_of(comparison: Comparison) -> list[Row]:
    """Return the table of figures as shown."""
    a, b = comparison.a, comparison.b
    rows = [
        Row(name="closed loop", a=_seconds(a.loop_s), b=_seconds(b.loop_s)),
        Row(name="clock", a=_clock(a), b=_clock(b)),
        _numbers("triggers fired", a, b, lambda f: f.fired, "{:.0f}"),
        _numbers("triggers per minute", a, b, lambda f: f.per_minute, "{:.1f}"),
        Row(name="target phase", a=_targets(a), b=_targets(b)),
        Row(name="mean phase error", a=_mean(a), b=_mean(b), change=_turn(a, b)),
        _numbers("circular SD (deg)", a, b, lambda f: f.sd_deg, "{:.1f}"),
        _numbers("within 45 deg (%)", a, b, lambda f: 100 * f.within_45, "{:.0f}"),
        _numbers("pulses scored", a, b, lambda f: f.n_scored, "{:.0f}"),
        _numbers("rhythm (Hz)", a, b, lambda f: f.frequency_hz, "{:.2f}"),
        _numbers("most in one minute", a, b, lambda f: f.most_in_minute, "{:.0f}"),
        _numbers(
            "shortest interval (s)", a, b, lambda f: f.shortest_interval_s, "{:.2f}"
        ),
        _numbers("first to last (s)", a, b, lambda f: f.first_to_last_s, "{:.0f}"),
        _numbers("refused", a, b, lambda f: sum(f.refused.values()), "{:.0f}"),
    ]
    rows += _by_reason("refused", a.refused, b.refused, len(a.refused | b.refused))
    rows.append(_numbers("decisions", a, b, lambda f: f.decisions, "{:.0f}"))
    return rows + _by_reason("held", a.held, b.held, _MOST_HOLDS)


def differing_settings(a: str, b: str) -> tuple[Row, ...]:
    """Return the keys in which two configurations differ."""
    left, right = _flat(tomllib.loads(a)), _flat(tomllib.loads(b))
    keys = [key for key in left | right if left.get(key) != right.get(key)]
    return tuple(
        Row(name=key, a=_shown(left.get(key)), b=_shown(right.get(key))) for key in keys
    )


def _shortest(figures: Figures) -> float:
    return figures.shortest_interval_s


def _by_reason(what: str, a: dict[str, int], b: dict[str, int], most: int) -> list[Row]:
    """Return one row for each of the most frequent reasons."""
    names = sorted(a | b, key=lambda name: -max(a.get(name, 0), b.get(name, 0)))
    return [
        Row(
            name=f"{what}: {name}",
            a=str(a.get(name, 0)),
            b=str(b.get(name, 0)),
            change=_signed(b.get(name, 0) - a.get(name, 0), "{:+.0f}"),
        )
        for name in names[:most]
    ]


def _numbers(
    name: str, a: Figures, b: Figures, get: Callable[[Figures], float], form: str
) -> Row:
    left, right = float(get(a)), float(get(b))
    signed_form = form.replace("{:", "{:+")
    return Row(
        name=name,
        a=_number(left, form),
        b=_number(right, form),
        change=_signed(right - left, signed_form),
    )


def _number(value: float, form: str) -> str:
    return form.format(value) if math.isfinite(value) else NOTHING


def _signed(value: float, form: str) -> str:
    if not math.isfinite(value):
        return ""
    text = form.format(value)
    return "=" if float(text) == 0 else text


def _mean(figures: Figures) -> str:
    if not math.isfinite(figures.mean_error_deg):
        return NOTHING
    words = f"{signed(figures.mean_error_deg)} deg"
    if figures.interval_deg is None:
        return words
    low, high = figures.interval_deg
    return f"{words} ({signed(low)} to {signed(high)})"


def _turn(a: Figures, b: Figures) -> str:
    turn_deg = b.mean_error_deg - a.mean_error_deg
    if not math.isfinite(turn_deg):
        return ""
    return _signed(math.remainder(turn_deg, 360.0), "{:+.1f}")


def _targets(figures: Figures) -> str:
    return ", ".join(map(phase_words, figures.target_deg)) or NOTHING


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if math.isfinite(value) else NOTHING


def _clock(figures: Figures) -> str:
    return "real" if figures.live else "virtual: nothing was fired"


def _sentence(a: Figures, b: Figures) -> str:
    """Return what a person should take away."""
    first = (
        f"A fired {count(a.fired, 'trigger', 'triggers')}, B "
        f"{count(b.fired, 'trigger', 'triggers')}"
    )
    if not (math.isfinite(a.sd_deg) and math.isfinite(b.sd_deg)):
        return f"{first}; the spread of their phases cannot be compared."
    wider = b.sd_deg - a.sd_deg
    if abs(wider) < 0.05:
        return f"{first}, with the same spread of {a.sd_deg:.1f} deg."
    return (
        f"{first}; B's spread of {b.sd_deg:.1f} deg is {abs(wider):.1f} deg "
        f"{'wider' if wider > 0 else 'narrower'} than A's."
    )


def _degrees(radians: Any) -> float:
    return math.degrees(float(radians))


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _flat(table: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{above}{key}.")
        else:
            flat[above + key] = value
    return flat


def _shown(value: object) -> str:
    return "not set" if value is None else str(value)


def _as_dict(figures: Figures) -> dict[str, Any]:
    told = dataclasses.asdict(figures)
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in told.items()
    }
