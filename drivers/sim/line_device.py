"""What a simulated trigger box promises to `LineTwin`, and the parts it is made of."""

import argparse
import dataclasses
import math
import random
from typing import Protocol

from drivers.base import DriverSettingError
from drivers.sim.arrival_log import Arrival
from drivers.sim.ttl import add_ttl_options


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a device does.

    Parameters
    ----------
    changes : list of Arrival
        Of its lines, in order.
    reply : bytes
        To the host.
    """

    changes: list[Arrival] = dataclasses.field(default_factory=list)
    reply: bytes = b""


class LineDevice(Protocol):
    """The state machine of a trigger box: no clock, no port, instants as arguments."""

    @property
    def faults(self) -> "LineFaults":
        """How it fails."""
        ...

    @property
    def n_codes(self) -> int:
        """How many codes above 0 its lines have shown."""
        ...

    def receive(self, received: bytes, t: float) -> Outcome:
        """Take the bytes of one read, which returned at `t`."""
        ...

    def settle(self, t: float) -> Outcome:
        """Let time pass until `t`; infinite to end all pulses at their instants."""
        ...

    def t_next(self) -> float:
        """Return when the device does something by itself, infinite if never."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LineFaults:
    """When and how a device fails.

    Parameters
    ----------
    unplug_after, deaf_after : int or None
        After how many codes above 0 the cable comes off, or it stops to listen.
    mute : bool
        It never answers.
    garble : bool
        It answers with every bit wrong.

    Raises
    ------
    DriverSettingError
        If a count is below 1.
    """

    unplug_after: int | None = None
    deaf_after: int | None = None
    mute: bool = False
    garble: bool = False

    def __post_init__(self) -> None:
        for name in ("unplug_after", "deaf_after"):
            count = getattr(self, name)
            if count is not None and not count >= 1:
                raise DriverSettingError(f"{name} is {count}, but must be 1 or more.")

    def unplugged(self, n_codes: int) -> bool:
        """Return whether the cable is off after so many codes."""
        return self.unplug_after is not None and n_codes >= self.unplug_after

    def deaf(self, n_codes: int) -> bool:
        """Return whether the device listens no more after so many codes."""
        return self.deaf_after is not None and n_codes >= self.deaf_after

    def failed(self, n_codes: int) -> bool:
        """Return whether it takes no more bytes."""
        return self.unplugged(n_codes) or self.deaf(n_codes)

    def spoil(self, reply: bytes) -> bytes:
        """Return what reaches the host of a reply."""
        if self.mute:
            return b""
        return bytes(byte ^ 0xFF for byte in reply) if self.garble else reply


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LineLatency:
    """Time from a command to the lines: normal, with draws below 0 taken as 0.

    Parameters
    ----------
    mean_s, sd_s : float
    seed : int

    Raises
    ------
    DriverSettingError
        If a time is negative or not finite.
    """

    mean_s: float = 0.0
    sd_s: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("mean_s", "sd_s"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise DriverSettingError(
                    f"The latency's {name} is {value:g}, but must be 0 or more."
                )


class TimedLines:
    """Lines that show a code, and go on to another after a width.

    Parameters
    ----------
    latency : LineLatency
    """

    def __init__(self, latency: LineLatency) -> None:
        self._latency = latency
        self._draws = random.Random(latency.seed)  # noqa: S311 - no secret
        self._t_shown = -math.inf
        self._t_end = math.inf
        self._after = 0
        self.n_codes = 0

    @property
    def t_end(self) -> float:
        """When a pulse ends by itself, infinite if none does."""
        return self._t_end

    def show(
        self,
        code: int,
        t: float,
        *,
        merged: int,
        width_s: float | None = None,
        after: int = 0,
    ) -> list[Arrival]:
        """Show `code`, in place of what a running pulse had still to do.

        Parameters
        ----------
        code : int
        t : float
            When the command came.
        merged : int
            As `Arrival`.
        width_s : float or None
            After which the lines show `after`; None to hold the code.
        after : int
        """
        changes = self.settle(t)
        drawn_s = self._draws.gauss(self._latency.mean_s, self._latency.sd_s)
        self._t_shown = max(t + max(0.0, drawn_s), self._t_shown)
        self._t_end = math.inf if width_s is None else self._t_shown + width_s
        self._after = after
        self.n_codes += code != 0
        changes.append(Arrival(t_observed=self._t_shown, code=code, merged=merged))
        return changes

    def settle(self, t: float) -> list[Arrival]:
        """Return the end of a pulse, if it is over by `t`."""
        if not (self._t_end <= t and self._t_end < math.inf):
            return []
        ended = Arrival(t_observed=self._t_end, code=self._after, merged=0)
        self._t_shown, self._t_end = self._t_end, math.inf
        return [ended]


def add_line_options(
    parser: argparse.ArgumentParser, *, latency_us: float, answers: bool
) -> None:
    """Add the options that simulated trigger boxes share.

    Parameters
    ----------
    parser : ArgumentParser
    latency_us : float
        Default of the mean latency, as the device's maker states it.
    answers : bool
        Whether the device answers at all.
    """
    latency = parser.add_argument_group("latency, added to the stamps")
    latency.add_argument(
        "--latency-us",
        type=float,
        default=latency_us,
        help="mean time from the command to the lines (default: %(default)g)",
    )
    latency.add_argument(
        "--latency-sd-us",
        type=float,
        default=0.0,
        help="its standard deviation; a draw below 0 counts as 0 "
        "(default: %(default)g)",
    )
    latency.add_argument(
        "--seed", type=int, default=1, help="of the latency (default: %(default)s)"
    )
    add_ttl_options(parser, "each change of the lines")
    faults = parser.add_argument_group("faults")
    for name, what in (
        ("--unplug-after", "take the cable off"),
        ("--deaf-after", "keep the port, but stop to listen,"),
    ):
        faults.add_argument(
            name, type=int, metavar="N", help=f"{what} after N codes above 0"
        )
    if answers:
        faults.add_argument("--mute", action="store_true", help="never answer")
        faults.add_argument(
            "--garble", action="store_true", help="answer with every bit wrong"
        )


def latency_of(options: argparse.Namespace) -> LineLatency:
    """Return the latency among the options."""
    return LineLatency(
        mean_s=options.latency_us / 1e6,
        sd_s=options.latency_sd_us / 1e6,
        seed=options.seed,
    )


def faults_of(options: argparse.Namespace) -> LineFaults:
    """Return the faults among the options."""
    return LineFaults(
        unplug_after=options.unplug_after,
        deaf_after=options.deaf_after,
        mute=getattr(options, "mute", False),
        garble=getattr(options, "garble", False),
    )
