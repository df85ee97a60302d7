"""What the session gave, beside what it was allowed to give."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from controller.safety.dose import dose_of_edges
from controller.session.load import Session

_MINUTE_S = 60.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DoseRow:
    """One figure of the dose, as shown; `allowed` is empty without a limit."""

    name: str
    given: str
    allowed: str = ""


def dose_rows(
    session: Session,
    left: Any,
    limits: Mapping[str, Any],
    summary: Mapping[str, Any],
    *,
    blind: bool = False,
) -> list[DoseRow]:
    """Return the dose of a session.

    Parameters
    ----------
    session : Session
    left : array of PULSE
        Those that were fired.
    limits : mapping
        `[limits]` of its configuration.
    summary : mapping
    blind : bool
        Leave out how strong it was.
    """
    t = np.sort(np.asarray(left["t_fired"]))
    rows = [*_amount(session, left, limits, summary, blind=blind)]
    rows.append(
        DoseRow(
            name="triggers in the busiest minute",
            given=f"{busiest_minute(t)}",
            allowed=_at_most(limits.get("max_per_minute")),
        )
    )
    if len(t) > 1:
        least_s = limits.get("min_interval_s")
        rows.append(
            DoseRow(
                name="shortest time between triggers",
                given=f"{float(np.diff(t).min()):.3f} s",
                allowed="" if least_s is None else f"at least {least_s:g} s",
            )
        )
    return rows


def busiest_minute(t: Any) -> int:
    """Return the most instants within any sixty seconds; `t` is in order."""
    if len(t) == 0:
        return 0
    after = np.searchsorted(t, t + _MINUTE_S, side="left")
    return int((after - np.arange(len(t))).max())


def _amount(
    session: Session,
    left: Any,
    limits: Mapping[str, Any],
    summary: Mapping[str, Any],
    *,
    blind: bool,
) -> Iterator[DoseRow]:
    told = summary.get("stimulator") or {}
    intensity = told.get("intensity_pct_mso")
    most = _at_most(limits.get("max_pulses"))
    if session.edges is None:
        yield DoseRow(name="triggers fired", given=f"{len(left)}", allowed=most)
        return
    dose = dose_of_edges(session.edges, intensity_pct_mso=intensity)
    yield DoseRow(name="pulses triggered", given=f"{dose.pulses}", allowed=most)
    if dose.trains:
        yield DoseRow(
            name="patterns of more than one pulse",
            given=f"{dose.trains}, lasting {dose.stimulated_s:.1f} s in all",
        )
    if intensity is not None and not blind:
        strongest = (limits.get("stimulator") or {}).get("max_intensity_pct_mso")
        yield DoseRow(
            name="intensity",
            given=f"{intensity:g} % of maximum output",
            allowed=_at_most(strongest, " %"),
        )
        yield DoseRow(
            name="pulses, each times its share of maximum output",
            given=f"{dose.full_pulses:.1f}",
        )
    if told.get("pulses") is not None:
        yield DoseRow(
            name="pulses that the simulated stimulator made", given=f"{told['pulses']}"
        )


def _at_most(most: float | None, unit: str = "") -> str:
    return "" if most is None else f"at most {most:g}{unit}"
