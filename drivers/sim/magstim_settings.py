"""How a simulated Magstim is made, and how it fails."""

import dataclasses
import math

from drivers.base import DriverSettingError
from drivers.magstim.codec import Software
from drivers.magstim.limits import Mains, Variant
from drivers.sim.magstim_frames import Model
from drivers.sim.outbox import FrameFaults


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MagstimSettings:
    """A simulated Magstim.

    The warming of the coil is made up: no figure is published. The rise for each
    kilojoule and the time constant of the cooling are plausible, no more.

    Parameters
    ----------
    model : {"200", "bistim", "rapid"}
    software : tuple of int
        Of a Rapid².
    unlock_code : str or None
        That a Rapid² with software 9 or later waits for; None for one that nobody
        knows.
    variant, mains
        Decide how fast trains may be.
    seed : int
        Of the latencies.
    ambient_c, coil_c : float
        Temperatures at the start.
    heat_c_per_kj, cooling_s : float
        Rise of the coil's temperature for each kilojoule; time constant.
    short_version : bool
        Echo one character before the version, not two. The bytes of this reply are not
        published; client software of others skips a second one.
    replace_coil, error : bool
        What the status says from the start on.
    coil_removed_after : int or None
        Take the coil off after so many replies.
    charger_fails_after : int or None
        Charge no more after so many pulses; the status stays that of charging.
    faults : FrameFaults
    """

    model: Model = "200"
    software: Software = (8, 0, 0)
    unlock_code: str | None = None
    variant: Variant = "rapid"
    mains: Mains = 240
    seed: int = 1
    ambient_c: float = 22.0
    coil_c: float = 24.0
    heat_c_per_kj: float = 0.1
    cooling_s: float = 900.0
    short_version: bool = False
    replace_coil: bool = False
    error: bool = False
    coil_removed_after: int | None = None
    charger_fails_after: int | None = None
    faults: FrameFaults = dataclasses.field(default_factory=FrameFaults)

    def __post_init__(self) -> None:
        if self.model not in ("200", "bistim", "rapid"):
            raise DriverSettingError(
                f"There is no Magstim {self.model!r}; choose 200, bistim or rapid."
            )
        if not all(0 <= part < 100 for part in self.software):
            raise DriverSettingError(
                f"The software {self.software} is none; give a version such as 9.1.0."
            )
        for name in ("ambient_c", "coil_c", "heat_c_per_kj"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise DriverSettingError(f"{name} is {value}, but must be 0 or more.")
        if not 0 < self.cooling_s < math.inf:
            raise DriverSettingError(
                f"cooling_s is {self.cooling_s}, but must be above 0."
            )

    @property
    def is_locked(self) -> bool:
        """Whether it needs an unlock code."""
        return self.model == "rapid" and self.software[0] >= 9
