"""Questions and answers over an open port, each bounded in time."""

import os
import select
import time
from collections.abc import Callable
from typing import Final

_READ_BYTES: Final = 4096


class Dialogue:
    """Asks a device over a non-blocking descriptor.

    Parameters
    ----------
    descriptor : int
    now, wait : callable
        A monotonic clock, and a way to let seconds pass; replaced in tests only.
    """

    def __init__(
        self,
        descriptor: int,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._descriptor = descriptor
        self._now = now
        self.wait = wait

    def send(self, payload: bytes) -> None:
        """Write all of `payload`.

        Raises
        ------
        BlockingIOError
            If the device takes no bytes, or only some of these.
        OSError
            If the port was lost.
        """
        if os.write(self._descriptor, payload) != len(payload):
            raise BlockingIOError("The device took only a part of a command.")

    def drain(self) -> bytes:
        """Return what has come so far, without waiting.

        Raises
        ------
        OSError
            If the port was lost.
        """
        received = b""
        while select.select([self._descriptor], [], [], 0)[0]:
            piece = os.read(self._descriptor, _READ_BYTES)
            if not piece:
                break
            received += piece
        return received

    def ask(
        self, payload: bytes, complete: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        """Send `payload` and return what comes, until it is complete or time is up.

        Parameters
        ----------
        payload : bytes
            May be empty, to wait only.
        complete : callable
            Whether these bytes hold the whole answer.
        timeout_s : float
            From the call.

        Raises
        ------
        OSError
            As `send` and `drain`.
        """
        t_end = self._now() + timeout_s
        if payload:
            self.send(payload)
        received = b""
        while not complete(received):
            remaining = t_end - self._now()
            if not remaining > 0:
                break
            if select.select([self._descriptor], [], [], remaining)[0]:
                piece = os.read(self._descriptor, _READ_BYTES)
                if not piece:
                    break
                received += piece
        return received
