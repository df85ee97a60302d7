"""Stands in for a keeper and its device, in virtual time."""

import dataclasses
from collections.abc import Callable
from typing import Any

from controller.rig.stimulator.attendant import StimulatorAttendant, Vouching
from controller.rig.stimulator.setting import StimulatorSetting
from controller.safety.device import DeviceRules
from drivers.base import DriverError
from drivers.stimulator import PulseReport, StimulatorRefused, StimulatorStatus

RULES = DeviceRules(
    max_intensity_pct_mso=60.0,
    max_intensity_step_pct=20.0,
    max_coil_c=40.0,
    max_status_age_s=1.0,
)


class KeptStandIn:
    """A device that does as it is told, unless a test wants it otherwise."""

    name, port = "coil", "/dev/ttyS9"
    confirms_pulses = False
    simulated = False

    def __init__(self, *, arms_remotely: bool = True, reads_back: bool = True) -> None:
        self.arms_remotely = arms_remotely
        self.reads_back = reads_back
        self.t = 100.0
        self.fields: dict[str, Any] = {
            "armed": False,
            "ready": False,
            "intensity_pct_mso": 30.0 if arms_remotely else 0.0,
            "coil_connected": True,
            "temperature_c": 25.0,
            "error": None,
        }
        self.silent_since: float | None = None
        self.charges_s = 1.0
        self.orders: list[str] = []
        self.refusals: list[str] = []
        self.failure: DriverError | None = None
        self.obeys = True
        self.reports: list[PulseReport] = []
        self.notes: list[str] = []
        self.n_beats = 0
        self._t_armed = 0.0
        self._held = 0.0

    def now(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        self.t += seconds

    @property
    def status(self) -> StimulatorStatus | None:
        if self.fields["armed"] and self.t - self._t_armed >= self.charges_s:
            self.fields["ready"] = True
        t_read = self.t if self.silent_since is None else self.silent_since
        return StimulatorStatus(t_read=t_read, **self.fields)

    def check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def beat(self) -> None:
        self.n_beats += 1

    def set_intensity(self, intensity_pct_mso: float) -> None:
        self._order(f"set {intensity_pct_mso:g}")
        self._held = intensity_pct_mso
        shows = self.arms_remotely or self.fields["armed"]
        if self.obeys and shows:
            self.fields["intensity_pct_mso"] = intensity_pct_mso

    def arm(self) -> None:
        self._order("arm")
        self.fields["armed"] = True
        self.fields["intensity_pct_mso"] = self._held
        self._t_armed = self.t

    def disarm(self) -> None:
        self._order("disarm")
        self.fields |= {"armed": False, "ready": False}

    def take_reports(self) -> list[PulseReport]:
        taken, self.reports = self.reports, []
        return taken

    def take_notes(self) -> list[str]:
        taken, self.notes = self.notes, []
        return taken

    def _order(self, order: str) -> None:
        self.orders.append(order)
        if self.failure is not None:
            raise self.failure
        if order == "arm" and self.refusals:
            raise StimulatorRefused(self.refusals.pop(0))


@dataclasses.dataclass
class Ward:
    """A stand-in with its setting and its attendant."""

    kept: KeptStandIn
    setting: StimulatorSetting
    attendant: StimulatorAttendant
    vouched: list[float | None]
    events: list[dict[str, Any]]


def ward(
    kept: KeptStandIn | None = None,
    wanted: float = 50.0,
    rules: DeviceRules = RULES,
) -> Ward:
    kept = kept or KeptStandIn()
    setting = StimulatorSetting(kept, rules, wanted, now=kept.now, sleep=kept.sleep)
    vouched: list[float | None] = []
    events: list[dict[str, Any]] = []
    record: Callable[..., None] = lambda kind, **fields: events.append(  # noqa: E731
        {"event": kind, **fields}
    )
    attendant = StimulatorAttendant(
        kept,
        setting,
        rules,
        vouching=Vouching(until=vouched.append, withdraw=lambda: vouched.append(None)),
        record=record,
        now=kept.now,
    )
    return Ward(kept, setting, attendant, vouched, events)
