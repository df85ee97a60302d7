"""Bring a stimulator to its intensity, armed and charged; nothing is taken on trust."""

import math
import time
from collections.abc import Callable
from typing import Final

from controller.errors import StimulatorFault
from controller.rig.stimulator.state import (
    Kept,
    read_intensity,
    review_status,
    unfit,
    where_it_is,
)
from controller.safety.device import (
    DEVICE_SENTENCES,
    INTENSITY_TOLERANCE_PCT_MSO,
    DeviceRefusal,
    DeviceRules,
    review_intensity,
)
from drivers.stimulator import StimulatorRefused

READ_BACK_WITHIN_S: Final = 15.0
"""A Magstim takes 0.1 s for each percent down."""

ARM_WITHIN_S: Final = 8.0
READY_WITHIN_S: Final = 8.0
_STAYS: Final = frozenset(
    {
        DeviceRefusal.DEVICE_ERROR,
        DeviceRefusal.COIL_OFF,
        DeviceRefusal.COIL_TOO_HOT,
    }
)
_AGAIN_S: Final = 0.02
_ARM_AGAIN_S: Final = 0.25


class StimulatorSetting:
    """Sets and arms one stimulator.

    Parameters
    ----------
    kept : Kept
        Open, and disarmed.
    rules : DeviceRules
    intensity_pct_mso : float
        Wanted for the session.
    now, sleep : callable
        Clock and pause; replaced in tests.
    """

    def __init__(
        self,
        kept: Kept,
        rules: DeviceRules,
        intensity_pct_mso: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._kept = kept
        self._rules = rules
        self._wanted = intensity_pct_mso
        self._now = now
        self._sleep = sleep
        self.commanded_pct_mso = math.nan

    def set_up(self) -> None:
        """Set the intensity and read it back, in steps that the study allows.

        A device that only its own unit arms is held at 0 % until then; it gets its
        intensity with `arm`.

        Raises
        ------
        StimulatorFault, DriverError
        """
        if self._kept.arms_remotely:
            self._raise_from(read_intensity(self._kept))
        elif self._kept.reads_back:
            self._kept.set_intensity(self._step_from(0.0))
        else:
            # A person sets it, in one go; what counts is where it ends.
            self._step_from(self._wanted)
            self._kept.set_intensity(self._wanted)
            self.commanded_pct_mso = self._wanted

    def arm(self) -> None:
        """Arm, and wait until the device is charged and all is well.

        Raises
        ------
        StimulatorFault, DriverError
            With the device's own reason.
        """
        self._arm()
        if not self._kept.arms_remotely and self._kept.reads_back:
            self.commanded_pct_mso = self._step_from(0.0)
            self._await_intensity()
            self._raise_from(self.commanded_pct_mso)
        self._await_ready()

    def _arm(self) -> None:
        t_end = self._now() + ARM_WITHIN_S
        while True:
            try:
                self._kept.arm()
            except StimulatorRefused as refusal:
                verdict = self._stands_against()
                if verdict in _STAYS:
                    raise StimulatorFault(unfit(self._kept, verdict)) from refusal
                # A person's no is final; a device may need a moment.
                if not self._kept.arms_remotely or not self._now() < t_end:
                    raise
                self._sleep(_ARM_AGAIN_S)
            else:
                return

    def _stands_against(self) -> DeviceRefusal:
        # In this order: a word that comes in between is no older than the clock says.
        status = self._kept.status
        return review_status(self._rules, status, self.commanded_pct_mso, self._now())

    def _await_ready(self) -> None:
        t_end = self._now() + READY_WITHIN_S
        while True:
            self._kept.check()
            verdict = self._stands_against()
            if verdict is DeviceRefusal.NONE:
                return
            if verdict in _STAYS or not self._now() < t_end:
                raise StimulatorFault(unfit(self._kept, verdict))
            self._sleep(_AGAIN_S)

    def _raise_from(self, before: float) -> None:
        while True:
            step = self._step_from(before)
            self._kept.set_intensity(step)
            self.commanded_pct_mso = step
            self._await_intensity()
            before = step
            if step == self._wanted:
                return

    def step_towards(self, pct_mso: float) -> None:
        """Command the next step on the way to another intensity, without waiting.

        Raises
        ------
        StimulatorFault, DriverError
        """
        self._wanted = pct_mso
        step = self._step_from(self.commanded_pct_mso)
        self._kept.set_intensity(step)
        self.commanded_pct_mso = step

    def _step_from(self, before: float) -> float:
        """Return the next intensity on the way up, or the wanted one."""
        largest = math.floor(self._rules.max_intensity_step_pct)
        step = self._wanted
        if step - before > largest >= 1:
            step = before + largest
        verdict = review_intensity(self._rules, before, step)
        if verdict is not DeviceRefusal.NONE:
            raise StimulatorFault(
                f"The {where_it_is(self._kept)} was not set to {self._wanted:g} %, as "
                f"{DEVICE_SENTENCES[verdict]}; correct stimulator.intensity_pct_mso or "
                "limits.stimulator."
            )
        return step

    def _await_intensity(self) -> None:
        wanted, t_end = self.commanded_pct_mso, self._now() + READ_BACK_WITHIN_S
        while True:
            self._kept.check()
            read = read_intensity(self._kept)
            if abs(read - wanted) <= INTENSITY_TOLERANCE_PCT_MSO:
                return
            if not self._now() < t_end:
                raise StimulatorFault(
                    f"The {where_it_is(self._kept)} reads back {read:g} % instead of "
                    f"{wanted:g} %; look at its display."
                )
            self._sleep(_AGAIN_S)
