"""A stimulator of which only the trigger input is known: a person does the rest."""

import math
import time
from typing import Final

from drivers.base import PortLost
from drivers.grids import whole_percent
from drivers.stimulator import (
    Confirm,
    Now,
    PulseReport,
    StimulatorCapabilities,
    StimulatorRefused,
    StimulatorStatus,
    Train,
)

CAPABILITIES: Final = StimulatorCapabilities(
    arms_remotely=False,
    reads_back=False,
    confirms_pulses=False,
    trains=False,
    paired=False,
    intensity_pct_mso=(0.0, 100.0),
    fire_latency_s=None,
    source="nothing is known of the device; a person declares its state",
)


class TtlStimulator:
    """For devices without a public protocol, such as PowerMAG, Neuro-MS or Nexstim.

    Its state is what a person declared, at the time it was declared: nothing is read
    back, and disarming here does not disarm the device. Only the trigger output and
    the interlock stand between an edge and a pulse.

    Parameters
    ----------
    confirm : callable
        Puts a question to a person and returns whether the answer is yes.
    min_interval_s : float
        Shortest time between triggers, from the device's manual.
    name : str
    simulated : bool
    now : callable
        Monotonic clock; replaced in tests.

    Raises
    ------
    StimulatorRefused
        If the interval is not above 0.
    """

    def __init__(
        self,
        confirm: Confirm,
        min_interval_s: float,
        name: str = "TTL stimulator",
        *,
        simulated: bool = False,
        now: Now = time.monotonic,
    ) -> None:
        if not 0 < min_interval_s < math.inf:
            raise StimulatorRefused(
                f"min_interval_s of {name} is {min_interval_s!r}, but must be above 0; "
                "take it from the device's manual."
            )
        self.name = name
        self.port = "none"
        self.simulated = simulated
        self.capabilities = CAPABILITIES
        self._confirm = confirm
        self._min_interval_s = min_interval_s
        self._now = now
        self._is_open = False
        self._armed = False
        self._intensity: int | None = None
        self._t_declared = -math.inf

    def open(self) -> None:
        """Start, disarmed and with no intensity declared."""
        self._is_open = True
        self._armed = False
        self._intensity = None
        self._t_declared = self._now()

    def close(self) -> None:
        """End; the device itself stays as it is."""
        self._is_open = False
        self._armed = False

    def attend(self) -> None:
        """Do nothing: there is no contact to keep.

        Raises
        ------
        PortLost
            If it is not open.
        """
        self._check_open()

    def arm(self) -> None:
        """Ask a person whether the device is armed at the declared intensity.

        Raises
        ------
        StimulatorRefused
            If no intensity was declared, or the answer is no.
        """
        self._check_open()
        if self._intensity is None:
            raise StimulatorRefused(
                f"{self.name} has no declared intensity; set it, then arm."
            )
        question = f"Is {self.name} armed by hand, at {self._intensity} %?"
        if not self._confirm(question):
            raise StimulatorRefused(
                f"{self.name} was not confirmed as armed; arm it by hand and confirm."
            )
        self._armed = True
        self._t_declared = self._now()

    def disarm(self) -> None:
        """Take back what was declared; asks nobody, and cannot reach the device."""
        self._armed = False

    def set_intensity(self, intensity_pct_mso: float) -> None:
        """Ask a person whether the device is set to this intensity.

        Raises
        ------
        StimulatorRefused
            Out of range, while armed, or if the answer is no.
        """
        self._check_open()
        percent = whole_percent(intensity_pct_mso, 0, 100, self.name)
        if self._armed:
            raise StimulatorRefused(
                f"{self.name} is armed; disarm it before its intensity is changed."
            )
        if not self._confirm(f"Is {self.name} set by hand to {percent} %?"):
            raise StimulatorRefused(
                f"{self.name} was not confirmed at {percent} %; set it by hand and "
                "confirm."
            )
        self._intensity = percent
        self._t_declared = self._now()

    def set_train(self, train: Train | None) -> None:
        """Refuse trains."""
        if train is not None:
            raise StimulatorRefused(
                f"{self.name} takes no trains from here; trigger each pulse."
            )

    def set_pair(self, interval_s: float | None) -> None:
        """Refuse pairs."""
        if interval_s is not None:
            raise StimulatorRefused(
                f"{self.name} takes no pairs from here; trigger each pulse."
            )

    def status(self) -> StimulatorStatus:
        """Return what was declared, and when."""
        self._check_open()
        return StimulatorStatus(
            t_read=self._t_declared,
            armed=self._armed,
            ready=self._armed,
            intensity_pct_mso=float(self._intensity or 0),
        )

    def take_reports(self) -> list[PulseReport]:
        """Return nothing: this device does not report its pulses."""
        return []

    def wait_s(self) -> float:
        """Return 0: the pulses of the trigger line are not known here."""
        return 0.0

    def min_interval_s(self) -> float:
        """Return the interval that was configured."""
        return self._min_interval_s

    def fire(self) -> None:
        """Refuse: there is no data link to fire over.

        Raises
        ------
        StimulatorRefused
        """
        raise StimulatorRefused(
            f"{self.name} has no data link; trigger it over its trigger input."
        )

    def _check_open(self) -> None:
        if not self._is_open:
            raise PortLost(f"{self.name} is not open; call open() first.")
