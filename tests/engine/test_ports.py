import contextlib
import ctypes
import errno
import os
import platform
import sys

import numpy as np
import pylsl
import pytest
from scenario import program_of

from controller.engine import fallback, ports
from controller.engine.control import ControlWords
from controller.engine.loop import _carry_out
from controller.engine.ports import PORTS, platform_has_table, real_ports
from controller.errors import EngineFault
from drivers.base import TriggerEdges, WireAction

TIOCMBIS = 0x5416
pytestmark = pytest.mark.skipif(
    not platform_has_table(), reason="the table is for 64-bit Linux"
)


@pytest.fixture
def words():
    return ControlWords()


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    for end in (reading, writing):
        with contextlib.suppress(OSError):  # a test may have closed it
            os.close(end)


def program_for(action):
    return program_of(edges=TriggerEdges(rise=action, fall=None))


def test_real_table_has_every_address(words):
    table = real_ports(0, words.address)[0]
    for name in ("pull", "clock", "write", "ioctl", "errno"):
        assert table[name] > 0
    assert table.words == words.address
    assert table.world == table.inlet == 0


def test_a_missing_function_is_named(monkeypatch):
    with pytest.raises(EngineFault, match="no function lsl_pull_nothing"):
        ports._address(ctypes.CDLL(None), "lsl_pull_nothing")


def test_a_liblsl_without_the_pull_is_refused(monkeypatch, words):
    import pylsl.lib

    monkeypatch.setattr(pylsl.lib, "lib", ctypes.CDLL(None))
    with pytest.raises(EngineFault, match="lsl_pull_sample_f"):
        real_ports(0, words.address)


@pytest.mark.parametrize(
    ("system", "machine", "has"),
    [
        ("linux", "x86_64", True),
        ("linux", "aarch64", True),
        ("linux", "i686", False),
        ("linux", "riscv64", False),
        ("darwin", "arm64", False),
        ("darwin", "x86_64", False),
        ("win32", "AMD64", False),
    ],
)
def test_platforms_with_a_table(monkeypatch, system, machine, has):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert platform_has_table() is has


class TestCalls:
    """The same program on the compiled loop's calls and on Python's."""

    @pytest.fixture(params=["compiled", "python"])
    def carry_out(self, request, words):
        if request.param == "compiled":
            table = real_ports(0, words.address)
            return lambda program: _carry_out(table, program, 0)
        world = fallback.LslWorld(0)
        return lambda program: world.carry_out(program, 0)

    @pytest.mark.parametrize("payload", [b"\x05", b"\x00", b"abcdefgh"])
    def test_write_sends_its_bytes(self, carry_out, pipe, payload):
        reading, writing = pipe
        action = WireAction(kind="write", descriptor=writing, payload=payload)
        assert carry_out(program_for(action)) == 0
        assert os.read(reading, 100) == payload

    def test_second_action_has_bytes_of_its_own(self, words, pipe):
        reading, writing = pipe
        edges = TriggerEdges(
            rise=WireAction(kind="write", descriptor=writing, payload=b"on"),
            fall=WireAction(kind="write", descriptor=writing, payload=b"off"),
        )
        program = program_of(edges=edges)
        table = real_ports(0, words.address)
        assert _carry_out(table, program, 1) == 0
        assert fallback.LslWorld(0).carry_out(program, 1) == 0
        assert _carry_out(table, program, 0) == 0
        assert os.read(reading, 100) == b"offoffon"

    def test_a_closed_descriptor_gives_its_error_number(self, carry_out, pipe):
        os.close(pipe[1])
        action = WireAction(kind="write", descriptor=pipe[1], payload=b"\x01")
        assert carry_out(program_for(action)) == errno.EBADF

    def test_a_write_that_takes_only_a_part_is_a_failure(self, carry_out, pipe):
        os.set_blocking(pipe[1], False)
        action = WireAction(kind="write", descriptor=pipe[1], payload=b"x" * 200_000)
        assert carry_out(program_for(action)) == errno.EIO

    def test_a_full_line_is_a_failure_and_not_a_wait(self, carry_out, pipe):
        os.set_blocking(pipe[1], False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(pipe[1], b"x" * 4096)
        action = WireAction(kind="write", descriptor=pipe[1], payload=b"x" * 4096)
        assert carry_out(program_for(action)) == errno.EAGAIN

    def test_an_ioctl_that_the_file_does_not_know(self, carry_out, pipe):
        action = WireAction(
            kind="ioctl", descriptor=pipe[1], payload=bytes(4), request=TIOCMBIS
        )
        assert carry_out(program_for(action)) == errno.ENOTTY

    def test_an_ioctl_reaches_its_terminal(self, carry_out):
        import termios

        controller, terminal = os.openpty()
        size = np.array([31, 77, 0, 0], np.uint16)
        try:
            action = WireAction(
                kind="ioctl",
                descriptor=terminal,
                payload=size.tobytes(),
                request=termios.TIOCSWINSZ,
            )
            assert carry_out(program_for(action)) == 0
            assert os.get_terminal_size(terminal) == (77, 31)
        finally:
            os.close(controller)
            os.close(terminal)


def test_both_loops_read_the_clock_of_liblsl():
    before = pylsl.local_clock()
    assert before <= fallback.LslWorld(0).clock() <= pylsl.local_clock()


def test_table_has_only_64_bit_words():
    assert all(PORTS.fields[name][0] == np.int64 for name in PORTS.names)
