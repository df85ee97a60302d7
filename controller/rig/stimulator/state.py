"""What is known of a session's stimulator, and what it means in words."""

import math
from typing import Protocol

from controller.safety.device import (
    DEVICE_SENTENCES,
    DeviceRefusal,
    DeviceRules,
    DeviceState,
    review_device,
)
from drivers.stimulator import PulseReport, StimulatorStatus


class Kept(Protocol):
    """The part of `drivers.keeper.process.KeptStimulator` that the rig uses."""

    name: str
    port: str
    simulated: bool
    reads_back: bool
    arms_remotely: bool
    confirms_pulses: bool

    @property
    def status(self) -> StimulatorStatus | None:
        """What the device last said."""
        ...

    def check(self) -> None:
        """Return if the keeper runs and its device answers."""
        ...

    def beat(self) -> None:
        """Tell the keeper that the controller is alive."""
        ...

    def set_intensity(self, intensity_pct_mso: float) -> None:
        """Set the intensity."""
        ...

    def arm(self) -> None:
        """Arm."""
        ...

    def disarm(self) -> None:
        """Disarm."""
        ...

    def take_reports(self) -> list[PulseReport]:
        """Return the pulses that were reported."""
        ...

    def take_notes(self) -> list[str]:
        """Return what the keeper did by itself."""
        ...


def where_it_is(kept: Kept) -> str:
    """Return the device, in a phrase."""
    return f"{kept.name} at {kept.port}"


def read_intensity(kept: Kept) -> float:
    """Return the intensity that the device last said, percent; NaN if it never did."""
    status = kept.status
    return math.nan if status is None else status.intensity_pct_mso


def review_status(
    rules: DeviceRules,
    status: StimulatorStatus | None,
    commanded_pct_mso: float,
    t_now: float,
) -> DeviceRefusal:
    """Return what stands against a pulse, as `review_device` does."""
    if status is None:
        return review_device(rules, None, t_now)
    state = DeviceState(
        t_read=status.t_read,
        armed=status.armed,
        ready=status.ready,
        intensity_pct_mso=status.intensity_pct_mso,
        commanded_intensity_pct_mso=commanded_pct_mso,
        coil_connected=status.coil_connected,
        temperature_c=status.temperature_c,
        error=status.error,
    )
    return review_device(rules, state, t_now)


def unfit(kept: Kept, verdict: DeviceRefusal) -> str:
    """Return the sentence on a device that is not fit to fire."""
    status, why = kept.status, DEVICE_SENTENCES[verdict]
    if status is not None and status.error is not None:
        why += f" ({status.error})"
    elif verdict is DeviceRefusal.COIL_TOO_HOT and status is not None:
        why += f" ({status.temperature_c:.1f} °C)"
    return (
        f"The {where_it_is(kept)} was disarmed, as {why}; see to it and start a new "
        "run."
    )
