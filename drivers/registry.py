"""Which trigger outputs there are, by name: our own, and those that plug-ins bring."""

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from drivers.base import DriverSettingError, TriggerOutput
from drivers.bbtk import BlackBoxTtl
from drivers.byte_boxes import arduino_lpt, mmbts, trigger_box
from drivers.cedrus import CedrusXid
from drivers.labjack import LabJackLine
from drivers.line import SerialLineTrigger
from drivers.nidaq import NiOutput
from drivers.parallel import ParallelPort
from drivers.serial_byte import SerialByteTrigger
from drivers.teensy import MicrocontrollerTrigger
from drivers.usb2ttl8 import Usb2Ttl8

GROUP: Final = "phasegate.drivers"
"""Entry-point group of trigger outputs from other distributions."""

MakeOutput = Callable[..., TriggerOutput]
"""A driver's class: called with the settings of that driver."""

BUILT_IN: Final[Mapping[str, MakeOutput]] = {
    "serial-byte": SerialByteTrigger,
    "serial-line": SerialLineTrigger,
    "trigger-box": trigger_box,
    "mmbts": mmbts,
    "arduino-lpt": arduino_lpt,
    "usb2ttl8": Usb2Ttl8,
    "bbtk": BlackBoxTtl,
    "cedrus": CedrusXid,
    "parallel": ParallelPort,
    "labjack": LabJackLine,
    "nidaq": NiOutput,
    "teensy": MicrocontrollerTrigger,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FoundDrivers:
    """The drivers that can be used, and the plug-ins that cannot.

    Parameters
    ----------
    usable : mapping of str to callable
        Driver classes by name.
    broken : mapping of str to str
        For each plug-in that was left out, one sentence that says why.
    """

    usable: Mapping[str, MakeOutput]
    broken: Mapping[str, str]

    def driver(self, name: str) -> MakeOutput:
        """Return the driver class called `name`.

        Raises
        ------
        DriverSettingError
            If there is none, or its plug-in is broken.
        """
        if name in self.usable:
            return self.usable[name]
        if name in self.broken:
            raise DriverSettingError(self.broken[name])
        close = difflib.get_close_matches(name, self.usable, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}?" if close else "install its plug-in."
        raise DriverSettingError(
            f"There is no trigger output {name!r} among "
            f"{', '.join(sorted(self.usable))}; {hint}"
        )


def find_drivers(plug_ins: Iterable[EntryPoint] | None = None) -> FoundDrivers:
    """Return all drivers; a plug-in that fails is reported, and stops nothing.

    Parameters
    ----------
    plug_ins : iterable of EntryPoint, optional
        Those of the installed distributions in the group `phasegate.drivers`, if None.
    """
    usable = dict(BUILT_IN)
    broken: dict[str, str] = {}
    for plug_in in entry_points(group=GROUP) if plug_ins is None else plug_ins:
        found = _load(plug_in, taken=usable)
        if isinstance(found, str):
            broken[plug_in.name] = found
        else:
            usable[plug_in.name] = found
    return FoundDrivers(usable=usable, broken=broken)


def _load(plug_in: EntryPoint, *, taken: Mapping[str, MakeOutput]) -> MakeOutput | str:
    where = f"The driver plug-in {plug_in.name} ({plug_in.value})"
    if plug_in.name in taken:
        return f"{where} is left out, as its name is taken; rename or uninstall it."
    try:
        made: object = plug_in.load()
    except Exception as error:  # noqa: BLE001 - foreign code may fail in any way
        return (
            f"{where} does not load ({type(error).__name__}: {error}); update or "
            "uninstall it."
        )
    if not callable(made):
        return f"{where} is not a class or function; update or uninstall it."
    return made
