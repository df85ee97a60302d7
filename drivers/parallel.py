"""Parallel port on Linux, through ppdev: one ioctl sets the eight data lines."""

import atexit
import errno
import logging
import os
import struct
from collections.abc import Callable
from typing import Any, Final

from drivers.base import (
    Capabilities,
    DriverError,
    DriverSettingError,
    PortBusy,
    PortLost,
    PortMissing,
    TriggerEdges,
    WireAction,
)
from drivers.serial_box import is_code

try:
    import fcntl
except ImportError:
    # Opening refuses with a sentence where there is no ppdev.
    _IOCTL: Any = None
else:
    _IOCTL = fcntl.ioctl

_log = logging.getLogger(__name__)

# From linux/ppdev.h, for the layout of ioctl numbers on x86 and ARM.
PPEXCL: Final = 0x708F
PPCLAIM: Final = 0x708B
PPRELEASE: Final = 0x708C
PPDATADIR: Final = 0x40047090
PPWDATA: Final = 0x40017086
PPRSTATUS: Final = 0x80017081

_FORWARD: Final = struct.pack("@i", 0)
_REST: Final = bytes([0])
_WRITE_S: Final = 2e-6
_GONE: Final = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})
# ppdev answers ENXIO to a claim when another driver, such as lp, has the port.
_HELD: Final = frozenset({errno.EBUSY, errno.EAGAIN, errno.ENXIO})

CAPABILITIES: Final = Capabilities(
    codes=range(1, 256),
    ends_by_itself=False,
    min_pulse_s=_WRITE_S,
    min_gap_s=2 * _WRITE_S,
    typical_latency_s=_WRITE_S,
    source="usual figure for a port on the mainboard, 1 to 2 us a write; not measured, "
    "and longer on a card",
)

Ioctl = Callable[[int, int, Any], Any]
"""Does what `fcntl.ioctl(descriptor, request, argument)` does."""

OpenDevice = Callable[[str, int], int]
"""Does what `os.open(path, flags)` does."""


class ParallelPort:
    """Trigger output on the data lines of a parallel port, pins 2 to 9.

    Parameters
    ----------
    port : str
        Such as `/dev/parport0`.
    name : str
        How messages and records call this output.
    simulated : bool
        Whether a simulated port stands behind the calls.
    ioctl, open_device : callable
        Replaced in tests only.

    Raises
    ------
    DriverSettingError
        If the port name is empty.
    """

    def __init__(
        self,
        port: str = "/dev/parport0",
        name: str = "parallel port",
        *,
        simulated: bool = False,
        ioctl: Ioctl = _IOCTL,
        open_device: OpenDevice = os.open,
    ) -> None:
        if not port:
            raise DriverSettingError(
                "The name of the parallel port is empty; give one such as "
                "/dev/parport0."
            )
        self._ioctl = ioctl
        self._open_device = open_device
        self._descriptor = -1
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = CAPABILITIES

    def open(self) -> None:
        """Open and claim the port for us alone, as an output, and lower all lines.

        Raises
        ------
        PortMissing, PortBusy, DriverSettingError
        """
        if self._descriptor >= 0:
            raise DriverSettingError(
                f"{self.port} is open already; close it before opening it again."
            )
        if self._ioctl is None:
            raise DriverSettingError(
                f"{self.port} cannot be opened here, as ppdev is a part of Linux; use "
                "a machine that runs it."
            )
        try:
            flags = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = self._open_device(self.port, flags)
        except OSError as error:
            raise self._explain_open(error) from error
        except ValueError as error:
            raise DriverSettingError(
                f"{self.port!r} cannot be the name of a port ({error}); give one such "
                "as /dev/parport0."
            ) from error
        try:
            self._claim(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise self._explain_claim(error) from error
        self._descriptor = descriptor
        atexit.register(self.close)

    def close(self) -> None:
        """Lower all lines, release the port and close it."""
        atexit.unregister(self.close)
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        try:
            self._ioctl(descriptor, PPWDATA, _REST)
            self._ioctl(descriptor, PPRELEASE, 0)
        except OSError as error:
            _log.warning(
                "%s: the lines of %s may still be up (%s)", self.name, self.port, error
            )
        finally:
            os.close(descriptor)

    def edges(self, code: int) -> TriggerEdges:
        """Return the two `ioctl` calls of a trigger with `code`, from 1 to 255.

        Raises
        ------
        DriverSettingError
            If the port is not open, or the code impossible.
        """
        if not is_code(code, self.capabilities.codes):
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}; give a whole number from "
                "1 to 255."
            )
        if self._descriptor < 0:
            raise DriverSettingError(f"{self.port} is not open; call open() first.")
        return TriggerEdges(rise=self._action(bytes([code])), fall=self._action(_REST))

    def check(self) -> None:
        """Return if the port still answers.

        Raises
        ------
        PortLost
        """
        if self._descriptor < 0:
            raise PortLost(f"{self.port} is not open; open it before it is checked.")
        try:
            self._ioctl(self._descriptor, PPRSTATUS, bytes(1))
        except OSError as error:
            raise PortLost(
                f"{self.port} was lost while in use ({error.strerror}); start a new "
                "run when it is back."
            ) from error

    def _claim(self, descriptor: int) -> None:
        self._ioctl(descriptor, PPEXCL, 0)
        self._ioctl(descriptor, PPCLAIM, 0)
        self._ioctl(descriptor, PPDATADIR, _FORWARD)
        self._ioctl(descriptor, PPWDATA, _REST)

    def _action(self, payload: bytes) -> WireAction:
        return WireAction(
            kind="ioctl",
            descriptor=self._descriptor,
            payload=payload,
            request=PPWDATA,
        )

    def _explain_open(self, error: OSError) -> DriverError:
        if error.errno in _GONE:
            return PortMissing(
                f"There is no parallel port {self.port}; load its driver "
                "(`sudo modprobe ppdev`) or name another one."
            )
        if error.errno in _FORBIDDEN:
            return PortMissing(
                f"This user may not open {self.port}; join the group that owns it "
                "(`sudo usermod -aG lp $USER` on Debian) and log in again."
            )
        if error.errno in _HELD:
            return PortBusy(
                f"Another program holds {self.port}; close it and try again."
            )
        return DriverSettingError(
            f"{self.port} cannot be used as a parallel port ({error}); name another."
        )

    def _explain_claim(self, error: OSError) -> DriverError:
        if error.errno in _HELD:
            return PortBusy(
                f"{self.port} cannot be claimed, as another driver has it; close other "
                "programs and unload the printer driver (`sudo rmmod lp`)."
            )
        return DriverSettingError(
            f"{self.port} cannot be used as a parallel port ({error}); name another."
        )
