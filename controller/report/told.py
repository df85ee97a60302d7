"""What a report says, for machines."""

import math
from typing import Any

from controller.report.criteria import verdict_of
from controller.report.landing_statistics import Measured
from controller.report.landings import Cell
from controller.report.page import Page
from controller.session.jsonable import JsonValue, jsonable


def told_of(page: Page) -> dict[str, Any]:
    """Return the figures of a page; null for what is not known, or not to be told."""
    return {
        "title": page.title,
        "verdict": {"grade": page.verdict.grade, "words": page.verdict.words},
        "headline": page.headline,
        "blind": page.is_blind,
        "criteria": {
            "outcome": verdict_of(page.criteria) if page.criteria else None,
            "each": [
                {
                    "name": each.name,
                    "asked": each.asked,
                    "found": each.found,
                    "outcome": each.outcome,
                }
                for each in page.criteria
            ],
        },
        "artifact": None if page.is_blind else page.circles.landings.artifact,
        "landings": [_cell(cell) for cell in page.circles.cells],
        "deviations": page.deviations,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    target = cell.target_rad
    return {
        "condition": cell.name or cell.condition,
        "target_deg": None if target is None else round(math.degrees(target), 4),
        "aimed_at": cell.words,
        "fired": cell.n_fired,
        "shadows": cell.n_shadows,
        "believed": None if cell.best is None else cell.best.source,
        **{measured.source: _measured(measured) for measured in cell.measured},
    }


def _measured(measured: Measured) -> JsonValue:
    around = measured.interval
    return jsonable(
        {
            "n": measured.n,
            "mean_deg": math.degrees(measured.mean_rad),
            "interval_deg": None
            if around is None
            else [math.degrees(around.low), math.degrees(around.high)],
            "sd_deg": math.degrees(measured.sd_rad),
            "within_45": measured.within_45,
            "rayleigh_p": measured.rayleigh_p,
            "v_p": measured.v_p,
        }
    )
