"""A serial cable between a program and a simulated device, which can be spoilt."""

import contextlib
import os
import pty
import select
import threading
import tty
from types import TracebackType
from typing import Self

_READ_BYTES = 4096
_SPOILT_BIT = 0x04


class Cable:
    """Carries bytes both ways until something is done to it.

    Parameters
    ----------
    device_port : str
        Port of the simulated device.
    """

    def __init__(self, device_port: str) -> None:
        self._device = os.open(device_port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._host, self._held = pty.openpty()
        # Held open here too, or each close by the program would look like a hang-up.
        tty.setraw(self._held)
        os.set_blocking(self._host, False)
        self.port = os.ttyname(self._held)
        self._wake_out, self._wake_in = os.pipe()
        self._muted = self._spoilt = False
        self._thread = threading.Thread(target=self._carry, name="cable")

    def __enter__(self) -> Self:
        """Plug it in."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take it away."""
        self.cut()
        for descriptor in (self._device, self._wake_out, self._wake_in):
            os.close(descriptor)

    def cut(self) -> None:
        """Unplug it: the program's port hangs up, the device hears nothing any more."""
        if self._thread.is_alive():
            os.write(self._wake_in, b"x")
            self._thread.join()
        if self._host >= 0:
            os.close(self._host)
            os.close(self._held)
            self._host = self._held = -1

    def mute(self) -> None:
        """Let nothing of the device through any more; it still hears the program."""
        self._muted = True

    def spoil(self) -> None:
        """Change a bit of every byte that the device says from now on."""
        self._spoilt = True

    def _carry(self) -> None:
        while True:
            ends = [self._host, self._device, self._wake_out]
            ready, _, _ = select.select(ends, [], [])
            if self._wake_out in ready:
                return
            # A device that has gone says nothing more; its end is not ours to tell.
            with contextlib.suppress(OSError):
                if self._host in ready:
                    os.write(self._device, os.read(self._host, _READ_BYTES))
                if self._device in ready:
                    self._pass_on(os.read(self._device, _READ_BYTES))

    def _pass_on(self, said: bytes) -> None:
        if self._spoilt:
            said = bytes(byte ^ _SPOILT_BIT for byte in said)
        if not self._muted:
            os.write(self._host, said)
