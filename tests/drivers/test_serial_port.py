"""Opening a serial port with the real pyserial, and each way in which it fails."""

import contextlib
import errno
import fcntl
import os
import sys
import termios
from pathlib import Path

import pytest
import serial
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from drivers.base import (
    DriverSettingError,
    PortBusy,
    PortMissing,
)
from drivers.serial_byte import SerialByteTrigger
from drivers.serial_port import explain_open_error, open_serial

TIOCGEXCL = 0x80045440


def test_second_open_of_the_port_is_refused(terminal):
    first, second = (SerialByteTrigger(terminal.name) for _ in range(2))
    with contextlib.closing(first), contextlib.closing(second):
        first.open()
        with pytest.raises(PortBusy, match=f"Another program holds {terminal.name}"):
            second.open()
        first.check()
    second.open()
    second.close()


def test_kernel_keeps_other_programs_out_while_open(terminal):
    trigger = SerialByteTrigger(terminal.name)
    trigger.open()
    descriptor = trigger.edges(1).rise.descriptor
    held = fcntl.ioctl(descriptor, TIOCGEXCL, b"\0\0\0\0")
    other = os.dup(descriptor)
    trigger.close()
    released = fcntl.ioctl(other, TIOCGEXCL, b"\0\0\0\0")
    os.close(other)
    assert (int.from_bytes(held, sys.byteorder) & 1) == 1
    assert int.from_bytes(released, sys.byteorder) == 0


def test_missing_port_names_those_that_exist(monkeypatch):
    monkeypatch.setattr(list_ports, "comports", list)
    with pytest.raises(PortMissing, match="no serial port /dev/none; plug the dev"):
        SerialByteTrigger("/dev/none").open()
    found = ListPortInfo("/dev/ttyUSB7", skip_link_detection=True)
    monkeypatch.setattr(list_ports, "comports", lambda: [found])
    with pytest.raises(PortMissing, match="name one of /dev/ttyUSB7"):
        SerialByteTrigger("/dev/none").open()


@pytest.mark.parametrize("path", ["/dev/null", "/tmp", "/dev/\0"])
def test_what_is_no_serial_port_is_refused(path):
    with pytest.raises(DriverSettingError, match="cannot be"):
        SerialByteTrigger(path).open()


def test_regular_file_is_refused_and_left_as_it_was(tmp_path: Path):
    path = tmp_path / "port"
    path.write_bytes(b"kept")
    with pytest.raises(DriverSettingError, match="cannot be used as a serial port"):
        SerialByteTrigger(str(path)).open()
    assert path.read_bytes() == b"kept"


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOENT, PortMissing, "There is no serial port"),
        (errno.ENXIO, PortMissing, "There is no serial port"),
        (errno.EIO, PortMissing, "There is no serial port"),
        (errno.EACCES, PortMissing, "dialout"),
        (errno.EPERM, PortMissing, "dialout"),
        (errno.EBUSY, PortBusy, "fuser -v /dev/ttyX"),
        (errno.EAGAIN, PortBusy, "fuser -v /dev/ttyX"),
        (errno.EINVAL, DriverSettingError, "cannot be used as a serial port"),
    ],
)
def test_each_failure_of_open_has_its_sentence(number, kind, words):
    error = explain_open_error("/dev/ttyX", OSError(number, os.strerror(number)))
    assert type(error) is kind
    assert words in str(error)
    assert str(error).endswith(".")


def test_reason_of_a_failed_configuration_is_found():
    error = serial.SerialException("Could not configure port")
    error.__context__ = termios.error(errno.EIO, "Input/output error")
    assert isinstance(explain_open_error("/dev/ttyS9", error), PortMissing)


class RefusingPort(serial.Serial):
    """pyserial that fails to open, after it was told how."""

    asked: dict[str, object]

    def open(self) -> None:
        type(self).asked = {
            "rts": self.rts,
            "dtr": self.dtr,
            "exclusive": self.exclusive,
            "baudrate": self.baudrate,
            "port": self.port,
        }
        raise serial.SerialException(errno.EACCES, "Permission denied")


def test_lines_are_asked_low_and_exclusive_before_the_port_opens():
    with pytest.raises(PortMissing, match="group that owns it"):
        open_serial("/dev/ttyX", 9600, make_serial=RefusingPort)
    assert RefusingPort.asked == {
        "rts": False,
        "dtr": False,
        "exclusive": True,
        "baudrate": 9600,
        "port": "/dev/ttyX",
    }


@pytest.mark.parametrize("baud", [0, -9600, 9600.0, float("nan"), True])
def test_impossible_baud_rates_are_refused(baud):
    with pytest.raises(DriverSettingError, match="baud rate"):
        SerialByteTrigger("/dev/ttyX", baud)


def test_empty_port_name_is_refused():
    with pytest.raises(DriverSettingError, match="is empty"):
        SerialByteTrigger("")
