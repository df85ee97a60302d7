"""Every built-in trigger output keeps the promises, and has a twin."""

import dataclasses
import sys
import time

import pytest
from box_bench import BenchProbe, running
from box_vendors import FakeLjm, FakeNidaqmx

from drivers.base import TriggerCall
from drivers.bbtk import BlackBoxTtl
from drivers.byte_boxes import arduino_lpt, mmbts, trigger_box
from drivers.cedrus import CedrusXid
from drivers.conformance import ConformanceError, check_trigger_output
from drivers.labjack import LabJackLine
from drivers.nidaq import NiOutput
from drivers.parallel import ParallelPort
from drivers.registry import BUILT_IN
from drivers.serial_byte import SerialByteTrigger
from drivers.sim.bbtk import BlackBoxDevice
from drivers.sim.byte_presets import ByteDevice
from drivers.sim.catalogue import ALIASES, TWINS
from drivers.sim.cedrus import CedrusDevice
from drivers.sim.line_device import LineFaults, LineLatency
from drivers.sim.parallel import SimulatedParallelPort
from drivers.sim.teensy import BoardDevice
from drivers.sim.usb2ttl8 import Usb2Ttl8Device
from drivers.teensy import MicrocontrollerTrigger
from drivers.usb2ttl8 import Usb2Ttl8

LATENCY = LineLatency()
FAULTS = LineFaults()


def board():
    return BoardDevice(FAULTS, t_start=time.monotonic())


SERIAL = {
    "serial-byte": (SerialByteTrigger, lambda: ByteDevice(LATENCY, FAULTS)),
    "trigger-box": (trigger_box, lambda: ByteDevice(LATENCY, FAULTS)),
    "mmbts": (mmbts, lambda: ByteDevice(LATENCY, FAULTS, pulse_width_s=8e-3)),
    "mmbts S": (lambda port: mmbts(port, "S"), lambda: ByteDevice(LATENCY, FAULTS)),
    "arduino-lpt": (
        lambda port: arduino_lpt(port, wait=lambda _s: None),
        lambda: ByteDevice(LATENCY, FAULTS),
    ),
    "usb2ttl8": (Usb2Ttl8, lambda: Usb2Ttl8Device(LATENCY, FAULTS)),
    "usb2ttl8 timed": (
        lambda port: Usb2Ttl8(port, width_us=2000),
        lambda: Usb2Ttl8Device(LATENCY, FAULTS, mode="READ"),
    ),
    "bbtk": (BlackBoxTtl, lambda: BlackBoxDevice(LATENCY, FAULTS)),
    "bbtk noisy": (
        BlackBoxTtl,
        lambda: BlackBoxDevice(LATENCY, FAULTS, input_every_s=0.003),
    ),
    "cedrus": (CedrusXid, lambda: CedrusDevice(LATENCY, FAULTS)),
    "cedrus latching": (
        lambda port: CedrusXid(port, 0),
        lambda: CedrusDevice(LATENCY, FAULTS, product="stimtracker", protocol=1),
    ),
    "teensy": (MicrocontrollerTrigger, board),
}


def check(make, probe):
    def make_and_show():
        probe.output = make()
        return probe.output

    check_trigger_output(make_and_show, probe)


@pytest.mark.parametrize("name", SERIAL)
def test_serial_outputs_keep_all_promises(name):
    make, make_device = SERIAL[name]
    with running(make_device()) as bench:
        check(lambda: make(bench.port), BenchProbe(bench))
    assert any(bench.log.codes)


class ParallelProbe:
    def __init__(self, port):
        self._port = port

    def perform(self, action):
        assert action.kind == "ioctl"
        self._port.ioctl(action.descriptor, action.request, action.payload)

    def is_low(self):
        return self._port.lines == 0


def test_parallel_port_keeps_all_promises():
    port = SimulatedParallelPort()
    check_trigger_output(
        lambda: ParallelPort(ioctl=port.ioctl, open_device=port.open_device),
        ParallelProbe(port),
    )


class LevelProbe:
    def __init__(self, is_low):
        self.is_low = is_low

    def perform(self, action):
        pytest.fail("there are no actions to perform")


def test_labjack_keeps_all_promises(monkeypatch):
    ljm = FakeLjm()
    monkeypatch.setitem(sys.modules, "labjack.ljm", ljm)
    check_trigger_output(LabJackLine, LevelProbe(lambda: ljm.registers["FIO4"] == 0))


@pytest.mark.parametrize(
    "settings", [("Dev1/port0/line0",), ("Dev1/ctr0", 1e-3)], ids=["line", "counter"]
)
def test_ni_outputs_keep_all_promises(monkeypatch, settings):
    nidaqmx = FakeNidaqmx()
    monkeypatch.setitem(sys.modules, "nidaqmx", nidaqmx)
    check_trigger_output(
        lambda: NiOutput(*settings),
        LevelProbe(lambda: not (nidaqmx.tasks[-1].level or nidaqmx.tasks[-1].running)),
    )


def test_each_built_in_driver_has_a_twin():
    assert set(BUILT_IN) <= set(TWINS)


def test_other_names_stand_for_twins_and_hide_none():
    assert {meant[0] for meant in ALIASES.values()} <= set(TWINS)
    assert not set(ALIASES) & set(TWINS)


def test_each_built_in_driver_is_conformance_tested():
    by_hand = {"serial-line", "parallel", "labjack", "nidaq"}
    assert {name.split()[0] for name in SERIAL} | by_hand == set(BUILT_IN)


class CalledOutput(LabJackLine):
    """A called output that a subclass breaks."""


class WithoutFire(CalledOutput):
    fire = None


class FiresAnyCode(CalledOutput):
    def fire(self, code=1):
        return super().fire(1)


class FiresClosed(CalledOutput):
    def fire(self, code=1):
        return TriggerCall(t_before=0.0, t_after=0.0)


class GivesEdges(CalledOutput):
    def edges(self, code):
        if self._ljm is None:
            super().edges(code)


class NeverRises(CalledOutput):
    def fire(self, code=1):
        super().fire(code)
        return super().lower()


class NeverLowers(CalledOutput):
    def lower(self):
        return super().fire(1)


class Backwards(CalledOutput):
    def fire(self, code=1):
        super().fire(code)
        return TriggerCall(t_before=2.0, t_after=1.0)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (WithoutFire, r"fire\(\) must be there"),
        (FiresAnyCode, r"fire\(\) with the code 0"),
        (FiresClosed, r"fire\(\) before open"),
        (GivesEdges, r"edges\(\) must raise"),
        (NeverRises, r"up after fire"),
        (NeverLowers, r"rest after lower"),
        (Backwards, "instants in order"),
    ],
)
def test_each_broken_promise_of_a_called_output_is_noticed(monkeypatch, kind, words):
    ljm = FakeLjm()
    monkeypatch.setitem(sys.modules, "labjack.ljm", ljm)
    probe = LevelProbe(lambda: ljm.registers["FIO4"] == 0)
    with pytest.raises(ConformanceError, match=words):
        check_trigger_output(kind, probe)


def test_loop_fires_must_be_told():
    output = LabJackLine()
    output.capabilities = dataclasses.replace(output.capabilities, loop_fires=0)
    with pytest.raises(ConformanceError, match="loop_fires"):
        check_trigger_output(lambda: output)
