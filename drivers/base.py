"""What every driver promises, in protocols that a third-party driver can meet unseen.

A trigger output opens and configures its port and hands out *wire actions*: calls that
the controller's loop makes at the right instant. The driver itself never fires.
"""

import dataclasses
from typing import Literal, Protocol


class DriverError(Exception):
    """Base of all driver errors; the message is one sentence for the user."""


class PortMissing(DriverError):
    """The port does not exist, or this user may not open it."""


class PortBusy(DriverError):
    """Another program holds the port."""


class PortLost(DriverError):
    """The port failed while it was in use."""


class DriverSettingError(DriverError):
    """A setting that this device cannot take."""


class MissingExtra(DriverError):
    """A driver whose vendor's package is not installed."""


class TriggerRefused(DriverError):
    """The device itself refused a trigger."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WireAction:
    """One call that makes, or ends, a trigger.

    Parameters
    ----------
    kind : {"write", "ioctl"}
    descriptor : int
        Open file descriptor of the port.
    payload : bytes
        What `write` sends, or the argument `ioctl` points at.
    request : int
        The `ioctl` request; 0 for `write`.
    """

    kind: Literal["write", "ioctl"]
    descriptor: int
    payload: bytes
    request: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TriggerEdges:
    """The actions of one trigger.

    Parameters
    ----------
    rise : WireAction
        Makes the trigger.
    fall : WireAction or None
        Ends it; None where the device ends it by itself.
    """

    rise: WireAction
    fall: WireAction | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a trigger output can do.

    Parameters
    ----------
    codes : range
        Trigger codes that it can send.
    ends_by_itself : bool
        The device lowers the line after a width of its own.
    min_pulse_s : float
        Shortest pulse that it can make.
    min_gap_s : float
        Shortest time from one trigger to the next.
    typical_latency_s : float
        From the call to the edge, where nothing was measured yet.
    source : str
        Where these figures come from.
    loop_fires : bool
        The trigger is a wire action, so that the controller's loop can make it without
        Python. If not, the output is a `CalledOutput`.
    """

    codes: range
    ends_by_itself: bool
    min_pulse_s: float
    min_gap_s: float
    typical_latency_s: float
    source: str
    loop_fires: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TriggerCall:
    """A call that has moved the line, and the host clock on both sides of it.

    Parameters
    ----------
    t_before, t_after : float
        Seconds; the edge lies between them where the device has answered.
    """

    t_before: float
    t_after: float


class TriggerOutput(Protocol):
    """A device that turns a call into an electrical edge."""

    name: str
    port: str
    simulated: bool
    capabilities: Capabilities

    def open(self) -> None:
        """Open the port and bring the line to rest.

        Raises
        ------
        PortMissing, PortBusy, DriverSettingError
        """
        ...

    def close(self) -> None:
        """Bring the line to rest and close the port; never raises for a lost port."""
        ...

    def edges(self, code: int) -> TriggerEdges:
        """Return the actions for a trigger with `code`, valid while the port is open.

        Raises
        ------
        DriverSettingError
            If the device cannot send this code.
        """
        ...

    def check(self) -> None:
        """Return if the port still answers.

        Raises
        ------
        PortLost
        """
        ...


class CalledOutput(TriggerOutput, Protocol):
    """A trigger output behind a vendor's library, which only Python can call.

    Its `edges` always raises `DriverSettingError`, and says why.
    """

    def fire(self, code: int) -> TriggerCall:
        """Make a trigger.

        Raises
        ------
        DriverSettingError
            If the device cannot send this code, or is not open.
        PortLost
            If the device failed.
        """
        ...

    def lower(self) -> TriggerCall:
        """Bring the line to rest; nothing happens where the device has done so.

        Raises
        ------
        DriverSettingError
            If the device is not open.
        PortLost
            If the device failed.
        """
        ...
