"""The virtual TTL line, and the bytes of faults on their way to the host."""

import json
import math
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimulator_bench import FUZZ

from drivers.base import DriverSettingError
from drivers.sim.outbox import FrameFaults, Outbox, seeded_latency
from drivers.sim.ttl import TtlChange, TtlInput, TtlLineError, TtlOutput, decode


@pytest.fixture
def line(tmp_path):
    made = TtlInput(tmp_path / "ttl")
    yield made, TtlOutput(tmp_path / "ttl")
    made.close()


def test_only_rises_from_rest_are_edges(line):
    end, output = line
    for t, code in ((1.0, 1), (1.1, 3), (1.2, 0), (1.3, 2), (1.4, 0)):
        output.send(TtlChange(t=t, code=code))
    assert [(change.t, change.code) for change in end.rises()] == [(1.0, 1), (1.3, 2)]
    assert end.rises() == []
    output.close()


def test_pulse_carries_its_intensity(line):
    end, output = line
    output.pulse(2.0, intensity=55.0)
    output.pulse(3.0)
    assert [change.intensity_pct_mso for change in end.rises()] == [55.0, None]
    output.close()


def test_datagram_is_plain_json():
    fields = json.loads(TtlChange(t=1.5, code=4).encode())
    assert fields == {"t": 1.5, "code": 4, "intensity_pct_mso": None}


def test_strange_datagrams_are_counted(line, tmp_path):
    end, output = line
    output.close()
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for datagram in (b"x", b"[]", b'{"t": 1}', b'{"t": NaN, "code": 1}'):
        sender.sendto(datagram, str(tmp_path / "ttl"))
    sender.close()
    assert end.rises() == []
    assert end.n_strange == 4


def test_sending_to_nobody_is_lost_as_on_a_cable(tmp_path):
    output = TtlOutput(tmp_path / "nobody")
    output.pulse(1.0)
    assert output.n_lost == 2
    output.close()


def test_one_output_reaches_every_receiver(tmp_path):
    ends = [TtlInput(tmp_path / name) for name in ("first", "second")]
    output = TtlOutput(tmp_path / "first", tmp_path / "nobody", tmp_path / "second")
    output.send(TtlChange(t=1.0, code=5))
    assert [[change.code for change in end.changes()] for end in ends] == [[5], [5]]
    assert output.n_lost == 1
    for end in (*ends, output):
        end.close()


def test_changes_tell_of_returns_to_rest_too(line):
    end, output = line
    output.pulse(1.0, code=3)
    assert [change.code for change in end.changes()] == [3, 0]
    output.close()


def test_socket_of_an_earlier_run_is_replaced(tmp_path):
    path = tmp_path / "ttl"
    first = TtlInput(path)
    TtlInput(path).close()
    first.close()
    assert not path.exists()


def test_other_file_is_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("x")
    with pytest.raises(TtlLineError, match="precious"):
        TtlInput(path)
    assert path.read_text() == "x"


@FUZZ
@given(st.binary(max_size=60))
def test_fuzz_datagrams_are_changes_or_nothing(datagram):
    change = decode(datagram)
    assert change is None or math.isfinite(change.t)


def test_bytes_leave_one_by_one():
    out = Outbox(0.1, FrameFaults())
    out.send(b"abc", 1.0)
    out.send(b"d", 1.0)
    assert out.t_next() == pytest.approx(1.1)
    assert out.take(1.25) == b"ab"
    assert out.take(9.0) == b"cd"
    assert out.t_next() == math.inf


def test_faults_count_frames():
    out = Outbox(0.0, FrameFaults(drop_byte_after=1, silent_after=2, unplug_after=3))
    for _ in range(4):
        out.send(b"abc", 1.0)
    assert out.n_frames == 3
    assert not out.unplugged
    assert out.take(1.0) == b"abc" + b"ac"
    assert out.unplugged


def test_wrong_checksum_changes_the_byte_that_was_named():
    out = Outbox(0.0, FrameFaults(wrong_checksum_after=0), spoil=1)
    out.send(b"\x00\x00", 1.0)
    assert out.take(1.0) == b"\x00\x55"


def test_negative_count_is_refused():
    with pytest.raises(DriverSettingError, match="--silent-after is -1"):
        FrameFaults(silent_after=-1)


@pytest.mark.parametrize("bounds", [(2.0, 1.0), (-1.0, 1.0), (0.0, float("nan"))])
def test_impossible_latencies_are_refused(bounds):
    with pytest.raises(DriverSettingError, match="latency"):
        seeded_latency(1, *bounds)
