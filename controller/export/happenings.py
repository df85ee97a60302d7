"""What happened in a session, in the time of its file: pulses, refusals, markers, gaps.

This one list feeds MNE annotations and the events of BIDS alike.
"""

import dataclasses
from typing import Any

import numpy as np

from controller.export.columns import Cell, Table
from controller.export.grid import SampleGrid, not_numbers
from controller.export.trials import trial_table
from controller.session.load import Session

PULSE = "pulse"
UNCERTAIN = "pulse_uncertain"
REFUSED = "trigger_refused"
MARKER = "marker"
STAGE = "stage"
FAULT = "fault"
GAP = "BAD_gap"
NOT_NUMBER = "BAD_not_finite"
PADDING = "BAD_ACQ_SKIP"

KINDS = {
    PULSE: "A trigger left and, as far as is known, a pulse came of it.",
    UNCERTAIN: "The trigger output failed in the call; there may have been a pulse.",
    REFUSED: "A pulse was planned here and the interlock refused it.",
    MARKER: "A marker that came over the network; its words stand in `text`.",
    STAGE: "A stage of the session began; its name stands in `text`.",
    FAULT: "The session ended with a fault; the sentence stands in `text`.",
    GAP: "Samples were lost here; a straight line fills the place.",
    NOT_NUMBER: "A channel held no number here; a straight line fills the place.",
    PADDING: "After the recording: EDF holds whole seconds, the last value fills it.",
}
_OF_STATUS = {"fired": PULSE, "uncertain": UNCERTAIN, "refused": REFUSED}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    onset_s : float
        After the file's first sample, not rounded.
    duration_s : float
        0 for an instant.
    value : str or None
    trial : int or None
        Row of the trial table, for what belongs to a decision.
    """

    kind: str
    onset_s: float
    duration_s: float = 0.0
    value: str | None = None
    trial: int | None = None


def happenings(
    session: Session, grid: SampleGrid
) -> tuple[tuple[Happening, ...], Table]:
    """Return what happened within the recording, by onset, and the trial table."""
    trials = trial_table(session, grid)
    found = [*_pulses(trials), *_events(session, grid), *_blemishes(session, grid)]
    end_s = grid.n_rows / grid.sfreq_hz
    inside = [h for h in found if 0.0 <= h.onset_s < end_s]
    return tuple(sorted(inside, key=lambda h: (h.onset_s, h.kind))), trials


def _pulses(trials: Table) -> list[Happening]:
    return [
        Happening(
            kind=_OF_STATUS[str(status)],
            onset_s=float(onset_s),
            value=None if value is None else str(value),
            trial=row,
        )
        for row, (status, onset_s, value) in enumerate(
            zip(
                trials["status"],
                trials["trigger_time_s"],
                trials["reason"],
                strict=True,
            )
        )
        if status in _OF_STATUS and onset_s is not None
    ]


def _events(session: Session, grid: SampleGrid) -> list[Happening]:
    found = []
    for event in session.events:
        kind, t, value = _told(event)
        if kind is not None and isinstance(t, int | float):
            onset_s = float(grid.seconds(np.array([t]))[0])
            # A stage begins before its first sample is there.
            if kind == STAGE:
                onset_s = max(onset_s, 0.0)
            found.append(Happening(kind=kind, onset_s=onset_s, value=value))
    return found


def _told(event: dict[str, Any]) -> tuple[str | None, object, str | None]:
    match event.get("event"):
        case "marker":
            return MARKER, event.get("t_stamp", event.get("t")), str(event.get("text"))
        case "stage":
            return STAGE, event.get("t"), str(event.get("name"))
        case "fault":
            return FAULT, event.get("t"), str(event.get("sentence"))
    return None, None, None


def _blemishes(session: Session, grid: SampleGrid) -> list[Happening]:
    finite = np.asarray(np.isfinite(session.raw).all(axis=1))
    stretches = {GAP: grid.gaps(), NOT_NUMBER: not_numbers(grid, finite)}
    return [
        Happening(kind=kind, onset_s=part.start_s, duration_s=part.duration_s)
        for kind, parts in stretches.items()
        for part in parts
    ]


def trial_cells(trials: Table, row: int, names: tuple[str, ...]) -> dict[str, Cell]:
    """Return some cells of one row of the trial table, by name."""
    return {name: trials[name][row] for name in names}
