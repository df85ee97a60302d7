"""The ports of this machine: what is plugged in, as far as that shows from outside."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from controller.rig.outputs.opened import driver_errors
from drivers.asking import Answer, ask_port

# What devices with these USB numbers often are; the numbers are of the chip in most.
_HINTS: Final[Mapping[tuple[int, int], tuple[str, ...]]] = {
    (0x1103, 0x0021): ("trigger-box",),
    (0x2341, 0x8037): ("mmbts",),
    (0x16C0, 0x0483): ("teensy",),
    (0x2341, 0x0043): ("arduino-lpt",),
    (0x0403, 0x6001): ("bbtk", "cedrus", "serial-line"),
    (0x0403, 0x6015): ("cedrus", "serial-line"),
    (0x067B, 0x2303): ("serial-line", "magstim-200", "magpro"),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FoundPort:
    """A port, and who is on it.

    Parameters
    ----------
    name : str
    stable_name : str or None
        A name that stays with the device when others are plugged in before it.
    description : str
        What the system calls it.
    usb : str or None
        Vendor and product in hexadecimal, such as `0403:6001`.
    serial_number : str or None
    may_be : tuple of str
        Drivers that devices with these USB numbers often need; a guess.
    asked : bool
    answer : Answer or None
        None if it was not asked, or nobody answered.
    """

    name: str
    stable_name: str | None = None
    description: str = ""
    usb: str | None = None
    serial_number: str | None = None
    may_be: tuple[str, ...] = ()
    asked: bool = False
    answer: Answer | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the fields."""
        return dataclasses.asdict(self)


def list_ports_here(
    comports: Callable[..., Iterable[ListPortInfo]] = list_ports.comports,
    devices: Path = Path("/dev"),
) -> list[FoundPort]:
    """Return the serial and parallel ports of this machine; none is opened.

    Parameters
    ----------
    comports, devices
        Replaced in tests.
    """
    stable = _stable_names(devices / "serial" / "by-id")
    found = [_described(port, stable) for port in comports()]
    found += [
        FoundPort(name=str(path), description="parallel port", may_be=("parallel",))
        for path in devices.glob("parport*")
    ]
    return sorted(found, key=lambda port: port.name)


def asked_port(name: str, known: Iterable[FoundPort]) -> FoundPort:
    """Return a port together with who answers on it.

    Raises
    ------
    OutputNotFound, OutputBusy, OutputLost, ConfigError
    """
    listed = {port.name: port for port in known}
    port = listed.get(name, FoundPort(name=name))
    with driver_errors():
        answer = ask_port(name)
    return dataclasses.replace(port, asked=True, answer=answer)


def _described(port: ListPortInfo, stable: Mapping[str, str]) -> FoundPort:
    usb = None
    may_be: tuple[str, ...] = ()
    if port.vid is not None and port.pid is not None:
        usb = f"{port.vid:04x}:{port.pid:04x}"
        may_be = _HINTS.get((port.vid, port.pid), ())
    described = (port.description, port.manufacturer)
    return FoundPort(
        name=port.device,
        stable_name=stable.get(port.device),
        description=next((word for word in described if word and word != "n/a"), ""),
        usb=usb,
        serial_number=port.serial_number,
        may_be=may_be,
    )


def _stable_names(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    return {str(link.resolve()): str(link) for link in sorted(folder.iterdir())}
