"""Notices and latency rows of the report."""

from typing import Any

from controller.report import words
from controller.session.load import Session


def latency_rows(summary: dict[str, Any]) -> list[list[str]]:
    """Return the table of latencies, microseconds."""
    rows = []
    for name, title in words.LATENCY_TITLES.items():
        measured = summary["latency_us"][name]
        cells = [measured[key] for key in ("p50", "p99", "p999", "max")]
        shown = ["n/a" if cell is None else f"{cell:,.1f}" for cell in cells]
        rows.append([title, f"{measured['n']:,}", *shown])
    return rows


def notices_of(
    session: Session, summary: dict[str, Any], *, blind: bool = False
) -> list[str]:
    """Return what a person has to know before anything else."""
    notices = list(session.notes)
    if not session.is_live:
        notices.append(
            "Decided on a virtual clock, on samples that were there already: nothing "
            "was fired."
        )
    if summary["exit"]["code"] != 0:
        notices.append(f"The session ended early: {summary['exit']['reason']}")
    if not blind:
        notices.extend(filter(None, [words.not_scored_sentence(summary)]))
    missing, extra = summary["arrivals"]["missing"], summary["arrivals"]["extra"]
    if summary["arrivals"]["matched"] and missing:
        pulses = words.count(missing, "fired pulse was", "fired pulses were")
        notices.append(f"{pulses} never seen by the device.")
    if extra:
        arrivals = words.count(extra, "trigger that belongs", "triggers that belong")
        notices.append(f"The device saw {arrivals} to no pulse of this session.")
    return notices
