"""The byte trigger against its twin, in the twin's own process."""

import contextlib
import gc
import os
import signal
import time
from pathlib import Path

import pytest

from drivers.base import DriverSettingError, PortLost
from drivers.line import SerialLineTrigger
from drivers.serial_byte import SerialByteTrigger
from drivers.sim.process import TwinError, TwinProcess

pytestmark = pytest.mark.slow


def fire(trigger: SerialByteTrigger, code: int) -> None:
    edges = trigger.edges(code)
    assert edges.fall is not None
    for action in (edges.rise, edges.fall):
        os.write(action.descriptor, action.payload)


def wait_until_lost(trigger: SerialByteTrigger, timeout_s: float = 5.0) -> None:
    t_end = time.monotonic() + timeout_s
    while time.monotonic() < t_end:
        trigger.check()
        time.sleep(0.002)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"


def test_bytes_arrive_in_order_with_stamps_between_write_and_now():
    codes = list(range(1, 256))
    with TwinProcess("serial-byte") as twin:
        trigger = SerialByteTrigger(twin.port, simulated=True)
        t_before = time.monotonic()
        with contextlib.closing(trigger):
            trigger.open()
            for code in codes:
                fire(trigger, code)
        arrived = twin.wait_for_arrivals(2 * len(codes) + 2)
        t_after = time.monotonic()
    assert [one.code for one in arrived if one.code] == codes
    assert [one.code for one in arrived[1::2]] == [*codes, 0]
    stamps = [one.t_observed for one in arrived]
    assert stamps == sorted(stamps)
    assert t_before < stamps[0]
    assert stamps[-1] < t_after
    assert all(one.merged >= 1 for one in arrived)


def test_single_trigger_arrives_soon_and_alone():
    with TwinProcess("serial-byte") as twin:
        trigger = SerialByteTrigger(twin.port)
        with contextlib.closing(trigger):
            trigger.open()
            twin.wait_for_arrivals(1)
            t_fired = time.monotonic()
            os.write(trigger.edges(77).rise.descriptor, b"\x4d")
            arrived = twin.wait_for_arrivals(2)[1]
    assert (arrived.code, arrived.merged) == (77, 1)
    # A tenth of a second is a thousand times the usual latency: another clock would
    # not come near it.
    assert 0 < arrived.t_observed - t_fired < 0.1


def test_last_byte_before_the_end_is_recorded():
    with TwinProcess("serial-byte") as twin:
        trigger = SerialByteTrigger(twin.port)
        trigger.open()
        fire(trigger, 9)
        trigger.close()
        assert twin.stop() == 0
    assert [one.code for one in twin.arrivals()] == [0, 9, 0, 0]


def test_port_survives_closing_and_opening_again():
    with TwinProcess("serial-byte") as twin:
        for code in (1, 2):
            trigger = SerialByteTrigger(twin.port)
            with contextlib.closing(trigger):
                trigger.open()
                fire(trigger, code)
        arrived = twin.wait_for_arrivals(8)
    assert [one.code for one in arrived] == [0, 1, 0, 0, 0, 2, 0, 0]


def test_unplugged_device_is_lost():
    with TwinProcess("serial-byte", "--unplug-after", "2") as twin:
        trigger = SerialByteTrigger(twin.port)
        with contextlib.closing(trigger):
            trigger.open()
            for code in (1, 2):
                trigger.check()
                os.write(trigger.edges(code).rise.descriptor, bytes([code]))
            with pytest.raises(
                PortLost, match=r"was lost while in use \([A-Za-z/ ]+\);"
            ):
                wait_until_lost(trigger)
            with pytest.raises(OSError, match="Input/output error"):
                fire(trigger, 3)
        assert twin.stop() == 0
    assert [one.code for one in twin.arrivals()] == [0, 1, 2]


def test_killed_device_is_lost_and_loses_no_record():
    with TwinProcess("serial-byte") as twin:
        trigger = SerialByteTrigger(twin.port)
        with contextlib.closing(trigger):
            trigger.open()
            fire(trigger, 5)
            twin.wait_for_arrivals(3)
            os.kill(twin.pid, signal.SIGKILL)
            with pytest.raises(PortLost):
                wait_until_lost(trigger)
        assert twin.stop() == -signal.SIGKILL
    assert [one.code for one in twin.arrivals()] == [0, 5, 0]


def test_deaf_device_keeps_its_port_and_records_no_more():
    with TwinProcess("serial-byte", "--deaf-after", "1") as twin:
        trigger = SerialByteTrigger(twin.port)
        with contextlib.closing(trigger):
            trigger.open()
            fire(trigger, 1)
            fire(trigger, 2)
            trigger.check()
        assert twin.stop() == 0
    assert [one.code for one in twin.arrivals()] == [0, 1]


def test_options_reach_the_device():
    options = ["--latency-us", "2e6", "--clears-by-itself", "--pulse-width-ms", "12"]
    with TwinProcess("serial-byte", *options) as twin:
        trigger = SerialByteTrigger(twin.port)
        with contextlib.closing(trigger):
            t_opened = time.monotonic()
            trigger.open()
            os.write(trigger.edges(4).rise.descriptor, b"\x04")
            rest, rise, fall = twin.wait_for_arrivals(3)
    assert (rest.code, rise.code, fall.code, fall.merged) == (0, 4, 0, 0)
    assert rest.t_observed >= t_opened + 2
    assert fall.t_observed - rise.t_observed == pytest.approx(0.012, abs=1e-9)


def test_line_trigger_refuses_the_twin():
    with TwinProcess("serial-byte") as twin:
        trigger = SerialLineTrigger(twin.port, "dtr")
        with pytest.raises(DriverSettingError, match="no DTR line"):
            trigger.open()


def test_link_leads_to_the_port_and_goes_with_it(tmp_path):
    link = tmp_path / "trigger"
    with TwinProcess("serial-byte", "--link", str(link)) as twin:
        assert str(link.resolve()) == twin.port
        trigger = SerialByteTrigger(str(link))
        trigger.open()
        trigger.close()
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("no-such-device", (), "invalid choice"),
        ("serial-byte", ("--unplug-after", "0"), "must be 1 or more"),
        ("serial-byte", ("--latency-us", "nan"), "must be 0 or more"),
        ("serial-byte", ("--pulse-width-ms", "3"), "goes with --clears-by-itself"),
        ("serial-byte", ("--link", "/"), "link / cannot be made"),
        ("serial-byte", ("--log", "/"), "cannot be opened"),
    ],
)
def test_device_that_does_not_start_says_why(name, options, words):
    twin = TwinProcess(name, *options)
    with pytest.raises(TwinError, match=words):
        twin.start()
    with pytest.raises(TwinError, match="is not running"):
        _ = twin.port


def test_start_is_bounded_in_time():
    twin = TwinProcess("serial-byte")
    with pytest.raises(TwinError, match="no port within 0 s"):
        twin.start(timeout_s=0.0)


def test_interrupted_start_leaves_no_process_behind(monkeypatch):
    seen = []

    def interrupt(*_arguments):
        seen.append(twin.pid)
        raise KeyboardInterrupt

    twin = TwinProcess("serial-byte")
    monkeypatch.setattr("drivers.sim.process.select.select", interrupt)
    with pytest.raises(KeyboardInterrupt):
        twin.start()
    assert not is_running(seen[0])


def test_waiting_for_arrivals_is_bounded_in_time():
    with TwinProcess("serial-byte") as twin:
        with pytest.raises(TwinError, match="Only 0 of 1"):
            twin.wait_for_arrivals(1, timeout_s=0.0)
        with pytest.raises(TwinError, match="running already"):
            twin.start()
    assert twin.stop() is None


def test_device_that_does_not_answer_is_killed():
    with TwinProcess("serial-byte") as twin:
        os.kill(twin.pid, signal.SIGSTOP)
        assert twin.stop(timeout_s=0.1) == -signal.SIGKILL


def test_own_log_goes_with_the_object(tmp_path):
    twin = TwinProcess("serial-byte")
    folder = twin.log.parent
    assert folder.is_dir()
    del twin
    gc.collect()
    assert not folder.exists()
    assert TwinProcess("serial-byte", log=tmp_path / "kept").log == tmp_path / "kept"
