"""Deymed DuoMAG as a stimulator: it cannot be armed from here, only held at 0 %."""

import atexit
import math
import time
from typing import Final

from drivers.base import DriverError
from drivers.duomag import codec
from drivers.duomag.frames import COILS, Frame
from drivers.duomag.session import DuoMagSession
from drivers.grids import whole_percent
from drivers.links import Link, SerialLink
from drivers.stimulator import (
    Confirm,
    Now,
    PulseReport,
    StimulatorCapabilities,
    StimulatorRefused,
    StimulatorStatus,
    Train,
)

_BAUD: Final = 1_000_000
_RECHARGE_S: Final = 1.0

CAPABILITIES: Final = StimulatorCapabilities(
    arms_remotely=False,
    reads_back=True,
    confirms_pulses=False,
    trains=False,
    paired=False,
    intensity_pct_mso=(0.0, 100.0),
    fire_latency_s=1e-3,
    source="gathered from open drivers; the latency of firing over USB is one USB "
    "frame, and an unpublished rest",
)


class DuoMagStimulator:
    """A DuoMAG MP and its relatives.

    The device is armed at the unit only. So that arming here means something, the
    intensity is held at 0 % until a person has confirmed that the unit is armed, and
    is 0 % again after `disarm`, `close` and every fault. If this program is killed,
    the intensity stays as it is.

    Temperatures come in counts of an unpublished scale and are not reported; the
    device's own overheat flags are heeded.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyUSB0`.
    name : str
    confirm : callable, optional
        Puts a question to a person and returns the answer; without one, `arm` is
        refused.
    min_interval_s : float
        Between pulses. The recharge time is not published; what the unit reports as
        charged is heeded as well.
    simulated : bool
        Whether a simulated twin stands behind the port.
    link, now
        Way to the device, and clock; replaced in tests.
    """

    def __init__(
        self,
        port: str,
        name: str = "DuoMAG",
        confirm: Confirm | None = None,
        min_interval_s: float = _RECHARGE_S,
        *,
        simulated: bool = False,
        link: Link | None = None,
        now: Now = time.monotonic,
    ) -> None:
        if not 0 <= min_interval_s < math.inf:
            raise StimulatorRefused(
                f"min_interval_s of {name} is {min_interval_s!r}, but must be 0 or "
                "more."
            )
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = CAPABILITIES
        self._confirm = confirm
        self._min_interval_s = min_interval_s
        self._session = DuoMagSession(link or SerialLink(port, _BAUD, 2), now, name)
        self._armed = False
        self._wanted: int | None = None

    def open(self) -> None:
        """Connect, set the intensity to 0 %, and wait for the status to say so.

        Raises
        ------
        PortMissing, PortBusy, StimulatorSilent
        """
        self._session.open()
        self._armed = False
        self._wanted = None
        atexit.register(self.close)
        try:
            self._hold_at(0)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Set the intensity to 0 % and disconnect."""
        atexit.unregister(self.close)
        self._armed = False
        self._session.close()

    def attend(self) -> None:
        """Take in the stream of status frames; a disarmed unit is held at 0 %.

        Raises
        ------
        PortLost, StimulatorSilent
        """
        frame = self._latest()
        if self._armed and frame.troubles():
            self._armed = False
        if not self._armed and frame.intensity > 0:
            self._hold_at(0)

    def arm(self) -> None:
        """Ask a person whether the unit is armed, then set the intensity.

        Raises
        ------
        StimulatorRefused
            If there is nobody to ask, the answer is no, or something is wrong.
        """
        self.attend()
        if self._confirm is None:
            raise StimulatorRefused(
                f"{self.name} cannot be armed from here, only at the unit; give a way "
                "to ask a person whether that was done."
            )
        if self._wanted is None:
            raise StimulatorRefused(
                f"{self.name} has no intensity set from here; set it, then arm."
            )
        troubles = self._latest().troubles()
        if troubles:
            raise StimulatorRefused(
                f"{self.name} cannot be armed, as {', and '.join(troubles)}."
            )
        if not self._confirm(
            f"Is {self.name} armed at the unit, for pulses at {self._wanted} %?"
        ):
            raise StimulatorRefused(
                f"{self.name} was not confirmed as armed at the unit; arm it there."
            )
        # The person may have taken a while.
        self._session.start_again()
        try:
            self._hold_at(self._wanted)
        except StimulatorRefused:
            self._session.lower_blindly()
            raise
        self._armed = True

    def disarm(self) -> None:
        """Set the intensity to 0 %; the unit itself stays armed.

        Raises
        ------
        StimulatorSilent, PortLost
        """
        self._armed = False
        if self._session.is_open and self._session.fault is not None:
            self._session.lower_blindly()
        self._hold_at(0)

    def set_intensity(self, intensity_pct_mso: float) -> None:
        """Set the intensity; it is sent at once when armed, and with `arm` otherwise.

        Raises
        ------
        StimulatorRefused
        """
        percent = whole_percent(intensity_pct_mso, 0, 100, self.name)
        if self._armed:
            self._hold_at(percent)
        self._wanted = percent

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

    def set_recharge_delay(self, seconds: float) -> None:
        """Set the time between a pulse and the recharge, and read it back.

        Raises
        ------
        StimulatorRefused
        """
        wanted = codec.delay(seconds)
        self._session.order(
            codec.recharge_delay(wanted),
            lambda frame: frame.recharge_delay == wanted,
            f"a recharge delay of {seconds:g} s",
        )

    def status(self) -> StimulatorStatus:
        """Return the latest status frame, never one older than 0.5 s.

        Raises
        ------
        StimulatorSilent, PortLost
        """
        frame = self._latest()
        held = self._wanted if self._armed else 0
        troubles = frame.troubles()
        if frame.intensity != held:
            troubles.append(
                f"its intensity is {frame.intensity} % although {held} % was set here"
            )
        return StimulatorStatus(
            t_read=self._session.t_frame,
            armed=self._armed,
            ready=self._armed and frame.charged and not troubles,
            intensity_pct_mso=float(frame.intensity),
            coil_connected=not frame.coil_disconnected,
            error=", and ".join(troubles) or None,
        )

    def coil(self) -> str | None:
        """Return the type of the coil, None with older units."""
        number = self._latest().coil
        return None if number is None else COILS.get(number, f"type {number}")

    def take_reports(self) -> list[PulseReport]:
        """Return nothing: this device does not report its pulses."""
        return []

    def wait_s(self) -> float:
        """Return how long until the next pulse may be triggered."""
        t_next = self._session.t_pulse + self._min_interval_s
        return max(0.0, t_next - self._session.now())

    def min_interval_s(self) -> float:
        """Return the interval that was configured."""
        return self._min_interval_s

    def fire(self) -> None:
        """Fire over USB.

        Raises
        ------
        StimulatorRefused
        """
        if not self._armed:
            raise StimulatorRefused(f"{self.name} is not armed; arm it first.")
        status = self.status()
        if not status.ready or self.wait_s() > 0:
            why = status.error or "it is not charged"
            raise StimulatorRefused(
                f"{self.name} does not fire, as {why}; wait {self.wait_s():.1f} s."
            )
        self._session.write(codec.FIRE)
        self._session.t_pulse = self._session.now()

    def _latest(self) -> Frame:
        try:
            return self._session.latest()
        except DriverError:
            self._armed = False
            raise

    def _hold_at(self, percent: int) -> None:
        self._session.order(
            codec.intensity(percent),
            lambda frame: frame.intensity == percent,
            f"{percent} %",
        )
