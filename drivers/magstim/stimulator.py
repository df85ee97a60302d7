"""Magstim 200², BiStim² and Rapid² as stimulators: rules and state over a session."""

import atexit
import logging
import math
from typing import Final, Generic, TypeVar

from drivers.grids import whole_percent
from drivers.magstim import codec
from drivers.magstim.models import MagstimModel
from drivers.magstim.obstacle import obstacle
from drivers.magstim.replies import parse_temperature
from drivers.magstim.session import MagstimSession
from drivers.magstim.status import InstrumentStatus
from drivers.magstim.timers import Timers
from drivers.stimulator import (
    PulseReport,
    StimulatorRefused,
    StimulatorSilent,
    StimulatorStatus,
    Train,
)

_log = logging.getLogger(__name__)

_TEMPERATURE_EVERY_S: Final = 5.0

ModelT = TypeVar("ModelT", bound=MagstimModel)


class MagstimStimulator(Generic[ModelT]):
    """A Magstim; made by the functions of `drivers.magstim.connect`.

    A pulse over the trigger line is not reported by the device. It is inferred from the
    recharge that follows, as far as the polls, two or more per second, show it.

    Parameters
    ----------
    session : MagstimSession
    model : MagstimModel
        Also offers what only this model can do.
    port : str
    simulated : bool
    connect_settle_s : float
        How long after connecting the device should not be armed. 3 s is what the
        authors of another driver found; not confirmed on every model.
    """

    def __init__(
        self,
        session: MagstimSession,
        model: ModelT,
        port: str,
        *,
        simulated: bool = False,
        connect_settle_s: float = 3.0,
    ) -> None:
        self._session = session
        self.model = model
        self.name = session.name
        self.port = port
        self.simulated = simulated
        self.capabilities = model.capabilities
        self._connect_settle_s = connect_settle_s
        self._power = 0
        self._temperature_c = math.nan
        self._t_temperature = -math.inf
        self._timers = Timers(session.now)
        self._forget()

    def _forget(self) -> None:
        self._expects_armed = False
        self._power_to_verify = False
        self._was_ready = False
        self._note: str | None = None

    def open(self) -> None:
        """Connect, take remote control, and disarm.

        Raises
        ------
        PortMissing, PortBusy, StimulatorSilent, StimulatorRefused
        """
        self._session.open()
        self._forget()
        atexit.register(self.close)
        try:
            self.model.begin()
            self._session.take_control()
            self._session.disarm()
            self.model.prepare()
            self._power = self.model.power()
            self._read_temperature()
        except BaseException:
            self.close()
            raise
        self._timers.restart(self._connect_settle_s)

    def close(self) -> None:
        """Disarm, give remote control back and disconnect."""
        atexit.unregister(self.close)
        self._expects_armed = False
        self._session.close()

    def attend(self) -> None:
        """Keep contact alive and notice what changed; call every 100 ms.

        Raises
        ------
        PortLost, StimulatorSilent
        """
        if self._session.keep_contact():
            self._notice(self._session.status)
        if self._power_to_verify and not self._timers.settling_s() > 0:
            self._verify_power()
        elif self._session.now() - self._t_temperature >= _TEMPERATURE_EVERY_S:
            self._read_temperature()
            self._notice(self._session.status)

    def arm(self) -> None:
        """Arm; the device needs about 1 s more until it is ready.

        Raises
        ------
        StimulatorRefused
            With the reason, and how long to wait where waiting helps.
        """
        wait_s = self._timers.settling_s()
        if wait_s > 0:
            raise StimulatorRefused(
                f"{self.name} is not settled yet; wait {wait_s:.1f} s and arm again."
            )
        status = self._session.poll()
        if not status.remote:
            self._session.take_control()
            status = self._session.status
        self._read_temperature()
        against = obstacle(status, self._temperature_c)
        if against is not None:
            raise StimulatorRefused(f"{self.name} cannot be armed, as {against}.")
        if status.enabled and self._expects_armed:
            return
        self._note = None
        self._session.ask(codec.ARM)
        if not self._session.poll().enabled:
            raise StimulatorRefused(
                f"{self.name} stays disarmed; look at its display and the coil's "
                "switch."
            )
        self._expects_armed = True
        self._timers.armed()

    def disarm(self) -> None:
        """Disarm, whatever the state.

        Raises
        ------
        StimulatorSilent, PortLost
            If the device does not say that it is disarmed.
        """
        self._expects_armed = False
        self._note = None
        self._session.disarm()

    def set_intensity(self, intensity_pct_mso: float) -> None:
        """Set the power; read back once it has settled.

        Raises
        ------
        StimulatorRefused
        """
        low, high = self.capabilities.intensity_pct_mso
        percent = whole_percent(intensity_pct_mso, int(low), int(high), self.name)
        self.model.check_power(percent)
        self._session.ask(codec.power(percent))
        self._timers.power_changed(self._power, percent)
        self._power = percent
        self._power_to_verify = True

    def set_train(self, train: Train | None) -> None:
        """Set the train that each trigger starts, or single pulses.

        Raises
        ------
        StimulatorRefused
        """
        wait_s = self._timers.resting_s()
        if wait_s > 0 and train is not None:
            raise StimulatorRefused(
                f"{self.name} rests after a pulse or train; wait {wait_s:.1f} s and "
                "set it again."
            )
        self.model.set_train(train, self._power)

    def set_pair(self, interval_s: float | None) -> None:
        """Set the interval of a pair.

        Raises
        ------
        StimulatorRefused
        """
        self.model.set_pair(interval_s)

    def status(self) -> StimulatorStatus:
        """Ask for status, power and temperature.

        Raises
        ------
        StimulatorSilent, PortLost
        """
        status = self._session.poll()
        self._notice(status)
        busy = self.model.busy() if status.ready else None
        power = self.model.power()
        self._read_temperature()
        error = obstacle(status, self._temperature_c) or self._note
        return StimulatorStatus(
            t_read=self._session.now(),
            armed=status.enabled,
            ready=status.ready and error is None and busy is None,
            intensity_pct_mso=float(power),
            coil_connected=status.coil_present,
            temperature_c=self._temperature_c,
            error=error,
        )

    def take_reports(self) -> list[PulseReport]:
        """Return nothing: this device does not report its pulses."""
        return []

    def wait_s(self) -> float:
        """Return how long until the next pulse may be triggered."""
        return self._timers.wait_s()

    def min_interval_s(self) -> float:
        """Return the time to recharge, or to rest after a train."""
        return self.model.min_interval_s(self._power)

    def fire(self) -> None:
        """Fire over the serial line: 5 to 9 ms late, for tests and thresholds.

        Raises
        ------
        StimulatorRefused
        """
        if not self._expects_armed:
            raise StimulatorRefused(f"{self.name} is not armed; arm it first.")
        wait_s = self.wait_s()
        if wait_s > 0:
            raise StimulatorRefused(
                f"{self.name} is not ready for a pulse; wait {wait_s:.1f} s."
            )
        status = self._session.poll()
        self._notice(status)
        if not status.ready:
            why = obstacle(status, self._temperature_c) or self._note or "it charges"
            raise StimulatorRefused(f"{self.name} does not fire, as {why}.")
        self._session.ask(codec.FIRE)
        self._was_ready = False
        self._timers.pulsed(self.min_interval_s())

    def _notice(self, status: InstrumentStatus) -> None:
        settled = not self._timers.settling_s() > 0
        if self._was_ready and status.armed and settled:
            # It charges without being told to, so a trigger made a pulse meanwhile.
            self._timers.pulsed(self.min_interval_s())
        self._was_ready = status.ready
        if status.ready:
            self._timers.seen_ready()
        if status.enabled and not self._expects_armed:
            self._note = "it was armed from elsewhere, and was disarmed again"
            self._session.disarm()
        elif self._expects_armed and not status.enabled:
            self._expects_armed = False
            self._note = (
                "it disarmed itself: after 60 s without a pulse, late contact, or a "
                "hot coil; arm it again"
            )
        elif self._expects_armed and (why := obstacle(status, self._temperature_c)):
            self._note = f"{why}, so that it was disarmed"
            self._expects_armed = False
            self._session.disarm()

    def _read_temperature(self) -> None:
        sensors = self._session.query(codec.GET_TEMPERATURE, parse_temperature)
        self._temperature_c = max(sensors)
        self._t_temperature = self._session.now()

    def _verify_power(self) -> None:
        found = self.model.power()
        self._power_to_verify = False
        if found == self._power:
            return
        reason = f"its power is {found} % although {self._power} % was set"
        self._expects_armed = False
        self._session.fail(reason)
        raise StimulatorSilent(f"{self.name} is not to be trusted, as {reason}.")
