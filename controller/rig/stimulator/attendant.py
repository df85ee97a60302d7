"""The stimulator of a session: armed, watched, vouched for, disarmed.

A device answers in milliseconds, so it cannot be asked at the deadline. The attendant
reviews each word that the keeper brings from it, and vouches for the device until that
word is too old. A device that was armed and is not fit any more is a fault: it is
disarmed, and the session ends.
"""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Final

from controller.engine.clock import host_clock
from controller.errors import StimulatorFault
from controller.rig.attendants import RecordEvent
from controller.rig.stimulator.setting import READ_BACK_WITHIN_S, StimulatorSetting
from controller.rig.stimulator.state import Kept, review_status, unfit, where_it_is
from controller.safety.device import DeviceRefusal, DeviceRules
from drivers.base import DriverError
from drivers.stimulator import StimulatorStatus

_WARMED_C: Final = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Vouching:
    """How the loop learns that the device is fit.

    Parameters
    ----------
    until : callable
        Vouches for the device until an instant of the host clock.
    withdraw : callable
        Takes that back at once.
    """

    until: Callable[[float], None]
    withdraw: Callable[[], None]


class StimulatorAttendant:
    """Looks after the stimulator of one session.

    Parameters
    ----------
    kept : Kept
    setting : StimulatorSetting
        Has set the device up.
    rules : DeviceRules
    vouching : Vouching
    record : callable
    now : callable
        Host clock; replaced in tests.
    """

    def __init__(
        self,
        kept: Kept,
        setting: StimulatorSetting,
        rules: DeviceRules,
        *,
        vouching: Vouching,
        record: RecordEvent,
        now: Callable[[], float] = host_clock,
    ) -> None:
        self._kept = kept
        self._setting = setting
        self._rules = rules
        self._vouching = vouching
        self._record = record
        self._now = now
        self._armed = False
        self._recorded: StimulatorStatus | None = None
        self._wanted: float | None = None
        self._t_changed = self._t_give_up = -math.inf
        self.where = where_it_is(kept)
        self.n_confirmed = 0

    def arm(self) -> None:
        """Arm, and wait until the device is charged and all is well.

        The loop goes on meanwhile; nothing may fire before it is told that somebody has
        armed the session.

        Raises
        ------
        StimulatorFault
            With the device's own reason; it is disarmed again.
        """
        with self._disarmed_after_trouble():
            self._setting.arm()
        self._armed = True
        self._record(
            "stimulator armed",
            t=self._now(),
            device=self.where,
            intensity_pct_mso=self._setting.commanded_pct_mso,
        )

    def strength_is(self, pct_mso: float) -> bool:
        """Return whether the device confirms an intensity; begin to set it if not.

        Until it does, nobody vouches for the device, so nothing is fired.

        Raises
        ------
        StimulatorFault
            The study's limits stand against it, or the device does not take it.
        """
        with self._disarmed_after_trouble():
            if self._wanted is None and pct_mso == self._setting.commanded_pct_mso:
                return self._words_are_new()
            if self._wanted != pct_mso:
                self._wanted = pct_mso
                self._t_give_up = self._now() + READ_BACK_WITHIN_S
                self._vouching.withdraw()
                self._setting.step_towards(pct_mso)
            return False

    def _words_are_new(self) -> bool:
        status = self._kept.status
        return status is not None and status.t_read > self._t_changed

    def _follow_change(self) -> None:
        """Take the next step of a change, or end it once the device confirms it."""
        status, commanded = self._kept.status, self._setting.commanded_pct_mso
        verdict = review_status(self._rules, status, commanded, self._now())
        if verdict is DeviceRefusal.NONE:
            if self._wanted is not None and commanded != self._wanted:
                self._setting.step_towards(self._wanted)
                return
            self._wanted = None
            self._t_changed = self._now()
            self._record("intensity", t=self._now(), intensity_pct_mso=commanded)
        elif not self._now() < self._t_give_up:
            raise StimulatorFault(unfit(self._kept, verdict))

    def look(self, t_now: float) -> None:
        """Vouch for the device as long as its last word is good, or end the session.

        Raises
        ------
        StimulatorFault
        """
        with self._disarmed_after_trouble():
            self._kept.check()
            self._kept.beat()
            self._tell(t_now)
            if self._wanted is not None:
                self._follow_change()
            elif self._armed:
                self._vouch()

    def stand_down(self) -> None:
        """Disarm at once; a device that does not answer has a keeper that goes on."""
        self._vouching.withdraw()
        self._armed = False
        with contextlib.suppress(DriverError):
            self._kept.disarm()

    def end(self) -> None:
        """Disarm at the end of the session.

        Raises
        ------
        StimulatorFault
            If the device does not say that it is disarmed.
        """
        self._vouching.withdraw()
        self._armed = False
        try:
            self._kept.disarm()
        except DriverError as error:
            clause = str(error).removesuffix(".")
            raise StimulatorFault(
                f"The {self.where} did not confirm that it is disarmed ({clause}); "
                "switch it off now."
            ) from error
        self._tell(self._now())
        # The records must not claim what a device without a link cannot do.
        told = self._kept.arms_remotely or self._kept.reads_back
        kind = "stimulator disarmed" if told else "stimulator left to a person"
        self._record(kind, t=self._now(), device=self.where)

    def _vouch(self) -> None:
        # In this order: a word that comes in between is no older than the clock says.
        status = self._kept.status
        t_now = self._now()
        commanded = self._setting.commanded_pct_mso
        verdict = review_status(self._rules, status, commanded, t_now)
        if verdict is DeviceRefusal.NONE and status is not None:
            self._vouching.until(status.t_read + self._rules.max_status_age_s)
            return
        self._vouching.withdraw()
        # A device that charges after a pulse is no fault.
        if verdict is not DeviceRefusal.NOT_READY:
            raise StimulatorFault(unfit(self._kept, verdict))

    def _tell(self, t_now: float) -> None:
        """Record what has changed, pulses that the device reports, and its keeper."""
        status = self._kept.status
        if status is not None and _differs(self._recorded, status):
            self._recorded = status
            self._record("stimulator", t=t_now, **dataclasses.asdict(status))
        for report in self._kept.take_reports():
            self.n_confirmed += 1
            self._record("stimulator pulse", t=t_now, **dataclasses.asdict(report))
        for sentence in self._kept.take_notes():
            self._record("stimulator note", t=t_now, sentence=sentence)

    @contextlib.contextmanager
    def _disarmed_after_trouble(self) -> Iterator[None]:
        """Disarm after any error, and turn a driver's into the session's."""
        try:
            yield
        except DriverError as error:
            self.stand_down()
            raise StimulatorFault(str(error)) from error
        except BaseException:
            self.stand_down()
            raise


def _differs(before: StimulatorStatus | None, now: StimulatorStatus) -> bool:
    """Return whether anything but the time of reading and a little warmth changed."""
    if before is None:
        return True
    old, new = before.temperature_c, now.temperature_c
    alike = dataclasses.replace(now, t_read=before.t_read, temperature_c=old)
    if alike != before:
        return True
    if old is None or new is None:
        return old is not new
    return not abs(new - old) < _WARMED_C
