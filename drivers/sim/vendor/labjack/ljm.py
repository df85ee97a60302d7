"""A stand-in for LabJack's LJM: one T7 whose FIO lines are those of the twin.

The device is found by the name of the twin's port as its identifier, or as ANY if the
environment variable PHASEGATE_LABJACK holds that name.
"""

import os
from typing import Final

from drivers.sim.vendor_port import TwinGone, VendorPort

_NOT_FOUND: Final = 1227
_LOST: Final = 1239
_INVALID_NAME: Final = 1294
_NO_HANDLE: Final = 1224
_SERIAL_NUMBER: Final = 470000000.0
_FIO: Final = {f"FIO{bit}": bit for bit in range(8)}
_OTHER_LINES: Final = frozenset(
    [f"EIO{bit}" for bit in range(8)] + [f"CIO{bit}" for bit in range(4)]
)
_NAMES: Final = {
    _NOT_FOUND: "LJME_DEVICE_NOT_FOUND",
    _LOST: "LJME_RECONNECT_FAILED",
    _INVALID_NAME: "LJME_INVALID_NAME",
    _NO_HANDLE: "LJME_DEVICE_NOT_OPEN",
}


class LJMError(Exception):
    """What every call raises that fails, with the number of LJM's own error.

    Parameters
    ----------
    code : int
    """

    def __init__(self, code: int) -> None:
        self.errorCode = code
        self.errorString = _NAMES[code]
        super().__init__(f"LJM library error code {code} {self.errorString}")


_opened: dict[int, VendorPort] = {}


def openS(  # noqa: N802 - as LJM has it
    deviceType: str = "ANY",  # noqa: N803
    connectionType: str = "ANY",  # noqa: N803
    identifier: str = "ANY",
) -> int:
    """Open the device and return its handle."""
    del connectionType
    path = identifier
    if identifier in ("ANY", f"{_SERIAL_NUMBER:.0f}"):
        path = os.environ.get("PHASEGATE_LABJACK", "")
    if not path or deviceType not in ("ANY", "T7"):
        raise LJMError(_NOT_FOUND)
    try:
        port = VendorPort(path)
    except TwinGone as error:
        raise LJMError(_NOT_FOUND) from error
    handle = max(_opened, default=0) + 1
    _opened[handle] = port
    return handle


def eWriteName(handle: int, name: str, value: float) -> None:  # noqa: N802
    """Write a register; a line becomes an output."""
    port = _port(handle)
    if name in _FIO:
        _move(port, _FIO[name], up=value != 0)
    elif name not in _OTHER_LINES:
        raise LJMError(_INVALID_NAME)


def eReadName(handle: int, name: str) -> float:  # noqa: N802
    """Read a register; a line becomes an input, and falls."""
    port = _port(handle)
    if name == "SERIAL_NUMBER":
        return _SERIAL_NUMBER
    if name in _FIO:
        level = port.lines >> _FIO[name] & 1
        _move(port, _FIO[name], up=False)
        return float(level)
    if name in _OTHER_LINES:
        return 0.0
    raise LJMError(_INVALID_NAME)


def close(handle: int) -> None:
    """Close the device."""
    if handle not in _opened:
        raise LJMError(_NO_HANDLE)
    _opened.pop(handle).close()


def closeAll() -> None:  # noqa: N802
    """Close all devices."""
    for handle in list(_opened):
        close(handle)


def _port(handle: int) -> VendorPort:
    if handle not in _opened:
        raise LJMError(_NO_HANDLE)
    port = _opened[handle]
    try:
        port.check()
    except TwinGone as error:
        raise LJMError(_LOST) from error
    return port


def _move(port: VendorPort, bit: int, *, up: bool) -> None:
    try:
        port.set(bit, up=up)
    except TwinGone as error:
        raise LJMError(_LOST) from error
