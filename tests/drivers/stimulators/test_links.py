"""Links: what a script refuses, and a real pseudo-terminal."""

import os

import pytest

from drivers.base import PortLost, PortMissing
from drivers.links import ScriptedLink, ScriptError, SerialLink, discard_input


def test_script_answers_in_order():
    with ScriptedLink([(b"a", b"12"), (b"b", None), (None, b"3")]) as link:
        link.write(b"a")
        assert (link.read(1, 1.0), link.read(9, 1.0)) == (b"1", b"2")
        link.write(b"b")
        assert link.read(9, 1.0) == b"3"
        assert link.read(9, 1.0) == b""


def test_script_refuses_another_write():
    link = ScriptedLink([(b"a", None)])
    with pytest.raises(ScriptError, match="Expected 61"):
        link.write(b"b")


def test_script_refuses_a_write_after_its_end():
    with pytest.raises(ScriptError, match="ended"):
        ScriptedLink([]).write(b"a")


def test_script_complains_about_unused_lines():
    with pytest.raises(ScriptError, match="goes on"), ScriptedLink([(b"a", None)]):
        pass


def test_script_complains_about_unread_replies():
    link = ScriptedLink([(b"a", b"1")])
    link.write(b"a")
    with pytest.raises(ScriptError, match="Nobody read 31"):
        link.finish()


def test_script_says_how_long_was_waited():
    waited = []
    link = ScriptedLink([], on_wait=waited.append)
    link.read(1, 0.25)
    assert waited == [0.25]


def test_stale_input_is_discarded():
    link = ScriptedLink([(None, b"x" * 5000)])
    assert len(discard_input(link)) == 5000
    assert link.read(1, 0.0) == b""


def test_discarding_a_stream_without_end_ends():
    class Stream(ScriptedLink):
        def read(self, n_max, timeout_s):
            return b"x" * n_max

    assert len(discard_input(Stream([]))) == 64 * 4096


def test_serial_link_carries_bytes_both_ways(terminal):
    link = SerialLink(terminal.name, 9600)
    link.open()
    link.write(b"Q@n")
    assert terminal.read(3) == b"Q@n"
    terminal_write(terminal, b"\x51\x89\x25")
    assert link.read(2, 1.0) == b"\x51\x89"
    assert link.read(2, 1.0) == b"\x25"
    assert link.read(2, 0.0) == b""
    link.close()
    link.close()


def test_serial_link_takes_two_stop_bits_and_a_million_baud(terminal):
    link = SerialLink(terminal.name, 1_000_000, 2)
    link.open()
    link.write(b"\x37\x37")
    assert terminal.read(2) == b"\x37\x37"
    link.close()


def test_closed_serial_link_is_lost(terminal):
    link = SerialLink(terminal.name, 9600)
    for call in (lambda: link.write(b"x"), lambda: link.read(1, 0.0)):
        with pytest.raises(PortLost, match="not open"):
            call()


def test_serial_link_notices_that_the_device_is_gone(terminal):
    link = SerialLink(terminal.name, 9600)
    link.open()
    terminal.unplug()
    with pytest.raises(PortLost, match="lost while in use"):
        link.read(1, 1.0)
    with pytest.raises(PortLost, match="lost while in use"):
        link.write(b"x")
    link.close()


def test_serial_link_gives_up_on_a_device_that_takes_no_bytes(terminal):
    link = SerialLink(terminal.name, 9600)
    link.open()
    with pytest.raises(PortLost, match="takes no bytes"):
        link.write(b"x" * 100_000)
    link.close()


def test_missing_port_is_named():
    with pytest.raises(PortMissing, match="/dev/nowhere"):
        SerialLink("/dev/nowhere", 9600).open()


def terminal_write(terminal, payload):
    os.write(terminal.device, payload)
