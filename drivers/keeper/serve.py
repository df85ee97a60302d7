"""The keeper itself: attends, tells, obeys, and disarms at its host's end."""

import contextlib
import dataclasses
import fcntl
import math
import os
from collections.abc import Callable
from typing import Final, cast

from drivers.base import DriverError, WireAction
from drivers.guardian import Host
from drivers.keeper.makers import prepare
from drivers.keeper.spec import KeeperSpec
from drivers.stimulator import Now, Stimulator, StimulatorRefused

ATTEND_EVERY_S: Final = 0.1
STATUS_EVERY_S: Final = 0.25
HOST_SILENCE_S: Final = 5.0
"""Armed, and without a word from the host for so long, the device is disarmed."""

_ANSWER_TIMEOUT_S: Final = 120.0

Order = Callable[[dict[str, object]], None]


class Keeper:
    """Keeps one stimulator.

    Parameters
    ----------
    host : Host
    spec : KeeperSpec
    now : callable
        Host clock.
    """

    def __init__(self, host: Host, spec: KeeperSpec, now: Now) -> None:
        self._host = host
        self._spec = spec
        self._now = now
        self._later: list[dict[str, object]] = []
        self._n_questions = 0
        self._armed = False
        self._t_heard = now()
        self._t_attended = self._t_told = -math.inf

    def run(self, stimulator: Stimulator) -> None:
        """Keep the stimulator until the host ends, or asks for an end.

        Raises
        ------
        DriverError
            What ended it early; the device was disarmed as far as it could be reached.
        """
        try:
            stimulator.open()
            prepare(stimulator, self._spec)
            self._introduce(stimulator)
            while not self._host.gone:
                self._turn(stimulator)
        except DriverError as error:
            self._host.say("failed", kind=type(error).__name__, sentence=str(error))
            raise
        finally:
            self._leave(stimulator)

    def ask(self, question: str) -> bool:
        """Put a question to a person at the host, and return whether the answer is yes.

        No answer, the host's end and an order to disarm are a no.
        """
        self._n_questions += 1
        self._host.say("question", n=self._n_questions, text=question)
        t_end = self._now() + _ANSWER_TIMEOUT_S
        while not self._host.gone and self._now() < t_end:
            self._host.wait(ATTEND_EVERY_S)
            for word in self._host.words():
                self._t_heard = self._now()
                if word["word"] == "answer" and word["n"] == self._n_questions:
                    return word["yes"] is True
                self._later.append(word)
                if word["word"] == "disarm":
                    return False
        return False

    def _turn(self, stimulator: Stimulator) -> None:
        due_s = self._t_attended + ATTEND_EVERY_S - self._now()
        if not self._later:
            self._host.wait(min(max(0.0, due_s), ATTEND_EVERY_S))
        waiting, self._later = self._later, []
        for word in [*waiting, *self._host.words()]:
            self._t_heard = self._now()
            self._obey(word, stimulator)
        if self._host.gone:
            return
        if self._armed and not self._now() - self._t_heard <= HOST_SILENCE_S:
            self._armed = False
            stimulator.disarm()
            self._host.say("disarmed", sentence=_SILENT_HOST)
        if self._now() - self._t_attended >= ATTEND_EVERY_S:
            self._t_attended = self._now()
            stimulator.attend()
        if self._now() - self._t_told >= STATUS_EVERY_S:
            self._tell(stimulator)

    def _obey(self, word: dict[str, object], stimulator: Stimulator) -> None:
        orders: dict[object, Order] = {
            "set_intensity": lambda order: stimulator.set_intensity(
                float(cast(float, order["intensity_pct_mso"]))
            ),
            "arm": lambda _: self._arm(stimulator),
            "disarm": lambda _: self._disarm(stimulator),
        }
        order = orders.get(word["word"])
        if order is None:
            return
        number = word.get("n")
        try:
            order(word)
        except StimulatorRefused as refusal:
            self._host.say("refused", n=number, sentence=str(refusal))
            return
        self._host.say("done", n=number)
        self._tell(stimulator)

    def _arm(self, stimulator: Stimulator) -> None:
        stimulator.arm()
        self._armed = True

    def _disarm(self, stimulator: Stimulator) -> None:
        self._armed = False
        stimulator.disarm()

    def _tell(self, stimulator: Stimulator) -> None:
        status = stimulator.status()
        self._t_told = self._now()
        fields = dataclasses.asdict(status)
        if not stimulator.capabilities.reads_back:
            # Nothing newer can be had than that the keeper lives.
            fields["t_read"] = self._now()
        self._host.say("status", min_interval_s=stimulator.min_interval_s(), **fields)
        reports = stimulator.take_reports()
        if reports:
            pulses = [dataclasses.asdict(report) for report in reports]
            self._host.say("pulses", pulses=pulses)

    def _introduce(self, stimulator: Stimulator) -> None:
        can = stimulator.capabilities
        # First, so that whoever waits for the other word finds it.
        self._tell(stimulator)
        self._host.say(
            "open",
            name=stimulator.name,
            reads_back=can.reads_back,
            arms_remotely=can.arms_remotely,
            confirms_pulses=can.confirms_pulses,
        )

    def _leave(self, stimulator: Stimulator) -> None:
        """Lower the line, disarm and close the device, and say what was reached."""
        lowered = lower(self._spec.fall)
        disarmed = True
        try:
            stimulator.disarm()
        except (DriverError, OSError):
            disarmed = False
        with contextlib.suppress(DriverError, OSError):
            stimulator.close()
        self._host.say("ended", disarmed=disarmed, lowered=lowered)


def lower(fall: WireAction | None) -> bool:
    """Lower a trigger line; return whether the call succeeded.

    Lowering is safe at any time, which is why any process may do it.
    """
    if fall is None:
        return True
    try:
        if fall.kind == "ioctl":
            fcntl.ioctl(fall.descriptor, fall.request, fall.payload)
            return True
        return os.write(fall.descriptor, fall.payload) == len(fall.payload)
    except OSError:
        return False


_SILENT_HOST: Final = (
    f"The controller said nothing for {HOST_SILENCE_S:g} s, so the stimulator was "
    "disarmed."
)
