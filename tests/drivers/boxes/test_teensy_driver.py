"""The micro-controller output against its twin."""

import contextlib
import time

import pytest
from box_bench import perform, running

from drivers.base import DriverSettingError, PortLost, TriggerRefused
from drivers.device_clock import ClockLost
from drivers.sim.line_device import LineFaults
from drivers.sim.teensy import BoardDevice
from drivers.sim.trigger_firmware import TriggerFirmware
from drivers.teensy import MicrocontrollerTrigger
from drivers.teensy_messages import Missed, Pulsed


def board(**settings):
    faults = LineFaults(
        mute=settings.pop("mute", False),
        garble=settings.pop("garble", False),
        deaf_after=settings.pop("deaf_after", None),
        unplug_after=settings.pop("unplug_after", None),
    )
    return BoardDevice(faults, t_start=time.monotonic() - 1000.0, **settings)


@contextlib.contextmanager
def opened(device, **settings):
    with running(device) as bench:
        trigger = MicrocontrollerTrigger(bench.port, **settings)
        with contextlib.closing(trigger):
            trigger.open()
            yield trigger, bench


def wait_for_reports(trigger, count):
    reports, t_end = [], time.monotonic() + 5.0
    while len(reports) < count and time.monotonic() < t_end:
        reports += trigger.take_reports()
    return reports


def test_immediate_pulse_has_its_width_and_is_reported():
    with opened(board(), width_us=2500) as (trigger, bench):
        perform(trigger.edges(3).rise)
        bench.wait_for_codes(4, 0)
        (report,) = wait_for_reports(trigger, 1)
    rise, fall = bench.log.arrivals
    assert fall.t_observed - rise.t_observed == pytest.approx(2.5e-3, abs=1e-9)
    assert (report.number, report.line) == (0, 2)


@pytest.mark.parametrize("drift_ppm", [-80.0, 0.0, 80.0])
def test_planned_pulses_rise_at_the_instants_of_the_host(drift_ppm):
    with opened(board(drift_ppm=drift_ppm)) as (trigger, bench):
        bound_s = trigger.clock.bound_s(time.monotonic() + 0.1)
        t_first = time.monotonic() + 0.05
        dues = [t_first + 0.02 * i for i in range(3)]
        numbers = [trigger.pulse_at(1, t) for t in dues]
        reports = wait_for_reports(trigger, 3)
    rises = [one.t_observed for one in bench.log.arrivals if one.code]
    assert [report.number for report in reports] == numbers
    errors = [abs(rise - due) for rise, due in zip(rises, dues, strict=True)]
    # 100 ppm over the tenth of a second since the clock was read.
    assert max(errors) < bound_s + 1e-5
    mapped = [trigger_time(report, bench) for report in reports]
    assert mapped == pytest.approx(rises, abs=1e-6)


def trigger_time(report, bench):
    return bench.device._host_s(report.device_us)


def test_pulse_that_the_board_refuses_at_its_instant_is_reported():
    with opened(board()) as (trigger, _bench):
        t = time.monotonic() + 0.03
        trigger.pulse_at(1, t)
        second = trigger.pulse_at(1, t + 0.005)
        reports = wait_for_reports(trigger, 2)
    assert isinstance(reports[0], Pulsed)
    assert isinstance(reports[1], Missed)
    assert (reports[1].number, reports[1].result.name) == (second, "TOO_SOON")


def test_full_queue_is_refused_with_a_sentence():
    with opened(board()) as (trigger, bench):
        t = time.monotonic() + 2.0
        for i in range(8):
            trigger.pulse_at(1, t + 0.02 * i)
        with pytest.raises(TriggerRefused, match="too many pulses are planned"):
            trigger.pulse_at(1, t + 1.0)
        trigger.close()
    assert bench.log.codes == []


@pytest.mark.parametrize("lead_s", [-1.0, 0.0, 0.0049, 9.1, float("nan"), float("inf")])
def test_instants_too_near_too_far_or_not_finite_are_refused(lead_s):
    with opened(board(), now=time.monotonic) as (trigger, _bench):
        trigger._now = lambda: 100.0
        with pytest.raises(DriverSettingError, match="cannot plan a pulse"):
            trigger.pulse_at(1, 100.0 + lead_s)


@pytest.mark.parametrize("code", [0, 9, -1, True, 1.0, "1"])
def test_impossible_codes_are_refused(code):
    trigger = MicrocontrollerTrigger("nowhere")
    with pytest.raises(DriverSettingError, match="1 to 8"):
        trigger.edges(code)
    with pytest.raises(DriverSettingError, match="1 to 8"):
        trigger.pulse_at(code, 0.0)


@pytest.mark.parametrize(
    "settings",
    [{"width_us": 9}, {"width_us": 100_001}, {"watchdog_ms": 0}, {"width_us": 1e3}],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(DriverSettingError, match="must be a whole number"):
        MicrocontrollerTrigger("nowhere", **settings)


def test_board_that_hears_nothing_is_found_disarmed():
    with opened(board(), watchdog_ms=50) as (trigger, bench):
        trigger.check()
        deadline = time.monotonic() + 5.0
        while bench.device._firmware.armed and time.monotonic() < deadline:
            time.sleep(0.01)
        perform(trigger.edges(1).rise)
        with pytest.raises(PortLost, match="has disarmed itself"):
            trigger.check()
        assert bench.log.codes == []
        trigger.arm()
        perform(trigger.edges(1).rise)
        bench.wait_for_codes(1, 0)


def test_board_that_cannot_be_armed_is_given_back(monkeypatch):
    def refuse(_trigger):
        raise TriggerRefused("not today")

    monkeypatch.setattr(MicrocontrollerTrigger, "arm", refuse)
    with running(board()) as bench:
        trigger = MicrocontrollerTrigger(bench.port)
        with pytest.raises(TriggerRefused, match="not today"):
            trigger.open()
        with pytest.raises(DriverSettingError, match="not open"):
            trigger.edges(1)


def test_board_that_restarts_is_lost():
    with opened(board(restart_after=1)) as (trigger, bench):
        perform(trigger.edges(1).rise)
        bench.wait_for_codes(1, 0)
        with pytest.raises((PortLost, ClockLost)):
            trigger.check()


def test_silent_board_is_lost():
    with opened(board(deaf_after=1)) as (trigger, bench):
        trigger.check()
        perform(trigger.edges(1).rise)
        bench.wait_for_codes(1, 0)
        with pytest.raises(PortLost, match="does not answer"):
            trigger.check()


def check_for(seconds, trigger):
    t_end = time.monotonic() + seconds
    while time.monotonic() < t_end:
        trigger.check()


def test_unplugged_board_is_lost():
    with opened(board(unplug_after=1)) as (trigger, bench):
        perform(trigger.edges(1).rise)
        bench.wait_for_codes(1, 0)
        with pytest.raises(PortLost):
            check_for(5.0, trigger)


class Hurried:
    """A clock that runs fast, so that a wait for a board that starts is short."""

    def __init__(self):
        self.t = 0.0

    def __call__(self):
        self.t += 0.5
        return self.t


@pytest.mark.parametrize("fault", ["mute", "garble"])
def test_board_that_does_not_answer_well_is_refused(fault):
    with running(board(**{fault: True})) as bench:
        trigger = MicrocontrollerTrigger(bench.port, now=Hurried())
        with pytest.raises(DriverSettingError, match="No micro-controller with our"):
            trigger.open()
        with pytest.raises(DriverSettingError, match="not open"):
            trigger.edges(1)


def test_firmware_of_another_version_is_refused(monkeypatch):
    module = "drivers.sim.trigger_firmware._IDENTITY"
    monkeypatch.setattr(module, b"PG\x02\x08" + bytes(12))
    words = "version 2 of the protocol"
    with running(board()) as bench, pytest.raises(DriverSettingError, match=words):
        MicrocontrollerTrigger(bench.port).open()


def test_closing_lowers_lines_and_forgets_planned_pulses():
    with opened(board(), width_us=100_000) as (trigger, bench):
        perform(trigger.edges(2).rise)
        assert bench.log.wait_for(lambda all_: bool(all_))
        trigger.close()
        bench.wait_for_codes(2, 0)
    rise, fall = bench.log.arrivals
    assert fall.t_observed - rise.t_observed < 0.1


def test_input_edges_are_read():
    with opened(board()) as (trigger, bench):
        firmware: TriggerFirmware = bench.device._firmware
        firmware.note_input(1, 1, 12345)
        edges, lost = trigger.take_input_edges()
    assert [(one.line, one.level, one.device_us) for one in edges] == [(1, 1, 12345)]
    assert lost == 0
