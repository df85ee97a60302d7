"""Several sessions of one kind: figures of each, of all, and their drift."""

import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from controller.kernels.circular import circular_mean, resultant_length
from controller.report.criteria import verdict_of
from controller.report.page import Page
from controller.report.words import FEW_PULSES, count, signed
from controller.session.folder import started_of
from controller.session.load import Session

NOTHING = "n/a"
_LEAST_FOR_DRIFT = 3
_NORMAL_95 = 1.959964


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One session of a group; NaN where there is no figure.

    Parameters
    ----------
    folder, participant : str
    started : datetime or None
    is_blind : bool
        Its phase errors are then not told.
    n_fired, n_planned : int
    n_scored : int
    source : str
        Where its phase errors come from.
    mean_deg, sd_deg, within_45 : float
    frequency_hz, snr_db : float
        Of the rhythm, as calibrated.
    per_minute : float
        Triggers fired.
    refused_share : float
    criteria : {"pass", "fail", "open", ""}
        Empty without criteria.
    """

    folder: str
    participant: str
    started: dt.datetime | None
    is_blind: bool
    n_fired: int
    n_planned: int
    n_scored: int
    source: str
    mean_deg: float
    sd_deg: float
    within_45: float
    frequency_hz: float
    snr_db: float
    per_minute: float
    refused_share: float
    criteria: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a figure changes from session to session.

    Parameters
    ----------
    name, unit : str
    n : int
        Sessions with that figure.
    slope : float
        Per session, by least squares; of angles too, which must not be far apart.
    low, high : float
        95 % interval.
    """

    name: str
    unit: str
    n: int
    slope: float
    low: float
    high: float

    @property
    def is_more_than_chance(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0.0 or self.high < 0.0


def member_of(session: Session, page: Page) -> Member:
    """Return a session's figures, as its page tells them."""
    summary: dict[str, Any] = session.summary or {}
    pulses, rhythm = summary["pulses"], summary["rhythm"]
    told = summary.get("believed") or {**summary["phase_error_deg"], "source": "whole"}
    if page.believed is not None:
        measured = page.believed
        told = {
            "source": measured.source,
            "n": measured.n,
            "mean": math.degrees(measured.mean_rad),
            "sd": math.degrees(measured.sd_rad),
            "within_45": measured.within_45,
        }
    if page.is_blind:
        told = {"source": "", "n": 0}
    refused = sum(pulses["refused"].values())
    minutes = (summary["duration_s"] or 0.0) / 60.0
    return Member(
        folder=session.path.resolve().name,
        participant=str(summary["participant"] or ""),
        started=started_of(session.path.resolve().name),
        is_blind=page.is_blind,
        n_fired=pulses["fired"],
        n_planned=pulses["planned"],
        n_scored=told["n"],
        source=told["source"],
        mean_deg=_number(told.get("mean")),
        sd_deg=_number(told.get("sd")),
        within_45=_number(told.get("within_45")),
        frequency_hz=_number(rhythm.get("frequency_hz")),
        snr_db=_number(rhythm.get("snr_db")),
        per_minute=pulses["fired"] / minutes if minutes else math.nan,
        refused_share=refused / pulses["planned"] if pulses["planned"] else math.nan,
        criteria=verdict_of(page.criteria) if page.criteria else "",
    )


def in_order(members: Sequence[Member]) -> tuple[Member, ...]:
    """Return sessions by their beginning, those that tell none last, by name."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    return tuple(sorted(members, key=lambda m: (m.started or never, m.folder)))


_FIGURES: tuple[tuple[str, str, Callable[[Member], float]], ...] = (
    ("mean phase error", "°", lambda member: member.mean_deg),
    ("circular SD", "°", lambda member: member.sd_deg),
    ("individual frequency", " Hz", lambda member: member.frequency_hz),
    ("rhythm over 1/f", " dB", lambda member: member.snr_db),
    ("triggers per minute", "", lambda member: member.per_minute),
    ("share refused", "", lambda member: member.refused_share),
)


def drifts_of(members: Sequence[Member]) -> tuple[Drift, ...]:
    """Return how each figure changes along sessions in order; some need three."""
    found = []
    for name, unit, figure in _FIGURES:
        values = np.array([figure(member) for member in members])
        known = np.isfinite(values)
        if np.count_nonzero(known) < _LEAST_FOR_DRIFT:
            continue
        at = np.flatnonzero(known).astype(np.float64)
        slope, half = slope_of(at, values[known])
        found.append(
            Drift(
                name=name,
                unit=unit,
                n=len(at),
                slope=slope,
                low=slope - half,
                high=slope + half,
            )
        )
    return tuple(found)


def slope_of(x: Any, y: Any) -> tuple[float, float]:
    """Return the least-squares slope and half its 95 % interval, by Student's t.

    Parameters
    ----------
    x, y : array, shape (n,)
        At least three.
    """
    from scipy import stats

    line = stats.linregress(x, y)
    reach = stats.t.ppf(0.975, len(x) - 2) * line.stderr
    return float(line.slope), float(reach)


def group_sentence(members: Sequence[Member]) -> str:
    """Return all sessions in one sentence."""
    told = [
        m for m in members if m.n_scored >= FEW_PULSES and math.isfinite(m.mean_deg)
    ]
    sessions = count(len(members), "session", "sessions")
    people = len({member.participant for member in members})
    fired = sum(member.n_fired for member in members)
    sentence = (
        f"{sessions} of {count(people, 'participant', 'participants')}, {fired} "
        "triggers fired"
    )
    if not told:
        return f"{sentence}; of none is the phase error known well enough."
    means = np.radians([member.mean_deg for member in told])
    spread = np.median([member.sd_deg for member in told])
    mean = math.degrees(circular_mean(means))
    return (
        f"{sentence}. Mean phase error {signed(mean)}°, each session counting once "
        f"(vector length {resultant_length(means):.2f} over {len(told)}); circular SD "
        f"{spread:.1f}° in the median session."
    )


def member_rows(members: Sequence[Member]) -> list[list[str]]:
    """Return the table: one row for each session."""
    signs = {"pass": "✓ met", "fail": "✕ not met", "open": "○ not known", "": NOTHING}
    rows = []
    for member in members:
        phase = [
            f"{signed(member.mean_deg)}°"
            if math.isfinite(member.mean_deg)
            else NOTHING,
            _shown(member.sd_deg, "°"),
            f"{member.within_45:.0%}" if math.isfinite(member.within_45) else NOTHING,
        ]
        rows.append(
            [
                member.folder,
                f"{member.n_fired} / {member.n_planned}",
                *(["blinded"] * 3 if member.is_blind else phase),
                _shown(member.frequency_hz, " Hz", 2),
                _shown(member.snr_db, " dB"),
                _shown(member.per_minute, ""),
                signs[member.criteria],
            ]
        )
    return rows


def drift_rows(drifts: Sequence[Drift]) -> list[list[str]]:
    """Return the table of drifts."""
    return [
        [
            drift.name,
            f"{drift.n}",
            f"{signed(drift.slope, digits=2)}{drift.unit}",
            " to ".join(signed(end, digits=2) for end in (drift.low, drift.high))
            + drift.unit,
            "△ more than chance" if drift.is_more_than_chance else "✓ within chance",
        ]
        for drift in drifts
    ]


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _shown(value: float, unit: str, digits: int = 1) -> str:
    return f"{value:.{digits}f}{unit}" if math.isfinite(value) else NOTHING
