"""The USB2TTL8: its lines of text, its driver and its twin."""

import contextlib
import json

import pytest
from box_bench import perform, running
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import DriverSettingError
from drivers.sim.line_device import LineFaults, LineLatency
from drivers.sim.usb2ttl8 import Usb2Ttl8Device
from drivers.usb2ttl8 import GET_CONFIG, Usb2Ttl8, encode_write, parse_config


def device(faults=None, **settings):
    return Usb2Ttl8Device(LineLatency(), faults or LineFaults(), **settings)


def codes_of(outcome):
    return [one.code for one in outcome.changes]


def test_commands_have_their_bytes():
    assert encode_write(5) == b"WRITE 5\n"
    assert encode_write(0) == b"WRITE 0\n"
    assert encode_write(255, 2000) == b"WRITE 255 2000 0\n"
    assert GET_CONFIG == b"GET CONFIG\n"


@pytest.mark.parametrize(
    ("received", "model"),
    [
        (b'{"model_name": "USB2TTL8"}\n', "USB2TTL8"),
        (b'ok\r\n{"model_name": "USB2TTL8", "x": 1}\r\nrest', "USB2TTL8"),
        (b'{"model_name": "USB2TTL8"}', None),
        (b'{"model_name": 8}\n[1]\n"USB2TTL8"\nnull\n{}\n', None),
        (b"\xff\xfe\n", None),
        (b"[" * 100_000 + b"\n", None),
        (b"", None),
    ],
)
def test_configuration_is_found_among_other_lines(received, model):
    config = parse_config(received)
    assert (config and config["model_name"]) == model


@given(st.binary(max_size=200))
def test_any_bytes_give_a_configuration_or_none(received):
    config = parse_config(received)
    assert config is None or isinstance(config["model_name"], str)


def test_driver_sets_the_mode_and_writes_codes():
    with running(device(mode="READ")) as bench:
        trigger = Usb2Ttl8(bench.port)
        with contextlib.closing(trigger):
            trigger.open()
            edges = trigger.edges(200)
            perform(edges.rise)
            perform(edges.fall)
            trigger.check()
        bench.wait_for_codes(0, 200, 0, 0)


def test_device_times_the_pulse_on_demand():
    with running(device()) as bench:
        trigger = Usb2Ttl8(bench.port, width_us=5000)
        with contextlib.closing(trigger):
            trigger.open()
            assert trigger.edges(3).fall is None
            perform(trigger.edges(3).rise)
            bench.wait_for_codes(0, 3, 0)
    rise, fall = bench.log.arrivals[1:3]
    assert fall.t_observed - rise.t_observed == pytest.approx(5e-3, abs=1e-9)
    assert trigger.capabilities.ends_by_itself


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"faults": LineFaults(mute=True)}, "No USB2TTL8 answers"),
        ({"faults": LineFaults(garble=True)}, "No USB2TTL8 answers"),
        ({"model": "MilliKey"}, "is a MilliKey, not a USB2TTL8"),
    ],
)
def test_other_devices_are_refused(settings, words):
    with running(device(**settings)) as bench:
        trigger = Usb2Ttl8(bench.port)
        with pytest.raises(DriverSettingError, match=words):
            trigger.open()
        with pytest.raises(DriverSettingError, match="not open"):
            trigger.edges(1)
    assert bench.log.codes == []


@pytest.mark.parametrize("code", [0, 256, True, 1.0, None])
def test_impossible_codes_are_refused(code):
    with pytest.raises(DriverSettingError, match="1 to 255"):
        Usb2Ttl8("nowhere").edges(code)


@pytest.mark.parametrize("width_us", [0, -1, 1_000_001, 1.5, True])
def test_impossible_widths_are_refused(width_us):
    with pytest.raises(DriverSettingError, match="width"):
        Usb2Ttl8("nowhere", width_us=width_us)


def test_twin_shows_nothing_in_read_mode():
    box = device(mode="READ")
    assert codes_of(box.receive(b"WRITE 5\n", 1.0)) == []
    assert codes_of(box.receive(b"SET DATA_MODE WRITE\nWRITE 5\n", 1.0)) == [5]
    assert codes_of(box.receive(b"SET DATA_MODE READ\nWRITE 6\n", 1.0)) == []


@pytest.mark.parametrize(
    "line", [b"WRITE", b"WRITE 256", b"WRITE -1", b"WRITE x", b"write 5", b"WRITE 1 2"]
)
def test_twin_passes_over_what_is_no_command(line):
    assert codes_of(device().receive(line + b"\nWRITE 7\n", 1.0)) == [7]


def test_twin_answers_with_its_configuration():
    reply = device().receive(GET_CONFIG, 1.0).reply
    assert json.loads(reply) == {"model_name": "USB2TTL8", "data_mode": "WRITE"}


def test_newer_command_takes_the_place_of_a_running_pulse():
    box = device()
    box.receive(b"WRITE 5 1000 0\n", 1.0)
    assert box.t_next() == pytest.approx(1.001)
    assert codes_of(box.receive(b"WRITE 6\n", 1.0005)) == [6]
    assert box.settle(2.0).changes == []


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_twin_survives_any_bytes(pieces):
    box = device()
    for i, piece in enumerate(pieces):
        outcome = box.receive(piece, float(i))
        assert all(0 <= one.code < 256 for one in outcome.changes)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=20), st.data())
def test_codes_arrive_however_the_text_is_cut(codes, data):
    stream, box, shown = b"".join(map(encode_write, codes)), device(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        shown += codes_of(box.receive(stream[:size], 1.0))
        stream = stream[size:]
    assert shown == codes
