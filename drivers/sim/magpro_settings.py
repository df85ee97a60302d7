"""How a simulated MagPro is made, and how it fails."""

import dataclasses
import math

from drivers.base import DriverSettingError
from drivers.magpro.codes import Model, Wave
from drivers.sim.outbox import FrameFaults


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MagProTwinSettings:
    """A simulated MagPro.

    The temperature at which it stops, its disabling by itself and the warming of its
    coil are not published; they are made up and can be changed.

    Parameters
    ----------
    model : Model
    wave : Wave
    coil : int
        Type of the coil; 72 is a C-B60.
    serial_number : int
    seed : int
        Of the latencies.
    ambient_c, coil_c : float
        Temperatures at the start.
    heat_c_per_kj, cooling_s : float
        Rise of the coil's temperature for each kilojoule; time constant.
    hottest_c : float
        Disabled above this.
    auto_disable_s : float
        Disabled so long after enabling or the last pulse; infinite for never.
    panel_disable_after : int or None
        Somebody disables it at the panel after so many messages.
    panel_amplitude_after : tuple of int or None
        Somebody turns the amplitude, after so many messages, to so many percent.
    faults : FrameFaults
    """

    model: Model = Model.X100
    wave: Wave = Wave.BIPHASIC
    coil: int = 72
    serial_number: int = 1234
    seed: int = 1
    ambient_c: float = 21.0
    coil_c: float = 21.0
    heat_c_per_kj: float = 0.1
    cooling_s: float = 900.0
    hottest_c: float = 43.0
    auto_disable_s: float = math.inf
    panel_disable_after: int | None = None
    panel_amplitude_after: tuple[int, int] | None = None
    faults: FrameFaults = dataclasses.field(default_factory=FrameFaults)

    def __post_init__(self) -> None:
        for name in ("ambient_c", "coil_c", "heat_c_per_kj"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise DriverSettingError(f"{name} is {value}, but must be 0 or more.")
        for name in ("cooling_s", "auto_disable_s"):
            value = getattr(self, name)
            if not value > 0:
                raise DriverSettingError(f"{name} is {value}, but must be above 0.")
