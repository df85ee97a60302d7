"""A simulated parallel port: an object with the calls of ppdev, not a device."""

import errno
import os
import time
from collections.abc import Callable

from drivers.parallel import (
    PPCLAIM,
    PPDATADIR,
    PPEXCL,
    PPRELEASE,
    PPRSTATUS,
    PPWDATA,
)
from drivers.sim.arrival_log import Arrival


class SimulatedParallelPort:
    """A port with eight data lines that start high, as many do.

    Give its `open_device` and `ioctl` to `drivers.parallel.ParallelPort`.

    Parameters
    ----------
    held_by_printer : bool
        Another driver has the port, so it cannot be claimed.
    now : callable
        Host clock in seconds.
    """

    def __init__(
        self,
        *,
        held_by_printer: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._held_by_printer = held_by_printer
        self._now = now
        self._claimed = False
        self.lines = 0xFF
        self.is_output = False
        self.gone = False
        self.calls: list[int] = []
        self.arrivals: list[Arrival] = []

    def open_device(self, path: str, flags: int) -> int:
        """Return a descriptor, as `os.open` does.

        Raises
        ------
        FileNotFoundError
            If `path` is no parallel port.
        """
        if not path.startswith("/dev/parport"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return os.open(os.devnull, flags)

    def ioctl(self, descriptor: int, request: int, argument: bytes | int) -> int:
        """Do what ppdev does.

        Raises
        ------
        OSError
            With ppdev's error numbers.
        """
        os.fstat(descriptor)
        self.calls.append(request)
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        if request == PPEXCL:
            return 0
        if request == PPCLAIM:
            return self._claim()
        if not self._claimed:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        self._do(request, argument)
        return 0

    def _claim(self) -> int:
        if self._held_by_printer:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        self._claimed = True
        return 0

    def _do(self, request: int, argument: bytes | int) -> None:
        if request == PPRELEASE:
            self._claimed = False
        elif request == PPDATADIR and isinstance(argument, bytes):
            self.is_output = argument == bytes(4)
        elif request == PPWDATA and isinstance(argument, bytes):
            self.lines = argument[0]
            shown = Arrival(t_observed=self._now(), code=self.lines, merged=1)
            self.arrivals.append(shown)
        elif request != PPRSTATUS:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
