"""The controller's side of a keeper: orders, status, pulses, and its end."""

import dataclasses
import itertools
import threading
from collections.abc import Mapping
from typing import Any, Final

from drivers.attended import AttendedProcess, Word
from drivers.base import (
    DriverError,
    DriverSettingError,
    PortBusy,
    PortLost,
    PortMissing,
    TriggerEdges,
)
from drivers.keeper.spec import KeeperSpec
from drivers.stimulator import (
    Confirm,
    PulseReport,
    StimulatorRefused,
    StimulatorSilent,
    StimulatorStatus,
)

_OPEN_TIMEOUT_S: Final = 20.0
_ORDER_TIMEOUT_S: Final = 10.0
_DISARM_TIMEOUT_S: Final = 2.0
_KINDS: Final[Mapping[str, type[DriverError]]] = {
    kind.__name__: kind
    for kind in (
        DriverSettingError,
        PortBusy,
        PortLost,
        PortMissing,
        StimulatorRefused,
        StimulatorSilent,
    )
}


class KeptStimulator:
    """A stimulator in the hands of a keeper.

    Parameters
    ----------
    spec : KeeperSpec
        Without the action that lowers the line.
    edges : TriggerEdges or None
        Of the open trigger output, whose fall the keeper gets.
    confirm : callable
        Puts the driver's questions to a person.
    """

    def __init__(
        self, spec: KeeperSpec, edges: TriggerEdges | None, confirm: Confirm
    ) -> None:
        fall = None if edges is None else edges.fall
        self._spec = dataclasses.replace(spec, fall=fall)
        self._confirm = confirm
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._status: StimulatorStatus | None = None
        self._statuses: list[StimulatorStatus] = []
        self._reports: list[PulseReport] = []
        self._notes: list[str] = []
        self._failure: DriverError | None = None
        self._process: AttendedProcess | None = None
        self.name = spec.driver
        self.port = spec.port
        self.simulated = spec.simulated
        self.confirms_pulses = False
        self.reads_back = False
        self.arms_remotely = False
        self.min_interval_s = 0.0
        self.left_disarmed: bool | None = None

    @property
    def pid(self) -> int:
        """Process id of the keeper.

        Raises
        ------
        PortLost
            If it was not started.
        """
        return self._running().pid

    @property
    def status(self) -> StimulatorStatus | None:
        """What the device last said."""
        with self._lock:
            return self._status

    def open(self) -> None:
        """Start the keeper, which opens and disarms the device.

        Raises
        ------
        DriverError
            As the device's own driver.
        """
        fall = self._spec.fall
        process = self._process = AttendedProcess(
            "drivers.keeper",
            f"keeper of the stimulator at {self.port}",
            self._take,
            descriptors=[] if fall is None else [fall.descriptor],
        )
        process.say("start", **self._spec.as_fields())
        word = process.wait_for("open", "failed", timeout_s=_OPEN_TIMEOUT_S)
        if word is None or word["word"] == "failed":
            failure = self._failure or PortMissing(process.why_ended())
            self.close()
            raise failure

    def close(self) -> None:
        """End the keeper, which leaves the device disarmed and the line low."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def check(self) -> None:
        """Return if the keeper runs and its device answers.

        Raises
        ------
        DriverError
        """
        if self._failure is not None:
            raise self._failure
        process = self._running()
        if not process.alive:
            raise PortLost(process.why_ended())

    def beat(self) -> None:
        """Tell the keeper that the controller is alive.

        Raises
        ------
        PortLost
        """
        self._running().say("beat")

    def set_intensity(self, intensity_pct_mso: float) -> None:
        """Set the intensity.

        Raises
        ------
        DriverError
        """
        self._order("set_intensity", intensity_pct_mso=intensity_pct_mso)

    def arm(self) -> None:
        """Arm.

        Raises
        ------
        DriverError
        """
        self._order("arm")

    def disarm(self) -> None:
        """Disarm.

        Raises
        ------
        DriverError
        """
        self._order("disarm", timeout_s=_DISARM_TIMEOUT_S)

    def take_statuses(self) -> list[StimulatorStatus]:
        """Return what the device said since the last call."""
        with self._lock:
            taken, self._statuses = self._statuses, []
        return taken

    def take_reports(self) -> list[PulseReport]:
        """Return the pulses that the device reported since the last call."""
        with self._lock:
            taken, self._reports = self._reports, []
        return taken

    def take_notes(self) -> list[str]:
        """Return what the keeper did by itself since the last call, in sentences."""
        with self._lock:
            taken, self._notes = self._notes, []
        return taken

    def _running(self) -> AttendedProcess:
        if self._process is None:
            raise PortLost(f"{self.name} is not open; call open() first.")
        return self._process

    def _order(
        self, word: str, timeout_s: float = _ORDER_TIMEOUT_S, **fields: object
    ) -> None:
        process, number = self._running(), next(self._numbers)
        process.say(word, n=number, **fields)
        while True:
            answer = process.wait_for(
                "done", "refused", "failed", "question", timeout_s=timeout_s
            )
            match answer:
                case {"word": "question", "n": n, "text": str(text)}:
                    process.say("answer", n=n, yes=self._confirm(text))
                    continue
                case {"word": "done", "n": n} if n == number:
                    return
                case {"word": "refused", "n": n, "sentence": str(sentence)} if (
                    n == number
                ):
                    raise StimulatorRefused(sentence)
                case {"word": "done" | "refused"}:
                    continue
            raise self._failure or StimulatorSilent(
                f"The keeper of {self.name} did not carry out the order {word!r} "
                f"within {timeout_s:g} s; switch the stimulator off."
            )

    def _take(self, word: Word) -> bool:
        """Take a word in; return whether nobody else waits for it."""
        with self._lock:
            match word["word"]:
                case "status":
                    self._take_status(word)
                case "pulses":
                    pulses: Any = word["pulses"]
                    self._reports += [PulseReport(**pulse) for pulse in pulses]
                case "disarmed":
                    self._notes.append(str(word["sentence"]))
                case "ended":
                    self.left_disarmed = word["disarmed"] is True
                case "open":
                    self.name = str(word["name"])
                    self.confirms_pulses = word["confirms_pulses"] is True
                    self.reads_back = word["reads_back"] is True
                    self.arms_remotely = word["arms_remotely"] is True
                    return False
                case "failed":
                    kind = _KINDS.get(str(word["kind"]), PortLost)
                    self._failure = kind(str(word["sentence"]))
                    return False
                case _:
                    return False
        return True

    def _take_status(self, word: Word) -> None:
        fields: Any = {
            field.name: word[field.name]
            for field in dataclasses.fields(StimulatorStatus)
        }
        interval: Any = word["min_interval_s"]
        self.min_interval_s = float(interval)
        self._status = StimulatorStatus(**fields)
        self._statuses.append(self._status)
