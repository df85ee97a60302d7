"""What a stimulator driver promises: arm, disarm, intensity, status; no surprises.

A driver is three parts: a *codec* of pure functions between bytes and values, a
*session* that knows the device's state, its timers and its rules, and a *link* that
carries bytes. Sessions do not sleep and start no thread: whoever owns one calls
`attend` often enough. Phase-locked pulses go over the trigger line, not through here.
"""

import dataclasses
from collections.abc import Callable
from typing import Protocol

from drivers.base import DriverError

Now = Callable[[], float]
"""A monotonic clock in seconds, handed in."""

Confirm = Callable[[str], bool]
"""Puts a question to a person, and returns whether the answer is yes."""


class StimulatorRefused(DriverError):
    """The device, or a rule of its maker, does not allow what was asked."""


class StimulatorSilent(DriverError):
    """The device did not answer, or not in a way that can be understood."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """A train of pulses that the device times by itself.

    Parameters
    ----------
    frequency_hz : float
    n_pulses : int
        Per train.
    n_trains : int
    inter_train_s : float
        From the last pulse of a train to the first of the next.
    """

    frequency_hz: float
    n_pulses: int
    n_trains: int = 1
    inter_train_s: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StimulatorStatus:
    """What the device last said of itself.

    Parameters
    ----------
    t_read : float
        When, on the clock handed in.
    armed : bool
        Enabled; a trigger may make a pulse.
    ready : bool
        Armed, charged, and nothing stands against a pulse.
    intensity_pct_mso : float
        Percent of maximum stimulator output.
    coil_connected : bool or None
        None where the device does not tell.
    temperature_c : float or None
        Of the coil, the hottest where there are several sensors.
    error : str or None
        In words, None if all is well.
    """

    t_read: float
    armed: bool
    ready: bool
    intensity_pct_mso: float
    coil_connected: bool | None = None
    temperature_c: float | None = None
    error: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PulseReport:
    """The device's own word that it gave a pulse.

    Parameters
    ----------
    t_read : float
        When the word came.
    realised : float or None
        What the device measured, in `unit`.
    unit : str
    """

    t_read: float
    realised: float | None = None
    unit: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StimulatorCapabilities:
    """What a stimulator can do, and where that is written.

    Parameters
    ----------
    arms_remotely : bool
    reads_back : bool
        Status can be asked for.
    confirms_pulses : bool
        Each pulse is reported.
    trains, paired : bool
    intensity_pct_mso : tuple of float
        Lowest and highest.
    fire_latency_s : float or None
        From the command to the pulse when fired over the data link; None if it cannot.
    source : str
    """

    arms_remotely: bool
    reads_back: bool
    confirms_pulses: bool
    trains: bool
    paired: bool
    intensity_pct_mso: tuple[float, float]
    fire_latency_s: float | None
    source: str


class Stimulator(Protocol):
    """A stimulator as the rig sees it."""

    name: str
    port: str
    simulated: bool
    capabilities: StimulatorCapabilities

    def open(self) -> None:
        """Connect, take remote control where there is one, and disarm.

        Raises
        ------
        PortMissing, PortBusy, StimulatorSilent
        """
        ...

    def close(self) -> None:
        """Disarm, give remote control back, disconnect; a lost port raises nothing."""
        ...

    def attend(self) -> None:
        """Keep contact alive and take in what the device says; call every 100 ms.

        Raises
        ------
        PortLost, StimulatorSilent
        """
        ...

    def arm(self) -> None:
        """Enable; the device may need a second more until it is ready.

        Raises
        ------
        StimulatorRefused
            With the reason, and how long to wait where waiting helps.
        """
        ...

    def disarm(self) -> None:
        """Disable, whatever the state."""
        ...

    def set_intensity(self, intensity_pct_mso: float) -> None:
        """Set the intensity.

        Raises
        ------
        StimulatorRefused
            Out of range, not representable, or not allowed now.
        """
        ...

    def set_train(self, train: Train | None) -> None:
        """Let each trigger start a train that the device times, or one pulse if None.

        Raises
        ------
        StimulatorRefused
            If the device has no trains, or not this one at this intensity.
        """
        ...

    def set_pair(self, interval_s: float | None) -> None:
        """Let each trigger make two pulses this far apart, or one pulse if None.

        Raises
        ------
        StimulatorRefused
            If the device has no pairs, or not this interval.
        """
        ...

    def status(self) -> StimulatorStatus:
        """Ask the device.

        Raises
        ------
        StimulatorSilent
        """
        ...

    def take_reports(self) -> list[PulseReport]:
        """Return the pulses reported since the last call."""
        ...

    def wait_s(self) -> float:
        """Return how long until the next pulse may be triggered, 0 if at once."""
        ...

    def min_interval_s(self) -> float:
        """Return the maker's shortest time from trigger to trigger, as things are set.

        The controller's own minimum interval must not be shorter.
        """
        ...

    def fire(self) -> None:
        """Fire over the data link: slow, for tests and thresholds.

        Raises
        ------
        StimulatorRefused
        """
        ...
