"""One end of a protocol, as a fuzz sees it."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

from bench.fuzz.frames import MakeFrame


class Codec(Protocol):
    """Takes frames one after the other, with whatever state it keeps between them."""

    def __call__(self, frame: bytes) -> int:
        """Take a frame and return how many messages were understood.

        Raises
        ------
        DriverError
            The clean way to refuse.
        """
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A codec and the frames that it is for.

    Parameters
    ----------
    name : str
        Device and end: `magpro host` reads what a MagPro sends, `magpro twin` is the
        simulated device that reads what a host sends.
    start : callable
        Makes the codec; called again now and then, for a fresh state.
    frame : callable
        Makes a whole frame from random draws.
    has_checksum : bool
        A frame with one wrong bit must not be understood.
    """

    name: str
    start: Callable[[], Codec]
    frame: MakeFrame
    has_checksum: bool = False
