"""An output that only Python can call, behind a process of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drivers.base import DriverSettingError, MissingExtra, PortLost
from drivers.bridge.output import BridgedOutput, BridgeSpec
from drivers.bridge.serve import FALL, encode_edge

VENDOR = Path(__file__).with_name("vendor")
SPEC = BridgeSpec(
    driver="labjack", settings={"port": "ANY", "line": "FIO4"}, max_age_s=0.02
)
WITHIN_S = 3.0


class Device:
    """The stand-in's line, as its log has it."""

    def __init__(self, log):
        self._log = log

    def levels(self):
        if not self._log.exists():
            return []
        return [json.loads(line)[2] for line in self._log.read_text().splitlines()]

    def unplug(self):
        Path(f"{self._log}.gone").touch()


@pytest.fixture
def device(tmp_path, monkeypatch):
    log = tmp_path / "line.jsonl"
    monkeypatch.setenv("FAKE_LJM_LOG", str(log))
    paths = [str(VENDOR), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return Device(log)


@pytest.fixture
def output(device):
    output = BridgedOutput(SPEC)
    with contextlib.closing(output):
        output.open()
        yield output


def wait_until(what, timeout_s=WITHIN_S):
    t_end = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < t_end, "not in time"
        time.sleep(0.005)
    return found


def make(action):
    assert action.kind == "write"
    assert os.write(action.descriptor, action.payload) == len(action.payload)


def make_many(action):
    for _ in range(100_000):
        make(action)


def test_datagram_moves_the_line_and_both_sides_of_the_call_are_told(output, device):
    edges = output.edges(1)
    t_before = time.monotonic()
    make(edges.rise)
    wait_until(lambda: len(output.arrivals()) == 1)
    make(edges.fall)
    wait_until(lambda: len(output.arrivals()) == 2)
    rise, fall = output.take_edges()
    assert (rise.code, fall.code) == (1, 0)
    assert not rise.refused
    assert not fall.refused
    assert t_before <= rise.t_before <= rise.t_after == rise.t <= fall.t_before
    assert 0 <= rise.age_s <= SPEC.max_age_s
    assert [code for _, code in output.arrivals()] == [1, 0]
    # Low at open, the pulse.
    assert device.levels() == [0, 1, 0]
    assert output.take_edges() == []
    output.check()


def test_trigger_that_the_bridge_gets_to_late_is_refused_and_reported(output, device):
    edges, bridge = output.edges(1), output.pid
    os.kill(bridge, signal.SIGSTOP)
    make(edges.rise)
    make(edges.fall)
    time.sleep(SPEC.max_age_s + 0.01)
    os.kill(bridge, signal.SIGCONT)
    refused, lowered = wait_until(lambda: len(output._news) == 2 and output._news)
    assert refused.refused
    assert refused.code == 1
    assert refused.age_s > SPEC.max_age_s
    # A line may be lowered however late.
    assert not lowered.refused
    assert 1 not in device.levels()
    assert [code for _, code in output.arrivals()] == [0]


def test_full_socket_is_refused_at_once(output, device):
    edges, bridge = output.edges(1), output.pid
    os.kill(bridge, signal.SIGSTOP)
    try:
        with pytest.raises(BlockingIOError):
            make_many(edges.rise)
    finally:
        os.kill(bridge, signal.SIGKILL)


def test_line_is_low_once_the_output_is_closed(output, device):
    make(output.edges(1).rise)
    wait_until(lambda: output.arrivals())
    output.close()
    assert device.levels()[-1] == 0
    with pytest.raises(PortLost):
        output.check()


def test_device_that_is_pulled_out_shows_at_the_next_check(output, device):
    device.unplug()

    def lost():
        try:
            output.check()
        except PortLost as error:
            return str(error)
        return None

    assert "was lost while in use" in wait_until(lost)


def test_bridge_that_was_killed_shows_at_the_next_check(output):
    os.kill(output.pid, signal.SIGKILL)
    wait_until(lambda: not output.alive)
    with pytest.raises(PortLost, match=r"has ended \(exit code -9\); switch"):
        output.check()


@pytest.mark.slow
def test_controller_that_is_killed_leaves_the_line_low(device):
    program = (
        "import os, sys, time\n"
        "from drivers.bridge.output import BridgedOutput, BridgeSpec\n"
        "output = BridgedOutput(BridgeSpec(driver='labjack', settings={}, "
        "max_age_s=1.0))\n"
        "output.open()\n"
        "rise = output.edges(1).rise\n"
        "os.write(rise.descriptor, rise.payload)\n"
        "while not output.arrivals(): time.sleep(0.01)\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", program], stdout=subprocess.PIPE, text=True
    ) as controller:
        assert controller.stdout.readline() == "up\n"
        assert device.levels()[-1] == 1
        controller.kill()
        wait_until(lambda: device.levels()[-1] == 0)


def test_without_the_vendors_package_a_sentence_says_what_to_install(tmp_path):
    output = BridgedOutput(SPEC)
    with pytest.raises(MissingExtra, match=r"phasegate\[labjack\]"):
        output.open()
    # Nothing of it is left, and it can be tried again.
    with pytest.raises(MissingExtra):
        output.open()


@pytest.mark.parametrize("code", [0, 2, True, 1.0])
def test_code_that_a_line_does_not_know(output, code):
    with pytest.raises(DriverSettingError, match="cannot send the code"):
        output.edges(code)


def test_misuse_is_a_sentence(output):
    with pytest.raises(DriverSettingError, match="open already"):
        output.open()
    closed = BridgedOutput(SPEC)
    with pytest.raises(DriverSettingError, match="not open; call"):
        closed.edges(1)
    with pytest.raises(DriverSettingError, match=r"correct output\.settings"):
        BridgedOutput(BridgeSpec(driver="labjack", settings={"x": 1}, max_age_s=1.0))


def test_a_datagram_is_a_code():
    assert encode_edge(FALL) == b"\0\0"
    assert encode_edge(0x1234) == b"\x34\x12"
