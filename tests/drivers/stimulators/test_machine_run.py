"""The loop of a simulated stimulator, in this process, with a scripted clock."""

import contextlib
import math

import pytest

from drivers.sim.machine_run import MachineRun, TtlPaths
from drivers.sim.ttl import TtlChange, TtlOutput

T = 50.0


class Notes:
    """A machine, a log and a port at once, that only note what reaches them."""

    armed, unplugged, descriptor = False, False, -1

    def __init__(self):
        self.edges = []
        self.records = []

    def edge(self, t):
        self.edges.append(t)

    def advance(self, _t):
        return b""

    def t_next(self):
        return math.inf

    def take_events(self):
        return []

    def append_records(self, records):
        self.records += records


@pytest.fixture
def scene(tmp_path):
    notes, clock = Notes(), [T]
    path = tmp_path / "in"
    run = MachineRun(
        notes, notes, notes, paths=TtlPaths(into=path), now=lambda: clock[0]
    )
    with contextlib.closing(TtlOutput(path)) as line:
        yield run, notes, clock, line
    run._input.close()
    run._output.close()


def test_edge_that_is_told_of_ahead_waits_for_its_instant(scene):
    run, notes, clock, line = scene
    line.pulse(T + 0.002)
    run._step()
    assert notes.edges == []
    clock[0] = T + 0.002
    run._step()
    assert notes.edges == [T + 0.002]


def test_edges_come_in_the_order_of_their_instants(scene):
    run, notes, clock, line = scene
    for t in (T + 0.003, T + 0.001, T - 0.001):
        line.pulse(t)
    run._step()
    clock[0] = T + 1.0
    run._step()
    assert notes.edges == [T - 0.001, T + 0.001, T + 0.003]


@pytest.mark.parametrize("late_s", [-60.0, 60.0])
def test_edge_of_another_time_is_missed(scene, late_s):
    run, notes, clock, line = scene
    line.send(TtlChange(t=T + late_s, code=1))
    run._step()
    clock[0] = T + 120.0
    run._step()
    assert notes.edges == []
    assert [record["kind"] for record in notes.records] == ["missed"]
