"""What each driver can do, told without a device."""

import dataclasses
import importlib.util
from collections.abc import Callable, Mapping
from typing import Final

from drivers.base import Capabilities, DriverError
from drivers.duomag.stimulator import CAPABILITIES as DUOMAG
from drivers.magpro.settings import CAPABILITIES as MAGPRO
from drivers.magstim.connect import magstim_200, magstim_bistim, magstim_rapid
from drivers.registry import BUILT_IN, FoundDrivers, MakeOutput, find_drivers
from drivers.stimulator import StimulatorCapabilities
from drivers.ttl_stimulator import CAPABILITIES as TTL

_SOMEWHERE: Final = "somewhere"
_PORTS: Final[Mapping[str, str]] = {
    "parallel": "/dev/parport0",
    "labjack": "ANY",
    "nidaq": "Dev1/port0/line0",
}
_PACKAGES: Final[Mapping[str, str]] = {"labjack": "labjack", "nidaq": "nidaqmx"}
_STIMULATORS: Final[Mapping[str, Callable[[], StimulatorCapabilities]]] = {
    "magstim-200": lambda: magstim_200(_SOMEWHERE).capabilities,
    "magstim-bistim": lambda: magstim_bistim(_SOMEWHERE).capabilities,
    "magstim-rapid": lambda: magstim_rapid(_SOMEWHERE).capabilities,
    "magpro": lambda: MAGPRO,
    "duomag": lambda: DUOMAG,
    "ttl": lambda: TTL,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OutputAbility:
    """A trigger output's driver.

    Parameters
    ----------
    name : str
        As `[output] kind` has it; of a plug-in, as `[output] driver` has it.
    plug_in : bool
    can : Capabilities or None
        With its default settings; None where they cannot be told without a device.
    problem : str or None
        Why it cannot be used here.
    """

    name: str
    plug_in: bool
    can: Capabilities | None
    problem: str | None

    def as_dict(self) -> dict[str, object]:
        """Return the fields; codes as the first and the last."""
        fields: dict[str, object] = {
            "name": self.name,
            "plug_in": self.plug_in,
            "problem": self.problem,
        }
        if self.can is not None:
            codes = self.can.codes
            fields |= dataclasses.asdict(self.can)
            fields["codes"] = [codes.start, codes.stop - 1]
        return fields


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StimulatorAbility:
    """A stimulator's driver, with its default settings."""

    name: str
    can: StimulatorCapabilities

    def as_dict(self) -> dict[str, object]:
        """Return the fields."""
        return {"name": self.name, **dataclasses.asdict(self.can)}


def output_abilities(found: FoundDrivers | None = None) -> list[OutputAbility]:
    """Return what each trigger output can do, plug-ins included.

    Parameters
    ----------
    found : FoundDrivers, optional
        Those of this installation, if None.
    """
    found = find_drivers() if found is None else found
    abilities = [_ability(name, make) for name, make in found.usable.items()]
    abilities += [
        OutputAbility(name=name, plug_in=True, can=None, problem=why)
        for name, why in found.broken.items()
    ]
    return abilities


def stimulator_abilities() -> list[StimulatorAbility]:
    """Return what each stimulator can do."""
    return [
        StimulatorAbility(name=name, can=capabilities())
        for name, capabilities in _STIMULATORS.items()
    ]


def _ability(name: str, make: MakeOutput) -> OutputAbility:
    plug_in = name not in BUILT_IN
    can: Capabilities | None = None
    try:
        can = make(_PORTS.get(name, _SOMEWHERE)).capabilities
    except (DriverError, TypeError):
        # A plug-in may want settings that only its user knows.
        if not plug_in:
            raise
    return OutputAbility(name=name, plug_in=plug_in, can=can, problem=_missing(name))


def _missing(name: str) -> str | None:
    package = _PACKAGES.get(name)
    if package is None or importlib.util.find_spec(package) is not None:
        return None
    return (
        f"{name} needs the package {package}; install it with "
        f"`pip install 'phasegate[{name}]'`."
    )
