"""The parallel port against a simulated one: the order of calls, and each refusal."""

import errno
import logging
import os
import re
from pathlib import Path

import pytest

from drivers import parallel
from drivers.base import DriverSettingError, PortBusy, PortLost, PortMissing
from drivers.parallel import (
    PPCLAIM,
    PPDATADIR,
    PPEXCL,
    PPRELEASE,
    PPRSTATUS,
    PPWDATA,
    ParallelPort,
)
from drivers.sim.parallel import SimulatedParallelPort


def made(simulated, **settings):
    return ParallelPort(
        ioctl=simulated.ioctl, open_device=simulated.open_device, **settings
    )


def test_numbers_are_those_of_the_kernel():
    header = Path("/usr/include/linux/ppdev.h")
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    size = {"char": 1, "int": 4}
    kinds = {"": 0, "W": 1, "R": 2}
    pattern = (
        r"#define (PP\w+)\s+_IO(W?R?)\(PP_IOCTL, 0x([0-9a-f]+)(?:, ?.*?(char|int))?\)"
    )
    found = {
        name: kinds[kind] << 30
        | size.get(what, 0) << 16
        | ord("p") << 8
        | int(number, 16)
        for name, kind, number, what in re.findall(pattern, header.read_text())
    }
    for name in ("PPEXCL", "PPCLAIM", "PPRELEASE", "PPDATADIR", "PPWDATA", "PPRSTATUS"):
        assert found[name] == getattr(parallel, name), name


def test_port_is_claimed_in_order_and_lowered():
    simulated = SimulatedParallelPort()
    port = made(simulated)
    assert simulated.lines == 0xFF
    port.open()
    assert simulated.calls == [PPEXCL, PPCLAIM, PPDATADIR, PPWDATA]
    assert (simulated.lines, simulated.is_output) == (0, True)
    port.close()


def test_code_is_one_ioctl_with_one_byte():
    simulated = SimulatedParallelPort()
    port = made(simulated)
    port.open()
    edges = port.edges(0xA5)
    assert (edges.rise.kind, edges.rise.request) == ("ioctl", 0x40017086)
    assert (edges.rise.payload, edges.fall.payload) == (b"\xa5", b"\x00")
    assert not os.get_blocking(edges.rise.descriptor)
    simulated.ioctl(edges.rise.descriptor, edges.rise.request, edges.rise.payload)
    assert simulated.lines == 0xA5
    port.close()


def test_close_lowers_and_releases():
    simulated = SimulatedParallelPort()
    port = made(simulated)
    port.open()
    action = port.edges(255).rise
    simulated.ioctl(action.descriptor, action.request, action.payload)
    port.close()
    assert simulated.calls[-2:] == [PPWDATA, PPRELEASE]
    assert simulated.lines == 0
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(action.descriptor)
    port.close()


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOENT, PortMissing, "modprobe ppdev"),
        (errno.ENXIO, PortMissing, "modprobe ppdev"),
        (errno.EACCES, PortMissing, "usermod -aG lp"),
        (errno.EBUSY, PortBusy, "Another program holds"),
        (errno.EINVAL, DriverSettingError, "cannot be used as a parallel port"),
    ],
)
def test_each_failure_of_open_has_its_sentence(number, kind, words):
    def fail(_path, _flags):
        raise OSError(number, os.strerror(number))

    with pytest.raises(kind, match=words) as raised:
        ParallelPort(open_device=fail).open()
    assert type(raised.value) is kind


def test_port_with_a_printer_driver_is_busy_and_given_back():
    simulated = SimulatedParallelPort(held_by_printer=True)
    port = made(simulated)
    opened = []
    port._open_device = lambda path, flags: (
        opened.append(simulated.open_device(path, flags)) or opened[0]
    )
    with pytest.raises(PortBusy, match="rmmod lp"):
        port.open()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def test_what_is_no_parallel_port_is_refused():
    with pytest.raises(DriverSettingError, match="cannot be used as a parallel port"):
        ParallelPort(os.devnull).open()
    with pytest.raises(DriverSettingError, match="cannot be the name of a port"):
        ParallelPort("/dev/\0").open()
    with pytest.raises(DriverSettingError, match="is empty"):
        ParallelPort("")
    with pytest.raises(DriverSettingError, match="part of Linux"):
        ParallelPort(ioctl=None).open()


def test_opening_twice_is_refused():
    port = made(SimulatedParallelPort())
    port.open()
    with pytest.raises(DriverSettingError, match="open already"):
        port.open()
    port.close()


def test_lost_port_is_noticed_and_closes_with_a_warning(caplog):
    simulated = SimulatedParallelPort()
    port = made(simulated)
    port.open()
    port.check()
    assert simulated.calls[-1] == PPRSTATUS
    simulated.gone = True
    with pytest.raises(PortLost, match="was lost while in use"):
        port.check()
    with caplog.at_level(logging.WARNING):
        port.close()
    assert "may still be up" in caplog.text


@pytest.mark.parametrize("code", [0, 256, True, 1.0, None])
def test_impossible_codes_are_refused(code):
    port = made(SimulatedParallelPort())
    port.open()
    with pytest.raises(DriverSettingError, match="1 to 255"):
        port.edges(code)
    port.close()


def test_simulated_port_wants_to_be_claimed_first():
    simulated = SimulatedParallelPort()
    descriptor = simulated.open_device("/dev/parport0", os.O_RDWR)
    with pytest.raises(PermissionError):
        simulated.ioctl(descriptor, PPWDATA, b"\x01")
    simulated.ioctl(descriptor, PPCLAIM, 0)
    with pytest.raises(OSError, match="Inappropriate ioctl"):
        simulated.ioctl(descriptor, 0x1234, 0)
    os.close(descriptor)
