"""MagVenture MagPro as a stimulator: rules and state over a session."""

import atexit
import math
import time
from typing import Final

from drivers.grids import whole_percent
from drivers.links import Link, SerialLink
from drivers.magpro import codec
from drivers.magpro.codes import Mode, Page, Wave
from drivers.magpro.messages import PageChanged, PulseGiven
from drivers.magpro.session import MagProSession
from drivers.magpro.settings import CAPABILITIES, MagProSettings
from drivers.magpro.setup import (
    Waveform,
    check_disarmed,
    set_timing,
    set_waveform,
    show_page,
    train_s,
)
from drivers.magpro.state import MagProState, makes_several, obstacle
from drivers.stimulator import (
    Now,
    PulseReport,
    StimulatorRefused,
    StimulatorStatus,
    Train,
)

_BAUD: Final = 38400
_POLL_S: Final = 0.5


class MagProStimulator:
    """A MagPro R30, X100, or one of their options.

    The device keeps no watch on its host: if this program is killed, it stays enabled.
    It obeys its front panel at any time; what changes there shows in `status`, and
    stands against `ready` where it contradicts what was set here.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyUSB0`.
    name : str
    settings : MagProSettings
    simulated : bool
        Whether a simulated twin stands behind the port.
    link, now
        Way to the device, and clock; replaced in tests.
    """

    def __init__(
        self,
        port: str,
        name: str = "MagPro",
        settings: MagProSettings | None = None,
        *,
        simulated: bool = False,
        link: Link | None = None,
        now: Now = time.monotonic,
    ) -> None:
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = CAPABILITIES
        self._settings = settings or MagProSettings()
        self._state = MagProState(now)
        self._session = MagProSession(
            link or SerialLink(port, _BAUD), now, name, lambda m: self._state.take(m)
        )
        self._forget()

    def _forget(self) -> None:
        self._state = MagProState(self._session.now)
        self._expects_enabled = False
        self._wanted: int | None = None
        self._train: Train | None = None
        self._several = False
        self._note: str | None = None
        self._t_poll = -math.inf

    def open(self) -> None:
        """Connect, disable, and show the main page, so that an edge is one pulse.

        Raises
        ------
        PortMissing, PortBusy, StimulatorSilent, StimulatorRefused
        """
        self._session.open()
        self._forget()
        atexit.register(self.close)
        try:
            self._session.disable()
            show_page(self._session, Page.MAIN, self._state.page)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disable and disconnect."""
        atexit.unregister(self.close)
        self._expects_enabled = False
        self._session.close()

    def attend(self) -> None:
        """Take in what the device says, and ask it twice per second.

        Raises
        ------
        PortLost, StimulatorSilent
        """
        self._session.take_in()
        self._notice()
        if self._session.now() - self._t_poll >= _POLL_S:
            self._t_poll = self._session.now()
            self._session.poll()

    def arm(self) -> None:
        """Enable.

        Raises
        ------
        StimulatorRefused
        """
        self._session.ask_status()
        self._notice()
        if self._wanted is None:
            raise StimulatorRefused(
                f"{self.name} has no intensity set from here; set it, then arm."
            )
        against = self._obstacle()
        if against is not None:
            raise StimulatorRefused(f"{self.name} cannot be armed, as {against}.")
        if not self._session.order(codec.ENABLE, lambda s: s.status.flags.enabled):
            raise StimulatorRefused(
                f"{self.name} stays disabled; look at its display and its coil."
            )
        self._note = None
        self._expects_enabled = True

    def disarm(self) -> None:
        """Disable, whatever the state.

        Raises
        ------
        StimulatorSilent, PortLost
            If the device does not say that it is disabled.
        """
        self._expects_enabled = False
        self._note = None
        self._session.disable()

    def set_intensity(self, intensity_pct_mso: float) -> None:
        """Set the amplitude and read it back.

        Raises
        ------
        StimulatorRefused
        """
        percent = whole_percent(intensity_pct_mso, 0, 100, self.name)
        self._wanted = percent
        command = codec.amplitude(percent)
        if not self._session.order(command, lambda s: s.status.amplitude_a == percent):
            raise StimulatorRefused(
                f"{self.name} stays at {self._state.amplitude} %; look at its display."
            )

    def set_train(self, train: Train | None) -> None:
        """Set a train on the timing page, or turn to the main page for single pulses.

        Raises
        ------
        StimulatorRefused
            While armed, or if the device cannot take the train.
        """
        check_disarmed(self._session, self._state.flags, "the train")
        if train is None:
            show_page(self._session, Page.MAIN, self._state.page)
            self._train = None
            return
        show_page(self._session, Page.TIMING, self._state.page)
        start = self._settings.train_start
        try:
            set_timing(self._session, train, start, self._state.flags)
        except StimulatorRefused:
            self._train = None
            show_page(self._session, Page.MAIN, self._state.page)
            raise
        self._train = train

    def set_pair(self, interval_s: float | None) -> None:
        """Choose Twin mode with this interval, or Standard mode.

        Raises
        ------
        StimulatorRefused
            While armed, or if the device cannot take the interval.
        """
        wave = self._state.flags.wave
        if wave is Wave.BIPHASIC_BURST:
            wave = Wave.BIPHASIC
        waveform = Waveform(wave=wave)
        if interval_s is not None:
            waveform = Waveform(mode=Mode.TWIN, wave=wave, interval_s=interval_s)
        self.set_waveform(waveform)

    def set_waveform(self, waveform: Waveform) -> None:
        """Set mode and waveform.

        Raises
        ------
        StimulatorRefused
            While armed, or if the device did not take it.
        """
        check_disarmed(self._session, self._state.flags, "the waveform")
        self._several = False
        set_waveform(self._session, self._state.flags.model, waveform)
        self._several = makes_several(waveform.mode, waveform.wave)
        self._session.ask_status()

    def status(self) -> StimulatorStatus:
        """Ask for the status.

        Raises
        ------
        StimulatorSilent, PortLost
        """
        self._session.ask_status()
        self._notice()
        state = self._state
        error = self._obstacle() or self._note
        expected = self._expects_enabled and state.flags.enabled
        return StimulatorStatus(
            t_read=self._session.now(),
            armed=state.flags.enabled,
            ready=expected and error is None and not state.train_running,
            intensity_pct_mso=float(state.amplitude),
            coil_connected=state.coil != 0,
            temperature_c=state.temperature_c,
            error=error,
        )

    def take_reports(self) -> list[PulseReport]:
        """Return the pulses reported since the last call, with their steepness."""
        return self._state.take_reports()

    def wait_s(self) -> float:
        """Return how long until the next pulse may be triggered."""
        t_next = self._state.t_pulse + self._state.shortest_interval_s()
        return max(0.0, t_next - self._session.now())

    def min_interval_s(self) -> float:
        """Return the shortest time from trigger to trigger.

        It follows from the highest rate of the model and mode; at high amplitude the
        device may need more, which it does not tell.
        """
        return train_s(self._train) + self._state.shortest_interval_s()

    def fire(self) -> None:
        """Fire over the serial line, or start the train, and wait for the report.

        Raises
        ------
        StimulatorRefused
        StimulatorSilent
            If the device does not report a pulse.
        """
        if not self._expects_enabled:
            raise StimulatorRefused(f"{self.name} is not armed; arm it first.")
        status = self.status()
        if not status.ready or self.wait_s() > 0:
            why = status.error or "the last pulse or train is not over"
            raise StimulatorRefused(
                f"{self.name} does not fire, as {why}; wait {self.wait_s():.1f} s."
            )
        if self._train is None:
            short = self._settings.fire_form == "short"
            self._session.ask(codec.FIRE if short else codec.FIRE_LONG, PulseGiven)
        elif self._settings.train_start == "trigger":
            raise StimulatorRefused(
                f"{self.name} waits for an edge to start its train; trigger it, or "
                "configure train_start = command."
            )
        else:
            command = codec.START_TRAIN
            self._session.ask(command, PageChanged, lambda page: page.train_running)

    def _notice(self) -> None:
        enabled = self._state.flags.enabled
        if self._expects_enabled and not enabled:
            self._expects_enabled = False
            self._note = (
                "it was disabled at its front panel, or by itself; arm it again"
            )
        elif enabled and not self._expects_enabled:
            self._note = "it was enabled at its front panel; disarm it or arm it here"

    def _obstacle(self) -> str | None:
        page = Page.MAIN if self._train is None else Page.TIMING
        return obstacle(
            self._state,
            self._settings.hottest_c,
            self._wanted,
            page,
            several=self._several,
        )
