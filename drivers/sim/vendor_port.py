"""The way from a stand-in for a vendor's module to its twin: a byte for each change."""

import contextlib
import os
import select


class TwinGone(Exception):
    """No twin, or one whose cable has come off."""


class VendorPort:
    """The port of a twin that shows eight lines.

    Parameters
    ----------
    path : str
        Its pseudo-terminal.

    Raises
    ------
    TwinGone
    """

    def __init__(self, path: str) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise TwinGone(f"{path}: {error.strerror}") from error
        self.lines = 0

    def check(self) -> None:
        """Return if the twin is there.

        Raises
        ------
        TwinGone
        """
        poller = select.poll()
        poller.register(self._descriptor, 0)
        if poller.poll(0):
            raise TwinGone("hung up")

    def set(self, bit: int, *, up: bool) -> None:
        """Move one line; what changes nothing is not sent.

        Raises
        ------
        TwinGone
        """
        self.check()
        lines = self.lines | 1 << bit if up else self.lines & ~(1 << bit)
        if lines == self.lines:
            return
        try:
            os.write(self._descriptor, bytes([lines]))
        except OSError as error:
            raise TwinGone(str(error.strerror)) from error
        self.lines = lines

    def close(self) -> None:
        """Close the port; the lines stay as they are."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
