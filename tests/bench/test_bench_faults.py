import dataclasses
import os
import pty
import select
import tty

import numpy as np
import pytest

from bench.faults import evidence, reasons
from bench.faults.cable import Cable
from bench.faults.command import keep_to_ourselves, table
from bench.faults.run import run_scenario
from bench.faults.scenarios import SCENARIOS, Scenario
from bench.lifeline import REPOSITORY
from controller.core.reasons import HoldReason, Outcome
from controller.core.records import DECISION
from controller.engine.clock import host_clock
from controller.errors import EXIT_INTERRUPTED
from controller.kernels.jit import new_records
from controller.safety.interlock import Refusal

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.fixture
def device():
    """A device's end of a port: its descriptor, and the name for a host."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


def read_soon(descriptor: int, timeout_s: float = 5.0) -> bytes:
    ready, _, _ = select.select([descriptor], [], [], timeout_s)
    return os.read(descriptor, 99) if ready else b""


def test_cable_carries_both_ways_until_it_is_spoilt(device):
    master, port = device
    with Cable(port) as cable:
        host = os.open(cable.port, os.O_RDWR | os.O_NOCTTY)
        os.write(host, b"to")
        assert read_soon(master) == b"to"
        os.write(master, b"A")
        assert read_soon(host) == b"A"
        cable.spoil()
        os.write(master, b"A")
        assert read_soon(host) == b"E"
        cable.mute()
        os.write(master, b"A")
        os.write(host, b"still heard")
        assert read_soon(master) == b"still heard"
        assert read_soon(host, 0.0) == b""
        cable.cut()
        with pytest.raises(OSError, match="Input/output"):
            os.write(host, b"x")
        os.close(host)


@dataclasses.dataclass
class Told:
    """As much of a session's records as reasons look at."""

    decisions: object = None
    events: list = dataclasses.field(default_factory=list)


def decisions(*rows):
    made = new_records(DECISION, len(rows))
    for record, (t, outcome, holds, refusal) in zip(made, rows, strict=True):
        record["t_decided"], record["outcome"] = t, outcome
        record["holds"], record["refusal"] = holds, refusal
    return made


def test_a_fault_before_the_deed_is_no_reason():
    told = Told(events=[{"event": "fault", "t": 5.0, "sentence": "The disk is full."}])
    find = reasons.fault_with("disk")
    assert find(told, 4.0) == "The disk is full."
    assert find(told, 6.0) is None
    assert reasons.fault_with("coil")(told, 4.0) is None


def test_every_decision_but_the_first_has_to_be_held():
    stale = (Outcome.HELD, HoldReason.STALE_DATA, 0)
    other = (Outcome.HELD, HoldReason.INTERVAL, 0)
    find = reasons.held_as(HoldReason.STALE_DATA)
    good = decisions((1.0, *other), (2.1, *other), (2.2, *stale), (2.3, *stale))
    assert "2 of 3" in find(Told(good), 2.0)
    bad = decisions((2.1, *stale), (2.2, *other), (2.3, *stale), (2.4, *other))
    assert find(Told(bad), 2.0) is None
    assert find(Told(decisions()), 2.0) is None


def test_a_plan_after_the_deed_is_no_refusal():
    refused = (Outcome.REFUSED, 0, Refusal.DEVICE_NOT_READY)
    planned = (Outcome.PLANNED, 0, Refusal.NONE)
    find = reasons.refused_as(Refusal.DEVICE_NOT_READY)
    assert "1 refused" in find(Told(decisions((1.0, *planned), (2.1, *refused))), 2.0)
    both = decisions((2.1, *refused), (2.2, *planned))
    assert find(Told(both), 2.0) is None
    assert find(Told(decisions((1.0, *planned))), 2.0) is None


def test_what_could_not_be_tried_does_not_hold():
    row = evidence.failed("coil hot", "no pulse")
    assert not row.holds
    assert "Not tried: no pulse" in evidence.as_json([row])
    assert table([row]).row_count == 1


def test_every_fault_has_a_name_of_its_own():
    assert len(BY_NAME) == len(SCENARIOS)
    for scenario in SCENARIOS:
        # Somebody knows when it was, by having done it or from the records.
        assert (scenario.strike is None) != (scenario.t_fault is None)


def test_the_page_on_safety_tells_of_every_fault():
    text = (REPOSITORY / "SAFETY.md").read_text(encoding="utf-8")
    section = text[text.index("## Faults, tried") :].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if "|" in line]
    assert rows[2:] == [scenario.name for scenario in SCENARIOS]


@pytest.fixture
def alone(tmp_path, monkeypatch):
    monkeypatch.delenv("LSLAPICFG", raising=False)
    with keep_to_ourselves(tmp_path):
        yield


@pytest.mark.lsl
@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "supervisor killed",
        "console gone",
        "loop thread stalled",
        "configuration edited",
    ],
)
def test_no_pulse_after_the_fault(alone, name):
    row = run_scenario(BY_NAME[name])
    assert row.holds, row
    assert row.pulses_before >= 2
    assert row.pulses_after_fault == 0


@pytest.mark.lsl
@pytest.mark.slow
def test_a_fault_that_stops_nothing_is_noticed(alone):
    nothing = Scenario(
        name="nothing",
        strike=lambda _: host_clock(),
        reason=lambda *_: "nothing happened",
        exit_codes=frozenset({EXIT_INTERRUPTED}),
        goes_on=True,
    )
    row = run_scenario(nothing)
    assert row.pulses_after_fault >= 1
    assert row.disarmed
    assert row.line_low
    assert not row.holds
    assert np.isfinite(row.exit_code)
