"""A virtual TTL line between simulated devices: one datagram for each change of code.

The receiver makes a Unix datagram socket at a path of its choice; any number of senders
write to it, and a sender may write to any number of receivers. A datagram is one JSON
object: `t`, the instant on `CLOCK_MONOTONIC` in seconds; `code`, the state of the
trigger lines from then on, 0 at rest; and, from a stimulator that made a pulse,
`intensity_pct_mso`.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import socket
import stat
from pathlib import Path
from typing import Final

from drivers.base import DriverError

_LARGEST_DATAGRAM: Final = 4096


class TtlLineError(DriverError):
    """A virtual TTL line that cannot be made."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TtlChange:
    """The trigger lines take a new state.

    Parameters
    ----------
    t : float
        When, seconds on `CLOCK_MONOTONIC`.
    code : int
        The state, 0 at rest.
    intensity_pct_mso : float or None
        Of the pulse that this stands for, from a stimulator's output.
    """

    t: float
    code: int
    intensity_pct_mso: float | None = None

    def encode(self) -> bytes:
        """Return the datagram."""
        return json.dumps(dataclasses.asdict(self)).encode()


def decode(datagram: bytes) -> TtlChange | None:
    """Return the change in a datagram, None if it is not one."""
    try:
        fields = json.loads(datagram)
        t, code = fields["t"], fields["code"]
        intensity = fields.get("intensity_pct_mso")
        if type(code) is not int or not math.isfinite(t):
            return None
        return TtlChange(
            t=float(t),
            code=code,
            intensity_pct_mso=None if intensity is None else float(intensity),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


class TtlInput:
    """The receiving end of a line.

    Parameters
    ----------
    path : Path
        Where to make the socket; a socket that an earlier run left there is replaced.

    Raises
    ------
    TtlLineError
        If something else is at `path`, or it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISSOCK(path.stat().st_mode):
                    path.unlink()
            self._socket.bind(str(path))
        except OSError as error:
            self._socket.close()
            raise TtlLineError(
                f"The TTL line {path} cannot be made ({error.strerror or error}); name "
                "a short path in a folder that you may write to."
            ) from error
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's way
        self._code = 0
        self.n_strange = 0

    @property
    def descriptor(self) -> int:
        """Readable when there are changes."""
        return self._socket.fileno()

    def changes(self) -> list[TtlChange]:
        """Return the changes since the last call, in the order of their coming."""
        changes: list[TtlChange] = []
        while True:
            try:
                datagram = self._socket.recv(_LARGEST_DATAGRAM)
            except BlockingIOError:
                return changes
            change = decode(datagram)
            if change is None:
                self.n_strange += 1
            else:
                changes.append(change)

    def rises(self) -> list[TtlChange]:
        """Return the changes since the last call that left rest, in their order."""
        rises: list[TtlChange] = []
        for change in self.changes():
            if self._code == 0 and change.code != 0:
                rises.append(change)
            self._code = change.code
        return rises

    def close(self) -> None:
        """Close the socket and remove it."""
        self._socket.close()
        with contextlib.suppress(OSError):
            self._path.unlink()


class TtlOutput:
    """The sending end of a line; what nobody receives is lost, as on a cable.

    Parameters
    ----------
    *paths : Path
        The receivers' sockets; they need not be there yet. None at all is an output
        that nothing is plugged into.
    """

    def __init__(self, *paths: Path) -> None:
        self._paths = tuple(str(path) for path in paths)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's way
        self.n_lost = 0

    def send(self, change: TtlChange) -> None:
        """Send one change to each receiver."""
        datagram = change.encode()
        for path in self._paths:
            try:
                self._socket.sendto(datagram, path)
            except OSError:
                self.n_lost += 1

    def pulse(self, t: float, code: int = 1, intensity: float | None = None) -> None:
        """Send a rise at `t` and the return to rest."""
        self.send(TtlChange(t=t, code=code, intensity_pct_mso=intensity))
        self.send(TtlChange(t=t, code=0))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def add_ttl_options(
    parser: argparse.ArgumentParser, sends: str, *, takes_edges: bool = False
) -> None:
    """Add the options for the virtual lines of a simulated device.

    Parameters
    ----------
    parser : ArgumentParser
    sends : str
        What goes out, for the help.
    takes_edges : bool
        Whether it has a trigger input too.
    """
    lines = parser.add_argument_group("trigger lines; see drivers.sim.ttl")
    if takes_edges:
        lines.add_argument(
            "--ttl-in",
            type=Path,
            metavar="PATH",
            help="make a Unix datagram socket here as trigger input",
        )
    lines.add_argument(
        "--ttl-out",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help=f"send {sends} to the Unix datagram socket of another device, or of the "
        "simulated participant; give it once for each",
    )
