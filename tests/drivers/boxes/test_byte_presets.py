"""Byte boxes by their makers' settings, against their twins."""

import contextlib
import time

import pytest
import serial
from box_bench import perform, running

from drivers.base import DriverSettingError
from drivers.byte_boxes import arduino_lpt, mmbts, trigger_box
from drivers.sim.byte_presets import ByteDevice
from drivers.sim.line_device import LineFaults, LineLatency


def device(**settings):
    return ByteDevice(LineLatency(), LineFaults(), **settings)


def fire(trigger, code):
    edges = trigger.edges(code)
    for action in (edges.rise, edges.fall):
        if action is not None:
            perform(action)


def test_trigger_box_latches_and_stays_low_after_close():
    with running(device()) as bench:
        trigger = trigger_box(bench.port)
        with contextlib.closing(trigger):
            trigger.open()
            fire(trigger, 9)
        bench.wait_for_codes(0, 9, 0, 0)
    assert not trigger.capabilities.ends_by_itself


def test_trigger_box_restores_its_idle_state_only_on_demand():
    with running(device()) as bench:
        trigger = trigger_box(bench.port, restore_idle=True)
        trigger.open()
        trigger.close()
        bench.wait_for_codes(0, 0, 255)


def test_mmbts_at_p_ends_its_pulses_after_8_ms():
    with running(device(pulse_width_s=8e-3)) as bench:
        trigger = mmbts(bench.port)
        with contextlib.closing(trigger):
            trigger.open()
            assert trigger.edges(5).fall is None
            fire(trigger, 5)
            bench.wait_for_codes(0, 5, 0)
    rise, fall = bench.log.arrivals[1:3]
    assert fall.t_observed - rise.t_observed == pytest.approx(8e-3, abs=1e-9)
    capabilities = trigger.capabilities
    assert (capabilities.ends_by_itself, capabilities.min_pulse_s) == (True, 8e-3)
    assert capabilities.min_gap_s > 8e-3


def test_mmbts_at_s_latches():
    with running(device()) as bench:
        trigger = mmbts(bench.port, "S")
        with contextlib.closing(trigger):
            trigger.open()
            fire(trigger, 5)
        bench.wait_for_codes(0, 5, 0, 0)


@pytest.mark.parametrize("switch", ["p", "X", "", None])
def test_mmbts_knows_two_switch_positions(switch):
    with pytest.raises(DriverSettingError, match="'P' or 'S'"):
        mmbts("/dev/ttyACM0", switch)


@pytest.mark.parametrize(
    ("make", "baud"), [(trigger_box, 115200), (mmbts, 9600), (arduino_lpt, 115200)]
)
def test_each_box_is_opened_at_its_rate(make, baud):
    asked = []

    def open_port(port, rate):
        asked.append((port, rate))
        raise DriverSettingError("enough")

    with pytest.raises(DriverSettingError, match="enough"):
        make("/dev/ttyX", open_port=open_port).open()
    assert asked == [("/dev/ttyX", baud)]


def test_arduino_gets_its_second_before_the_first_byte():
    with running(device()) as bench:
        waits = []

        def wait(seconds):
            waits.append((seconds, bench.log.codes))

        trigger = arduino_lpt(bench.port, wait=wait)
        with contextlib.closing(trigger):
            trigger.open()
        assert waits == [(1.0, [])]
        bench.wait_for_codes(0, 0)


def test_board_that_starts_loses_bytes():
    box = device(t_ready=10.0)
    assert box.receive(b"\x01", 9.99).changes == []
    assert [one.code for one in box.receive(b"\x02", 10.0).changes] == [2]


def test_twin_of_the_mmbts_is_gone_at_1200_baud():
    options = {"refuses": lambda port: port.baud() == 1200}
    with running(device(), **options) as bench:
        with serial.Serial(bench.port, 1200) as port:
            port.write(b"\x05")
            t_end = time.monotonic() + 5.0
            while bench.pseudo_port.descriptor >= 0 and time.monotonic() < t_end:
                time.sleep(0.005)
        assert bench.pseudo_port.descriptor == -1
    assert bench.log.codes == []


@pytest.mark.parametrize("baud", [1200, 9600, 115200])
def test_twin_sees_the_rate_of_the_host(baud):
    with running(device()) as bench, serial.Serial(bench.port, baud):
        assert bench.pseudo_port.baud() == baud
