"""What a MagPro can do, and what is not certain of it."""

import dataclasses
from typing import Final, Literal

from drivers.stimulator import StimulatorCapabilities

CAPABILITIES: Final = StimulatorCapabilities(
    arms_remotely=True,
    reads_back=True,
    confirms_pulses=True,
    trains=True,
    paired=True,
    intensity_pct_mso=(0.0, 100.0),
    fire_latency_s=2e-3,
    source="gathered from open drivers; the latency of firing over the serial line is "
    "its 1.6 ms on the wire and an unpublished rest",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MagProSettings:
    """What is not certain of a MagPro, to be set as the real one turns out.

    Parameters
    ----------
    fire_form : {"short", "long"}
        Two open drivers fire with different commands: `03`, or `03 01`.
    hottest_c : float
        No arming above this temperature. The device is said to stop at 42 to 43 °C;
        that is not confirmed.
    train_start : {"trigger", "command"}
        Whether an edge starts a train, or `fire`.
    """

    fire_form: Literal["short", "long"] = "short"
    hottest_c: float = 42.0
    train_start: Literal["trigger", "command"] = "trigger"
