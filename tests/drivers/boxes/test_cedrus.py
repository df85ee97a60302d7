"""Cedrus devices: the XID bytes, the driver and the twin."""

import contextlib
import struct

import pytest
from box_bench import perform, running
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import DriverSettingError
from drivers.cedrus import CedrusXid, encode_lines, encode_pulse, parse_pulse
from drivers.sim.cedrus import CedrusDevice
from drivers.sim.line_device import LineFaults, LineLatency


def device(faults=None, **settings):
    return CedrusDevice(LineLatency(), faults or LineFaults(), **settings)


def shown(outcome):
    return [(round(one.t_observed, 6), one.code) for one in outcome.changes]


def codes_of(outcome):
    return [one.code for one in outcome.changes]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (encode_pulse(10), "6d 70 0a 00 00 00"),
        (encode_pulse(0), "6d 70 00 00 00 00"),
        (encode_lines(4), "6d 68 04 00"),
        (encode_lines(5), "6d 68 05 00"),
        (encode_lines(0), "6d 68 00 00"),
        (encode_lines(0x8001), "6d 68 01 80"),
    ],
)
def test_commands_have_their_bytes(command, expected):
    assert command.hex(" ") == expected


@given(st.integers(0, 2**32 - 1))
def test_width_comes_back(pulse_ms):
    assert parse_pulse(b"_mp" + encode_pulse(pulse_ms)[2:]) == pulse_ms


@given(st.binary(max_size=10))
def test_any_bytes_give_a_width_or_none(received):
    width = parse_pulse(received)
    assert (width is not None) == (len(received) == 7 and received[:3] == b"_mp")


@pytest.mark.parametrize("product", ["c-pod", "stimtracker"])
@pytest.mark.parametrize("protocol", [0, 1, 3])
def test_driver_finds_the_device_and_lets_it_time_the_pulse(product, protocol):
    with running(device(product=product, protocol=protocol)) as bench:
        trigger = CedrusXid(bench.port, 10)
        with contextlib.closing(trigger):
            trigger.open()
            assert trigger.edges(5).fall is None
            perform(trigger.edges(5).rise)
            bench.wait_for_codes(0, 5, 0)
            trigger.check()
    rise, fall = bench.log.arrivals[1:3]
    assert fall.t_observed - rise.t_observed == pytest.approx(0.01, abs=1e-9)


def test_driver_ends_pulses_itself_where_lines_latch():
    with running(device()) as bench:
        trigger = CedrusXid(bench.port, 0)
        with contextlib.closing(trigger):
            trigger.open()
            edges = trigger.edges(0xFFFF)
            perform(edges.rise)
            perform(edges.fall)
        bench.wait_for_codes(0, 0xFFFF, 0, 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"faults": LineFaults(mute=True)}, "No Cedrus XID device answers"),
        ({"faults": LineFaults(garble=True)}, "No Cedrus XID device answers"),
        ({"product": "rb-540"}, "XID product '2', not a"),
        ({"product": "stimtracker-1"}, "of generation '1'"),
    ],
)
def test_other_products_are_refused(settings, words):
    with running(device(**settings)) as bench:
        trigger = CedrusXid(bench.port)
        with pytest.raises(DriverSettingError, match=words):
            trigger.open()
        trigger.close()
    assert bench.log.codes == []


def test_width_that_the_device_does_not_keep_is_refused(monkeypatch):
    box = device()
    monkeypatch.setattr(box, "_answer", lambda command, _t: ANSWERS[command])
    words = "set to pulses of 1 ms and says 7"
    with running(box) as bench, pytest.raises(DriverSettingError, match=words):
        CedrusXid(bench.port).open()


ANSWERS = {
    b"_c1": b"_xid0",
    b"_d2": b"4",
    b"_d4": b"2",
    b"_mp": b"_mp" + struct.pack("<I", 7),
}


@pytest.mark.parametrize("code", [0, 65536, True, 1.0, None])
def test_impossible_codes_are_refused(code):
    with pytest.raises(DriverSettingError, match="1 to 65535"):
        CedrusXid("nowhere").edges(code)


@pytest.mark.parametrize("pulse_ms", [-1, 10_001, 1.5, True])
def test_impossible_widths_are_refused(pulse_ms):
    with pytest.raises(DriverSettingError, match="width"):
        CedrusXid("nowhere", pulse_ms)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (b"_c1", b"_xid0"),
        (b"_d2", b"4"),
        (b"_d3", b"0"),
        (b"_d4", b"2"),
        (b"_mp", b"_mp\x00\x00\x00\x00"),
        (b"_mk", b"_mk\xff\xff"),
        (b"_mr", b"_mr0"),
        (b"_zz", b""),
    ],
)
def test_twin_answers_each_question(question, answer):
    assert device().receive(question, 1.0).reply == answer


def test_twin_takes_commands_byte_by_byte():
    box, replies = device(protocol=1), b""
    for byte in b"_c1c10_c1":
        replies += box.receive(bytes([byte]), 1.0).reply
    assert replies == b"_xid1_xid0"


def test_newer_mask_starts_the_width_again():
    box = device()
    box.receive(encode_pulse(10), 1.0)
    assert shown(box.receive(encode_lines(1), 1.0)) == [(1.0, 1)]
    assert shown(box.receive(encode_lines(2), 1.005)) == [(1.005, 2)]
    assert shown(box.settle(2.0)) == [(1.015, 0)]


def test_pulse_table_runs_by_the_clock_of_the_device():
    box = device()
    table = b"".join(b"mt" + struct.pack("<IH", at, m) for at, m in ((0, 1), (20, 4)))
    assert shown(box.receive(table + b"mr", 1.0)) == [(1.0, 1)]
    assert box.receive(b"_mr", 1.01).reply == b"_mr1"
    assert shown(box.settle(2.0)) == [(1.02, 4)]
    assert box.receive(b"_mr", 2.0).reply == b"_mr0"
    assert shown(box.receive(b"mc" + b"mr", 3.0)) == []


def test_stopped_table_goes_no_further():
    box = device()
    box.receive(b"mt" + struct.pack("<IH", 5, 1) + b"mr" + b"ms", 1.0)
    assert shown(box.settle(2.0)) == []


def test_rest_ends_low_also_after_a_command_that_was_cut_short():
    for cut in range(1, 4):
        box = device()
        box.receive(encode_lines(7) + encode_lines(255)[:cut], 1.0)
        assert codes_of(box.receive(2 * encode_lines(0), 1.1))[-1] == 0


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_twin_survives_any_bytes(pieces):
    box = device()
    for i, piece in enumerate(pieces):
        outcome = box.receive(piece, float(i))
        assert all(0 <= one.code < 65536 for one in outcome.changes)
