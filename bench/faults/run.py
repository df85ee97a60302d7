"""Run one fault, and say what became of it."""

import contextlib
import time

from bench.faults.evidence import Row, failed, records_of, row_of
from bench.faults.rig import Rig, RigError, rig
from bench.faults.scenarios import Scenario

# When a participant's fault begins, seconds of its stream: later where the machine was
# too slow for pulses to come before it.
_AT_S = (10.0, 16.0, 25.0)
_WATCHED_S = 6.0


def run_scenario(scenario: Scenario) -> Row:
    """Run one session with one fault.

    Returns
    -------
    Row
        Also where it could not be tried; it does not hold then.
    """
    why = "no pulse came before it"
    for at_s in _AT_S if scenario.source_fault else (0.0,):
        try:
            row = _tried(scenario, at_s)
        except RigError as error:
            why = str(error)
            continue
        if row.pulses_before > 0:
            return row
    return failed(scenario.name, why)


def _tried(scenario: Scenario, at_s: float) -> Row:
    source_options = scenario.source_fault
    if source_options:
        source_options = (*source_options, str(at_s))
    with contextlib.ExitStack() as stack:
        hurt = stack.enter_context(
            rig(
                source_options=source_options,
                stimulator_options=scenario.stimulator_options,
                cue=scenario.cue,
                with_console=scenario.with_console,
            )
        )
        return _done_to(hurt, scenario)


def _done_to(hurt: Rig, scenario: Scenario) -> Row:
    hurt.wait_for_pulses()
    path = hurt.session
    t_fault = None if scenario.strike is None else scenario.strike(hurt)
    if scenario.goes_on:
        hurt.watch(_WATCHED_S if scenario.strike else _AT_S[0] + _WATCHED_S)
        hurt.interrupt()
    exit_code = hurt.end()
    session = records_of(path)
    if scenario.t_fault is not None:
        t_fault = scenario.t_fault(session)
    if t_fault is None:
        raise RigError("Nobody knows when the fault was.")
    return row_of(
        scenario.name,
        hurt,
        session,
        t_fault=t_fault,
        exit_code=exit_code,
        expected=scenario.exit_codes,
        reason=scenario.reason,
    )


def timed(scenario: Scenario) -> tuple[Row, float]:
    """Return the row, and how long it took in seconds."""
    t_start = time.monotonic()
    return run_scenario(scenario), time.monotonic() - t_start
