"""What is left after a fault, and whether it is as it must be."""

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.faults.rig import Rig, RigError
from controller.engine.clock import host_clock
from controller.errors import RecordingError
from controller.safety.interlock import Refusal
from controller.session.load import Session, load_session
from controller.session.recover import recover
from drivers.sim.ttl import TtlChange, TtlOutput

DISARMED_WITHIN_S = 3.0
_RECORDS_WITHIN_S = 30.0
_AGAIN_S = 0.05

Reason = Callable[[Session, float], str | None]
"""From a session and the instant of the fault to what its records say, if anything."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one fault.

    Parameters
    ----------
    name : str
    pulses_before : int
        That the stimulator made before the fault.
    pulses_after_fault : int
        The most that any of stimulator, trigger box and records knows of.
    line_low : bool
        The trigger box's lines, in the end.
    disarmed : bool
        The stimulator is, and makes nothing of a trigger that it gets now.
    exit_code : int or None
        Of the program; negative if it was killed, None if it never ended.
    noticed_s : float or None
        From the fault to what the records say of it.
    reason : str or None
        What the records say; None if nothing.
    holds : bool
        All of this is as it must be.
    """

    name: str
    pulses_before: int
    pulses_after_fault: int
    line_low: bool
    disarmed: bool
    exit_code: int | None
    noticed_s: float | None
    reason: str | None
    holds: bool


def failed(name: str, why: str) -> Row:
    """Return the row of a fault that could not be tried."""
    return Row(
        name=name,
        pulses_before=0,
        pulses_after_fault=0,
        line_low=False,
        disarmed=False,
        exit_code=None,
        noticed_s=None,
        reason=f"Not tried: {why}",
        holds=False,
    )


def records_of(path: Path) -> Session:
    """Finish a session's records, if its program was killed, and read them.

    Raises
    ------
    RigError
        If somebody writes to them still.
    """
    t_end = time.monotonic() + _RECORDS_WITHIN_S
    while True:
        try:
            recover(path, t_now=host_clock())
        except RecordingError as error:
            if time.monotonic() > t_end:
                raise RigError(str(error)) from error
            time.sleep(_AGAIN_S)
        else:
            return load_session(path)


def row_of(
    name: str,
    rig: Rig,
    session: Session,
    *,
    t_fault: float,
    exit_code: int,
    expected: frozenset[int],
    reason: Reason,
) -> Row:
    """Return what became of a fault, once the program is over.

    Parameters
    ----------
    name : str
    rig : Rig
    session : Session
    t_fault : float
        Host clock; everything later counts.
    exit_code : int
    expected : frozenset of int
        Exit codes that the fault may have.
    reason : callable
    """
    disarmed = _ends_disarmed(rig)
    pulses = rig.pulses()
    arrivals = rig.box.arrivals()
    edges = session.pulses[session.pulses["refusal"] == Refusal.NONE]
    after = max(
        sum(t > t_fault for t in pulses),
        sum(one.code != 0 and one.t_observed > t_fault for one in arrivals),
        int((edges["t_fired"] > t_fault).sum()),
    )
    before = sum(t <= t_fault for t in pulses)
    line_low = not arrivals or arrivals[-1].code == 0
    why = reason(session, t_fault)
    noticed = _t_noticed(session, t_fault)
    return Row(
        name=name,
        pulses_before=before,
        pulses_after_fault=after,
        line_low=line_low,
        disarmed=disarmed,
        exit_code=exit_code,
        noticed_s=None if noticed is None else round(noticed - t_fault, 3),
        reason=why,
        holds=before > 0
        and after == 0
        and line_low
        and disarmed
        and exit_code in expected
        and why is not None,
    )


def _ends_disarmed(rig: Rig) -> bool:
    """Wait for the stimulator to disarm, then trigger it by hand: nothing may come."""
    t_end = time.monotonic() + DISARMED_WITHIN_S
    while not _is_disarmed(rig.stimulator_log()):
        if time.monotonic() > t_end:
            return False
        time.sleep(_AGAIN_S)
    n_before = len(rig.stimulator_log())
    line = TtlOutput(rig.folder / "coil")
    for code in (0, 1, 0):
        line.send(TtlChange(t=host_clock(), code=code))
    line.close()
    while len(log := rig.stimulator_log()) == n_before:
        if time.monotonic() > t_end:
            return False
        time.sleep(_AGAIN_S)
    return log[-1]["kind"] == "missed" and log[-1]["reason"] == "disarmed"


def _is_disarmed(log: list[dict[str, Any]]) -> bool:
    changes = [one["kind"] for one in log if one["kind"] in ("armed", "disarmed")]
    return changes[-1:] == ["disarmed"]


def _t_noticed(session: Session, t_fault: float) -> float | None:
    told = ("fault", "controller died")
    times = [
        float(one["t"])
        for one in session.events
        if one["event"] in told and one["t"] >= t_fault
    ]
    return min(times, default=None)


def as_json(rows: list[Row]) -> str:
    """Return the rows as a JSON list of objects."""
    return json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n"
