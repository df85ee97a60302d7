"""The attendants of one session's devices, together."""

from collections.abc import Callable
from typing import Any

from controller.config_console import Console
from controller.engine.control import ControlWords
from controller.rig.attendants import Attendant, BridgeAttendant, RecordEvent
from controller.rig.console.heartbeat import ConsoleAttendant
from controller.rig.stimulator.attendant import StimulatorAttendant, Vouching
from controller.rig.stimulator.stimulators import OpenedStimulator
from controller.rig.study.director import Hands
from controller.safety.interlock import Permit
from drivers.base import TriggerOutput
from drivers.bridge.output import BridgedOutput


def _set_by_hand(_pct_mso: float) -> bool:
    """Return that the operator has set the only intensity that there is."""
    return True


class Attendance:
    """Who looks after the output and the stimulator of a session.

    Parameters
    ----------
    output : TriggerOutput
    stimulator : OpenedStimulator or None
    words : ControlWords
        Where the device is vouched for.
    record : callable
    note : callable
    console : Console or None
    beats : recarray, shape (1,)
        What the operator's console writes.
    stop : callable
        Ends the session as the operator wishes.
    """

    def __init__(
        self,
        output: TriggerOutput,
        stimulator: OpenedStimulator | None,
        *,
        words: ControlWords,
        record: RecordEvent,
        note: Callable[[str], None],
        console: Console | None,
        beats: Any,
        stop: Callable[[], None],
    ) -> None:
        self._stimulator = None
        self._console = ConsoleAttendant(
            console,
            beats,
            vouching=Vouching(
                until=lambda t_until: words.vouch_until(Permit.CONSOLE, t_until),
                withdraw=lambda: words.withdraw(Permit.CONSOLE),
            ),
            record=record,
            stop=stop,
        )
        self._by_hand: str | None = None
        self._note = note
        attendants: list[Attendant] = [self._console]
        if stimulator is not None:
            self._stimulator = StimulatorAttendant(
                stimulator.kept,
                stimulator.setting,
                stimulator.rules,
                vouching=Vouching(
                    until=lambda t_until: words.vouch_until(Permit.DEVICE, t_until),
                    withdraw=lambda: words.withdraw(Permit.DEVICE),
                ),
                record=record,
            )
            attendants.append(self._stimulator)
            kept = stimulator.kept
            if not kept.arms_remotely and not kept.simulated:
                self._by_hand = self._stimulator.where
        if isinstance(output, BridgedOutput):
            attendants.append(BridgeAttendant(output, record, note))
        self.attendants = tuple(attendants)

    def arm(self) -> None:
        """Wait for the console, then arm the stimulator and wait until it is ready.

        Raises
        ------
        NotArmed
            Nobody attends who has to.
        StimulatorFault
        """
        self._console.arm()
        if self._stimulator is not None:
            self._stimulator.arm()

    def hands(self, words: ControlWords, say: Callable[[str], None]) -> Hands:
        """Return what a protocol's director acts with, but for markers."""
        strength_is: Callable[[float], bool] = _set_by_hand
        if self._stimulator is not None:
            strength_is = self._stimulator.strength_is
        return Hands(offer=words.offer, say=say, strength_is=strength_is)

    def end(self) -> None:
        """Disarm the stimulator; say so where only a person can.

        Raises
        ------
        StimulatorFault
        """
        if self._by_hand is not None:
            self._note(f"Disarm the {self._by_hand} by hand now: it stays armed.")
        if self._stimulator is not None:
            self._stimulator.end()
